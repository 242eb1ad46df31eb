"""How long a phase of training is, by kind of data."""

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


def length_of(detector: Any, part: str, default: Steps) -> Length:
    """How long a detector trains a part of its networks.

    What is given for the part (`encoder_steps`, `encoder_epochs`) wins over what is given for all of the training
    (`steps`, `epochs`), and that over the method's default.

    Parameters
    ----------
    detector : a `NeuralDetector` with a shape.
    part : the part, e.g. "encoder"; empty for the training proper.
    default : the method's steps for it.
    """
    for prefix in dict.fromkeys((f"{part}_" if part else "", "")):
        given = Length(getattr(detector, f"{prefix}epochs", None), getattr(detector, f"{prefix}steps", None))
        if given != (None, None):
            return given
    return Length(None, default(detector.shape_))


def check_lengths(detector: Any) -> None:
    """Raise InputError where a length is given twice or is below its least value.

    Parameters
    ----------
    detector : a `NeuralDetector`; a part of its training may have no passes at all where its class says so by
        `may_skip`.
    """
    names = [name for name in detector.get_params(deep=False) if name.endswith("epochs")]
    for epochs, steps in ((name, name.removesuffix("epochs") + "steps") for name in names):
        if getattr(detector, epochs) is not None and getattr(detector, steps, None) is not None:
            raise InputError(
                f"Give {steps} or {epochs}, not both: they are {getattr(detector, steps)} and "
                f"{getattr(detector, epochs)}."
            )
        least = 0 if epochs.removesuffix("_epochs") in detector.may_skip else 1
        for name, bound in ((epochs, least), (steps, 1)):
            value = getattr(detector, name, None)
            if value is not None and value < bound:
                raise InputError(f"{name} must be a whole number of at least {bound}, not {value}.")
