"""Checked access to what a model file holds: each value is asked for with its type, range or shape."""

import math
from collections.abc import Collection, Mapping
from typing import Any, cast

import numpy as np

from oddgan._core.errors import ModelError
from oddgan._core.text import shown

LARGEST = 2**31 - 1


class Fields:
    """Stored values by name. Reading one checks it; whatever was not asked for is an error.

    Parameters
    ----------
    who : what the values belong to, for error messages.
    values : the values by name, arrays among them.
    sizes : the lengths of axes that are known already, by the letters that `array` uses.
    """

    def __init__(self, who: str, values: Mapping[str, Any], **sizes: int) -> None:
        self.who, self.sizes = who, dict(sizes)
        self._values = dict(values)

    def number(self, name: str, low: float = -math.inf, high: float = math.inf) -> float:
        """A finite number in [low, high]."""
        value = self._take(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not _finite(value):
            raise self.error(name, f"is {shown(value)}, but must be a finite number")
        if not low <= value <= high:
            raise self.error(name, f"is {shown(value)}, but must be in [{low:g}, {high:g}]")
        return float(value)

    def whole(self, name: str, low: int = 1, high: int = LARGEST) -> int:
        """A whole number in [low, high]."""
        value = self._take(name)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self.error(name, f"is {shown(value)}, but must be a whole number from {low} to {high}")
        return value

    def choice(self, name: str, known: Collection[str]) -> str:
        """One of the known texts."""
        value = self._take(name)
        if not isinstance(value, str) or value not in known:
            raise self.error(name, f"is {shown(value)}, but must be one of {', '.join(known)}")
        return value

    def array(self, name: str, *axes: str | int, kind: str = "float64", positive: bool = False) -> np.ndarray:
        """A finite array, (...).

        Parameters
        ----------
        axes : the length of each axis, or a letter: axes with one letter are equally long in all arrays.
        kind : the type of its values.
        positive : whether all of them must be above 0.
        """
        value = self._take(name)
        if not isinstance(value, np.ndarray) or value.dtype != kind:
            found = f"has values of type {value.dtype}" if isinstance(value, np.ndarray) else f"is {shown(value)}"
            raise self.error(name, f"{found}, but must be an array of {kind}")
        if value.ndim != len(axes) or not all(self._fits(axis, n) for axis, n in zip(axes, value.shape, strict=True)):
            wanted = ", ".join(str(self.sizes.get(axis, axis) if isinstance(axis, str) else axis) for axis in axes)
            raise self.error(name, f"has shape {value.shape}, but must have ({wanted})")
        if value.size == 0:
            raise self.error(name, "is empty")
        if not np.isfinite(value).all():
            raise self.error(name, "holds NaN or infinity")
        if positive and not (value > 0).all():
            raise self.error(name, "holds values that are not above 0")
        return value

    def done(self) -> None:
        """Refuse values that nothing has asked for."""
        if self._values:
            raise ModelError(f"{self.who} has unknown {', '.join(sorted(map(str, self._values))[:3])}.")

    def error(self, name: str, text: str) -> ModelError:
        """What is wrong with a value."""
        return ModelError(f"{name} of {self.who} {text}.")

    def _take(self, name: str) -> object:
        if name not in self._values:
            raise ModelError(f"{self.who} lacks {name}.")
        return cast(object, self._values.pop(name))

    def _fits(self, axis: str | int, n: int) -> bool:
        return n == (self.sizes.setdefault(axis, n) if isinstance(axis, str) else axis)


def _finite(value: float) -> bool:
    """Whether a number is finite also as a float."""
    try:
        return math.isfinite(value)
    except OverflowError:
        return False
