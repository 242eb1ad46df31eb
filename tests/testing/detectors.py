"""A detector as strangers write them, which keeps the contract, and others that break it in one place each."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch
from sklearn.neighbors import NearestNeighbors

from oddgan import AutoEncoder
from oddgan.base import Card, Detector, ScoreParts, hyperparameters
from oddgan.families import ClassicalDetector
from oddgan.scores import WeightedSum
from oddgan.similarities import Similarity


@hyperparameters
class Nearest(ClassicalDetector):
    """The mean distance to the two nearest training rows.

    Parameters
    ----------
    power : the distance is raised to it, > 0.
    """

    card: ClassVar[Card] = Card(
        name="Nearest",
        title="Nearest neighbor pattern classification",
        authors="Cover et al.",
        year=1967,
        link="https://doi.org/10.1109/TIT.1967.1053964",
        summary="distance to the nearest training rows",
        kinds=("table",),
    )
    holds: ClassVar = {"neighbors": ("NearestNeighbors",)}

    power: float = 1.0
    composition: WeightedSum = WeightedSum(distance=1.0)

    def _estimators(self, x, seed):
        return {"neighbors": NearestNeighbors(n_neighbors=2).fit(x)}

    def _scores(self, x):
        return {"distance": self.estimators_["neighbors"].kneighbors(x)[0].mean(axis=1) ** self.power}


@hyperparameters
class Mahalanobis(Detector):
    """The squared Mahalanobis distance to the mean of the training rows: numpy, and nothing of a family.

    Parameters
    ----------
    ridge : added to the diagonal of the covariance, > 0.
    """

    card: ClassVar[Card] = Card(
        name="Mahalanobis",
        title="On the generalised distance in statistics",
        authors="Mahalanobis",
        year=1936,
        link="https://www.jstor.org/stable/48723335",
        summary="Mahalanobis distance to the mean",
        kinds=("table",),
    )

    ridge: float = 1e-3
    composition: WeightedSum = WeightedSum(distance=1.0)

    def _learn(self, rows, fitting):
        x = self.scaling_(np.asarray(rows)).astype(np.float64)
        precision = np.linalg.inv(np.cov(x.T) + self.ridge * np.eye(x.shape[1]))
        self.learned_ = {"mean": x.mean(axis=0), "precision": precision}

    def _score(self, x):
        apart = x.double().cpu().numpy() - self.learned_["mean"]
        distance = np.einsum("ni,ij,nj->n", apart, self.learned_["precision"], apart)
        return ScoreParts({"distance": torch.from_numpy(distance)})


class LosesWhatItLearned(Mahalanobis):
    def _learn(self, rows, fitting):
        super()._learn(rows, fitting)
        self.spread_ = self.learned_.pop("precision")

    def _score(self, x):
        self.learned_["precision"] = self.spread_
        return super()._score(x)


class DrawsOnlyWhenAsked(Mahalanobis):
    def _reconstruct(self, x):
        return x * 0


class LooksAtNeighbours(Nearest):
    def _scores(self, x):
        return {"distance": super()._scores(x)["distance"] - x.mean()}


class LearnsWhileScoring(Nearest):
    def _scores(self, x):
        if hasattr(self, "calibration_"):
            self.calibration_ = replace(self.calibration_, scores=self.calibration_.scores + 1e-9)
        return super()._scores(x)


class ScoresAtRandom(Nearest):
    def _scores(self, x):
        return {"distance": super()._scores(x)["distance"] + np.random.default_rng().normal(size=len(x))}


class IgnoresTheSeed(Nearest):
    def _estimators(self, x, seed):
        return super()._estimators(x + 1e-3 * np.random.default_rng().normal(size=x.shape), seed)


class ChangesRows(Nearest):
    def fit(self, X, y=None, **given):
        super().fit(X, y, **given)
        if isinstance(X, np.ndarray):
            X[0] += 1
        return self


class LooksAtLabels(Nearest):
    def fit(self, X, y=None, **given):
        return super().fit(X if y is None else np.asarray(X)[np.asarray(y) == 0], **given)


class Remembers(Nearest):
    def fit(self, X, y=None, **given):
        self._first = getattr(self, "_first", X)
        return super().fit(self._first, y, **given)


class TakesHeldOutRows(Nearest):
    def fit(self, X, y=None, **given):
        rows = np.asarray(X, dtype=float)
        self._width = rows.std() / np.ptp(rows)
        return super().fit(X, y, **given)

    def _scores(self, x):
        return {"distance": super()._scores(x)["distance"] * self._width}


class ForgetsOnLoading(Nearest):
    def _estimators(self, x, seed):
        self.shift = x.std()
        return super()._estimators(x, seed)

    def _scores(self, x):
        return {"distance": super()._scores(x)["distance"] + getattr(self, "shift", 0.0)}


class TakesNaN(Nearest):
    def fit(self, X, y=None, **given):
        return super().fit(np.nan_to_num(np.asarray(X, dtype=float)), y, **given)


class TurnsTheSign(Nearest):
    def score_samples(self, X):
        return self.anomaly_score(X)


class CallsFarRowsNormal(Nearest):
    def anomaly_score(self, X):
        score = super().anomaly_score(X)
        return np.where(score > 1e6, 0.0, score)


@hyperparameters
class HasADeadParameter(Nearest):
    """Nearest neighbours.

    Parameters
    ----------
    power : the distance is raised to it, > 0.
    unread : nothing reads it.
    """

    unread: float = 1.0


@hyperparameters
class SaysNothing(Nearest):
    unread: float = 1.0


class HasNoDecorator(Nearest):
    """Nearest neighbours.

    Parameters
    ----------
    power : the distance is raised to it, > 0.
    """

    more: float = 1.0


class HasNoPaper(Nearest):
    card: ClassVar[Card] = Card(name="x", title="", authors="x", year=2000, link="https://x.org", summary="x")


class KNN(Nearest):
    """It has the name of one of oddgan's."""


