"""Affine scalings: network input = (raw - centre) / spread; what is constant in the training data becomes zero."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, Self

import numpy as np

from oddgan._core.errors import InputError

Per = Literal["feature", "channel", "all"]


@dataclass(frozen=True)
class Scaling(ABC):
    """Raw values to network input and back.

    Parameters
    ----------
    per : what shares one scale: each "feature" (every position of a sample by itself), each "channel" (the first axis
        of a sample), or "all" values.
    centre : learned: what is mapped to the middle; None before `fit`.
    spread : learned: half the range or the standard deviation, 0 where the training data are constant; None before
        `fit`.
    """

    per: Per = "feature"
    centre: np.ndarray | None = None
    spread: np.ndarray | None = None

    @property
    def range(self) -> tuple[float, float] | None:
        """The interval that training data are mapped into, or None when it is unbounded."""
        return None

    @abstractmethod
    def fit(self, chunks: Iterable[np.ndarray]) -> Self:
        """Learn from raw rows, given in chunks (n, ...), and return the fitted scaling."""

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Raw rows (n, ...) to network input, float32."""
        centre, spread = self._fitted()
        inverse = np.divide(1.0, spread, out=np.zeros_like(spread), where=spread > 0)
        scaled: np.ndarray = ((np.asarray(x, dtype=np.float64) - centre) * inverse).astype(np.float32)
        return scaled

    def backward(self, x: np.ndarray) -> np.ndarray:
        """Network output (n, ...) to raw values, float64."""
        centre, spread = self._fitted()
        raw: np.ndarray = np.asarray(x, dtype=np.float64) * spread + centre
        return raw

    @property
    def constant(self) -> int:
        """How many of the learned scales saw only one value."""
        return int((self._fitted()[1] == 0).sum())

    def check(self, shape: tuple[int, ...]) -> None:
        """Refuse what was learned from samples of another shape, or is no scale.

        Raises
        ------
        InputError
            If arrays do not fit the shape, are not finite, or spreads are negative.
        """
        for array in self._fitted():
            last = shape[len(shape) - array.ndim :]
            fits = len(last) == array.ndim and all(n in (1, m) for n, m in zip(array.shape, last, strict=True))
            if array.dtype != np.float64 or not fits or not np.isfinite(array).all():
                raise InputError(f"{type(self).__name__} was fitted to samples of another shape than {shape}.")
        if (self._fitted()[1] < 0).any():
            raise InputError(f"{type(self).__name__} has learned a spread below 0.")

    def _fitted(self) -> tuple[np.ndarray, np.ndarray]:
        if self.centre is None or self.spread is None:
            raise InputError(f"{type(self).__name__} has not been fitted: call fit on training rows first.")
        return self.centre, self.spread

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
        """Learn the smallest and largest values."""
        if not self.low < self.high:
            raise InputError(f"MinMax needs low < high, but got low={self.low} and high={self.high}.")
        smallest: np.ndarray | None = None
        largest: np.ndarray | None = None
        for chunk in chunks:
            axes = self._axes(chunk)
            low = chunk.min(axis=axes, keepdims=True)[0].astype(np.float64)
            high = chunk.max(axis=axes, keepdims=True)[0].astype(np.float64)
            smallest = low if smallest is None else np.minimum(smallest, low)
            largest = high if largest is None else np.maximum(largest, high)
        if smallest is None or largest is None:
            raise InputError("There are no rows to learn a scaling from.")
        spread = (largest - smallest) / (self.high - self.low)
        return replace(self, centre=np.where(spread > 0, smallest - self.low * spread, smallest), spread=spread)


@dataclass(frozen=True)
class Standard(Scaling):
    """Subtract the mean and divide by the standard deviation of the training data."""

    def fit(self, chunks: Iterable[np.ndarray]) -> Self:
        """Learn mean and standard deviation in one pass (Chan et al., 1983)."""
        n, mean, squares = 0, np.zeros(()), np.zeros(())
        for chunk in chunks:
            x = np.asarray(chunk, dtype=np.float64)
            axes = self._axes(x)
            k, centre = x.size // x.mean(axis=axes).size, x.mean(axis=axes, keepdims=True)
            spread = ((x - centre) ** 2).sum(axis=axes, keepdims=True)[0]
            delta = centre[0] - mean
            squares = squares + spread + delta**2 * (n * k / (n + k))
            mean, n = mean + delta * (k / (n + k)), n + k
        if n == 0:
            raise InputError("There are no rows to learn a scaling from.")
        deviation = np.sqrt(squares / n)
        # What differs only by rounding is constant.
        deviation = np.where(deviation > 1e-12 * np.maximum(np.abs(mean), 1e-300), deviation, 0.0)
        return replace(self, centre=mean, spread=deviation)


@dataclass(frozen=True)
class Identity(Scaling):
    """Leave the values alone: for data that are scaled already."""

    def fit(self, chunks: Iterable[np.ndarray]) -> Self:
        """Nothing to learn."""
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
        """`AutoScaling` is replaced by its choice before fitting."""
        raise InputError("AutoScaling is not fitted itself: use AutoScaling().choose(shape).fit(...).")

    def choose(self, shape: tuple[int, ...]) -> Scaling:
        """The scaling for samples of this shape."""
        return self.chosen[min(len(shape), 3)]
