"""A rule given to `fit` is the rule that is set later."""

import numpy as np
import pytest

from oddgan.testing.thresholds import RULES

from .cases import CLASSES, make, normals


@pytest.mark.parametrize("name", ["KNN", "AutoEncoder", "AnoGAN"])
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: type(rule).__name__)
def test_a_rule_given_to_fit_is_the_rule_set_later(name, rule):
    X, cls = normals("table", 400), CLASSES[name]
    at_fit = make(cls, threshold=rule, contamination=0.2).fit(X)
    later = make(cls).fit(X).set_threshold(rule, rate=0.2)
    assert (at_fit.threshold_, at_fit.rate_) == (later.threshold_, later.rate_)
    assert np.array_equal(at_fit.predict(X), later.predict(X))
