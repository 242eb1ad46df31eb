"""Kernel density estimation."""

import math
from typing import ClassVar

import numpy as np
from scipy.special import logsumexp
from sklearn.base import BaseEstimator
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.model_selection import KFold
from sklearn.neighbors import KernelDensity

from oddgan._core.errors import InputError
from oddgan._core.hyperparameters import hyperparameters
from oddgan.base import Card, ProjectedDetector
from oddgan.scores import Composition, WeightedSum

FOLDS = 10


@hyperparameters
class KDE(ProjectedDetector):
    r"""Put a Gaussian bump on every training row; score how little density there is.

        p(x) = 1/n Σ_i N(x; x_i, h²·I),   score -log p(x)

    The bandwidth h is the one with the largest log-likelihood of held-out rows in 10-fold cross-validation.
    Component: `density` -log p(x).

    Parameters
    ----------
    bandwidths : candidates for h on the scale of network input, each > 0; a single one is taken as it is.
    cv_size : at most how many rows, drawn at random, the bandwidth is chosen on, >= 2. The density is always that of
        all rows.

    References
    ----------
    E. Parzen: On Estimation of a Probability Density Function and Mode, The Annals of Mathematical Statistics 33(3),
    1962, https://doi.org/10.1214/aoms/1177704472; candidates and folds as in L. Deecke et al.: Image Anomaly Detection
    with Generative Adversarial Networks, ECML PKDD 2018, section 4.2.
    """

    card: ClassVar[Card] = Card(
        name="KDE",
        title="On Estimation of a Probability Density Function and Mode",
        authors="Parzen",
        year=1962,
        link="https://doi.org/10.1214/aoms/1177704472",
        summary="Gaussian kernel density estimate",
        deviations=(
            "The bandwidth is chosen on at most `cv_size` rows, since the cost of cross-validation is quadratic; fewer "
            "rows prefer a slightly larger bandwidth.",
        ),
    )
    tiny: ClassVar = {"bandwidths": (0.3, 0.5, 0.8, 1.2), "cv_size": 50}
    holds: ClassVar = {"density": ("KernelDensity",)}

    bandwidths: tuple[float, ...] = tuple(2.0 ** (i / 2) for i in range(9))
    cv_size: int = 2000
    composition: Composition = WeightedSum(density=1.0)

    def _check(self) -> None:
        super()._check()
        if not self.bandwidths or min(self.bandwidths) <= 0 or self.cv_size < 2:
            raise InputError(
                f"bandwidths must be positive numbers and cv_size at least 2, but are {self.bandwidths} and "
                f"{self.cv_size}."
            )

    def _estimators(self, x: np.ndarray, seed: int) -> dict[str, BaseEstimator]:
        return {"density": KernelDensity(bandwidth=self._bandwidth(x, np.random.RandomState(seed))).fit(x)}

    def _bandwidth(self, x: np.ndarray, rng: np.random.RandomState) -> float:
        """The candidate with the largest log-likelihood of held-out rows."""
        if len(self.bandwidths) == 1:
            return self.bandwidths[0]
        few = x[rng.permutation(len(x))[: self.cv_size]]
        squared, total = euclidean_distances(few, squared=True), np.zeros(len(self.bandwidths))
        for train, test in KFold(min(FOLDS, len(few))).split(few):
            part = squared[np.ix_(test, train)]
            total += [_log_density(part, h, x.shape[1]).sum() for h in self.bandwidths]
        return self.bandwidths[int(total.argmax())]

    def _scores(self, x: np.ndarray) -> dict[str, np.ndarray]:
        # Matrix products instead of the tree's exact search, which visits nearly every row and is slow in many
        # dimensions.
        kde = self.estimators_["density"]
        squared = euclidean_distances(x, np.asarray(kde.tree_.data), squared=True)
        return {"density": -_log_density(squared, kde.bandwidth_, x.shape[1])}


def _log_density(squared: np.ndarray, h: float, d: int) -> np.ndarray:
    """The log density (k,) at k points from their squared distances (k, n) to n rows of d values."""
    density: np.ndarray = logsumexp(-squared / (2 * h**2), axis=1)
    return density - math.log(squared.shape[1]) - d / 2 * math.log(2 * math.pi * h**2)
