import numpy as np
import pytest

from oddgan import InputError
from oddgan.detectors import IForest
from oddgan.scaling import Identity

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3)).astype(np.float32)
RAW = {"scaling": Identity(), "random_state": 0}


def average_path(n):
    """Equation 1 of the paper, the mean depth of an unsuccessful search: 2H(n - 1) - 2(n - 1)/n."""
    return 2 * (np.log(n - 1) + np.euler_gamma) - 2 * (n - 1) / n


def test_score_by_the_formula():
    # Equation 2: 2^(-E h(x)/c(ψ)), where a leaf that holds several rows adds the depth they would still need.
    detector = IForest(**RAW, n_trees=5, max_samples=16).fit(X)
    forest = detector.estimators_["forest"]
    depths = []
    for tree in forest.estimators_:
        leaf = tree.apply(X)
        size = tree.tree_.n_node_samples[leaf]
        extra = np.select([size == 1, size == 2], [0.0, 1.0], average_path(np.maximum(size, 3)))
        depths.append(tree.decision_path(X).sum(axis=1).A1 - 1 + extra)
    expected = 2 ** (-np.mean(depths, axis=0) / average_path(16))
    np.testing.assert_allclose(detector.score_components(X)["depth"], expected, rtol=1e-9)


def test_equal_rows_score_one_half():
    # Nobody can be isolated: E h = c, the paper's case of a set without distinct anomalies.
    np.testing.assert_allclose(IForest(random_state=0).fit(np.ones((20, 2))).anomaly_score([[1.0, 1.0]]), 0.5)


def test_a_lonely_row_is_isolated_early():
    near, far = IForest(**RAW).fit(X).anomaly_score([[0.0, 0.0, 0.0], [9.0, 9.0, 9.0]])
    assert near < 0.5
    assert far > 0.6


def test_settings_and_seed():
    forest = IForest(**RAW, n_trees=7, max_samples=256).fit(X).estimators_["forest"]
    assert (len(forest.estimators_), forest.max_samples_) == (7, 60)  # all rows where there are fewer
    assert IForest(**RAW, max_samples=16).fit(X).estimators_["forest"].max_samples_ == 16
    first, again = (IForest(**RAW).fit(X).anomaly_score(X) for _ in range(2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, IForest(scaling=Identity(), random_state=1).fit(X).anomaly_score(X))


@pytest.mark.parametrize("wrong", [{"n_trees": 0}, {"max_samples": 1}])
def test_wrong_settings(wrong):
    with pytest.raises(InputError, match="n_trees must be at least 1 and max_samples at least 2"):
        IForest(**wrong).fit(X)


def test_a_column_that_never_changed_counts_when_it_does():
    rows = np.column_stack([X, np.full(60, 4.0), np.zeros(60)])
    detector = IForest(random_state=0).fit(rows)
    one, two = rows[:5].copy(), rows[:5].copy()
    one[:, 3], two[:, 3:] = 9.0, 9.0
    plain, changed = detector.anomaly_score(rows[:5]), detector.anomaly_score(one)
    # Of k = 1 and d = 3 columns, a cut isolates with p = 1/4: the mean of a geometric depth that ends at h.
    h = -average_path(60) * np.log2(plain)
    np.testing.assert_allclose(changed, 2 ** (-(1 - 0.75**h) / 0.25 / average_path(60)), rtol=1e-9)
    assert (changed > plain).all()
    assert (detector.anomaly_score(two) > changed).all()
    # Rounding to single precision is no change.
    rounded = np.where(np.arange(5) == 3, 0.1, rows)
    detector = IForest(random_state=0).fit(rounded)
    assert np.array_equal(detector.anomaly_score(rounded.astype(np.float32)), detector.anomaly_score(rounded))
