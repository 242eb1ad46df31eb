"""The view for PyOD's users is a scikit-learn estimator and agrees with PyOD's own base class."""

import pickle

import numpy as np
import pytest
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from oddgan import InputError, as_pyod
from oddgan.detectors import KNN, AutoEncoder

rng = np.random.default_rng(0)
X = np.concatenate([rng.normal(size=(40, 2)), rng.normal(7, 0.1, size=(8, 2))])
Y = np.repeat([0, 1], [40, 8])
NEW = rng.normal(2, 3, size=(20, 2))
# Labels of 0 and 1 are PyOD's and not scikit-learn's; and the view fits the detector that it was given.
PYOD_ONLY = {"check_outliers_fit_predict", "check_outliers_train", "check_estimators_overwrite_params"}


def test_scikit_learns_checks_pass_but_those_on_the_values_of_labels():
    found = check_estimator(as_pyod(KNN(n_neighbors=3)), on_skip=None, on_fail=None)
    assert {result["check_name"] for result in found if result["status"] == "failed"} == PYOD_ONLY


def test_parameters_are_the_detectors():
    view = as_pyod(KNN(n_neighbors=3))
    assert view.get_params(deep=False) == {"detector": view.detector}
    assert view.get_params()["detector__n_neighbors"] == 3
    assert as_pyod(AutoEncoder()).set_params(detector__optimiser__lr=0.5).detector.optimiser.lr == 0.5
    assert repr(view.set_params(detector__n_neighbors=4)) == "PyODView(detector=KNN(n_neighbors=4))"
    with pytest.raises(ValueError, match="nothing"):
        view.set_params(nothing=1)


def test_a_clone_is_unfitted_and_leaves_the_view_alone():
    view = as_pyod(KNN(n_neighbors=3)).fit(X)
    copy = clone(view)
    with pytest.raises(NotFittedError):
        copy.predict(X)
    assert copy.detector is not view.detector
    assert np.array_equal(copy.fit(X).decision_scores_, view.decision_scores_)


@pytest.mark.parametrize("n_jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_grid_search_with_labels(n_jobs):
    grid = {"detector__n_neighbors": [1, 12]}
    search = GridSearchCV(as_pyod(KNN()), grid, scoring="roc_auc", cv=StratifiedKFold(2), n_jobs=n_jobs)
    found = search.fit(X, Y)
    # Each half holds four outliers close together: the nearest neighbour of one is another, the twelfth is a normal.
    assert found.best_params_ == {"detector__n_neighbors": 12}
    assert found.best_estimator_.labels_.shape == Y.shape


def test_random_search_and_pipeline():
    line = make_pipeline(StandardScaler(), as_pyod(KNN()))
    grid = {"pyodview__detector__n_neighbors": [1, 12], "pyodview__detector__method": ["mean"]}
    found = RandomizedSearchCV(line, grid, n_iter=2, scoring="average_precision", cv=StratifiedKFold(2))
    found.fit(X, Y)
    assert found.best_params_["pyodview__detector__n_neighbors"] == 12
    by_hand = as_pyod(KNN()).fit(StandardScaler().fit_transform(X))
    assert np.array_equal(line.fit(X).predict(NEW), by_hand.predict(StandardScaler().fit(X).transform(NEW)))


@pytest.mark.parametrize("detector", [KNN(n_neighbors=3), AutoEncoder(**AutoEncoder.tiny, random_state=0)])
def test_a_pickled_view_gives_equal_scores(detector):
    view = as_pyod(clone(detector)).fit(X)
    again = pickle.loads(pickle.dumps(view))  # noqa: S301
    assert np.array_equal(again.decision_function(NEW), view.decision_function(NEW))
    assert np.array_equal(again.predict_proba(NEW), view.predict_proba(NEW))


@pytest.mark.slow
def test_other_processes_give_equal_scores():
    view = as_pyod(KNN()).fit(X)
    there = Parallel(n_jobs=2)(delayed(view.decision_function)(rows) for rows in (NEW, X))
    assert np.array_equal(there[0], view.decision_function(NEW))


def test_a_stored_detector_scores_through_the_view_without_a_fit():
    detector = KNN(n_neighbors=3).fit(X)
    view = as_pyod(detector)
    assert np.array_equal(view.predict(NEW), (detector.predict(NEW) == -1).astype(int))
    with pytest.raises(NotFittedError, match="no training scores yet: call fit first"):
        view.predict_proba(NEW)


def test_fit_predict_gives_the_labels():
    view = as_pyod(KNN(n_neighbors=3, contamination=0.2))
    labels = view.fit_predict(X, Y)
    assert labels is view.labels_
    assert view.contamination == 0.2
    assert view.n_features_in_ == 2
    assert not hasattr(view, "feature_names_in_")


def test_equal_training_scores_give_no_probability_of_half():
    """As with PyOD: without a spread the distance to the training scores counts as it is."""
    view = as_pyod(KNN(n_neighbors=1)).fit(X)  # each row is its own neighbour, at distance 0
    assert np.all(view.predict_proba(X)[:, 1] == 0)
    assert np.array_equal(view.predict_proba(NEW)[:, 1], np.clip(view.decision_function(NEW), 0, 1))


@pytest.mark.parametrize("bad", [KNN, 3, StandardScaler()])
def test_what_is_no_detector_is_refused(bad):
    with pytest.raises(InputError, match=r"takes a detector of oddgan, e\.g\. as_pyod\(KNN\(\)\), but is given"):
        as_pyod(bad)


def test_unknown_methods_are_refused():
    with pytest.raises(InputError, match="method is 'log': use 'linear' or 'unify'"):
        as_pyod(KNN()).fit(X).predict_proba(NEW, method="log")


def test_it_agrees_with_pyods_base_class():
    """PyOD's own formulas, on the same scores, threshold and share."""
    base = pytest.importorskip("pyod.models.base").BaseDetector
    utilities = pytest.importorskip("pyod.utils.data")

    class Peer(base):
        def __init__(self, scores, contamination):
            super().__init__(contamination=contamination)
            self.scores = scores

        def fit(self, X, y=None):
            self._set_n_classes(y)
            self.decision_scores_ = self.scores(X)
            self._process_decision_scores()
            return self

        def decision_function(self, X):
            return self.scores(X)

    view = as_pyod(KNN(n_neighbors=3, contamination=0.15)).fit(X)
    peer = Peer(view.decision_function, 0.15).fit(X)
    peer.threshold_ = view.threshold_  # PyOD's quantile interpolates
    for method in ("linear", "unify"):
        for mine, theirs in zip(
            view.predict_proba(NEW, method=method, return_confidence=True),
            peer.predict_proba(NEW, method=method, return_confidence=True),
            strict=True,
        ):
            assert mine == pytest.approx(theirs, abs=1e-12)
    for mine, theirs in zip(view.predict(NEW, return_confidence=True), peer.predict(NEW, True), strict=True):
        assert mine == pytest.approx(theirs, abs=1e-12)
    for T in (2, 32):
        assert np.array_equal(view.predict_with_rejection(NEW, T=T), peer.predict_with_rejection(NEW, T=T, c_r=1))
    utilities.evaluate_print("kNN", Y, view.decision_scores_)
