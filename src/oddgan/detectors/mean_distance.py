"""Distance to the mean of the training rows: a floor."""

from typing import ClassVar

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from oddgan._core.hyperparameters import hyperparameters
from oddgan.base import Card
from oddgan.families import ClassicalDetector
from oddgan.scores import Composition, WeightedSum


@hyperparameters
class MeanDistance(ClassicalDetector):
    r"""L1 distance to the mean of the training rows: a floor that every method must beat.

        score Σ_j |x_j - μ_j|

    It knows nothing but the average sample, which is its reconstruction of everything. Component: `residual`, the
    score.

    References
    ----------
    There is no paper of it; why a floor belongs beside every result: F. Meissen, G. Kaissis, D. Rueckert: Challenging
    Current Semi-Supervised Anomaly Segmentation Methods for Brain MRI, BrainLes 2021,
    https://arxiv.org/abs/2109.06023, where a threshold on brightness beats the published methods.
    """

    card: ClassVar[Card] = Card(
        name="Mean distance",
        title="Challenging Current Semi-Supervised Anomaly Segmentation Methods for Brain MRI",
        authors="Meissen, Kaissis, Rueckert",
        year=2021,
        link="https://arxiv.org/abs/2109.06023",
        summary="L1 distance to the mean of the training rows; a floor",
        deviations=("The paper asks for a floor and takes brightness; the distance to the mean serves all data.",),
    )
    tiny: ClassVar = {}
    holds: ClassVar = {"centre": ("StandardScaler",)}
    independent: ClassVar[bool] = True

    composition: Composition = WeightedSum(residual=1.0)

    def _estimators(self, x: np.ndarray, seed: int) -> dict[str, BaseEstimator]:
        return {"centre": StandardScaler(with_std=False).fit(x)}

    def _scores(self, x: np.ndarray) -> dict[str, np.ndarray]:
        return {"residual": np.abs(self.estimators_["centre"].transform(x)).sum(axis=1)}

    def _reconstruct(self, x: Tensor) -> Tensor:
        mean = torch.from_numpy(np.array(self.estimators_["centre"].mean_)).to(x.device)
        return mean.view(x.shape[1:]).expand(x.shape)
