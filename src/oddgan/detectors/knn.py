"""Distance to the nearest neighbours."""

from typing import ClassVar, Literal, get_args

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.neighbors import NearestNeighbors

from oddgan._core.errors import InputError
from oddgan._core.hyperparameters import hyperparameters
from oddgan.base import Card, ProjectedDetector
from oddgan.scores import Composition, WeightedSum

Method = Literal["largest", "mean", "squares"]


@hyperparameters
class KNN(ProjectedDetector):
    r"""Anomalies are far from the training rows that are nearest to them.

    With d_1 <= ... <= d_k the Euclidean distances of x to its k nearest training rows, the score is

        largest: d_k      mean: 1/k Σ_j d_j      squares: Σ_j d_j²

    Component: `distance`, the score. A training row is its own nearest neighbour, at distance 0.

    Parameters
    ----------
    n_neighbors : neighbours k, >= 1; at most as many as there are training rows.
    method : "largest" (Ramaswamy et al., 2000), "mean" (Angiulli & Pizzuti, 2002) or "squares" (Reiss et al., 2021).

    References
    ----------
    S. Ramaswamy, R. Rastogi, K. Shim: Efficient Algorithms for Mining Outliers from Large Data Sets, SIGMOD 2000,
    https://doi.org/10.1145/342009.335437; F. Angiulli, C. Pizzuti: Fast Outlier Detection in High Dimensional Spaces,
    PKDD 2002, https://doi.org/10.1007/3-540-45681-3_2; T. Reiss, N. Cohen, L. Bergman, Y. Hoshen: PANDA: Adapting
    Pretrained Features for Anomaly Detection and Segmentation, CVPR 2021, https://arxiv.org/abs/2010.05903.
    """

    card: ClassVar[Card] = Card(
        name="kNN",
        title="Efficient Algorithms for Mining Outliers from Large Data Sets",
        authors="Ramaswamy, Rastogi, Shim",
        year=2000,
        link="https://doi.org/10.1145/342009.335437",
        summary="distance to the nearest training rows",
        deviations=("The paper ranks the rows of one set; here new rows are compared with the training rows.",),
    )
    tiny: ClassVar = {"n_neighbors": 3, "method": "mean"}
    holds: ClassVar = {"neighbors": ("NearestNeighbors",)}

    n_neighbors: int = 5
    method: Method = "largest"
    composition: Composition = WeightedSum(distance=1.0)

    def _check(self) -> None:
        super()._check()
        if self.n_neighbors < 1 or self.method not in get_args(Method):
            raise InputError(
                f"n_neighbors must be at least 1 and method one of {', '.join(get_args(Method))}, but are "
                f"{self.n_neighbors} and {self.method!r}."
            )

    def _estimators(self, x: np.ndarray, seed: int) -> dict[str, BaseEstimator]:
        if len(x) < self.n_neighbors:
            raise InputError(f"{len(x)} rows have no {self.n_neighbors} nearest neighbours: lower n_neighbors.")
        return {"neighbors": NearestNeighbors(n_neighbors=self.n_neighbors).fit(x)}

    def _scores(self, x: np.ndarray) -> dict[str, np.ndarray]:
        distances = self.estimators_["neighbors"].kneighbors(x)[0]
        reduced = {"largest": distances[:, -1], "mean": distances.mean(axis=1), "squares": (distances**2).sum(axis=1)}
        return {"distance": reduced[self.method]}
