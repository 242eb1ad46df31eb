"""A view of a detector with PyOD's names and signs."""

from typing import Any, Self

import numpy as np
from scipy.special import erf

from oddgan._core.errors import InputError
from oddgan.base.detector import Detector


class PyODView:
    """A detector as users of PyOD expect it: higher = more anomalous, labels 0 (inlier) and 1 (outlier).

    Parameters
    ----------
    detector : the detector; `fit` of the view fits it.
    """

    def __init__(self, detector: Detector) -> None:
        self.detector = detector

    def fit(self, X: Any, y: object = None) -> Self:
        """Fit the detector and score the training rows."""
        del y
        self.detector.fit(X)
        self.decision_scores_ = self.detector.anomaly_score(X)
        self.labels_ = (self.decision_scores_ > self.threshold_).astype(int)
        return self

    @property
    def contamination(self) -> float:
        """The share of training rows that is taken for outliers."""
        return float(self.detector.contamination)

    @property
    def threshold_(self) -> float:
        """Scores above it are outliers."""
        return self.detector.threshold_

    def decision_function(self, X: Any) -> np.ndarray:
        """Anomaly scores (n,), higher = more anomalous."""
        return self.detector.anomaly_score(X)

    def predict(self, X: Any) -> np.ndarray:
        """0 for inliers and 1 for outliers, (n,)."""
        return (self.decision_function(X) > self.threshold_).astype(int)

    def predict_proba(self, X: Any, method: str = "linear") -> np.ndarray:
        """The probability of being an inlier and an outlier, (n, 2).

        Parameters
        ----------
        method : "linear" scales scores by the range of the training scores; "unify" takes the normal error function of
            the standardised score (Kriegel et al., 2011).
        """
        train, score = self.decision_scores_, self.decision_function(X)
        if method == "linear":
            outlier = (score - train.min()) / max(float(np.ptp(train)), np.finfo(float).tiny)
        elif method == "unify":
            outlier = erf((score - train.mean()) / (max(float(train.std()), np.finfo(float).tiny) * np.sqrt(2)))
        else:
            raise InputError(f"method is {method!r}: use 'linear' or 'unify'.")
        outlier = np.clip(outlier, 0, 1)
        return np.column_stack([1 - outlier, outlier])


def as_pyod(detector: Detector) -> PyODView:
    """View a detector with PyOD's names and signs.

    >>> from sklearn.datasets import load_breast_cancer
    >>> from oddgan import KNN
    >>> X = load_breast_cancer().data
    >>> view = as_pyod(KNN()).fit(X)
    >>> int(view.labels_.sum())
    57
    """
    return PyODView(detector)
