"""Affine scalings (min-max, standard): network input = (raw - centre) / spread, for raw values of any finite size."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, Literal, Self, cast

import numpy as np

from oddgan._core.errors import InputError
from oddgan.scaling.moments import Moments
from oddgan.scaling.powers import compressed, power_of_two

# What differs by no more than this, relative to its size, differs only by rounding.
ROUNDING = 16 * float(np.finfo(np.float64).eps)
# A change of a constant by less than this share of its size may be rounding to single precision (6e-8).
SHARE = 1e-6
_LARGEST = float(np.finfo(np.float64).max)
_IMAGES = 4  # axes of (n, c, h, w)

Per = Literal["feature", "channel", "all"]


@dataclass(frozen=True)
class Scaling(ABC):
    """Raw values to network input and back.

    A scale that saw only one value in training has no spread of its own. It gets that of the others (the median; for
    tables and series, whose columns have units of their own, at most 1), so that a change shows later.

    Input is bounded: values beyond ±`limit`, a million spreads, are compressed by a logarithm. They stay in order and
    finite in single precision.

    Parameters
    ----------
    per : what shares one scale: each "feature" (every position of a sample by itself), each "channel" (the first axis
        of a sample), or "all" values.
    centre : learned: what is mapped to the middle; None before `fit`.
    spread : learned: half the range or the standard deviation; None before `fit`. 0, which older models hold for
        constants, maps everything to zero.
    constants : learned: which scales saw only one value, bool; None before `fit`, and in older models.
    """

    limit: ClassVar[float] = 1e6
    """The largest network input that is not compressed."""

    per: Per = "feature"
    centre: np.ndarray | None = None
    spread: np.ndarray | None = None
    constants: np.ndarray | None = None

    @property
    def range(self) -> tuple[float, float] | None:
        """The interval that training data are mapped into, or None when it is unbounded."""
        return None

    def choose(self, shape: tuple[int, ...]) -> "Scaling":
        """The scaling for samples of this shape: itself, unless it chooses by the kind of data."""
        del shape
        return self

    @abstractmethod
    def fit(self, chunks: Iterable[np.ndarray]) -> Self:
        """Learn from raw rows, given in chunks (n, ...), and return the fitted scaling."""

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Raw rows (n, ...) to network input, float32, finite."""
        shrink, middle, inverse = self._factors
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            scaled = np.asarray(x, dtype=np.float64) * shrink
            scaled -= middle
            scaled *= inverse
        if not inverse.all():
            scaled = np.where(inverse > 0, scaled, 0.0)
        return compressed(scaled, self.limit).astype(np.float32)

    @cached_property
    def _factors(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """A power of two near 1/spread, the centre times that, and 1/spread over it; 0 where the spread is 0."""
        centre, spread = self._fitted()
        shrink = 1 / power_of_two(spread)
        inverse = np.divide(1.0, spread * shrink, out=np.zeros_like(spread), where=spread > 0)
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            return shrink, centre * shrink, inverse

    def backward(self, x: np.ndarray) -> np.ndarray:
        """Network output (n, ...) to raw values, float64, finite where the output is."""
        centre, spread = self._fitted()
        with np.errstate(over="ignore"):
            raw: np.ndarray = np.asarray(x, dtype=np.float64) * spread + centre
        if not np.isfinite(raw).all():  # beyond the largest numbers
            raw = np.clip(raw, -_LARGEST, _LARGEST)
        return raw

    @property
    def constant(self) -> int:
        """How many of the learned scales saw only one value."""
        known = self.constants
        return int((self._fitted()[1] == 0).sum()) if known is None else int(known.sum())

    @property
    def middle(self) -> float:
        """What constants are mapped to."""
        return 0.0 if self.range is None else sum(self.range) / 2

    def check(self, shape: tuple[int, ...]) -> None:
        """Refuse what was learned from samples of another shape, or is no scale.

        Raises
        ------
        InputError
            If arrays do not fit the shape, are not finite or truth values, or spreads are negative.
        """
        for array in self._fitted():
            last = shape[len(shape) - array.ndim :]
            fits = len(last) == array.ndim and all(n in (1, m) for n, m in zip(array.shape, last, strict=True))
            if array.dtype != np.float64 or not fits or not np.isfinite(array).all():
                raise InputError(f"{type(self).__name__} was fitted to samples of another shape than {shape}.")
        if (self._fitted()[1] < 0).any():
            raise InputError(f"{type(self).__name__} has learned a spread below 0.")
        known = self.constants
        if known is not None and (known.dtype != np.bool_ or known.shape != self._fitted()[1].shape):
            raise InputError(f"{type(self).__name__} has learned constants {known.shape} of type {known.dtype}.")

    def _fitted(self) -> tuple[np.ndarray, np.ndarray]:
        if self.centre is None or self.spread is None:
            raise InputError(f"{type(self).__name__} has not been fitted: call fit on training rows first.")
        return self.centre, self.spread

    def _learned(self, centre: np.ndarray, spread: np.ndarray, size: np.ndarray, *, shared: bool) -> Self:
        """The fitted scaling, constants with a spread that shows a change.

        Parameters
        ----------
        centre, spread : what was found, for each scale.
        size : the largest value of each scale, or one near it, without its sign.
        shared : whether all values have the same unit, as those of images do.
        """
        constant = spread <= ROUNDING * size
        some = spread[~constant] if not constant.all() else size[size > 0]
        typical = float(np.median(some)) if some.size else 1.0
        given = np.maximum(typical if shared else min(1.0, typical), SHARE * size)
        return replace(self, centre=centre, spread=np.where(constant, given, spread), constants=constant)

    def _axes(self, x: np.ndarray) -> tuple[int, ...]:
        """The axes that share a scale."""
        kept = {"feature": range(1, x.ndim), "channel": range(1, 2), "all": range(0)}
        if self.per not in kept:
            raise InputError(f"per is {self.per!r}: use 'feature', 'channel' or 'all'.")
        return tuple(a for a in range(x.ndim) if a not in kept[self.per])


@dataclass(frozen=True)
class MinMax(Scaling):
    """Map the training range to [low, high]; new values may fall outside, and keep doing so.

    Parameters
    ----------
    low, high : the ends of the interval; -1 and 1 fit a tanh output, 0 and 1 a sigmoid.
    """

    low: float = -1.0
    high: float = 1.0

    @property
    def range(self) -> tuple[float, float] | None:
        """(low, high)."""
        return self.low, self.high

    def fit(self, chunks: Iterable[np.ndarray]) -> Self:
        """Learn the smallest and largest values of chunks (n, ...)."""
        if not self.low < self.high:
            raise InputError(f"MinMax needs low < high, but got low={self.low} and high={self.high}.")
        smallest: np.ndarray | None = None
        largest: np.ndarray | None = None
        ndim = 0
        for chunk in chunks:
            axes, ndim = self._axes(chunk), chunk.ndim
            low = chunk.min(axis=axes, keepdims=True)[0].astype(np.float64)
            high = chunk.max(axis=axes, keepdims=True)[0].astype(np.float64)
            smallest = low if smallest is None else np.minimum(smallest, low)
            largest = high if largest is None else np.maximum(largest, high)
        if smallest is None or largest is None:
            raise InputError("There are no rows to learn a scaling from.")
        width, size = self.high - self.low, np.maximum(np.abs(smallest), np.abs(largest))
        with np.errstate(over="ignore"):
            spread = np.minimum(largest / width - smallest / width, _LARGEST)
        fitted = self._learned(smallest, spread, size, shared=ndim == _IMAGES)
        # A constant becomes the middle, where a bounded output can follow it.
        middle = np.where(cast(np.ndarray, fitted.constants), self.middle, self.low)
        return replace(fitted, centre=smallest - middle * cast(np.ndarray, fitted.spread))


@dataclass(frozen=True)
class Standard(Scaling):
    """Subtract the mean and divide by the standard deviation of the training data."""

    def fit(self, chunks: Iterable[np.ndarray]) -> Self:
        """Learn mean and standard deviation of chunks (n, ...) in one pass."""
        moments: Moments | None = None
        ndim = 0
        for chunk in chunks:
            moments, ndim = Moments.of(np.asarray(chunk, dtype=np.float64), self._axes(chunk), moments), chunk.ndim
        if moments is None:
            raise InputError("There are no rows to learn a scaling from.")
        mean = moments.mean
        return self._learned(mean, moments.deviation, np.abs(mean), shared=ndim == _IMAGES)


@dataclass(frozen=True)
class Identity(Scaling):
    """Leave the values alone: for data that are scaled already. Beyond ±1e15 they are compressed."""

    limit: ClassVar[float] = 1e15  # squares of what is beyond are still finite in single precision

    def fit(self, chunks: Iterable[np.ndarray]) -> Self:
        """Learn nothing from chunks (n, ...)."""
        del chunks
        return replace(self, centre=np.zeros(()), spread=np.ones(()))


@dataclass(frozen=True)
class AutoScaling(Scaling):
    """Choose by the kind of data: tables are standardised per column, series and images mapped to [-1, 1].

    Series are scaled per channel; all channels of an image share one scale.
    """

    chosen: ClassVar[dict[int, Scaling]] = {
        1: Standard(per="feature"),
        2: MinMax(per="channel"),
        3: MinMax(per="all"),
    }

    def fit(self, chunks: Iterable[np.ndarray]) -> Self:
        """Refuse chunks (n, ...): `AutoScaling` is replaced by its choice before fitting."""
        raise InputError("AutoScaling is not fitted itself: use AutoScaling().choose(shape).fit(...).")

    def choose(self, shape: tuple[int, ...]) -> Scaling:
        """The scaling for samples of this shape."""
        return self.chosen[min(len(shape), 3)]
