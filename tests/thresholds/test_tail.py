import math

import numpy as np
import pytest
from scipy import stats

from oddgan._core.errors import InputError
from oddgan.thresholds import GeneralisedPareto, Quantile
from oddgan.thresholds.tail import fit_generalised_pareto


def test_fit_by_hand():
    # 1 and 2 are where two draws from U(0, 3) lie on average; U(0, 3) has the shape -1 and the scale 3.
    assert fit_generalised_pareto(np.array([1.0, 2.0])) == pytest.approx((-1, 3))


@pytest.mark.parametrize("shape", [-0.5, 0.0, 0.3])
def test_fit_recovers_shape_and_scale(shape):
    excess = np.sort(stats.genpareto(shape, scale=2).rvs(size=50_000, random_state=0))
    assert fit_generalised_pareto(excess) == pytest.approx((shape, 2), abs=0.05)


def test_cut_is_the_quantile_of_the_fitted_distribution():
    scores = stats.norm.rvs(size=1000, random_state=0)
    start = np.quantile(scores, 0.8)
    shape, scale = fit_generalised_pareto(np.sort(scores[scores > start]) - start)
    # 200 of 1000 scores are in the tail, and 1 % of all is 5 % of those.
    expected = start + stats.genpareto(shape, scale=scale).isf(0.05)
    assert GeneralisedPareto(tail=0.2)(scores, 0.01) == pytest.approx(expected)


@pytest.mark.parametrize("distribution", [stats.expon(), stats.norm(), stats.chi2(20), stats.t(3)])
def test_extrapolates_beyond_the_scores(distribution):
    # 1000 scores can't show a rate of one in 5000: their own quantile stops at the largest of them. In the median of
    # 200 draws the fitted tail is right to a factor of two, and stays nearer than that quantile.
    rate, rows = 1 / 5000, distribution.rvs(size=(200, 1000), random_state=0)
    fitted, plain = (
        np.median([distribution.sf(rule(scores, rate)) for scores in rows])
        for rule in (GeneralisedPareto(), Quantile())
    )
    assert rate / 2 < fitted < rate * 2
    assert abs(math.log(fitted / rate)) < abs(math.log(plain / rate))


def test_falls_as_the_rate_rises_and_meets_the_quantile_at_the_tail():
    scores = stats.expon.rvs(size=500, random_state=0)
    rule = GeneralisedPareto(tail=0.1)
    cuts = [rule(scores, rate) for rate in (1e-6, 1e-4, 0.01, 0.05, 0.099, 0.1, 0.3, 0.5)]
    assert cuts == sorted(cuts, reverse=True)
    assert rule(scores, 0.0999) == pytest.approx(rule(scores, 0.1), abs=0.01)
    assert rule(scores, 0.3) == Quantile()(scores, 0.3)


def test_shift_and_scale_carry_over():
    scores = stats.norm.rvs(size=500, random_state=0)
    cut = GeneralisedPareto()(scores, 0.001)
    assert GeneralisedPareto()(1e-6 * scores + 3, 0.001) == pytest.approx(1e-6 * cut + 3, abs=1e-10)


@pytest.mark.parametrize(
    ("scores", "found"),
    [
        (np.arange(150.0), 15),
        (np.full(1000, 2.0), 0),
        (np.repeat([0.0, 1.0], [950, 50]), 1),
    ],
)
def test_too_few_different_scores_in_the_tail(scores, found):
    message = rf"of {len(scores)} scores only {found} are: give more scores \(at least 200\)"
    with pytest.raises(InputError, match=message):
        GeneralisedPareto()(scores, 0.01)


def test_two_hundred_scores_are_enough():
    assert GeneralisedPareto()(np.arange(200.0), 0.01) > 190


@pytest.mark.parametrize("tail", [0, 0.6, math.nan])
def test_wrong_tail(tail):
    with pytest.raises(InputError, match=f"tail={tail}"):
        GeneralisedPareto(tail=tail)
