import numpy as np
import pytest
from scipy import stats
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.neighbors import KernelDensity

from oddgan import InputError
from oddgan.detectors import KDE
from oddgan.detectors.kde import ADGAN_BANDWIDTHS
from oddgan.scaling import Identity

RNG = np.random.default_rng(0)
X, NEW = RNG.normal(size=(60, 3)).astype(np.float32), RNG.normal(size=(20, 3)).astype(np.float32)
RAW = {"scaling": Identity(), "random_state": 0}


def test_density_by_hand():
    # Rows at 0 and 2, bandwidth 1, at 1: both bumps give the density of N(0, 1) at 1.
    detector = KDE(**RAW, bandwidths=(1.0,)).fit([[0.0], [2.0]])
    assert detector.anomaly_score([[1.0]]) == pytest.approx(-stats.norm.logpdf(1))
    # At 0: the mean of the densities at 0 and at 2.
    assert detector.anomaly_score([[0.0]]) == pytest.approx(-np.log(stats.norm.pdf([0, 2]).mean()))


def test_density_is_that_of_scikit_learn():
    detector = KDE(**RAW, bandwidths=(0.7,)).fit(X)
    expected = -KernelDensity(bandwidth=0.7).fit(X.astype(float)).score_samples(NEW.astype(float))
    np.testing.assert_allclose(detector.score_components(NEW)["density"], expected, rtol=1e-9)


def test_bandwidth_is_that_of_a_grid_search():
    candidates = (0.1, 0.3, 0.6, 1.0, 2.0)
    detector = KDE(**RAW, bandwidths=candidates).fit(X)
    # A shuffled split draws other folds: the choice, not the likelihood, is compared.
    grid = GridSearchCV(KernelDensity(), {"bandwidth": candidates}, cv=KFold(10)).fit(X)
    assert detector.estimators_["density"].bandwidth == grid.best_params_["bandwidth"] == 0.6


def test_candidates_of_the_benchmark():
    np.testing.assert_allclose(np.log2(ADGAN_BANDWIDTHS), np.arange(0, 4.5, 0.5))


def test_default_bandwidth_is_likelier_than_any_other_candidate():
    chosen = KDE(**RAW).fit(X).estimators_["density"].bandwidth
    found = KDE(**RAW, bandwidths=tuple(chosen * 2.0 ** (i / 2) for i in range(-6, 7))).fit(X)
    assert found.estimators_["density"].bandwidth == pytest.approx(chosen)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_default_bandwidth_follows_the_scale(scale):
    chosen = KDE(scaling=Identity(), random_state=0).fit(X.astype(float) * scale).estimators_["density"].bandwidth
    assert chosen == pytest.approx(scale * KDE(**RAW).fit(X).estimators_["density"].bandwidth, rel=1e-3)


@pytest.mark.parametrize("d", [1, 2, 4])
@pytest.mark.parametrize("width", [0.3, 0.01, 1e-5])
def test_the_middle_between_clusters_is_anomalous(width, d):
    corners = RNG.permutation(np.repeat([-5.0, 5.0], 60))[:, None]
    rows = corners + RNG.normal(0, width, (120, d))
    detector = KDE(random_state=0).fit(rows)
    assert detector.anomaly_score(np.zeros((1, d))) > detector.anomaly_score(rows).max()


def test_equal_rows_do_not_make_the_bandwidth_vanish():
    counts = RNG.poisson(3, (200, 2)).astype(float)
    assert 0.05 < KDE(**RAW).fit(counts).estimators_["density"].bandwidth < 3
    assert KDE(**RAW).fit(np.ones((9, 2))).estimators_["density"].bandwidth == 1


def test_few_rows_for_the_bandwidth_all_for_the_density():
    detector = KDE(**RAW, bandwidths=(0.01, 0.6), cv_size=20).fit(X)
    assert detector.estimators_["density"].tree_.data.shape == X.shape
    # The rows are drawn: another seed may choose another bandwidth, the same one chooses the same.
    again = KDE(**RAW, bandwidths=(0.01, 0.6), cv_size=20).fit(X)
    assert np.array_equal(detector.anomaly_score(NEW), again.anomaly_score(NEW))


def test_a_lonely_row_is_more_anomalous():
    near, far = KDE(**RAW).fit(X).anomaly_score([[0.0, 0.0, 0.0], [9.0, 9.0, 9.0]])
    assert far > near + 10


@pytest.mark.parametrize("wrong", [{"bandwidths": ()}, {"bandwidths": (1.0, 0.0)}, {"cv_size": 1}])
def test_wrong_settings(wrong):
    with pytest.raises(InputError, match="bandwidths must be positive numbers, or None, and cv_size at least 2"):
        KDE(**wrong).fit(X)
