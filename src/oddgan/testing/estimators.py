"""Checks of the scikit-learn contract: its own checks, parameters, clones, and methods that agree."""

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import estimator_checks_generator

from oddgan.base import Kind
from oddgan.testing.checks import check, raises, require
from oddgan.testing.storage import settings_of
from oddgan.testing.subject import Subject, normals


def _own_checks(subject: Subject) -> dict[str, Callable[[Any], None]]:
    """scikit-learn's checks by name; they are about tables."""
    found: dict[str, Callable[[Any], None]] = {}
    if "table" in subject.kinds:
        for _, own in estimator_checks_generator(subject.make(random_state=None)):
            options = ", ".join(f"{k}={v}" for k, v in own.keywords.items())
            found[own.func.__name__ + (f"({options})" if options else "")] = own
    return found


@check(_own_checks)
def scikit_learn(subject: Subject, name: str) -> None:
    """scikit-learn's own check of estimators passes."""
    _own_checks(subject)[name](subject.make(random_state=None))


@check()
def clone_is_unfitted_and_equal(subject: Subject, kind: Kind) -> None:
    """A clone of a fitted detector is unfitted, has the same parameters, and learns the same."""
    detector, X = subject.fitted(kind), normals(kind, 24)
    copy = clone(detector)
    with raises(NotFittedError, ""):
        copy.anomaly_score(X)
    require(settings_of(copy) == settings_of(detector), "The parameters differ.")
    require(np.array_equal(copy.fit(X).anomaly_score(X), detector.anomaly_score(X)), "The scores differ.")


@check()
def unfitted_says_so(subject: Subject, kind: Kind) -> None:
    """Before `fit`, scoring ends in a NotFittedError that names the class."""
    for name in ("anomaly_score", "score_samples", "predict", "anomaly_probability", "score_components"):
        with raises(NotFittedError, subject.cls.__name__):
            getattr(subject.make(), name)(normals(kind, 3))
    with raises(NotFittedError, subject.cls.__name__):
        subject.make().set_threshold()


@check()
def signs_agree(subject: Subject, kind: Kind) -> None:
    """`score_samples` is the negative anomaly score, and decisions follow the threshold."""
    detector, X = subject.fitted(kind), normals(kind, 40, seed=1)
    score = detector.anomaly_score(X)
    require(np.array_equal(detector.score_samples(X), -score), "score_samples is not -anomaly_score.")
    require(detector.threshold_ == -detector.offset_, "threshold_ is not -offset_.")
    expected = -score - detector.offset_
    require(
        np.array_equal(detector.decision_function(X), expected), "decision_function is not score_samples - offset_."
    )
    signs = np.where(score <= detector.threshold_, 1, -1)
    require(np.array_equal(detector.predict(X), signs), "predict does not follow the threshold.")
    again = subject.fitted(kind)
    require(np.array_equal(again.fit_predict(X), again.predict(X)), "fit_predict is not fit, then predict.")


@check()
def parameters_of_parts_are_parameters(subject: Subject, _kind: Kind) -> None:
    """`get_params` names the fields of parts, as `scaling__...`; given back what they are, they change nothing."""
    detector = subject.make()
    before, own = detector.get_params(), detector.get_params(deep=False)
    nested = {name: value for name, value in before.items() if "__" in name}
    require({name.partition("__")[0] for name in nested} <= own.keys(), "A name begins with no parameter.")
    require(any(name.startswith("scaling__") for name in nested), "The fields of scaling are missing.")
    stored = settings_of(detector)
    for name, copy in (("set_params", detector.set_params(**nested)), ("clone", clone(detector))):
        require(copy.get_params().keys() == before.keys(), f"{name} changes the names.")
        require(settings_of(copy) == stored, f"{name} changes the values.")


@check()
def set_params_counts_before_fit(subject: Subject, kind: Kind) -> None:
    """What `set_params` sets is what `fit` uses."""
    detector = subject.make().set_params(contamination=0.3).fit(normals(kind, 30))
    require(detector.get_params()["contamination"] == detector.rate_ == 0.3, f"rate_ is {detector.rate_} after 0.3.")
