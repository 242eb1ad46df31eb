"""The isolation forest."""

from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.ensemble import IsolationForest

from oddgan._core.errors import InputError
from oddgan._core.hyperparameters import hyperparameters
from oddgan.base import Card, ProjectedDetector
from oddgan.scores import Composition, WeightedSum


@hyperparameters
class IForest(ProjectedDetector):
    r"""Cut at random until a row is alone; anomalies are alone after few cuts.

        score 2^(-E h(x) / c(ψ))

    with h(x) the depth at which a tree grown on ψ rows isolates x, E the mean over trees, and c(ψ) the mean depth of an
    unsuccessful search in a binary tree of ψ rows. Component: `depth`, the score, in (0, 1].

    Parameters
    ----------
    n_trees : trees, >= 1.
    max_samples : rows ψ that each tree is grown on, >= 2; all where there are fewer.

    References
    ----------
    F. T. Liu, K. M. Ting, Z.-H. Zhou: Isolation Forest, ICDM 2008, https://doi.org/10.1109/ICDM.2008.17.
    """

    card: ClassVar[Card] = Card(
        name="Isolation forest",
        title="Isolation Forest",
        authors="Liu, Ting, Zhou",
        year=2008,
        link="https://doi.org/10.1109/ICDM.2008.17",
        summary="depth at which random cuts isolate a row",
    )
    tiny: ClassVar = {"n_trees": 20, "pca": 3}
    holds: ClassVar = {"forest": ("IsolationForest",)}
    independent: ClassVar[bool] = True

    n_trees: int = 100
    max_samples: int = 256
    composition: Composition = WeightedSum(depth=1.0)

    def _check(self) -> None:
        super()._check()
        if self.n_trees < 1 or self.max_samples < 2:
            raise InputError(
                f"n_trees must be at least 1 and max_samples at least 2, but are {self.n_trees} and {self.max_samples}."
            )

    def _estimators(self, x: np.ndarray, seed: int) -> dict[str, BaseEstimator]:
        forest = IsolationForest(
            n_estimators=self.n_trees, max_samples=min(self.max_samples, len(x)), random_state=seed
        )
        return {"forest": forest.fit(x)}

    def _scores(self, x: np.ndarray) -> dict[str, np.ndarray]:
        # What scikit-learn's `score_samples` computes, without its checks of every tree: they take longer than a row.
        forest, rows, depths = self.estimators_["forest"], x.astype(np.float32), np.zeros(len(x))
        known = zip(forest._decision_path_lengths, forest._average_path_length_per_tree, strict=True)
        for tree, (lengths, rest) in zip(forest.estimators_, known, strict=True):
            depths += (lengths + rest - 1.0)[tree.tree_.apply(rows)]
        return {"depth": 2.0 ** -(depths / (len(forest.estimators_) * _search_depth(forest._max_samples)))}


def _search_depth(n: int) -> float:
    """The mean depth c(n) of an unsuccessful search in a binary tree of n >= 2 rows; formula (1) of the paper."""
    return 1.0 if n == 2 else float(2.0 * (np.log(n - 1.0) + np.euler_gamma) - 2.0 * (n - 1.0) / n)
