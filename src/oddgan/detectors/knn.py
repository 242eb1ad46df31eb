"""Distance to the nearest neighbours."""

import math
from functools import cache
from typing import ClassVar, Literal, get_args

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.neighbors import NearestNeighbors

from oddgan._core.errors import InputError
from oddgan._core.hyperparameters import hyperparameters
from oddgan.base import Card
from oddgan.base.scoring import full_pass
from oddgan.families import ProjectedDetector
from oddgan.scores import Composition, WeightedSum

Method = Literal["largest", "mean", "squares"]
TILE = 256  # rows of a matrix product in scikit-learn's search


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
    independent: ClassVar[bool] = True

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
        distances = self._distances(x)
        if self.method == "largest":
            return {"distance": distances[:, -1]}
        return {"distance": distances.mean(axis=1) if self.method == "mean" else (distances**2).sum(axis=1)}

    def _distances(self, x: np.ndarray) -> np.ndarray:
        """Distances (n, k) to the nearest training rows, each row's bits its own."""
        neighbours, size = self.estimators_["neighbors"], full_pass(self.slots)
        few, d, n = len(x) < size, x.shape[1], neighbours.n_samples_fit_
        if neighbours._fit_method != "brute" or (few and _same_alone(d, min(n, TILE + n % TILE), size)):
            found: np.ndarray = neighbours.kneighbors(x)[0]
            return found
        unit = TILE if size % TILE == 0 else size
        padded = np.concatenate([x, np.repeat(x[-1:], -len(x) % unit, axis=0)])
        step = len(padded) if unit == TILE else unit
        parts = [neighbours.kneighbors(padded[i : i + step])[0] for i in range(0, len(padded), step)]
        return np.concatenate(parts)[: len(x)]


@cache
def _same_alone(d: int, n: int, size: int) -> bool:
    """Whether a search among n rows of d values gives a row the same bits alone, among few, and in a pass of `size`.

    A search without a tree is made of matrix products, which some processors round by the number of rows. Products take
    256 rows at most, so that their shapes are those with few training rows, too.
    """
    rng = np.random.RandomState(0)
    search = NearestNeighbors(n_neighbors=min(n, 16), algorithm="brute").fit(rng.normal(size=(n, d)))
    x = rng.normal(size=(size * math.ceil(2 * TILE / size), d))
    whole = np.concatenate([search.kneighbors(x[i : i + size])[0] for i in range(0, len(x), size)])
    cuts = [slice(k, 2 * k) for k in (*range(1, 17), 64, 65, TILE - 1)]
    return all(np.array_equal(search.kneighbors(x[cut])[0], whole[cut]) for cut in cuts)
