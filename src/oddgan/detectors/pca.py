"""The residual of principal components: a floor."""

from typing import ClassVar

import numpy as np
import torch
from sklearn.base import BaseEstimator
from torch import Tensor

from oddgan._core.errors import InputError
from oddgan._core.hyperparameters import hyperparameters
from oddgan.base import Card
from oddgan.families import ClassicalDetector, principal_components
from oddgan.scores import Composition, WeightedSum


@hyperparameters
class PCA(ClassicalDetector):
    r"""Squared distance to the subspace in which the training rows vary most: a floor that deep methods must beat.

        score ‖x - x̂‖²,   x̂ = μ + VVᵀ(x - μ)

    with μ the mean of the training rows and V (d, k) their first principal components. Component: `residual`, the score
    (the Q statistic of process control).

    Parameters
    ----------
    n_components : how many components, a whole number of at least 1, or the share of the variance that they explain,
        in (0, 1). A share keeps at most d - 1 of them, so that a residual is left.

    References
    ----------
    J. E. Jackson, G. S. Mudholkar: Control Procedures for Residuals Associated with Principal Component Analysis,
    Technometrics 21(3), 1979, https://doi.org/10.1080/00401706.1979.10489779.
    """

    card: ClassVar[Card] = Card(
        name="PCA",
        title="Control Procedures for Residuals Associated with Principal Component Analysis",
        authors="Jackson, Mudholkar",
        year=1979,
        link="https://doi.org/10.1080/00401706.1979.10489779",
        summary="distance to the principal subspace; a floor",
    )
    tiny: ClassVar = {}
    holds: ClassVar = {"subspace": ("PCA",)}
    independent: ClassVar[bool] = True

    n_components: float = 0.9
    composition: Composition = WeightedSum(residual=1.0)

    def _check(self) -> None:
        if self.n_components <= 0 or (self.n_components >= 1 and self.n_components != int(self.n_components)):
            raise InputError(
                f"n_components is a whole number of at least 1 or a share in (0, 1), but is {self.n_components}."
            )

    def _estimators(self, x: np.ndarray, seed: int) -> dict[str, BaseEstimator]:
        (n, d), k = x.shape, self.n_components
        if d == 1:
            raise InputError("PCA leaves no residual of a single value per sample (n_features=1): use another method.")
        if k > min(n, d):
            raise InputError(f"{n} rows of {d} values have no {k} principal components: lower n_components.")
        subspace = principal_components(x, k if k < 1 else int(k))
        return {"subspace": principal_components(x, d - 1) if k < 1 and subspace.n_components_ == d else subspace}

    def _nearest(self, x: np.ndarray) -> np.ndarray:
        """The points (n, d) of the subspace that are nearest to rows x (n, d)."""
        subspace = self.estimators_["subspace"]
        nearest = self._product(self._project(subspace, x), subspace.components_)
        nearest += subspace.mean_
        return nearest

    def _scores(self, x: np.ndarray) -> dict[str, np.ndarray]:
        residual = self._nearest(x)
        np.subtract(x, residual, out=residual)
        return {"residual": np.square(residual, out=residual).sum(axis=1)}

    def _reconstruct(self, x: Tensor) -> Tensor:
        projected = self._nearest(x.flatten(1).double().cpu().numpy())
        return torch.from_numpy(projected).to(x.device).view(x.shape)
