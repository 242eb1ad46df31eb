"""Contrast normalisation: each sample by its own mean and deviation, then all of them to one interval."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar, Self, cast

import numpy as np

from oddgan._core.errors import InputError
from oddgan.scaling.affine import AutoScaling, MinMax, Per, Scaling
from oddgan.scaling.powers import power_of_two

_FARTHEST = 1e300  # times the usual contrast; what is larger counts as this large


@dataclass(frozen=True)
class ContrastNormalisation(MinMax):
    """Subtract from each sample its mean, divide it by its mean absolute deviation, then map to [low, high].

    Global contrast normalisation with the L1 norm, Deep SVDD's preprocessing: brightness and contrast no longer tell
    samples apart, and are lost. `backward` gives samples of the training rows' mean brightness and contrast, which are
    normalised to the same values again. A sample without contrast becomes all zeros before it is mapped.

    A sample of more than `limit` times the training rows' contrast is divided by theirs instead of its own, so that
    a value which is out of all bounds does not look normal.

    L. Ruff et al.: Deep One-Class Classification, ICML 2018, section 4.2.

    Parameters
    ----------
    per : what shares one interval: "all" values, as published, each "channel", or each "feature".
    low, high : the ends of the interval; 0 and 1, as published, fit a sigmoid output.
    level : learned: the mean of the training samples' means; None before `fit`.
    contrast : learned: the mean of the training samples' mean absolute deviations; None before `fit`.
    """

    per: Per = "all"
    low: float = 0.0
    level: float | None = None
    contrast: float | None = None

    def fit(self, chunks: Iterable[np.ndarray]) -> Self:
        """Learn the smallest and largest normalised values of chunks (n, ...), and mean brightness and contrast."""
        sums = np.zeros(3)

        def normalised() -> Iterator[np.ndarray]:
            for chunk in chunks:
                level, contrast, values = _normalise(chunk)
                sums[:] += len(chunk), level.sum(), contrast.sum()
                yield values

        fitted = super().fit(normalised())
        n, level, contrast = sums
        return replace(fitted, level=float(level / n), contrast=float(contrast / n))

    def check(self, shape: tuple[int, ...]) -> None:
        """Refuse what was learned from samples of another shape, or is no scale."""
        super().check(shape)
        if self.level is None or self.contrast is None:
            raise InputError(f"{type(self).__name__} has not been fitted: call fit on training rows first.")

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Raw rows (n, ...) to network input, float32."""
        self._fitted()
        _, own, values = _normalise(x)
        usual = cast(float, self.contrast)
        if usual > 0:
            with np.errstate(over="ignore"):
                times = np.minimum(own / usual, _FARTHEST)
            values = np.where(times > self.limit, values * times, values)
        return super().__call__(values)

    def backward(self, x: np.ndarray) -> np.ndarray:
        """Network output (n, ...) to raw values of mean brightness and contrast, float64."""
        normalised = super().backward(x)
        values: np.ndarray = normalised * cast(float, self.contrast) + cast(float, self.level)
        return values


def _normalise(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each sample's mean and mean absolute deviation, (n, 1, ...), and the normalised samples (n, ...)."""
    x = np.asarray(x, dtype=np.float64)
    axes = tuple(range(1, x.ndim))
    unit = power_of_two(np.abs(x).max(axis=axes, keepdims=True))
    x = x / unit  # sums of huge values are infinite
    level = x.mean(axis=axes, keepdims=True)
    contrast = np.abs(x - level).mean(axis=axes, keepdims=True)
    # What differs only by rounding has no contrast.
    flat = contrast <= 1e-12 * np.abs(level)
    return level * unit, contrast * unit, (x - level) / np.where(flat, np.inf, contrast)


@dataclass(frozen=True)
class AutoContrast(AutoScaling):
    """Choose by the kind of data as `AutoScaling` does, but normalise the contrast of images."""

    chosen: ClassVar[dict[int, Scaling]] = AutoScaling.chosen | {3: ContrastNormalisation()}
