"""Mean and standard deviation of chunks of rows, in one pass, for values of any finite size."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from oddgan.scaling.powers import power_of_two


@dataclass(frozen=True)
class Moments:
    """What is known of the rows so far, in units of a power of two that no value exceeds by much.

    Squares of values above 1e154 are infinite and those below 1e-162 are zero; in units of a power of two they are
    neither, and all other digits stay as they are. The first row is taken off before anything is added up, so that
    values that never change have a deviation of exactly zero.

    T. F. Chan, G. H. Golub, R. J. LeVeque: Algorithms for Computing the Sample Variance, The American Statistician
    37(3), 1983.

    Parameters
    ----------
    n : values that each scale has seen.
    unit : powers of two, one for each scale.
    first : the first value of each scale, in units.
    shift : the mean less the first value, in units.
    squares : the sum of squared differences from the mean, in squared units.
    """

    n: int
    unit: np.ndarray
    first: np.ndarray
    shift: np.ndarray
    squares: np.ndarray

    @classmethod
    def of(cls, x: np.ndarray, axes: tuple[int, ...], before: Self | None = None) -> Self:
        """The moments of rows x (k, ...), and of those before them.

        Parameters
        ----------
        x : rows, float64.
        axes : the axes whose values share a scale, the first one among them.
        before : the moments of earlier rows.
        """
        unit = power_of_two(np.abs(x).max(axis=axes, keepdims=True)[0])
        if before is not None:
            before = before._in(np.maximum(unit, before.unit))
            unit = before.unit
        scaled = x / unit
        corner = tuple(slice(0, 1) if a in axes else slice(None) for a in range(x.ndim))
        first = scaled[corner][0].copy() if before is None else before.first
        scaled -= first
        n, shift = x.size // first.size, scaled.mean(axis=axes, keepdims=True)
        squares = ((scaled - shift) ** 2).sum(axis=axes, keepdims=True)[0]
        now = cls(n, unit, first, shift[0], squares)
        return now if before is None else before._with(now)

    def _in(self, unit: np.ndarray) -> Self:
        """The same in larger units."""
        ratio = self.unit / unit
        return type(self)(self.n, unit, self.first * ratio, self.shift * ratio, self.squares * ratio**2)

    def _with(self, new: Self) -> Self:
        """The moments of both, which share units and the first value."""
        n, delta = self.n + new.n, new.shift - self.shift
        squares = self.squares + new.squares + delta**2 * (self.n * new.n / n)
        return type(self)(n, self.unit, self.first, self.shift + delta * (new.n / n), squares)

    @property
    def mean(self) -> np.ndarray:
        """The mean of each scale, (...)."""
        found: np.ndarray = (self.first + self.shift) * self.unit
        return found

    @property
    def deviation(self) -> np.ndarray:
        """The standard deviation of each scale, (...)."""
        found: np.ndarray = np.sqrt(self.squares / self.n) * self.unit
        return found
