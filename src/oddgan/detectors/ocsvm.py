"""The one-class support vector machine."""

import math
from typing import ClassVar, Literal

import numpy as np
from scipy.spatial.distance import pdist
from sklearn.base import BaseEstimator
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import SGDOneClassSVM
from sklearn.svm import OneClassSVM

from oddgan._core.errors import InputError
from oddgan._core.hyperparameters import hyperparameters
from oddgan._core.notices import notice
from oddgan.base import Card
from oddgan.families import ProjectedDetector
from oddgan.scores import Composition, WeightedSum
from oddgan.storage.estimators import support_vectors

# The distances between so many rows say enough about all.
FEW = 1000
# So many rows and steps place the boundary of a linear machine on Nyström features.
NYSTROEM_ROWS, STEPS = 20_000, 400_000


@hyperparameters
class OCSVM(ProjectedDetector):
    r"""Separate the training rows from the origin in the feature space of a kernel, with the largest margin.

        score ρ - Σ_i α_i k(x_i, x),   k(x, y) = exp(-γ ‖x - y‖²)

    with 0 <= α_i <= 1/(νn) and Σ α_i = 1. Component: `margin`, the score: positive outside the boundary.

    The time of the exact solution grows with the square of the rows. Above `exact_size` rows a linear machine is
    trained on Nyström features instead, φ(x) = K_LL^(-1/2) k_L(x) with L some training rows, the landmarks (Williams &
    Seeger, 2001), by averaged stochastic gradient steps on at most 20,000 rows. Its score has the same form, with the
    landmarks in the place of support vectors.

    Parameters
    ----------
    nu : upper bound on the share of training rows outside the boundary, and lower bound on that of support vectors, in
        (0, 1].
    gamma : the kernel's γ, > 0; "spread" is the γ at which kernel values of training rows (of at most 1000, drawn at
        random) vary most for their mean (Evangelista et al., 2007); "median" is 1/(2σ²) with σ the median distance
        between different ones, wider than the gaps between clusters.
    exact_size : training rows up to which the solution is exact, >= 0.
    landmarks : training rows that the approximation looks at, >= 1; at most as many as there are.

    References
    ----------
    B. Schölkopf, J. C. Platt, J. Shawe-Taylor, A. J. Smola, R. C. Williamson: Estimating the Support of a
    High-Dimensional Distribution, Neural Computation 13(7), 2001, https://doi.org/10.1162/089976601750264965; γ: P. F.
    Evangelista, M. J. Embrechts, B. K. Szymanski: Some Properties of the Gaussian Kernel for One Class Learning, ICANN
    2007, https://doi.org/10.1007/978-3-540-74690-4_28; landmarks: C. K. I. Williams, M. Seeger: Using the Nyström
    Method to Speed Up Kernel Machines, NIPS 2000.
    """

    card: ClassVar[Card] = Card(
        name="OC-SVM",
        title="Estimating the Support of a High-Dimensional Distribution",
        authors="Schölkopf, Platt, Shawe-Taylor, Smola, Williamson",
        year=2001,
        link="https://doi.org/10.1162/089976601750264965",
        summary="one-class support vector machine with a Gaussian kernel",
        deviations=(
            "The paper chooses the kernel's width by hand; here the spread of kernel values sets it.",
            "The α sum to 1 as in the paper; scikit-learn's sum to νn, which only scales the score.",
            "Above `exact_size` rows the solution is approximate, since the time of the exact one is quadratic.",
        ),
    )
    tiny: ClassVar = {}
    holds: ClassVar = {"svm": ("OneClassSVM",)}

    nu: float = 0.1
    gamma: float | Literal["median", "spread"] = "spread"
    exact_size: int = 20_000
    landmarks: int = 1000
    composition: Composition = WeightedSum(margin=1.0)

    def _check(self) -> None:
        super()._check()
        if not 0 < self.nu <= 1:
            raise InputError(f"nu must be in (0, 1], but is {self.nu}.")
        if not (self.gamma in RULES if isinstance(self.gamma, str) else self.gamma > 0):
            raise InputError(f"gamma must be a number above 0, 'median' or 'spread', but is {self.gamma!r}.")
        if self.exact_size < 0 or self.landmarks < 1:
            raise InputError(
                f"exact_size must be at least 0 and landmarks at least 1, but are {self.exact_size} and "
                f"{self.landmarks}."
            )

    def _estimators(self, x: np.ndarray, seed: int) -> dict[str, BaseEstimator]:
        gamma = RULES[self.gamma](x, seed) if isinstance(self.gamma, str) else self.gamma
        if len(x) > self.exact_size:
            return {"svm": self._approximate(x, gamma, seed)}
        svm = OneClassSVM(nu=self.nu, gamma=gamma)
        svm.random_state = seed  # not used, but without one `fit` draws from numpy's global generator
        return {"svm": svm.fit(x)}

    def _approximate(self, x: np.ndarray, gamma: float, seed: int) -> OneClassSVM:
        """A linear machine on Nyström features of some rows, written with kernels again."""
        notice(
            f"OC-SVM approximates the solution for {len(x)} rows with {min(self.landmarks, len(x))} landmarks: raise "
            f"exact_size (now {self.exact_size}) for the exact one, whose time grows with the square of the rows."
        )
        some = x[np.random.RandomState(seed).permutation(len(x))[:NYSTROEM_ROWS]]
        features = Nystroem(gamma=gamma, n_components=min(self.landmarks, len(some)), random_state=seed)
        mapped = features.fit_transform(some)
        passes = math.ceil(STEPS / len(some))
        linear = SGDOneClassSVM(nu=self.nu, average=True, max_iter=passes, tol=None, random_state=seed).fit(mapped)
        # For given weights the best offset leaves the share nu of the rows outside.
        rho = np.quantile(mapped @ linear.coef_, self.nu, keepdims=True)
        dual = (features.normalization_.T @ linear.coef_)[None]
        if not dual.sum() > 0:
            raise InputError(f"The approximate boundary of {len(x)} rows encloses none of them: raise exact_size.")
        which = features.component_indices_.astype(np.int32)
        return support_vectors(features.components_, dual, -rho, nu=self.nu, gamma=gamma, support=which)

    def _scores(self, x: np.ndarray) -> dict[str, np.ndarray]:
        svm = self.estimators_["svm"]
        return {"margin": -svm.decision_function(x) / svm.dual_coef_.sum()}


def _squares(x: np.ndarray, seed: int) -> np.ndarray:
    """Squared distances between some different rows; [1] where all are equal and any γ does."""
    squares = pdist(x[np.random.RandomState(seed).permutation(len(x))[:FEW]], "sqeuclidean")
    squares = squares[squares > 0]
    return squares if len(squares) else np.ones(1)


def _median_gamma(x: np.ndarray, seed: int) -> float:
    """1/(2σ²), σ the median distance."""
    return float(1 / (2 * np.median(np.sqrt(_squares(x, seed))) ** 2))


def _spread_gamma(x: np.ndarray, seed: int) -> float:
    """The γ whose kernel values exp(-γ‖x - y‖²) have the largest variance for their mean, on a grid."""
    squares = _squares(x, seed)
    grid = np.logspace(-2, 3, 51) / np.median(squares)
    kernels = [np.exp(-gamma * squares) for gamma in grid]
    return float(grid[np.argmax([k.var() / (k.mean() + 1e-3) for k in kernels])])


RULES = {"median": _median_gamma, "spread": _spread_gamma}
