"""scikit-learn's tools and PyOD's names at work on detectors."""

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from oddgan import as_pyod

from .cases import FEW, make, normals

each = pytest.mark.parametrize("cls", FEW.values(), ids=FEW)


@each
def test_search_over_settings(cls):
    X = normals("table", 24)
    grid = {"contamination": [0.1, 0.3], "scoring": ["fast"]}
    search = GridSearchCV(make(cls), grid, cv=2, scoring=lambda d, _X: -d.threshold_)
    search.fit(X)
    assert search.best_params_ == {"contamination": 0.3, "scoring": "fast"}  # flags more: the lower threshold
    assert search.best_estimator_.anomaly_score(X).shape == (24,)


@each
def test_pipeline(cls):
    X = normals("table", 24)
    pipeline = make_pipeline(StandardScaler(), make(cls)).fit(X)
    by_hand = make(cls).fit(StandardScaler().fit_transform(X))
    assert np.array_equal(pipeline.score_samples(X), by_hand.score_samples(StandardScaler().fit(X).transform(X)))


@each
def test_pyod_view(cls):
    X, new = normals("table", 30), normals("table", 20, seed=1)
    view = as_pyod(make(cls)).fit(X, np.arange(30))
    detector = make(cls).fit(X)
    assert np.array_equal(view.decision_scores_, detector.anomaly_score(X))
    assert view.threshold_ == detector.threshold_
    assert set(view.labels_) == {0, 1}
    assert np.array_equal(view.labels_, (detector.predict(X) == -1).astype(int))
    assert np.array_equal(view.decision_function(new), detector.anomaly_score(new))
    assert np.array_equal(view.predict(new), (detector.predict(new) == -1).astype(int))
    assert view.contamination == detector.contamination
    for method in ("linear", "unify"):
        probability = view.predict_proba(new, method=method)
        assert probability.shape == (20, 2)
        assert ((probability >= 0) & (probability <= 1)).all()
        assert probability.sum(axis=1) == pytest.approx(np.ones(20))
    # On the training rows the linear scale runs from the least to the most anomalous one.
    outlier = view.predict_proba(X)[:, 1]
    assert (outlier.min(), outlier.max()) == (0, 1)
