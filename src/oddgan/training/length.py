"""How long a phase of training is, by kind of data."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from oddgan._core.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Steps:
    """Updates of the player that learns most rarely, which a method takes by default, for each kind of data.

    Parameters
    ----------
    table : for rows (d,), >= 1.
    series : for series (c, t), >= 1.
    image : for images (c, h, w), >= 1.
    """

    table: int = 2000
    series: int = 1000
    image: int = 1000

    def by_kind(self, kinds: Iterable[str]) -> dict[str, int]:
        """The steps by kind of data."""
        return {kind: getattr(self, kind) for kind in kinds}

    def __call__(self, shape: tuple[int, ...]) -> int:
        """The steps for samples of this shape, without the batch."""
        return {1: self.table, 2: self.series}.get(len(shape), self.image)


class Length(NamedTuple):
    """How long a phase trains: for passes over the rows, or for updates of its slowest player.

    Parameters
    ----------
    epochs : passes; None where steps count.
    steps : updates; None where passes count.
    """

    epochs: int | None
    steps: int | None


def length_of(detector: Any, part: str) -> Length:
    """How long a detector trains a part of its networks.

    What is given for the part (`encoder_steps`, `encoder_epochs`) wins over what is given for all of the training
    (`steps`, `epochs`), and that over the class's default (`default_encoder_steps` if it has one, `default_steps`).

    Parameters
    ----------
    detector : a `NeuralDetector` with a shape.
    part : the part, e.g. "encoder"; empty for the training proper.
    """
    for prefix in dict.fromkeys((f"{part}_" if part else "", "")):
        given = _given(detector, prefix)
        if given != (None, None):
            return given
    return Length(None, _default(detector, f"{part}_" if part else "")(detector.shape_))


def default_lengths(detector: Any) -> dict[str, int]:
    """The steps that a detector takes by default, by the parameter that sets them; empty where any length is given.

    Parameters
    ----------
    detector : a `NeuralDetector` with a shape.
    """
    defaults = steps_of(detector)
    given = {prefix: _given(detector, prefix) for prefix in defaults}
    played = [prefix for prefix, length in given.items() if length.epochs != 0]
    if any(given[prefix] != (None, None) for prefix in played):
        return {}
    return {f"{prefix}steps": defaults[prefix](detector.shape_) for prefix in played}


def steps_of(owner: Any) -> dict[str, Steps]:
    """The default steps of each part of the training, by what the names of its parameters begin with.

    Parameters
    ----------
    owner : a `NeuralDetector`, or its class.
    """
    names = owner._get_param_names()
    prefixes = [name.removesuffix("epochs") for name in names if name.endswith("epochs")]
    return {prefix: _default(owner, prefix) for prefix in prefixes}


def check_lengths(detector: Any) -> None:
    """Raise InputError where a length is given twice or is below its least value.

    Parameters
    ----------
    detector : a `NeuralDetector`; a part of its training may have no passes at all where its class says so by
        `may_skip`.
    """
    for prefix in steps_of(detector):
        epochs, steps = _given(detector, prefix)
        if epochs is not None and steps is not None:
            raise InputError(f"Give {prefix}steps or {prefix}epochs, not both: they are {steps} and {epochs}.")
        least = 0 if prefix.removesuffix("_") in detector.may_skip else 1
        for name, value, bound in (("epochs", epochs, least), ("steps", steps, 1)):
            if value is not None and value < bound:
                raise InputError(f"{prefix}{name} must be a whole number of at least {bound}, not {value}.")


def _default(owner: Any, prefix: str) -> Steps:
    found: Steps = getattr(owner, f"default_{prefix}steps", owner.default_steps)
    return found


def _given(detector: Any, prefix: str) -> Length:
    return Length(getattr(detector, f"{prefix}epochs", None), getattr(detector, f"{prefix}steps", None))
