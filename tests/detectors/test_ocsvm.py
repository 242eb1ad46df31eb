import numpy as np
import pytest
from scipy.spatial.distance import pdist
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.svm import OneClassSVM

from oddgan import InputError
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

    gamma = OCSVM(**RAW, gamma="spread").fit(X).estimators_["svm"].gamma
    assert spread(gamma) > max(spread(gamma * 1.5), spread(gamma / 1.5), spread(1e-3), spread(1e3))


def test_gamma_by_the_median_distance():
    gamma = OCSVM(**RAW).fit(X).estimators_["svm"].gamma
    assert gamma == pytest.approx(1 / (2 * np.median(pdist(X.astype(float))) ** 2))
    # Equal rows say nothing about the scale: with each row twice it stays.
    twice = OCSVM(**RAW).fit(np.repeat(X, 2, axis=0)).estimators_["svm"].gamma
    assert twice == pytest.approx(gamma)
    assert OCSVM(**RAW, gamma=3.0).fit(X).estimators_["svm"].gamma == 3.0


def test_the_global_generator_is_left_alone():
    before = np.random.get_state()[2]  # noqa: NPY002
    OCSVM(**RAW).fit(X)
    assert np.random.get_state()[2] == before  # noqa: NPY002


def test_equal_rows():
    assert OCSVM(random_state=0).fit(np.ones((20, 2))).anomaly_score([[1.0, 1.0]]) == pytest.approx(0)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"nu": 0.0}, r"nu must be in \(0, 1\], but is 0.0"),
        ({"nu": 1.5}, r"nu must be in \(0, 1\], but is 1.5"),
        ({"gamma": 0.0}, "gamma must be a number above 0, 'median' or 'spread', but is 0.0"),
        ({"gamma": "scale"}, "gamma must be a number above 0, 'median' or 'spread', but is 'scale'"),
    ],
)
def test_wrong_settings(wrong, message):
    with pytest.raises(InputError, match=message):
        OCSVM(**wrong).fit(X)
