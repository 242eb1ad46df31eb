"""The Gaussian mixture, its size chosen by BIC."""

import math
from typing import ClassVar, Literal, get_args

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.mixture import GaussianMixture
from sklearn.utils.extmath import row_norms

from oddgan._core.errors import InputError
from oddgan._core.hyperparameters import hyperparameters
from oddgan.base import Card
from oddgan.families import ProjectedDetector
from oddgan.scores import Composition, WeightedSum

Covariance = Literal["full", "tied", "diag", "spherical"]


@hyperparameters
class GMM(ProjectedDetector):
    r"""Describe the training rows by a few normal distributions; score how improbable a row is.

        p(x) = Σ_k π_k N(x; μ_k, Σ_k),   score -log p(x)

    fitted by expectation-maximisation for each candidate number of components; the one with the smallest
    BIC = q·log n - 2·log L is kept, q its number of free parameters and L its likelihood on n training rows.
    Component: `density` -log p(x).

    Parameters
    ----------
    sizes : candidates for the number of components, each >= 1; those above the number of different
        training rows are cut to it.
    covariance : "full" matrices, one "tied" matrix, "diag" or "spherical".
    bic_size : at most how many rows, drawn at random, the number of components is chosen on, >= 2. The mixture is
        fitted to all rows.
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
        deviations=(
            "Variances are kept from zero by adding 1e-6, since the likelihood has no maximum without.",
            "The number of components is chosen on at most `bic_size` rows; fewer rows prefer fewer components.",
        ),
    )
    tiny: ClassVar = {"sizes": (1, 2), "covariance": "diag"}
    holds: ClassVar = {"mixture": ("GaussianMixture",)}
    independent: ClassVar[bool] = True

    sizes: tuple[int, ...] = tuple(range(2, 21))
    covariance: Covariance = "full"
    bic_size: int = 2000
    pca: int | None = 50
    composition: Composition = WeightedSum(density=1.0)

    def _check(self) -> None:
        super()._check()
        if not self.sizes or min(self.sizes) < 1:
            raise InputError(f"sizes must be whole numbers of at least 1, but are {self.sizes}.")
        if self.bic_size < 2:
            raise InputError(f"bic_size must be at least 2, but is {self.bic_size}.")
        if self.covariance not in get_args(Covariance):
            raise InputError(f"covariance is {self.covariance!r}: use {', '.join(get_args(Covariance))}.")

    def _estimators(self, x: np.ndarray, seed: int) -> dict[str, BaseEstimator]:
        few = x if len(x) <= self.bic_size else x[np.random.RandomState(seed).permutation(len(x))[: self.bic_size]]
        most = _different(few, max(self.sizes))
        sizes = sorted({min(k, most) for k in self.sizes})
        tried = [self._mixture(k, seed).fit(few) for k in sizes] if len(sizes) > 1 else []
        best = min(tried, key=lambda mixture: mixture.bic(few)) if tried else self._mixture(sizes[0], seed)
        return {"mixture": best if tried and few is x else self._mixture(best.n_components, seed).fit(x)}

    def _mixture(self, size: int, seed: int) -> GaussianMixture:
        return GaussianMixture(size, covariance_type=self.covariance, random_state=seed)

    def _scores(self, x: np.ndarray) -> dict[str, np.ndarray]:
        # What scikit-learn's `score_samples` computes, with products whose bits do not depend on the number of rows.
        mixture, d = self.estimators_["mixture"], x.shape[1]
        log = -0.5 * (d * math.log(2 * math.pi) + self._distances(x, mixture))
        log += _log_determinants(mixture.precisions_cholesky_, mixture.covariance_type, d)
        return {"density": -_log_sum(log + np.log(mixture.weights_))}

    def _distances(self, x: np.ndarray, mixture: GaussianMixture) -> np.ndarray:
        """Squared Mahalanobis distances (n, k) of rows x (n, d) to the means of k components."""
        means, factors = mixture.means_, mixture.precisions_cholesky_
        if mixture.covariance_type in ("full", "tied"):
            each = factors if mixture.covariance_type == "full" else [factors] * len(means)
            found: np.ndarray = np.empty((len(x), len(means)))
            for i, (mean, factor) in enumerate(zip(means, each, strict=True)):
                y = self._product(x, factor)
                y -= mean @ factor
                found[:, i] = np.square(y, out=y).sum(axis=1)
            return found
        precisions = factors**2
        if mixture.covariance_type == "diag":
            crossed = self._product(x, (means * precisions).T)
            found = (means**2 * precisions).sum(axis=1) - 2.0 * crossed + self._product(x**2, precisions.T)
        else:
            own = np.outer(row_norms(x, squared=True), precisions)
            found = (means**2).sum(axis=1) * precisions - 2 * (self._product(x, means.T) * precisions) + own
        return found


def _different(x: np.ndarray, enough: int) -> int:
    """How many different rows x (n, d) has, or `enough` where its first column tells that there are so many."""
    return enough if len(np.unique(x[:, 0])) >= enough else len(np.unique(x, axis=0))


def _log_sum(log: np.ndarray) -> np.ndarray:
    """The logarithm (n,) of Σ_k exp(v_k) of rows v (n, k), by the operations of scikit-learn, without overflow."""
    if log.shape[1] == 1:
        return log[:, 0]
    largest = log.max(axis=1, keepdims=True)
    top = log == largest
    rest = np.exp(np.where(top, -np.inf, log) - np.where(np.isfinite(largest), largest, 0.0))
    count = top.sum(axis=1, dtype=np.float64)
    found: np.ndarray = np.log1p(rest.sum(axis=1) / count) + np.log(count) + largest[:, 0]
    return found


def _log_determinants(factors: np.ndarray, covariance: Covariance, d: int) -> np.ndarray:
    """The logarithms (k,) or () of the determinants of the factors of the components' precisions."""
    logs: np.ndarray = np.log(np.diagonal(factors, axis1=-2, axis2=-1) if covariance in ("full", "tied") else factors)
    return d * logs if covariance == "spherical" else np.asarray(logs.sum(axis=-1))
