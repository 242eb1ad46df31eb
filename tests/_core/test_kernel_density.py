import tracemalloc

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import norm
from sklearn.neighbors import KernelDensity

from oddgan._core.kernel_density import BLOCK, _log_sum_exp, find_bandwidth, log_density

RNG = np.random.default_rng(0)


def test_many_blocks_give_the_density():
    rows, new = RNG.normal(size=(2 * BLOCK + 100, 3)), RNG.normal(size=(64, 3))
    expected = KernelDensity(bandwidth=0.5).fit(rows).score_samples(new)
    np.testing.assert_allclose(log_density(new, rows, 0.5), expected, rtol=1e-9)


def test_neighbours_and_repeats_change_no_bit():
    rows, new = RNG.normal(size=(BLOCK + 500, 5)), RNG.normal(size=(512, 5))
    whole = log_density(new, rows, 0.4)
    for i in (0, 63, 64, 300):
        filled = np.concatenate([new[i : i + 1], np.repeat(new[-1:], 511, axis=0)])
        assert log_density(filled, rows, 0.4)[0] == whole[i]
        assert (log_density(filled, rows, 0.4)[1:] == whole[-1]).all()
        assert log_density(np.repeat(new[i : i + 1], 64, axis=0), rows, 0.4)[5] == whole[i]


def test_memory_does_not_grow_with_the_rows():
    rows, new = RNG.normal(size=(30 * BLOCK, 2)), RNG.normal(size=(64, 2))
    tracemalloc.start()
    log_density(new, rows, 0.4)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * 64 * BLOCK * 8  # four blocks; all distances at once are 63 MB


def test_log_sum_exp_is_that_of_scipy():
    a = RNG.normal(size=(64, 200)) * 50
    a[3], a[4, :7], a[5, 1:] = 1.0, a[4].max(), -np.inf
    assert np.array_equal(_log_sum_exp(a.copy()), logsumexp(a, axis=1))
    assert _log_sum_exp(np.full((1, 4), -np.inf)).tolist() == [-np.inf]
    assert _log_sum_exp(np.array([[-1e9, -1e9 - 1]])) == pytest.approx(-1e9 + np.log1p(np.exp(-1)))


def test_bandwidth_is_near_the_optimum_of_theory():
    # For N(0, 1) in one dimension the best width for the density is 1.06 n^(-1/5) (Silverman, 1986); the likelihood
    # prefers about as much.
    rows = norm.ppf((np.arange(500) + 0.5) / 500)[:, None]
    assert find_bandwidth(RNG.permutation(rows)) == pytest.approx(1.06 * 500**-0.2, rel=0.5)
