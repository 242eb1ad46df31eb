"""Checks of the threshold: where it comes from, how it is set anew, and what p-values promise."""

import numpy as np

from oddgan import thresholds
from oddgan.base import Kind
from oddgan.testing.checks import check, require
from oddgan.testing.subject import Subject, differences, normals
from oddgan.thresholds import Conformal, Fixed, Quantile, Threshold

RULES = tuple(
    rule(0.25) if rule is Fixed else rule()
    for name in thresholds.__all__
    if isinstance(rule := getattr(thresholds, name), type) and issubclass(rule, Threshold) and rule is not Threshold
)


@check()
def threshold_is_the_training_quantile(subject: Subject, kind: Kind) -> None:
    """By default a share `contamination` of the training rows is flagged."""
    X = normals(kind, 100)
    detector = subject.make(contamination=0.2).fit(X)
    require(isinstance(detector.threshold_rule_, Quantile) and not detector.held_out_, "Another rule is the default.")
    flagged = (detector.predict(X) == -1).mean()
    require(abs(flagged - 0.2) <= 0.011, f"{flagged:.3f} are flagged instead of 0.2.")
    expected = np.sort(detector.anomaly_score(X))
    require(np.array_equal(detector.calibration_scores_, expected), "calibration_scores_ are not the training scores.")


@check()
def calibration_rows_are_held_out(subject: Subject, kind: Kind) -> None:
    """With `calibration` 0.25 the model does not change when only the held-out quarter does."""
    X = normals(kind, 100)
    detector = subject.make(calibration=0.25).fit(X)
    require(isinstance(detector.threshold_rule_, Conformal) and detector.held_out_, "The default rule is another.")
    held_out = np.isin(detector.anomaly_score(X), detector.calibration_scores_)
    require(detector.calibration_scores_.shape == (25,) and held_out.sum() == 25, "They are not 25 of the 100 rows.")
    # A composition may change, which takes the scale of the components from these rows.
    changed = X.copy()
    changed[held_out] *= 1e3
    other = subject.make(calibration=0.25).fit(changed)
    different = differences(other.score_components(X), detector.score_components(X))
    require(not different, f"The components {', '.join(different)} depend on held-out rows.")


@check()
def calibration_size_limits_the_rows(subject: Subject, kind: Kind) -> None:
    """With `calibration_size` 10 the threshold is taken from 10 of the training rows."""
    X = normals(kind, 50)
    detector = subject.make(calibration_size=10).fit(X)
    found = detector.calibration_scores_
    require(len(found) == 10 and np.isin(found, detector.anomaly_score(X)).all(), f"It is taken from {len(found)}.")


@check()
def threshold_can_be_set_again(subject: Subject, kind: Kind) -> None:
    """`set_threshold` takes every rule and rate, decides by the stored scores, and goes back."""
    X = normals(kind, 400)  # a generalised Pareto tail needs 20 different scores among the highest tenth
    detector = subject.make().fit(X)
    first, score = detector.threshold_, detector.anomaly_score(X[:50])
    for rule in RULES:
        detector.set_threshold(rule, rate=0.2)
        expected = rule(detector.calibration_scores_, 0.2)
        require((detector.threshold_, detector.rate_) == (expected, 0.2), f"{rule} gives {detector.threshold_}.")
        require(np.array_equal(detector.predict(X[:50]) == -1, score > expected), f"predict disagrees with {rule}.")
    require(detector.set_threshold().threshold_ == first, "The default rule does not give the first threshold again.")
    flagged = [(detector.set_threshold(rate=rate).predict(X) == -1).sum() for rate in (0.05, 0.2, 0.5)]
    require(flagged == sorted(flagged) and flagged[0] < flagged[-1], f"Higher rates flag {flagged} rows.")


@check()
def p_values_are_conformal(subject: Subject, kind: Kind) -> None:
    """They are (1 + #{calibration >= score}) / (1 + n): uniform for normal rows, small for odd ones."""
    detector = subject.make(calibration=0.5).fit(normals(kind, 400))
    fresh, odd = normals(kind, 400, seed=1), 30.0 + normals(kind, 20, seed=2)
    p, score = detector.anomaly_probability(fresh), detector.anomaly_score(fresh)
    for i in range(5):
        expected = (1 + (detector.calibration_scores_ >= score[i]).sum()) / 201
        require(p[i] == expected, f"Row {i} has p = {p[i]} instead of {expected}.")
    # 200 calibration and 400 fresh rows: two empirical distributions. 0.136 is the Kolmogorov-Smirnov bound at 1.5%.
    apart = np.abs(np.sort(p) - np.arange(1, 401) / 400).max()
    require(apart < 0.136, f"p-values of normal rows are {apart:.3f} from uniform.")
    require((p <= 0.1).mean() < 0.2, f"{(p <= 0.1).mean():.3f} of the normal rows have p <= 0.1.")
    odd_p = np.median(detector.anomaly_probability(odd))
    require(odd_p <= 0.05, f"Rows far away have a median p-value of {odd_p:.3f}: does `tiny` train too little?")
    require(0 < p.min() <= p.max() <= 1, "p-values are not in (0, 1].")
