"""How a source is read, and how recordings of hearts are cut into beats."""

import dataclasses
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from oddgan._core.errors import InputError
from oddgan._core.memory import parse_size
from oddgan.options.assignments import parse_assignments
from oddgan.options.fields import Flag, Range, UsageError, check_fields

Kind = Literal["image", "series", "table"]
SplitName = Literal["train", "test"]
Colour = Literal["grey", "rgb"]
Impute = Literal["median"]
Cut = Literal["beat-to-beat", "window", "beatgan"]
Scale = Literal["beat", "record", "robust", "millivolts"]

_FROM_0 = Range(least=0, below=math.inf)
_Seconds = Annotated[float, _FROM_0]
_USUAL: dict[str, tuple[float, float]] = {"rate": (120.0, 0.0), "adapt": (5.0, 0.0), "rhythm": (True, False)}


@dataclass(frozen=True)
class EcgOptions:
    """How recordings become beats.

    As it comes, a beat is a window in which the patient's usual beat is subtracted, beside the intervals to its
    neighbours: what tells an unusual beat from the usual beats of a person whom the model has never seen. The cuts of
    published sets have neither, unless they are asked for.

    Parameters
    ----------
    cut : `window` from `before` to `after` each beat; `beat-to-beat` from each beat to a fifth past the next one, 187
        values at 120 Hz, zeros at the end (Kachuee et al. 2018); `beatgan` 320 values at 360 Hz, 140 before and 180
        from the R peak on (Zhou et al. 2019).
    lead : number from 0, or name; None takes the first, or MLII for `beatgan`.
    peaks : `annotated` takes the beats of the .atr files; `detected` finds them, and labels them by the annotated beat
        within 150 ms where there is one.
    baseline : how slow wander is taken away: `median` or `high-pass`; None leaves it.
    mains : hum to take away, 50 or 60 Hz; None leaves it.
    scale : `beat` to 0..1 by each beat's own range; `record` by the record's; `robust` by the record's median and
        interquartile range; `millivolts` not at all; None takes `beat`, which `beatgan` stretches to -1..1.
    before, after : seconds before and after a beat, for `window`.
    rate : values a second of a window, read off the straight lines between the samples; 0 takes the samples as they
        are, None takes 120.
    adapt : minutes at the start of each record whose median beat is subtracted from all of its beats, 0 for none; None
        takes 5 for `window`, else 0. No label is read for it.
    rhythm : add three constant channels: the interval before, the interval after, and the first relative to the mean
        of about ten around it; each is cut at 2 s, or 2, and halved, so that it lies in 0..1. None adds them to a
        `window`.

    Raises
    ------
    InputError
        If a value is none of these, or `beatgan` is asked for what it does in its own way.
    """

    cut: Cut = "window"
    lead: int | str | None = None
    peaks: Literal["annotated", "detected"] = "annotated"
    baseline: Literal["median", "high-pass"] | None = None
    mains: Literal[50, 60] | None = None
    scale: Scale | None = None
    before: _Seconds = 0.4
    after: _Seconds = 0.5
    rate: Annotated[float | None, _FROM_0] = None
    adapt: Annotated[float | None, _FROM_0] = None
    rhythm: bool | None = None

    def __post_init__(self) -> None:
        for name, (window, others) in _USUAL.items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, window if self.cut == "window" else others)
        check_fields(self)
        if isinstance(self.lead, bool) or not isinstance(self.lead, int | str | None):
            raise InputError(f"lead is {self.lead!r}; expected its number or name.")
        if self.cut == "beatgan" and (self.peaks, self.baseline) != ("annotated", None):
            raise InputError("cut=beatgan has its own filter and its own use of detected peaks: remove both.")
        if self.cut == "window" and self.before + self.after == 0:
            raise InputError("The window is empty: give seconds before or after the beat.")
        if self.cut == "window" and self.rate and round(self.before * self.rate) + round(self.after * self.rate) == 0:
            raise InputError(f"At {self.rate:g} values a second the window holds none: raise rate.")

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


