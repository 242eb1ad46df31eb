"""Rules that turn scores of normal samples into a cut; a sample is flagged if its score is above the cut.

Each rule's docstring says what it promises about false alarms, the normal samples that are flagged. No promise
survives a change of the normal data.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from oddgan._core.checks import finite
from oddgan._core.errors import InputError


@dataclass(frozen=True)
class Threshold(ABC):
    """A rule from scores of normal samples to a cut."""

    def __call__(self, scores: ArrayLike, rate: float) -> float:
        """Return the cut: samples with a score above it are flagged.

        Parameters
        ----------
        scores : scores (n,) of normal samples, higher = more anomalous, finite, at least one.
        rate : share of the normal samples that may be flagged, in (0, 0.5].

        Raises
        ------
        InputError
            If the scores or the rate are not as described, or too few for this rule.
        """
        values = np.asarray(scores, dtype=np.float64)
        if values.ndim != 1 or values.size == 0:
            raise InputError(f"A threshold takes scores of shape (n,), at least one, but got the shape {values.shape}.")
        bad = int(np.count_nonzero(~np.isfinite(values)))
        if bad:
            raise InputError(f"A threshold takes finite scores, but {bad} of {values.size} are not: check the data.")
        if not 0 < rate <= 0.5:
            raise InputError(f"A threshold got rate={rate}: give a share above 0 and at most 0.5.")
        return float(self._cut(values, rate))

    @abstractmethod
    def _cut(self, scores: NDArray[np.float64], rate: float) -> float:
        """Return the cut from checked scores (n,) and a checked rate."""


@dataclass(frozen=True)
class Quantile(Threshold):
    """The score that a share `rate` of the given scores exceeds, interpolated between the nearest two.

    False alarms: exactly the rate, to one sample, among the scores given if they differ. On new samples somewhat more,
    and much more if the scores are those of the training samples and the detector fits them closely.
    """

    def _cut(self, scores: NDArray[np.float64], rate: float) -> float:
        # With both signs turned this is scikit-learn's own rule for `offset_`, equal to the last bit.
        return -float(np.percentile(-scores, 100.0 * rate))


@dataclass(frozen=True)
class Conformal(Threshold):
    r"""The ⌈(n + 1)(1 - rate)⌉-th smallest score of held-out normal samples; the largest if there are too few.

    False alarms: at most the rate, on average over held-out sets, for any distribution and any detector, as long as
    held-out and new samples are exchangeable and the detector was trained without them. With fewer than 1/rate - 1
    scores the promise weakens to 1/(n + 1), which no cut among so few scores can beat.

    References
    ----------
    V. Vovk, A. Gammerman, G. Shafer: Algorithmic Learning in a Random World, 2005, chapter 2.
    """

    def _cut(self, scores: NDArray[np.float64], rate: float) -> float:
        # How many may lie above the cut; the small number keeps 100 x 0.29 from being rounded down to 28.
        above = max(math.floor((scores.size + 1) * rate + 1e-9), 1)
        return float(np.sort(scores)[scores.size - above])


@dataclass(frozen=True)
class MeanSigma(Threshold):
    """Mean plus k standard deviations of the scores; the rate plays no part.

    False alarms: 1 - Φ(k) if the scores are normally distributed, 0.13 % for k = 3, but scores rarely are; at most
    1/(1 + k²) for any distribution (Cantelli), 10 % for k = 3, up to the error of the estimated moments.

    Parameters
    ----------
    k : number of standard deviations, finite.
    """

    k: float = 3.0

    def __post_init__(self) -> None:
        finite(self, k=self.k)

    def _cut(self, scores: NDArray[np.float64], rate: float) -> float:
        del rate
        return float(scores.mean() + self.k * scores.std())


@dataclass(frozen=True)
class Fixed(Threshold):
    """A cut that is known beforehand; neither the scores nor the rate play a part.

    False alarms: none promised.

    Parameters
    ----------
    value : the cut on the scale of the scores, finite.
    """

    value: float

    def __post_init__(self) -> None:
        finite(self, value=self.value)

    def _cut(self, scores: NDArray[np.float64], rate: float) -> float:
        del scores, rate
        return self.value
