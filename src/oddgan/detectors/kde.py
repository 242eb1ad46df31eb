"""Kernel density estimation."""

from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.neighbors import KernelDensity

from oddgan._core.errors import InputError
from oddgan._core.hyperparameters import hyperparameters
from oddgan._core.kernel_density import choose_bandwidth, find_bandwidth, log_density
from oddgan.base import Card
from oddgan.families import ProjectedDetector
from oddgan.scores import Composition, WeightedSum

# The candidates of ADGAN's benchmark (Deecke et al., 2018), for projections of images.
ADGAN_BANDWIDTHS = tuple(2.0 ** (i / 2) for i in range(9))


@hyperparameters
class KDE(ProjectedDetector):
    r"""Put a Gaussian bump on every training row; score how little density there is.

        p(x) = 1/n Σ_i N(x; x_i, h²·I),   score -log p(x)

    The bandwidth h is the one with the largest log-likelihood of held-out rows in 10-fold cross-validation. Distances
    are computed block by block, so that memory does not grow with the number of rows. Component: `density` -log p(x).

    Parameters
    ----------
    bandwidths : candidates for h on the scale of network input, each > 0; a single one is taken as it is. None searches
        from the distances between nearest neighbours to the spread of all rows, and beyond if the best is an end;
        `ADGAN_BANDWIDTHS`, in this module, are those of the benchmark in ADGAN's paper, 1 to 16.
    cv_size : at most how many rows, drawn at random, the bandwidth is chosen on, >= 2. The density is always that of
        all rows.

    References
    ----------
    E. Parzen: On Estimation of a Probability Density Function and Mode, The Annals of Mathematical Statistics 33(3),
    1962, https://doi.org/10.1214/aoms/1177704472; folds as in L. Deecke et al.: Image Anomaly Detection with Generative
    Adversarial Networks, ECML PKDD 2018, section 4.2.
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
            "The candidates come from the data; those of ADGAN's benchmark start at one standard deviation of a "
            "column, wider than the gaps between the clusters of many tables.",
        ),
    )
    tiny: ClassVar = {"bandwidths": (0.3, 0.5, 0.8, 1.2), "cv_size": 50}
    holds: ClassVar = {"density": ("KernelDensity",)}

    bandwidths: tuple[float, ...] | None = None
    cv_size: int = 2000
    composition: Composition = WeightedSum(density=1.0)

    def _check(self) -> None:
        super()._check()
        given = self.bandwidths
        if (given is not None and (not given or min(given) <= 0)) or self.cv_size < 2:
            raise InputError(
                f"bandwidths must be positive numbers, or None, and cv_size at least 2, but are {given} and "
                f"{self.cv_size}."
            )

    def _estimators(self, x: np.ndarray, seed: int) -> dict[str, BaseEstimator]:
        return {"density": KernelDensity(bandwidth=self._bandwidth(x, np.random.RandomState(seed))).fit(x)}

    def _bandwidth(self, x: np.ndarray, rng: np.random.RandomState) -> float:
        if self.bandwidths is not None and len(self.bandwidths) == 1:
            return self.bandwidths[0]
        few = x[rng.permutation(len(x))[: self.cv_size]]
        return find_bandwidth(few) if self.bandwidths is None else choose_bandwidth(few, self.bandwidths)

    def _scores(self, x: np.ndarray) -> dict[str, np.ndarray]:
        # Matrix products instead of the tree's exact search, which visits nearly every row and is slow in many
        # dimensions.
        kde = self.estimators_["density"]
        return {"density": -log_density(x, np.asarray(kde.tree_.data), kde.bandwidth_)}
