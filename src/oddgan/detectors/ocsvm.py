"""The one-class support vector machine."""

from typing import ClassVar, Literal

import numpy as np
from scipy.spatial.distance import pdist
from sklearn.base import BaseEstimator
from sklearn.svm import OneClassSVM

from oddgan._core.errors import InputError
from oddgan._core.hyperparameters import hyperparameters
from oddgan.base import Card, ProjectedDetector
from oddgan.scores import Composition, WeightedSum

# The median of the distances between so many rows is close enough.
MEDIAN_SIZE = 1000


@hyperparameters
class OCSVM(ProjectedDetector):
    r"""Separate the training rows from the origin in the feature space of a kernel, with the largest margin.

        score ρ - Σ_i α_i k(x_i, x),   k(x, y) = exp(-γ ‖x - y‖²)

    with 0 <= α_i <= 1/(νn) and Σ α_i = 1. Component: `margin`, the score: positive outside the boundary.

    Parameters
    ----------
    nu : upper bound on the share of training rows outside the boundary, and lower bound on that of support vectors, in
        (0, 1].
    gamma : the kernel's γ, > 0; "median" is 1/(2σ²) with σ the median distance between different training rows (of at
        most 1000, drawn at random); "spread" is the γ at which kernel values vary most for their mean (Evangelista et
        al., 2007).

    References
    ----------
    B. Schölkopf, J. C. Platt, J. Shawe-Taylor, A. J. Smola, R. C. Williamson: Estimating the Support of a
    High-Dimensional Distribution, Neural Computation 13(7), 2001, https://doi.org/10.1162/089976601750264965.
    """

    card: ClassVar[Card] = Card(
        name="OC-SVM",
        title="Estimating the Support of a High-Dimensional Distribution",
        authors="Schölkopf, Platt, Shawe-Taylor, Smola, Williamson",
        year=2001,
        link="https://doi.org/10.1162/089976601750264965",
        summary="one-class support vector machine with a Gaussian kernel",
        deviations=(
            "The paper chooses the kernel's width by hand; here the median distance sets it.",
            "The α sum to 1 as in the paper; scikit-learn's sum to νn, which only scales the score.",
        ),
    )
    tiny: ClassVar = {}
    holds: ClassVar = {"svm": ("OneClassSVM",)}

    nu: float = 0.1
    gamma: float | Literal["median", "spread"] = "median"
    composition: Composition = WeightedSum(margin=1.0)

    def _check(self) -> None:
        super()._check()
        if not 0 < self.nu <= 1:
            raise InputError(f"nu must be in (0, 1], but is {self.nu}.")
        if not (self.gamma in RULES if isinstance(self.gamma, str) else self.gamma > 0):
            raise InputError(f"gamma must be a number above 0, 'median' or 'spread', but is {self.gamma!r}.")

    def _estimators(self, x: np.ndarray, seed: int) -> dict[str, BaseEstimator]:
        gamma = RULES[self.gamma](x, seed) if isinstance(self.gamma, str) else self.gamma
        svm = OneClassSVM(nu=self.nu, gamma=gamma)
        svm.random_state = seed  # not used, but without one `fit` draws from numpy's global generator
        return {"svm": svm.fit(x)}

    def _scores(self, x: np.ndarray) -> dict[str, np.ndarray]:
        svm = self.estimators_["svm"]
        return {"margin": -svm.decision_function(x) / svm.dual_coef_.sum()}


def _squares(x: np.ndarray, seed: int) -> np.ndarray:
    """Squared distances between some different rows; [1] where all are equal and any γ does."""
    squares = pdist(x[np.random.RandomState(seed).permutation(len(x))[:MEDIAN_SIZE]], "sqeuclidean")
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
