import numpy as np
import pytest
import torch

from oddgan import PCA, AutoEncoder, InputError
from oddgan._core.notices import Notice
from oddgan.scores import WeightedSum
from oddgan.scores.bounds import LARGEST, REACH, bounded, finite, reach

X = np.random.default_rng(0).normal(size=(40, 3))


class Blind(PCA):
    """Calls every row equally normal, and rows above 50 not a number."""

    def _scores(self, x):
        return {"residual": np.where(x.max(axis=1) > 50, np.where(x.max(axis=1) > 500, -np.inf, np.nan), 2.0)}


def test_reach_is_the_largest_input():
    x = torch.tensor([[[1.0, -7.0]], [[0.5, 0.25]]])
    assert reach(x, 5.0).tolist() == [7.0, 0.5]
    assert reach(x, 7.0).tolist() == [0.0, 0.0]  # nothing is beyond the limit: nobody asks


def test_far_rows_are_raised_as_the_formula_says():
    # Calibration rows run from 1 to 3: top + (top - bottom)·r = 3 + 2·r beyond the limit.
    found = {"a": np.array([5.0, 5.0, 1e9]), REACH: np.array([10.0, 100.0, 100.0])}
    assert bounded(found, {"a": np.array([1.0, 3.0])}, 10.0)["a"].tolist() == [5.0, 203.0, 1e9]
    # Without a range, the size of the value, at least 1.
    for known, raised in ((-4.0, -4 + 4 * 100.0), (0.0, 100.0)):
        low = {"a": np.array([-9.0]), REACH: np.array([100.0])}
        assert bounded(low, {"a": np.array([known, known])}, 10.0)["a"] == raised


def test_what_is_not_finite_counts_as_most_anomalous_and_is_said():
    found = {"a": np.array([1.0, np.nan, 2.0, np.inf]), "b": np.array([0.0, -np.inf, 0.0, 0.0])}
    with pytest.warns(Notice, match=r"2 row\(s\) have no finite score.*rows 1, 3\."):
        settled = bounded(found, {}, 1e6)
    assert settled["a"].tolist() == [1, LARGEST, 2, LARGEST]
    assert settled["b"].tolist() == [0, -LARGEST, 0, 0]
    plain = np.array([1.0, 2.0])
    assert finite(plain) is plain


def test_a_detector_that_sees_nothing_still_ranks_far_rows():
    detector = Blind().fit(X)
    new = np.zeros((5, 3))
    new[1:, 0] = 1e7, 1e8, 1e200, 1e308
    with pytest.warns(Notice, match="rows 1, 2, 3, 4"):
        scores = detector.anomaly_score(new)
    assert scores[0] == 2
    assert np.isfinite(scores).all()
    assert detector.predict(new).tolist() == [1, -1, -1, -1, -1]
    assert (detector.anomaly_probability(new)[1:] == 1 / 41).all()


@pytest.mark.parametrize("value", [1e30, -1e45, 1e308])
def test_everything_that_scores_agrees_on_far_rows(value):
    detector = AutoEncoder(random_state=0, epochs=1).fit(X)
    new = np.r_[X[:5], X[:1]]
    new[5, 1] = value
    scores = detector.anomaly_score(new)
    assert np.isfinite(scores).all()
    assert scores[5] > scores[:5].max()
    assert detector.predict(new)[5] == -1
    assert np.array_equal(detector.score_from(detector.score_components(new)), scores)
    told = detector.explain(new)
    assert np.array_equal(told.score, scores)
    assert np.isfinite(told.map).all()
    assert np.array_equal(detector.anomaly_score(new[5:]), scores[5:])


def test_farther_out_never_scores_lower():
    detector = AutoEncoder(random_state=0, epochs=1).fit(X)
    new = np.zeros((8, 3))
    new[:, 2] = 1e7, 1e9, 1e20, 1e38, 1e39, 1e100, 1e200, 1e308
    assert (np.diff(detector.anomaly_score(new)) >= 0).all()


def test_no_finite_score_in_training_is_an_error():
    class Lost(PCA):
        def _scores(self, x):
            return {"residual": np.full(len(x), np.nan)}

    with pytest.raises(InputError, match="Lost gives no finite residual for 40 of 40 rows"):
        Lost().fit(X)


def test_compositions_stay_finite():
    detector = PCA(composition=WeightedSum(residual=1e300)).fit(X)
    assert np.isfinite(detector.anomaly_score(np.full((1, 3), 1e9))).all()
