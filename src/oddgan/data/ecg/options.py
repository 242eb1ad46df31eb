"""How beats are cut from recordings, as plain values that a model keeps."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from oddgan._core.errors import InputError

Cut = Literal["beat-to-beat", "window", "beatgan"]
Scale = Literal["beat", "record", "robust", "millivolts"]

_CHOICES: Mapping[str, tuple[Any, ...]] = {
    "cut": ("beat-to-beat", "window", "beatgan"),
    "peaks": ("annotated", "detected"),
    "baseline": (None, "median", "high-pass"),
    "mains": (None, 50, 60),
    "scale": (None, "beat", "record", "robust", "millivolts"),
}


@dataclass(frozen=True)
class EcgOptions:
    """How recordings become beats.

    Parameters
    ----------
    cut : `beat-to-beat` from each beat to a fifth past the next one, 187 values at 120 Hz, zeros at the end (Kachuee et
        al. 2018); `window` from `before` to `after` each beat; `beatgan` 320 values at 360 Hz, 140 before and 180 from
        the R peak on (Zhou et al. 2019).
    lead : number from 0, or name; None takes the first, or MLII for `beatgan`.
    peaks : `annotated` takes the beats of the .atr files; `detected` finds them, and labels them by the annotated beat
        within 150 ms where there is one.
    baseline : how slow wander is taken away: `median` or `high-pass`; None leaves it.
    mains : hum to take away, 50 or 60 Hz; None leaves it.
    scale : `beat` to 0..1 by each beat's own range; `record` by the record's; `robust` by the record's median and
        interquartile range; `millivolts` not at all; None takes `beat`, which `beatgan` stretches to -1..1.
    before, after : seconds before and after a beat, for `window`.
    adapt : minutes at the start of each record whose median beat is subtracted from all of its beats, 0 for none. No
        label is read for it.
    rhythm : add three constant channels: the interval before, the interval after, and the first relative to the mean
        of about ten around it; each is cut at 2 s, or 2, and halved, so that it lies in 0..1.

    Raises
    ------
    InputError
        If a value is none of these, or `beatgan` is asked for what it does in its own way.
    """

    cut: Cut = "beat-to-beat"
    lead: int | str | None = None
    peaks: Literal["annotated", "detected"] = "annotated"
    baseline: Literal["median", "high-pass"] | None = None
    mains: Literal[50, 60] | None = None
    scale: Scale | None = None
    before: float = 0.4
    after: float = 0.5
    adapt: float = 0.0
    rhythm: bool = False

    def __post_init__(self) -> None:
        for name, known in _CHOICES.items():
            value = getattr(self, name)
            if value not in known:
                listed = " or ".join(str(k) for k in known if k is not None)
                raise InputError(f"{name} is {value!r}; expected {listed}.")
        for name in ("before", "after", "adapt"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
                raise InputError(f"{name} is {value!r}; expected a number from 0 on.")
        if not isinstance(self.rhythm, bool):
            raise InputError(f"rhythm is {self.rhythm!r}; expected true or false.")
        if isinstance(self.lead, bool) or not isinstance(self.lead, int | str | None):
            raise InputError(f"lead is {self.lead!r}; expected its number or name.")
        if self.cut == "beatgan" and (self.peaks, self.baseline) != ("annotated", None):
            raise InputError("cut=beatgan has its own filter and its own use of detected peaks: leave both away.")
        if self.cut == "window" and self.before + self.after == 0:
            raise InputError("The window is empty: give seconds before or after the beat.")

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "EcgOptions":
        """Build options from plain values by name.

        Raises
        ------
        InputError
            If a name is unknown.
        """
        known = [field.name for field in dataclasses.fields(cls)]
        unknown = sorted(set(values) - set(known))
        if unknown:
            raise InputError(f"There is no option {', '.join(unknown)} for recordings; they have {', '.join(known)}.")
        return cls(**values)
