"""The isolation forest."""

from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.ensemble import IsolationForest

from oddgan._core.errors import InputError
from oddgan._core.hyperparameters import hyperparameters
from oddgan.base import Card
from oddgan.families import ProjectedDetector
from oddgan.families.classical import ROUNDED
from oddgan.scores import Composition, WeightedSum


@hyperparameters
class IForest(ProjectedDetector):
    r"""Cut at random until a row is alone; anomalies are alone after few cuts.

        score 2^(-E h(x) / c(ψ))

    with h(x) the depth at which a tree grown on ψ rows isolates x, E the mean over trees, and c(ψ) the mean depth of an
    unsuccessful search in a binary tree of ψ rows. Component: `depth`, the score, in (0, 1].

    A tree never cuts a column that does not vary in its rows. Where k such columns of a row differ from the only value
    that they had in training, any cut of them would isolate it: with p = k/(k + d), d the number of columns that vary,
    a row that would be alone at depth h is alone at (1 - (1 - p)^h)/p on average, which takes the place of E h(x).

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
        deviations=(
            "Columns that never vary in training count when they differ later; the paper's trees never look at them.",
        ),
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
        depth = 2.0 ** -(depths / (len(forest.estimators_) * _search_depth(forest._max_samples)))
        constants = self._constant_columns(x)
        if not constants.any():
            return {"depth": depth}
        usual = self.scaling_.middle if len(self.estimators_) == 1 else 0.0
        changed = (np.abs(x[:, constants] - usual) > ROUNDED).sum(axis=1)
        odd = np.flatnonzero(changed)
        depth[odd] = self._cut_off(depth[odd], changed[odd] / (changed[odd] + np.count_nonzero(~constants)))
        return {"depth": depth}

    def _cut_off(self, score: np.ndarray, share: np.ndarray) -> np.ndarray:
        """The scores (k,) of rows that a cut of these shares (k,) of the columns tells from all training rows."""
        average = _search_depth(self.estimators_["forest"].max_samples_)
        h = -average * np.log2(score)
        cut: np.ndarray = 2 ** (-(1 - (1 - share) ** h) / share / average)
        return cut


def _search_depth(n: int) -> float:
    """The mean depth c(n) of an unsuccessful search in a binary tree of n >= 2 rows; formula (1) of the paper."""
    return 1.0 if n <= 2 else float(2.0 * (np.log(n - 1.0) + np.euler_gamma) - 2.0 * (n - 1.0) / n)
