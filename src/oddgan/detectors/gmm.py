"""The Gaussian mixture, its size chosen by BIC."""

from typing import ClassVar, Literal, get_args

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.mixture import GaussianMixture

from oddgan._core.errors import InputError
from oddgan._core.hyperparameters import hyperparameters
from oddgan.base import Card, ProjectedDetector
from oddgan.scores import Composition, WeightedSum

Covariance = Literal["full", "tied", "diag", "spherical"]


@hyperparameters
class GMM(ProjectedDetector):
    r"""Describe the training rows by a few normal distributions; score how improbable a row is.

        p(x) = Σ_k π_k N(x; μ_k, Σ_k),   score -log p(x)

    fitted by expectation-maximisation for each candidate number of components; the one with the smallest
    BIC = q·log n - 2·log L is kept, q its number of free parameters and L its likelihood on the n training rows.
    Component: `density` -log p(x).

    Parameters
    ----------
    sizes : candidates for the number of components, each >= 1; those above the number of different
        training rows are cut to it.
    covariance : "full" matrices, one "tied" matrix, "diag" or "spherical".
    pca : project onto at most this many principal components first, >= 1, since the cost of a full covariance grows
        with the cube of the number of values; data with no more values are left alone, and so are all data with None.

    References
    ----------
    A. P. Dempster, N. M. Laird, D. B. Rubin: Maximum Likelihood from Incomplete Data via the EM Algorithm, JRSS B
    39(1), 1977, https://doi.org/10.1111/j.2517-6161.1977.tb01600.x; BIC: G. Schwarz: Estimating the Dimension of a
    Model, The Annals of Statistics 6(2), 1978, https://doi.org/10.1214/aos/1176344136; candidates as in L. Deecke et
    al.: Image Anomaly Detection with Generative Adversarial Networks, ECML PKDD 2018, section 4.2.
    """

    card: ClassVar[Card] = Card(
        name="GMM",
        title="Maximum Likelihood from Incomplete Data via the EM Algorithm",
        authors="Dempster, Laird, Rubin",
        year=1977,
        link="https://doi.org/10.1111/j.2517-6161.1977.tb01600.x",
        summary="Gaussian mixture, its size chosen by BIC",
        deviations=("Variances are kept from zero by adding 1e-6, since the likelihood has no maximum without.",),
    )
    tiny: ClassVar = {"sizes": (1, 2), "covariance": "diag"}
    holds: ClassVar = {"mixture": ("GaussianMixture",)}

    sizes: tuple[int, ...] = tuple(range(2, 21))
    covariance: Covariance = "full"
    pca: int | None = 50
    composition: Composition = WeightedSum(density=1.0)

    def _check(self) -> None:
        super()._check()
        if not self.sizes or min(self.sizes) < 1:
            raise InputError(f"sizes must be whole numbers of at least 1, but are {self.sizes}.")
        if self.covariance not in get_args(Covariance):
            raise InputError(f"covariance is {self.covariance!r}: use {', '.join(get_args(Covariance))}.")

    def _estimators(self, x: np.ndarray, seed: int) -> dict[str, BaseEstimator]:
        most = len(np.unique(x, axis=0))
        sizes = sorted({min(k, most) for k in self.sizes})
        fitted = [GaussianMixture(k, covariance_type=self.covariance, random_state=seed).fit(x) for k in sizes]
        return {"mixture": min(fitted, key=lambda mixture: mixture.bic(x)) if len(fitted) > 1 else fitted[0]}

    def _scores(self, x: np.ndarray) -> dict[str, np.ndarray]:
        return {"density": -self.estimators_["mixture"].score_samples(x)}
