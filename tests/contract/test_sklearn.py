"""scikit-learn's own checks, and its tools at work."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from oddgan import as_pyod
from oddgan._core.parts import to_spec

from .cases import CLASSES, fitted, make, normals


@parametrize_with_checks([make(cls, random_state=None) for cls in CLASSES.values()])
def test_scikit_learn(estimator, check):
    check(estimator)


def test_search_over_settings(cls):
    X = normals("table", 24)
    grid = {"contamination": [0.1, 0.3], "scoring": ["fast"]}
    search = GridSearchCV(make(cls), grid, cv=2, scoring=lambda d, _X: -d.threshold_)
    search.fit(X)
    assert search.best_params_ == {"contamination": 0.3, "scoring": "fast"}  # flags more: the lower threshold
    assert search.best_estimator_.anomaly_score(X).shape == (24,)


def test_pipeline(cls):
    X = normals("table", 24)
    pipeline = make_pipeline(StandardScaler(), make(cls)).fit(X)
    by_hand = make(cls).fit(StandardScaler().fit_transform(X))
    assert np.array_equal(pipeline.score_samples(X), by_hand.score_samples(StandardScaler().fit(X).transform(X)))


def test_clone_is_unfitted_and_equal(cls):
    detector = fitted(cls)
    copy = clone(detector)
    with pytest.raises(NotFittedError):
        copy.anomaly_score(normals("table", 3))
    X = normals("table", 24)
    assert np.array_equal(copy.fit(X).anomaly_score(X), detector.anomaly_score(X))


def test_set_params_before_fit(cls):
    detector = make(cls).set_params(contamination=0.3)
    assert detector.get_params()["contamination"] == 0.3
    X = normals("table", 30)
    assert detector.fit(X).rate_ == 0.3


def test_fields_of_parts_are_parameters(cls):
    """Given back what they are, they change nothing; a clone has the same; each names a part and a field of it."""
    detector = make(cls)
    before, own = detector.get_params(), detector.get_params(deep=False)
    nested = {name: value for name, value in before.items() if "__" in name}
    assert {name.partition("__")[0] for name in nested} <= own.keys()
    assert any(name.startswith("scaling__") for name in nested)
    stored = {name: to_spec(value, {}, "") for name, value in own.items() if name != "detectors"}
    for copy in (detector.set_params(**nested), clone(detector)):
        assert copy.get_params().keys() == before.keys()
        again = copy.get_params(deep=False)
        assert {name: to_spec(value, {}, "") for name, value in again.items() if name != "detectors"} == stored


def test_unfitted_says_so(cls):
    for name in ("anomaly_score", "score_samples", "predict", "anomaly_probability", "score_components"):
        with pytest.raises(NotFittedError, match=cls.__name__):
            getattr(make(cls), name)(normals("table", 3))
    with pytest.raises(NotFittedError, match=cls.__name__):
        make(cls).set_threshold()


def test_signs_agree(cls):
    detector, X = fitted(cls), normals("table", 40, seed=1)
    score = detector.anomaly_score(X)
    assert np.array_equal(detector.score_samples(X), -score)
    assert detector.threshold_ == -detector.offset_
    assert np.array_equal(detector.decision_function(X), -score - detector.offset_)
    assert np.array_equal(detector.predict(X), np.where(score <= detector.threshold_, 1, -1))
    assert np.array_equal(fitted(cls).fit_predict(X), fitted(cls).fit(X).predict(X))


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