def _ecg(texts: Iterable[str]) -> EcgOptions | None:
    values = parse_assignments(texts)
    return EcgOptions.of(values) if values else None


def _size(text: str) -> tuple[int, int]:
    height, _, width = text.lower().partition("x")
    if not height.isdigit() or not (width.isdigit() or not width) or text.lower().endswith("x"):
        raise UsageError(f"--resize is {text!r}: give a size such as 64, or 64x48 for height x width.")
    return int(height), int(width or height)


def _memory(text: str) -> int:
    try:
        return parse_size(text)
    except InputError as error:
        raise UsageError(f"--max-memory: {error}") from error


_READING = "How to read the data"
_Flag = Flag(_READING)


@dataclass(frozen=True)
class Options:
    """What the user says about a source. None means: find out.

    Parameters
    ----------
    x : key of the data in an npz file; by default x, X, x_train or x_test, or the only array there is.
    y : key of the labels in an npz file; by default y, y_train or y_test.
    label : column of a table that holds the labels.
    drop : columns of a table to leave out; repeatable, or several with commas.
    keep : the only columns of a table to read, beside the labels; repeatable.
    categorical : columns of a table that become one column for each of their texts, however many; repeatable.
    split : half of a source that holds both; by default, train to fit, to inspect or for an inversion, else test.
    normal : label of normal rows; without it 0, or the texts 'normal' and 'good'.
    kind : kind of data; by default, by the shape.
    resize : size of images, e.g. 64 or 64x48 (height x width).
    colour : read images as grey or rgb; by default as they are: a folder as grey if all of its files are, else rgb.
    impute : fill missing values of tables with the median of the normal rows read; otherwise they are refused.
    skip_bad : leave out images and records that can't be read, with a note.
    ecg : how beats are cut from WFDB records, e.g. cut=window, lead=MLII or rhythm=true; repeatable.
    protocol : how MIT-BIH is divided: patient-wise (default), de-chazal, published, random, ecgan, beatgan; for
        builtin:ecg the first or random.
    mapped : read images, csv or parquet piece by piece into a temporary file, and an npy file where it lies, for data
        larger than memory; the file lies where TMPDIR says.
    max_memory : what data may take in memory, e.g. 4GB; by default, three quarters of the machine's, and for
        compressed files at most 200 times their size (but 256 MiB). In Python, a number of bytes.

    Raises
    ------
    InputError
        If a choice is none of those above.
    """

    x: Annotated[str | None, _Flag] = None
    y: Annotated[str | None, _Flag] = None
    label: Annotated[str | None, _Flag] = None
    drop: Annotated[tuple[str, ...], _Flag] = ()
    keep: Annotated[tuple[str, ...], _Flag] = ()
    categorical: Annotated[tuple[str, ...], _Flag] = ()
    split: Annotated[SplitName | None, _Flag] = None
    normal: Annotated[str | int | None, Flag(_READING, parse=str)] = None
    kind: Annotated[Kind | None, _Flag] = None
    resize: Annotated[tuple[int, int] | None, Flag(_READING, parse=_size)] = None
    colour: Annotated[Colour | None, _Flag] = None
    impute: Annotated[Impute | None, _Flag] = None
    skip_bad: Annotated[bool, _Flag] = False
    ecg: Annotated[EcgOptions | None, Flag(_READING, parse=_ecg, repeatable=True)] = None
    protocol: Annotated[str | None, _Flag] = None
    mapped: Annotated[bool, _Flag] = False
    max_memory: Annotated[int | None, Flag(_READING, parse=_memory)] = None

    def __post_init__(self) -> None:
        check_fields(self)
        if self.drop and self.keep:
            raise InputError("drop and keep both choose columns: give --drop or --keep, not both.")
        if self.resize is not None and (len(self.resize) != 2 or min(self.resize) < 1):
            raise InputError(f"resize is {self.resize!r}; expected a height and a width of at least 1 pixel.")
        if self.max_memory is not None and self.max_memory < 1:
            raise InputError(f"max_memory is {self.max_memory!r}; expected a number of bytes from 1 on.")
