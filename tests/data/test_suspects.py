import math

import numpy as np
import pytest
from scipy import special, stats
from sklearn.datasets import load_breast_cancer

from oddgan._core.errors import InputError
from oddgan.data import Options, read, suspects
from oddgan.data.suspects import _exponent, _skew

RNG = np.random.default_rng


def test_clean_normal_data_is_hardly_suspected():
    # Each of two views expects 0.1 row of a data set beyond its bar, so that 12 data sets have about 2 in all.
    found = [suspects(RNG(s).normal(size=(1000, d))).flagged.sum() for s in range(3) for d in (2, 5, 20, 100)]
    assert sum(found) <= 8
    assert max(found) <= 3


@pytest.mark.parametrize("name", ["builtin:digits", "builtin:ecg"])
def test_built_in_data_is_hardly_suspected(name):
    data = read(name)
    assert suspects(data.x).flagged.mean() < 0.005


def test_scrambled_digits_are_found():
    x = read("builtin:digits").x.reshape(-1, 64).astype(float)
    odd = RNG(0).permuted(x[:20], axis=1)
    found = suspects(np.vstack([x, odd]))
    assert set(range(len(x), len(x) + 20)) <= set(found.most_suspect.tolist())
    assert len(found.most_suspect) <= 24


def test_a_wrong_digit_among_others_is_found():
    data = read("builtin:digits", Options())
    ones, zeros = (data.x[data.y == digit].reshape(-1, 64) for digit in (1, 0))
    found = suspects(np.vstack([zeros, ones[:3]]))
    assert set(found.most_suspect.tolist()) == {len(zeros), len(zeros) + 1, len(zeros) + 2}


def test_a_shifted_cloud_is_found_until_it_is_a_fiftieth_of_the_rows():
    x = RNG(0).normal(size=(1000, 8))
    for size in (1, 10, 18):
        found = suspects(np.vstack([x, RNG(1).normal(size=(size, 8)) + 6]))
        assert set(range(1000, 1000 + size)) <= set(found.most_suspect.tolist())
    hidden = suspects(np.vstack([x, RNG(1).normal(size=(300, 8)) + 6]))
    assert hidden.flagged.sum() < 30  # what is common is not odd


def test_rows_that_break_correlations_are_found_off_the_main_directions():
    # Two causes behind twenty columns: a row with ordinary values in each column, but of no causes.
    rng = RNG(0)
    mixing = rng.normal(size=(2, 20))
    x = rng.normal(size=(800, 2)) @ mixing + 0.1 * rng.normal(size=(800, 20))
    odd = np.stack([rng.permutation(column)[:5] for column in x.T], axis=1)
    found = suspects(np.vstack([x, odd]))
    assert set(range(800, 805)) <= set(found.most_suspect.tolist())
    assert "off the main directions" in found.reason(800)
    assert found.reason(int(found.typical[0])) == ""


def test_labels_of_breast_cancer_have_no_part_but_agree():
    data = load_breast_cancer()
    x = (data.data - data.data.mean(0)) / data.data.std(0)
    benign, malignant = x[data.target == 1], x[data.target == 0]
    found = suspects(np.vstack([benign, malignant[:20]]))
    pairs = found.score[-20:, None] > found.score[None, :-20]
    assert pairs.mean() > 0.85  # the AUROC


def test_the_exponent_by_hand():
    # Logarithms that are exactly a gamma distribution: p is its upper tail, and n p rows are expected beyond.
    share = (np.arange(1000) + 0.5) / 1000
    for shape in (0.7, 1.0, 4.0):
        logs = special.gammaincinv(shape, share)
        far = stats.gamma(shape).isf(1e-6)
        found = _exponent(np.exp(np.append(logs, far)))
        assert found[-1] == pytest.approx(6 - math.log10(1001), abs=0.1)
        assert found[500] == pytest.approx(-math.log10(1001 * 0.5), abs=0.01)
    normal = np.exp(np.append(stats.norm.ppf(share), stats.norm.isf(1e-6)))
    assert _exponent(normal)[-1] == pytest.approx(6 - math.log10(1001), abs=0.1)
    assert _exponent(np.zeros(10)).tolist() == [-1.0] * 10


def test_the_skew_of_gamma_distributions_by_hand():
    # Shape 1 is exponential: (log 5 - log 2) / (log 2 - log 1.25).
    assert _skew(1.0) == pytest.approx((math.log(5) - math.log(2)) / (math.log(2) - math.log(1.25)))
    assert _skew(1e4) == pytest.approx(1.0, abs=0.02)


def test_sampled_seeded_and_numbered():
    x = np.vstack([RNG(0).normal(size=(3000, 4)), np.full((1, 4), 30.0)])
    found = suspects(x, most=500, seed=3)
    assert len(found.rows) == 500
    assert np.array_equal(found.rows, suspects(x, most=500, seed=3).rows)
    assert not np.array_equal(found.rows, suspects(x, most=500, seed=4).rows)
    assert (np.diff(found.rows) > 0).all()
    assert suspects(x).most_suspect[0] == 3000


def test_what_can_not_be_judged():
    with pytest.raises(InputError, match="at least 50"):
        suspects(np.zeros((20, 3)))
    with pytest.raises(InputError, match="finite"):
        suspects(np.full((99, 2), np.inf))
    assert not suspects(np.ones((99, 4))).flagged.any()
