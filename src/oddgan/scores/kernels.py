"""SVM, one-class SVM and Gaussian mixture on components: fitted by scikit-learn, evaluated here row by row."""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import ClassVar, Literal, Self

import numpy as np
import torch
from torch import Tensor

from oddgan._core.checks import positive
from oddgan._core.confusion import Bools
from oddgan._core.errors import InputError
from oddgan._core.lazy import LazyModule
from oddgan.scores.composition import weighted
from oddgan.scores.learned import Floats, learned
from oddgan.scores.standardisation import Scaled

sklearn_mixture, sklearn_svm = LazyModule("sklearn.mixture"), LazyModule("sklearn.svm")

ROWS, BLOCK = 256, 1024  # rows and support vectors that are in memory at a time
LARGEST = 5  # mixture components that BIC chooses among


@dataclass(frozen=True, eq=False)
class SVM(Scaled):
    r"""Support vector machine on the standardised components, learned from labelled rows.

    .. math::
        S = b + \sum_j \alpha_j \exp(-\gamma \|s - s_j\|^2) \quad\text{or}\quad S = b + \sum_j \alpha_j \, s \cdot s_j

    with the support vectors :math:`s_j`. Above 0 the machine itself would say anomalous. The kernel "rbf" takes
    account of combinations of components, "linear" is its control.

    Parameters
    ----------
    kernel : "rbf" or "linear".
    C : cost of a row on the wrong side, above 0; higher fits the labelled rows more closely.
    gamma : of "rbf": the kernel's γ, above 0, or "scale": 1 / (components × variance of the standardised rows).
    balanced : whether both classes count the same, however many rows each has.
    support : learned: support vectors, (j, k); None before `fit`.
    dual : learned: their coefficients α, (j,).
    intercept : learned: b.
    width : learned: the γ that was used.

    References
    ----------
    F. Lüer, M. Dolgich, T. Weber, C. Böhm: Adversarial Anomaly Detection using Gaussian Priors and Nonlinear Anomaly
    Scores, 2023, https://arxiv.org/abs/2310.18091 (RBF kernel, C = 1, γ = "scale", three components).
    """

    needs_labels: ClassVar[bool] = True

    kernel: Literal["rbf", "linear"] = "rbf"
    C: float = 1.0
    gamma: float | Literal["scale"] = "scale"
    balanced: bool = False
    support: np.ndarray | None = dataclasses.field(default=None, repr=False)
    dual: np.ndarray | None = dataclasses.field(default=None, repr=False)
    intercept: float = dataclasses.field(default=0.0, repr=False)
    width: float = dataclasses.field(default=1.0, repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.kernel not in ("rbf", "linear"):
            raise InputError(f"SVM got kernel={self.kernel!r}: give rbf or linear.")
        positive(self, C=self.C)
        _check_gamma(self, self.gamma)

    def _train(self, rows: Floats, is_anomaly: Bools) -> Self:
        width = _width("SVM", self.gamma, rows)
        weights = "balanced" if self.balanced else None
        machine = sklearn_svm.SVC(kernel=self.kernel, C=self.C, gamma=width, class_weight=weights).fit(rows, is_anomaly)
        linear = self.kernel == "linear"  # there the support vectors, times their coefficients, add up to one
        return dataclasses.replace(
            self,
            support=np.ascontiguousarray(machine.coef_ if linear else machine.support_vectors_),
            dual=np.ones(1) if linear else np.ascontiguousarray(machine.dual_coef_[0]),
            intercept=float(machine.intercept_[0]),
            width=width,
        )

    def _combine(self, columns: Sequence[Tensor]) -> Tensor:
        support, dual = learned(self, self.support), learned(self, self.dual)
        if self.kernel == "linear":
            return weighted(columns, support[0].tolist()) + self.intercept
        return _kernels(columns, support, dual, self.width) + self.intercept


@dataclass(frozen=True, eq=False)
class OneClass(Scaled):
    r"""One-class support vector machine on the standardised components of held-out normal rows; no labels.

    .. math:: S = \rho - \sum_j \alpha_j \exp(-\gamma \|s - s_j\|^2)

    with the support vectors :math:`s_j`. Far from all of them the score ends at ρ: gross anomalies are equal.

    Parameters
    ----------
    nu : about the share of the held-out rows that lie outside, in (0, 1].
    gamma : the kernel's γ, above 0, or "scale": 1 / (components × variance of the standardised rows).
    support : learned: support vectors, (j, k); None before `fit`.
    dual : learned: their coefficients α, (j,).
    offset : learned: ρ.
    width : learned: the γ that was used.

    References
    ----------
    B. Schölkopf et al.: Estimating the Support of a High-Dimensional Distribution, 2001,
    https://doi.org/10.1162/089976601750264965.
    """

    nu: float = 0.1
    gamma: float | Literal["scale"] = "scale"
    support: np.ndarray | None = dataclasses.field(default=None, repr=False)
    dual: np.ndarray | None = dataclasses.field(default=None, repr=False)
    offset: float = dataclasses.field(default=0.0, repr=False)
    width: float = dataclasses.field(default=1.0, repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.nu <= 1:
            raise InputError(f"OneClass got nu={self.nu}: give a share above 0 and at most 1.")
        _check_gamma(self, self.gamma)

    def _train(self, rows: Floats, is_anomaly: Bools) -> Self:
        del is_anomaly
        width = _width("OneClass", self.gamma, rows)
        machine = sklearn_svm.OneClassSVM(nu=self.nu, gamma=width).fit(rows)
        return dataclasses.replace(
            self,
            support=np.ascontiguousarray(machine.support_vectors_),
            dual=np.ascontiguousarray(machine.dual_coef_[0]),
            offset=-float(machine.intercept_[0]),
            width=width,
        )

    def _combine(self, columns: Sequence[Tensor]) -> Tensor:
        support, dual = learned(self, self.support), learned(self, self.dual)
        return self.offset - _kernels(columns, support, dual, self.width)


@dataclass(frozen=True, eq=False)
class Mixture(Scaled):
    r"""Negative log-density under a mixture of normal distributions of the standardised components; no labels.

    .. math:: S = -\log \sum_c \pi_c \, N(s; \mu_c, \Sigma_c)

    learned from held-out normal rows. Takes account of how components go together: each may be usual by itself.

    Parameters
    ----------
    n_components : normal distributions in the mixture, >= 1; None takes what has the lowest BIC among 1 to 5.
    seed : of the starting points of their fit.
    log_weights : learned: log π, (c,); None before `fit`.
    means : learned: μ, (c, k).
    roots : learned: upper triangular R with RRᵀ = Σ⁻¹, (c, k, k).
    """

    n_components: int | None = None
    seed: int = 0
    log_weights: np.ndarray | None = dataclasses.field(default=None, repr=False)
    means: np.ndarray | None = dataclasses.field(default=None, repr=False)
    roots: np.ndarray | None = dataclasses.field(default=None, repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.n_components is not None and self.n_components < 1:
            raise InputError(f"Mixture got n_components={self.n_components}: give at least 1, or None.")

    def _train(self, rows: Floats, is_anomaly: Bools) -> Self:
        del is_anomaly
        sizes = range(1, LARGEST + 1) if self.n_components is None else (self.n_components,)
        if len(rows) < max(sizes):
            raise InputError(f"Mixture got {len(rows)} held-out normal rows: give at least {max(sizes)}.")
        tried = [sklearn_mixture.GaussianMixture(size, random_state=self.seed).fit(rows) for size in sizes]
        best = min(tried, key=lambda mixture: float(mixture.bic(rows)))
        return dataclasses.replace(
            self,
            log_weights=np.log(best.weights_),
            means=np.ascontiguousarray(best.means_),
            roots=np.ascontiguousarray(best.precisions_cholesky_),
        )

    def _combine(self, columns: Sequence[Tensor]) -> Tensor:
        log_weights, means, roots = (learned(self, part) for part in (self.log_weights, self.means, self.roots))
        parts = zip(log_weights.tolist(), means, roots, strict=True)
        logs = [log + _log_density(columns, mean, root) for log, mean, root in parts]
        top: Tensor = reduce(torch.maximum, logs)
        likelihood = reduce(Tensor.add, [torch.exp(log - top) for log in logs])
        score: Tensor = -(top + torch.log(likelihood))
        return score


def _kernels(columns: Sequence[Tensor], support: Floats, dual: Floats, width: float) -> Tensor:
    """Sum of Gaussian kernels around support vectors (j, k), times their coefficients (j,): (n,)."""
    starts = range(0, max(len(columns[0]), 1), ROWS)
    return torch.cat([_kernels_of_some([c[i : i + ROWS] for c in columns], support, dual, width) for i in starts])


def _kernels_of_some(columns: Sequence[Tensor], support: Floats, dual: Floats, width: float) -> Tensor:
    total = torch.zeros_like(columns[0])
    for start in range(0, len(dual), BLOCK):
        points = torch.from_numpy(support[start : start + BLOCK]).to(total.device)
        factors = torch.from_numpy(dual[start : start + BLOCK]).to(total.device)
        squares = [(c[:, None] - points[:, i]).square() for i, c in enumerate(columns)]
        total = total + _sum(factors * torch.exp(-width * reduce(Tensor.add, squares)))
    return total


def _sum(values: Tensor) -> Tensor:
    """Sum (n, j) -> (n,) by adding halves: the order depends on j alone, never on n as in a reduction."""
    while values.shape[1] > 1:
        half = values.shape[1] // 2
        odd = values[:, 2 * half :]
        values = torch.cat([values[:, :half] + values[:, half : 2 * half], odd], dim=1)
    return values[:, 0]


def _check_gamma(part: object, gamma: float | str) -> None:
    if not isinstance(gamma, str):
        positive(part, gamma=gamma)
    elif gamma != "scale":
        raise InputError(f'{type(part).__name__} got gamma={gamma!r}: give a number above 0, or "scale".')


def _width(who: str, gamma: float | str, rows: Floats) -> float:
    """The γ of scikit-learn's rule "scale", or the number that was given."""
    if not isinstance(gamma, str):
        return float(gamma)
    variance = float(rows.var())
    if variance == 0:
        raise InputError(f'{who} got {len(rows)} rows of one value: gamma="scale" needs values that differ.')
    return 1.0 / (int(rows.shape[1]) * variance)


def _log_density(columns: Sequence[Tensor], mean: Floats, root: Floats) -> Tensor:
    """Log-density (n,) of a normal distribution with the inverse covariance root · rootᵀ."""
    centred = [column - m for column, m in zip(columns, mean.tolist(), strict=True)]
    squares = [weighted(centred, axis).square() for axis in root.T.tolist()]
    constant = float(np.log(np.diag(root)).sum()) - len(mean) / 2 * math.log(2 * math.pi)
    return constant - reduce(Tensor.add, squares) / 2