class FitsOneSeed(AutoEncoder):
    def fit(self, X, y=None, **given):
        seed, self.random_state = self.random_state, 0
        super().fit(X, y, **given)
        self.random_state = seed
        return self


class LeavesANetworkOut(AutoEncoder):
    def _networks(self, shape):
        return super()._networks(shape) | {"idle": torch.nn.Linear(2, 2)}

    def _players(self, *alone, **groups):
        return super()._players(*alone, **{name: (*group, "idle") for name, group in groups.items()})


class OverwritesItsSettings(Nearest):
    def fit(self, X, y=None, **given):
        super().fit(X, y, **given)
        self.slots = 64
        return self


BROKEN = {
    LooksAtNeighbours: "scores_do_not_depend_on_other_rows[table]",
    LearnsWhileScoring: "scoring_changes_nothing[table]",
    ScoresAtRandom: "scoring_is_repeatable[table]",
    IgnoresTheSeed: "fit_obeys_random_state[table]",
    ChangesRows: "fit_leaves_rows_alone[table]",
    LooksAtLabels: "labels_are_ignored[table]",
    Remembers: "refit_forgets[table]",
    TakesHeldOutRows: "calibration_rows_are_held_out[table]",
    ForgetsOnLoading: "loading_gives_an_equal_detector[table]",
    TakesNaN: "bad_values_are_refused[table]",
    TurnsTheSign: "components_make_the_score[table]",
    CallsFarRowsNormal: "extreme_numbers_give_finite_scores[the largest new cell]",
    HasADeadParameter: "parameter_has_an_effect[unread]",
    SaysNothing: "parameters_are_documented[table]",
    LosesWhatItLearned: "loading_gives_an_equal_detector[table]",
    DrawsOnlyWhenAsked: "score_and_reconstruct_draw_the_same[table]",
    HasNoDecorator: "parameters_are_documented[table]",
    HasNoPaper: "card_is_complete[table]",
    KNN: "name_is_its_own[table]",
    FitsOneSeed: "random_state_has_an_effect[table]",
    LeavesANetworkOut: "updates_move_their_player_only[image]",
    OverwritesItsSettings: "scikit_learn[check_estimators_overwrite_params]",
}
"""Each broken detector, with the check that must catch it."""


@dataclass(frozen=True)
class Worst(Similarity):
    """The largest absolute difference."""

    def _compare(self, x, y):
        return (x - y).abs().flatten(1).amax(dim=1)


@hyperparameters
class WorstAutoEncoder(AutoEncoder):
    """An autoencoder that is judged by its worst value."""

    similarity: Similarity = Worst()
