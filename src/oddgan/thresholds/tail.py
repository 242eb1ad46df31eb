"""Extreme value theory: a threshold from a generalised Pareto distribution of the highest scores."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from oddgan._core.errors import InputError
from oddgan.thresholds.rules import Quantile, Threshold

FEWEST = 20
"""Below this many scores in the tail its estimated shape is worth nothing (its standard error nears ½)."""


@dataclass(frozen=True)
class GeneralisedPareto(Threshold):
    r"""Fit a generalised Pareto distribution to the highest scores and read the cut from it.

    .. math:: \tau = u + \frac{\sigma}{\xi} \left( \left( \frac{q\,n}{k} \right)^{-\xi} - 1 \right)

    where u is the (1 - tail)-quantile, k of n scores are above u, and q is the rate. Shape ξ and scale σ are fitted to
    the excesses over u by probability-weighted moments: a closed form that is nearer the truth than maximum likelihood
    on few scores, for ξ below ½. A rate of `tail` or more does not lie in the tail: there the scores' own quantile is
    the cut, as with `Quantile`.

    False alarms: about the rate on new samples, even for rates below 1/n, as far as the scores' tail has this shape
    (in the limit most distributions' tails do) and they come from held-out samples. Nothing is guaranteed; rates below
    1/n are least sure for scores that end at a bound.

    Parameters
    ----------
    tail : share of the scores that the distribution is fitted to, in (0, 0.5]; 20 scores at least must lie in it.

    References
    ----------
    J. Hosking, J. Wallis: Parameter and Quantile Estimation for the Generalized Pareto Distribution, 1987,
    https://doi.org/10.1080/00401706.1987.10488243. A. Siffer et al.: Anomaly Detection in Streams with Extreme Value
    Theory, 2017, https://doi.org/10.1145/3097983.3098144, equation 1.
    """

    tail: float = 0.1

    def __post_init__(self) -> None:
        if not 0 < self.tail <= 0.5:
            raise InputError(f"GeneralisedPareto got tail={self.tail}: give a share above 0 and at most 0.5.")

    def _cut(self, scores: NDArray[np.float64], rate: float) -> float:
        start = float(np.quantile(scores, 1 - self.tail))
        excess = np.sort(scores[scores > start]) - start
        distinct = np.unique(excess).size
        if distinct < FEWEST:
            raise InputError(
                f"GeneralisedPareto needs {FEWEST} different scores among the highest {100 * self.tail:g} %, but of "
                f"{scores.size} scores only {distinct} are: give more scores (at least "
                f"{math.ceil(FEWEST / self.tail)}), a larger tail, or use Conformal."
            )
        share = rate * scores.size / excess.size
        if share >= 1:
            return Quantile()(scores, rate)
        shape, scale = fit_generalised_pareto(excess)
        return start + scale * _growth(-math.log(share), shape)


def fit_generalised_pareto(excess: NDArray[np.float64]) -> tuple[float, float]:
    r"""Return shape ξ and scale σ by probability-weighted moments.

    With :math:`a_s = E[y (1 - F(y))^s]`: :math:`\xi = 2 - a_0 / (a_0 - 2 a_1)`,
    :math:`\sigma = 2 a_0 a_1 / (a_0 - 2 a_1)`.

    Parameters
    ----------
    excess : excesses over u, (k,), ascending, above 0, not all equal.
    """
    k = excess.size
    a0 = float(excess.mean())
    a1 = float(np.mean((k - 1 - np.arange(k)) / (k - 1) * excess))
    return 2 - a0 / (a0 - 2 * a1), 2 * a0 * a1 / (a0 - 2 * a1)


def _growth(t: float, shape: float) -> float:
    """Return (exp(ξt) - 1) / ξ, which is t in the limit ξ = 0."""
    return math.expm1(shape * t) / shape if shape else t
