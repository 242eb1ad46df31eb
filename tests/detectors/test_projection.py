"""The principal components that classical detectors may look at."""

import numpy as np
import pytest
from sklearn import decomposition

from oddgan import InputError, detectors, load
from oddgan.families import ProjectedDetector
from oddgan.scaling import Identity

RNG = np.random.default_rng(0)
X = (RNG.normal(size=(60, 5)) * [5, 4, 3, 2, 1]).astype(np.float32)
PROJECTED = [cls for cls in detectors.classes().values() if issubclass(cls, ProjectedDetector)]


def test_the_floors_have_no_knob_for_it():
    assert {cls.__name__ for cls in PROJECTED} == {"KDE", "OCSVM", "IForest", "GMM", "KNN"}


@pytest.mark.parametrize("cls", PROJECTED)
def test_scores_are_those_of_the_projected_rows(cls):
    settings = {k: v for k, v in cls.tiny.items() if k != "pca"} | {"scaling": Identity(), "random_state": 0}
    components = decomposition.PCA(2, svd_solver="covariance_eigh").fit(X.astype(float))
    direct = cls(**settings).fit(components.transform(X.astype(float)))
    projected = cls(**settings, pca=2).fit(X)
    # Rows of the direct detector went through single precision once more.
    np.testing.assert_allclose(
        projected.anomaly_score(X), direct.anomaly_score(components.transform(X.astype(float))), rtol=1e-3, atol=1e-4
    )


@pytest.mark.parametrize("cls", PROJECTED)
def test_narrow_data_are_left_alone(cls):
    settings = {k: v for k, v in cls.tiny.items() if k != "pca"} | {"random_state": 0}
    plain, wide = (cls(**settings, pca=pca).fit(X) for pca in (None, 5))
    assert "projection" not in wide.estimators_
    assert np.array_equal(plain.anomaly_score(X), wide.anomaly_score(X))


@pytest.mark.parametrize("cls", PROJECTED)
def test_a_change_of_constants_shows_beside_the_components(cls, tmp_path):
    rows = np.column_stack([X, np.full((60, 2), 0.1)])
    settings = {k: v for k, v in cls.tiny.items() if k != "pca"} | {"random_state": 0}
    detector = cls(**settings, pca=2).fit(rows)
    changed = rows[:10].copy()
    changed[:, 5:] = 3.0, 4.0
    scores = detector.anomaly_score(changed)
    assert (scores > detector.anomaly_score(rows[:10])).all()
    assert np.array_equal(load(detector.save(tmp_path / "m")).anomaly_score(changed), scores)


def test_the_distance_of_constants_is_one_more_column():
    rows = np.column_stack([X, np.zeros((60, 2))])
    detector = detectors.KNN(n_neighbors=1, pca=2).fit(rows)
    changed = rows[:1].copy()
    changed[:, 5:] = 3.0, 4.0
    # The nearest training row is the row itself but for the constants, whose spread is 1: 3, 4, 5.
    assert detector.anomaly_score(changed) == pytest.approx(5)


def test_no_more_components_than_rows():
    detector = detectors.KNN(n_neighbors=1, pca=20).fit(RNG.normal(size=(6, 30)))
    assert detector.estimators_["projection"].n_components_ == 6


def test_wrong_number():
    with pytest.raises(InputError, match="pca is a number of components, at least 1, or None, but is 0"):
        detectors.KNN(pca=0).fit(X)
