"""The threshold: where it comes from, how it is set anew, and what p-values promise."""

import numpy as np
import pytest

from oddgan import thresholds
from oddgan.thresholds import Conformal, Fixed, Quantile, Threshold

from .cases import CLASSES, differences, fitted, make, normals

RULES = [
    rule(0.25) if rule is Fixed else rule()
    for name in thresholds.__all__
    if isinstance(rule := getattr(thresholds, name), type) and issubclass(rule, Threshold) and rule is not Threshold
]


def test_default_is_the_training_quantile(cls):
    X = normals("table", 100)
    detector = make(cls, contamination=0.2).fit(X)
    assert isinstance(detector.threshold_rule_, Quantile)
    assert not detector.held_out_
    assert (detector.predict(X) == -1).mean() == pytest.approx(0.2, abs=0.011)
    assert np.array_equal(detector.calibration_scores_, np.sort(detector.anomaly_score(X)))


def test_calibration_rows_are_held_out(cls):
    X = normals("table", 100)
    detector = make(cls, calibration=0.25).fit(X)
    assert isinstance(detector.threshold_rule_, Conformal)
    assert detector.held_out_
    assert detector.calibration_scores_.shape == (25,)
    # The 25 rows are some of the 100, and the model does not change when only they do. (A composition may, which takes
    # the scale of the components from them.)
    held_out = np.isin(detector.anomaly_score(X), detector.calibration_scores_)
    assert held_out.sum() == 25
    changed = make(cls, calibration=0.25).fit(np.where(held_out[:, None], 1e3 * X, X))
    assert not differences(changed.score_components(X), detector.score_components(X))


def test_calibration_size_limits_training_rows(cls):
    X = normals("table", 50)
    detector = make(cls, calibration_size=10).fit(X)
    assert len(detector.calibration_scores_) == 10
    assert np.isin(detector.calibration_scores_, detector.anomaly_score(X)).all()


def test_rules_can_be_set_later(cls):
    X = normals("table", 400)  # a generalised Pareto tail needs 20 different scores among the highest tenth
    detector = make(cls).fit(X)
    first = detector.threshold_
    for rule in RULES:
        assert detector.set_threshold(rule, rate=0.2) is detector
        assert detector.threshold_ == rule(detector.calibration_scores_, 0.2)
        assert detector.rate_ == 0.2
        assert np.array_equal(detector.predict(X[:50]) == -1, detector.anomaly_score(X[:50]) > detector.threshold_)
    assert detector.set_threshold().threshold_ == first


@pytest.mark.parametrize("name", ["KNN", "AutoEncoder", "AnoGAN"])
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: type(rule).__name__)
def test_a_rule_given_to_fit_is_the_rule_set_later(name, rule):
    X, cls = normals("table", 400), CLASSES[name]
    at_fit = make(cls, threshold=rule, contamination=0.2).fit(X)
    later = make(cls).fit(X).set_threshold(rule, rate=0.2)
    assert (at_fit.threshold_, at_fit.rate_) == (later.threshold_, later.rate_)
    assert np.array_equal(at_fit.predict(X), later.predict(X))


def test_higher_rate_flags_more(cls):
    detector, X = fitted(cls), normals("table", 24)
    flagged = [(detector.set_threshold(rate=rate).predict(X) == -1).sum() for rate in (0.05, 0.2, 0.5)]
    assert flagged == sorted(flagged)
    assert flagged[0] < flagged[-1]


def test_p_values(cls):
    detector = make(cls, calibration=0.5).fit(normals("table", 400))
    fresh, odd = normals("table", 400, seed=1), 30.0 + normals("table", 20, seed=2)
    p = detector.anomaly_probability(fresh)
    # p = (1 + #{calibration >= score}) / (1 + n), by hand for some rows.
    score = detector.anomaly_score(fresh)
    for i in range(5):
        assert p[i] == (1 + (detector.calibration_scores_ >= score[i]).sum()) / 201
    # 200 calibration and 400 fresh rows: two empirical distributions. 0.136 is the Kolmogorov-Smirnov bound at 1.5%.
    assert np.abs(np.sort(p) - np.arange(1, 401) / 400).max() < 0.136
    assert (p <= 0.1).mean() < 0.2
    assert np.median(detector.anomaly_probability(odd)) <= 0.05
    assert 0 < p.min() <= p.max() <= 1
