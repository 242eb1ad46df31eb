import math
import subprocess
import sys

import numpy as np
import pytest
from scipy import stats

from oddgan._core.errors import InputError
from oddgan._core.parts import from_spec, to_spec
from oddgan.thresholds import Conformal, Fixed, GeneralisedPareto, MeanSigma, Quantile

ALL = [Quantile(), Conformal(), MeanSigma(), MeanSigma(k=2), GeneralisedPareto(tail=0.2), Fixed(value=1.5)]
DISTRIBUTIONS = [stats.expon(), stats.norm(), stats.uniform()]
RATES = [0.01, 0.05, 0.1]


def test_quantile_flags_exactly_the_share_of_the_given_scores():
    scores = np.random.default_rng(0).normal(size=200)
    for rate in (0.01, 0.05, 0.1, 0.5):
        assert np.count_nonzero(scores > Quantile()(scores, rate)) == round(200 * rate)


def test_quantile_is_scikit_learns_rule_to_the_last_bit():
    scores = np.random.default_rng(0).normal(size=37)
    for rate in np.linspace(0.01, 0.5, 50):
        offset = np.percentile(-scores, 100 * rate)  # as in sklearn.covariance.EllipticEnvelope.fit
        assert -Quantile()(scores, rate) == offset


def test_quantile_interpolates():
    # A tenth of the way down from the largest of eleven scores is the second largest, a twentieth is half way.
    scores = np.arange(11.0)
    assert Quantile()(scores, 0.1) == pytest.approx(9)
    assert Quantile()(scores, 0.05) == pytest.approx(9.5)


@pytest.mark.parametrize(
    ("n", "rate", "rank"),
    [
        (99, 0.1, 90),  # ⌈100 · 0.9⌉
        (99, 0.29, 71),  # 100 · 0.29 is 28.999… in floating point
        (100, 0.1, 91),  # ⌈101 · 0.9⌉ = ⌈90.9⌉
        (9, 0.1, 9),  # ⌈10 · 0.9⌉: just enough scores
        (8, 0.1, 8),  # ⌈9 · 0.9⌉ = 9 of 8: too few, so the largest
        (1, 0.5, 1),
    ],
)
def test_conformal_takes_a_rank(n, rate, rank):
    scores = np.random.default_rng(0).permutation(np.arange(1, n + 1))
    assert Conformal()(scores, rate) == rank


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("n", [50, 199])
def test_conformal_keeps_its_promise_on_average(distribution, rate, n):
    rng = np.random.default_rng(0)
    cuts = np.array([Conformal()(scores, rate) for scores in distribution.rvs(size=(2000, n), random_state=rng)])
    realised = distribution.sf(cuts)
    error = realised.std() / 2000**0.5
    promise = max(math.floor((n + 1) * rate + 1e-9), 1) / (n + 1)  # the exact expectation for continuous scores
    assert realised.mean() == pytest.approx(promise, abs=4 * error)
    assert promise <= max(rate, 1 / (n + 1))


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("rule", [Quantile(), Conformal(), GeneralisedPareto(), GeneralisedPareto(tail=0.2)])
def test_realised_rate_is_near_the_asked_rate(rule, rate, distribution):
    n = 2000
    for seed in range(5):
        realised = distribution.sf(rule(distribution.rvs(size=n, random_state=seed), rate))
        # Four standard errors of an empirical quantile's rate, which a fitted tail should not exceed.
        assert realised == pytest.approx(rate, abs=4 * (rate * (1 - rate) / n) ** 0.5)


def test_mean_sigma():
    # Mean 2, standard deviation 1.
    assert MeanSigma()([1, 3], 0.1) == 5
    assert MeanSigma(k=0.5)([1, 3], 0.4) == 2.5


def test_mean_sigma_keeps_its_promise():
    for distribution in DISTRIBUTIONS:
        cut = MeanSigma(k=2)(distribution.rvs(size=5000, random_state=0), 0.1)
        assert distribution.sf(cut) <= 1 / (1 + 2**2)
    normal = stats.norm.sf(MeanSigma(k=2)(stats.norm.rvs(size=20_000, random_state=0), 0.1))
    assert normal == pytest.approx(stats.norm.sf(2), abs=0.002)


def test_fixed():
    assert Fixed(value=1.5)([0.0], 0.1) == 1.5


@pytest.mark.parametrize("rule", ALL)
def test_order_does_not_matter_and_the_scores_stay_as_they_were(rule):
    scores = np.random.default_rng(0).normal(size=300)
    before = scores.copy()
    cut = rule(scores, 0.05)
    assert isinstance(cut, float)
    assert np.array_equal(scores, before)
    assert rule(scores[::-1], 0.05) == pytest.approx(cut, rel=1e-12)


@pytest.mark.parametrize("rule", [Quantile(), Conformal(), MeanSigma()])
def test_equal_scores_are_not_flagged(rule):
    assert rule(np.full(50, 3.0), 0.1) == 3.0


@pytest.mark.parametrize(
    ("scores", "rate", "message"),
    [
        ([], 0.1, r"at least one, but got the shape \(0,\)"),
        ([[1.0, 2.0]], 0.1, r"but got the shape \(1, 2\)"),
        ([1.0, math.nan, math.inf], 0.1, "2 of 3 are not"),
        ([1.0, 2.0], 0, "rate=0"),
        ([1.0, 2.0], 0.51, "at most 0.5"),
        ([1.0, 2.0], math.nan, "rate=nan"),
    ],
)
@pytest.mark.parametrize("rule", ALL)
def test_wrong_input(rule, scores, rate, message):
    with pytest.raises(InputError, match=message):
        rule(scores, rate)


@pytest.mark.parametrize(("kind", "name"), [(MeanSigma, "k"), (Fixed, "value")])
def test_wrong_arguments(kind, name):
    with pytest.raises(InputError, match=f"{name}=inf: give a finite number"):
        kind(**{name: math.inf})


@pytest.mark.parametrize("rule", ALL)
def test_stored_and_built_again(rule):
    assert from_spec(to_spec(rule, {}, "threshold"), {type(rule).__name__: type(rule)}, {}) == rule


def test_needs_no_torch():
    code = "import oddgan.thresholds, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0  # noqa: S603 (our own code)
