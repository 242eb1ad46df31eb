"""A view of a detector with PyOD's names and signs."""

from typing import Any, Self

import numpy as np
from scipy.special import erf
from scipy.stats import binom
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.utils.validation import check_is_fitted

from oddgan._core.errors import InputError
from oddgan.base.detector import Detector

REJECTED = -2
_METHODS = ("linear", "unify")


class PyODView(OutlierMixin, BaseEstimator):
    """A detector as users of PyOD expect it: higher = more anomalous, labels 0 (inlier) and 1 (outlier).

    It is a scikit-learn estimator whose parameters are the detector's, e.g. `detector__n_neighbors` in a grid search.

    Parameters
    ----------
    detector : the detector; `fit` of the view fits it.
    """

    def __init__(self, detector: Detector) -> None:
        self.detector = detector

    def fit(self, X: Any, y: object = None) -> Self:
        """Fit the detector and score the training rows; `y` is ignored."""
        del y
        self.detector.fit(X)
        self.decision_scores_ = self.detector.anomaly_score(X)
        self.labels_ = self._labels(self.decision_scores_)
        return self

    def fit_predict(self, X: Any, y: object = None) -> np.ndarray:
        """Fit, and return the labels of the training rows, (n,): 0 for inliers and 1 for outliers."""
        return self.fit(X, y).labels_

    @property
    def contamination(self) -> float:
        """The share of training rows that is taken for outliers."""
        return float(self.detector.contamination)

    @property
    def threshold_(self) -> float:
        """Scores above it are outliers."""
        return self.detector.calibration_.threshold

    @property
    def n_features_in_(self) -> int:
        """The number of columns that the detector was fitted on."""
        return int(self.detector.n_features_in_)

    @property
    def feature_names_in_(self) -> np.ndarray:
        """The names (d,) of the columns that the detector was fitted on, where they have some."""
        return np.asarray(self.detector.feature_names_in_)

    def decision_function(self, X: Any) -> np.ndarray:
        """Anomaly scores (n,), higher = more anomalous."""
        return self.detector.anomaly_score(X)

    def predict(self, X: Any, return_confidence: bool = False) -> Any:
        """0 for inliers and 1 for outliers, (n,).

        Parameters
        ----------
        X : rows like those given to `fit`.
        return_confidence : return `predict_confidence` of the rows, too, as the second of two arrays.
        """
        scores = self.decision_function(X)
        labels = self._labels(scores)
        return (labels, self._confidence(scores)) if return_confidence else labels

    def predict_proba(self, X: Any, method: str = "linear", return_confidence: bool = False) -> Any:
        """The probability of being an inlier and an outlier, (n, 2).

        Parameters
        ----------
        X : rows like those given to `fit`.
        method : "linear" scales scores by the range of the training scores; "unify" takes the normal error function of
            the standardised score (Kriegel et al., 2011).
        return_confidence : return `predict_confidence` of the rows, too, as the second of two arrays.
        """
        if method not in _METHODS:
            raise InputError(f"method is {method!r}: use 'linear' or 'unify'.")
        train, score = self._training_scores(), self.decision_function(X)
        if method == "linear":
            outlier = (score - train.min()) / _or_one(float(np.ptp(train)))
        else:
            outlier = erf((score - train.mean()) / (_or_one(float(train.std())) * np.sqrt(2)))
        outlier = np.clip(outlier, 0, 1)
        probability = np.column_stack([1 - outlier, outlier])
        return (probability, self._confidence(score)) if return_confidence else probability

    def predict_confidence(self, X: Any) -> np.ndarray:
        """How likely the same label is when the training rows are drawn anew, (n,), in [0, 1] (Perini et al., 2020)."""
        return self._confidence(self.decision_function(X))

    def predict_with_rejection(self, X: Any, T: float = 32) -> np.ndarray:
        """0 for inliers, 1 for outliers, and -2 where the label is too uncertain, (n,) (Perini & Davis, 2023).

        Parameters
        ----------
        X : rows like those given to `fit`.
        T : rejects labels whose confidence, scaled to [0, 1], is at most 1 - 2 exp(-T); higher rejects more.
        """
        scores = self.decision_function(X)
        sure = 2 * np.abs(self._confidence(scores) - 0.5)
        return np.where(sure <= 1 - 2 * np.exp(-T), REJECTED, self._labels(scores))

    def _labels(self, scores: np.ndarray) -> np.ndarray:
        return (scores > self.threshold_).astype(int)

    def _training_scores(self) -> np.ndarray:
        check_is_fitted(self, "decision_scores_", msg="This %(name)s has no training scores yet: call fit first.")
        return self.decision_scores_

    def _confidence(self, scores: np.ndarray) -> np.ndarray:
        """The chance that at least n (1 - contamination) of n new training scores are below, or its complement."""
        train = np.sort(self._training_scores())
        n = len(train)
        outlier = (1 + np.searchsorted(train, scores, side="right")) / (2 + n)
        confidence = 1 - binom.cdf(n - int(n * self.contamination), n, outlier)
        return np.where(scores > self.threshold_, confidence, 1 - confidence)


def _or_one(spread: float) -> float:
    """A spread to divide by; equal scores have none."""
    return spread if spread > 0 else 1.0


def as_pyod(detector: Detector) -> PyODView:
    """View a detector with PyOD's names and signs; the view is a scikit-learn estimator, too.

    Raises
    ------
    InputError
        If it is not a detector of oddgan.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from oddgan import KNN
    >>> X = load_breast_cancer().data
    >>> view = as_pyod(KNN()).fit(X)
    >>> int(view.labels_.sum())
    57
    >>> view.set_params(detector__n_neighbors=10)
    PyODView(detector=KNN(n_neighbors=10))
    """
    if not isinstance(detector, Detector):
        raise InputError(f"as_pyod takes a detector of oddgan, e.g. as_pyod(KNN()), but is given {detector!r}.")
    return PyODView(detector)
