import numpy as np
import pytest
from scipy.spatial.distance import pdist
from scipy.stats import spearmanr
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.svm import OneClassSVM

from oddgan import InputError, load
from oddgan._core.notices import Notice
from oddgan.detectors import OCSVM
from oddgan.scaling import Identity

RNG = np.random.default_rng(0)
X, NEW = RNG.normal(size=(60, 3)).astype(np.float32), RNG.normal(size=(20, 3)).astype(np.float32)
RAW = {"scaling": Identity(), "random_state": 0}


def test_score_by_the_formula():
    detector = OCSVM(**RAW, nu=0.2, gamma=0.5).fit(X)
    svm = OneClassSVM(nu=0.2, gamma=0.5).fit(X.astype(float))
    # scikit-learn's α sum to νn; the paper's to 1.
    alpha = svm.dual_coef_[0] / (0.2 * 60)
    assert alpha.sum() == pytest.approx(1)
    assert alpha.max() <= 1 / (0.2 * 60) + 1e-12
    expected = svm.offset_[0] / (0.2 * 60) - rbf_kernel(NEW, svm.support_vectors_, gamma=0.5) @ alpha
    np.testing.assert_allclose(detector.score_components(NEW)["margin"], expected, atol=1e-9)


def test_nu_bounds_the_share_outside():
    # The solver stops near the optimum, and rows on the boundary are up to 1e-4 on either side of it.
    outside = [(OCSVM(**RAW, nu=nu).fit(X).anomaly_score(X) > 1e-4).mean() for nu in (0.1, 0.5)]
    assert outside[0] <= 0.1
    assert outside[0] < outside[1] <= 0.5


def test_gamma_by_the_spread_of_kernel_values():
    # Neither a kernel so wide that all values are near 1 nor one so narrow that all are near 0 spreads them.
    squares = pdist(X.astype(float), "sqeuclidean")

    def spread(gamma):
        values = np.exp(-gamma * squares)
        return values.var() / (values.mean() + 1e-3)

    gamma = OCSVM(**RAW).fit(X).estimators_["svm"].gamma
    assert spread(gamma) > max(spread(gamma * 1.5), spread(gamma / 1.5), spread(1e-3), spread(1e3))


def test_gamma_by_the_median_distance():
    gamma = OCSVM(**RAW, gamma="median").fit(X).estimators_["svm"].gamma
    assert gamma == pytest.approx(1 / (2 * np.median(pdist(X.astype(float))) ** 2))
    # Equal rows say nothing about the scale: with each row twice it stays.
    twice = OCSVM(**RAW, gamma="median").fit(np.repeat(X, 2, axis=0)).estimators_["svm"].gamma
    assert twice == pytest.approx(gamma)
    assert OCSVM(**RAW, gamma=3.0).fit(X).estimators_["svm"].gamma == 3.0


@pytest.mark.parametrize("exact_size", [20_000, 0])
def test_the_middle_between_clusters_is_anomalous(exact_size):
    rows = np.repeat([-5.0, 5.0], 100)[:, None] + RNG.normal(0, 0.1, (200, 1))
    detector = OCSVM(random_state=0, exact_size=exact_size).fit(rows)
    assert detector.anomaly_score([[0.0]]) > np.quantile(detector.anomaly_score(rows), 0.99)


def test_all_landmarks_and_many_passes_come_near_the_exact_solution():
    rows = RNG.normal(size=(400, 2))
    new = RNG.normal(size=(300, 2)) * 1.5
    exact = OCSVM(**RAW, gamma=0.5).fit(rows)
    with pytest.warns(Notice, match=r"approximates the solution for 400 rows with 400 landmarks.*exact_size \(now 0\)"):
        near = OCSVM(**RAW, gamma=0.5, exact_size=0).fit(rows)
    assert spearmanr(exact.anomaly_score(new), near.anomaly_score(new))[0] > 0.97
    # nu of the rows are outside, which the offset is chosen by: 40 of 400, or one of them on the boundary.
    assert (near.anomaly_score(rows) > 0).mean() == pytest.approx(0.1, abs=1 / 400)


def test_the_approximation_is_a_weighted_sum_of_kernels_at_the_landmarks(tmp_path):
    detector = OCSVM(**RAW, exact_size=10, landmarks=7).fit(X)
    svm = detector.estimators_["svm"]
    assert svm.support_vectors_.shape == (7, 3)
    assert all(row in X.astype(float).tolist() for row in svm.support_vectors_.tolist())
    by_hand = -(rbf_kernel(NEW, svm.support_vectors_, gamma=svm.gamma) @ svm.dual_coef_[0] + svm.intercept_)
    scores = detector.anomaly_score(NEW)
    np.testing.assert_allclose(scores, by_hand / svm.dual_coef_.sum(), atol=1e-6)
    assert np.array_equal(load(detector.save(tmp_path / "m")).anomaly_score(NEW), scores)
    order = np.random.default_rng(1).permutation(len(NEW))
    assert np.array_equal(detector.anomaly_score(NEW[order]), scores[order])
    assert detector.anomaly_score(NEW[3:4]) == scores[3]


def test_the_global_generator_is_left_alone():
    before = np.random.get_state()[2]  # noqa: NPY002
    OCSVM(**RAW).fit(X)
    OCSVM(**RAW, exact_size=0).fit(X)
    assert np.random.get_state()[2] == before  # noqa: NPY002


def test_equal_rows():
    assert OCSVM(random_state=0).fit(np.ones((20, 2))).anomaly_score([[1.0, 1.0]]) == pytest.approx(0)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"nu": 0.0}, r"nu must be in \(0, 1\], but is 0.0"),
        ({"nu": 1.5}, r"nu must be in \(0, 1\], but is 1.5"),
        ({"gamma": 0.0}, "gamma must be a number above 0, 'median' or 'spread', but is 0.0"),
        ({"exact_size": -1}, "exact_size must be at least 0 and landmarks at least 1, but are -1 and 1000"),
        ({"landmarks": 0}, "exact_size must be at least 0 and landmarks at least 1, but are 20000 and 0"),
        ({"gamma": "scale"}, "gamma must be a number above 0, 'median' or 'spread', but is 'scale'"),
    ],
)
def test_wrong_settings(wrong, message):
    with pytest.raises(InputError, match=message):
        OCSVM(**wrong).fit(X)
