import warnings

import numpy as np
import pytest
from scipy import stats
from sklearn.mixture import GaussianMixture

from oddgan import InputError
from oddgan.detectors import GMM
from oddgan.scaling import Identity

RNG = np.random.default_rng(0)
CENTRES = np.array([[0.0, 0.0], [9.0, 0.0], [0.0, 9.0]])
X = (CENTRES.repeat(40, axis=0) + RNG.normal(size=(120, 2))).astype(np.float32)
RAW = {"scaling": Identity(), "random_state": 0}


def test_one_component_is_a_normal_distribution():
    detector = GMM(**RAW, sizes=(1,)).fit(X)
    rows = X.astype(float)
    # The variances have 1e-6 added.
    normal = stats.multivariate_normal(rows.mean(axis=0), np.cov(rows.T, bias=True) + 1e-6 * np.eye(2))
    np.testing.assert_allclose(detector.score_components(X)["density"], -normal.logpdf(rows), rtol=1e-9)


def test_bic_finds_the_clusters():
    detector = GMM(**RAW, sizes=tuple(range(1, 8))).fit(X)
    assert detector.estimators_["mixture"].n_components == 3


def test_bic_by_the_formula():
    # 3 components in 2 dimensions: 3·2 means, 3·3 covariances, 2 weights.
    mixture = GMM(**RAW, sizes=(3,)).fit(X).estimators_["mixture"]
    expected = (6 + 9 + 2) * np.log(120) - 2 * mixture.score_samples(X.astype(float)).sum()
    assert mixture.bic(X.astype(float)) == pytest.approx(expected)


def test_smallest_bic_wins():
    bic = {k: GMM(**RAW, sizes=(k,)).fit(X).estimators_["mixture"].bic(X.astype(float)) for k in (2, 4, 6)}
    chosen = GMM(**RAW, sizes=(6, 2, 4)).fit(X).estimators_["mixture"].n_components
    assert chosen == min(bic, key=bic.get)


@pytest.mark.parametrize("covariance", ["full", "tied", "diag", "spherical"])
@pytest.mark.parametrize("sizes", [(1,), (4,)])
def test_density_is_that_of_scikit_learn(covariance, sizes):
    # The same operations on blocks of the same size: equal to the last bit.
    rows = RNG.normal(size=(2 * 512, 2)).astype(np.float32)
    detector = GMM(**RAW, sizes=sizes, covariance=covariance).fit(X)
    mixture = detector.estimators_["mixture"]
    expected = [-mixture.score_samples(block.astype(float)) for block in np.split(rows, 2)]
    assert np.array_equal(detector.anomaly_score(rows), np.concatenate(expected))


def test_size_is_chosen_on_some_rows_and_the_mixture_fitted_to_all():
    # 40 of 120 rows show the three clusters, too; a mixture's weights are those of all rows.
    mixture = GMM(**RAW, sizes=tuple(range(1, 8)), bic_size=40).fit(X).estimators_["mixture"]
    assert mixture.n_components == 3
    np.testing.assert_allclose(mixture.weights_, 1 / 3, atol=1e-6)


def test_default_candidates():
    assert GMM().sizes == tuple(range(2, 21))


@pytest.mark.parametrize("covariance", ["full", "tied", "diag", "spherical"])
def test_covariance(covariance):
    mixture = GMM(**RAW, sizes=(3,), covariance=covariance).fit(X).estimators_["mixture"]
    assert isinstance(mixture, GaussianMixture)
    assert mixture.covariance_type == covariance


@pytest.mark.parametrize("rows", [np.ones((20, 2)), np.repeat(np.eye(3), 10, axis=0), np.eye(2)])
def test_few_different_rows_fit_without_warnings(rows):
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        detector = GMM(scaling=Identity(), random_state=0).fit(rows)
    assert detector.estimators_["mixture"].n_components <= len(np.unique(rows, axis=0))
    assert np.isfinite(detector.anomaly_score(rows)).all()


def test_wide_data_are_projected_first():
    rows = RNG.normal(size=(80, 60))
    assert GMM(sizes=(2,), random_state=0).fit(rows).estimators_["mixture"].means_.shape == (2, 50)
    assert GMM(sizes=(2,), pca=None, random_state=0).fit(rows).estimators_["mixture"].means_.shape == (2, 60)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"sizes": ()}, "sizes must be whole numbers of at least 1"),
        ({"sizes": (2, 0)}, "sizes must be whole numbers of at least 1"),
        ({"bic_size": 1}, "bic_size must be at least 2"),
        ({"covariance": "round"}, "covariance is 'round': use full, tied, diag, spherical"),
    ],
)
def test_wrong_settings(wrong, message):
    with pytest.raises(InputError, match=message):
        GMM(**wrong).fit(X)
