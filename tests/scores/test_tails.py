import math

import numpy as np
import pytest
import torch
from scipy import special, stats

from oddgan._core.errors import InputError
from oddgan.scores import chi_moments, empirical_mode, empirical_tail, latent_norm_deviation


@pytest.mark.parametrize(
    ("dim", "mode", "mean", "std"),
    [
        (5, 2.000, 2.128, 0.688),
        (16, 3.873, 3.938, 0.701),
        (50, 7.000, 7.036, 0.705),
        (100, 9.950, 9.975, 0.706),
        (128, 11.269, 11.292, 0.706),
        (256, 15.969, 15.984, 0.707),
    ],
)
def test_moments(dim, mode, mean, std):
    assert chi_moments(dim) == pytest.approx((mode, mean, std), abs=5e-4)
    assert chi_moments(dim)[1:] == pytest.approx((stats.chi.mean(dim), stats.chi.std(dim)), rel=1e-9)


def test_moments_of_one_dimension():
    assert chi_moments(1) == pytest.approx((0, math.sqrt(2 / math.pi), math.sqrt(1 - 2 / math.pi)))
    with pytest.raises(InputError, match="dim=0"):
        chi_moments(0)


def test_deviation_by_hand():
    norm = torch.tensor([1.0, 2.0, 4.0])
    assert latent_norm_deviation(norm, 5).tolist() == [-1, 0, 2]  # √(5 - 1) = 2
    assert latent_norm_deviation(norm, 5, "absolute").tolist() == [1, 0, 2]
    assert latent_norm_deviation(norm, 5, "signed", 3.0).tolist() == [-2, -1, 1]
    assert latent_norm_deviation(norm, 5).dtype == torch.float64


@pytest.mark.parametrize("dim", [1, 5, 50, 256, 4000])
def test_tail_is_the_chi_distributions(dim):
    norm = torch.from_numpy(stats.chi.ppf([1e-9, 0.01, 0.3, 0.5, 0.7, 0.99, 1 - 1e-9], dim))
    p = 2 * np.minimum(stats.chi.cdf(norm, dim), stats.chi.sf(norm, dim))
    assert latent_norm_deviation(norm, dim, "tail").numpy() == pytest.approx(-np.log(p), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("dim", [1, 5, 50, 256, 4000])
def test_tail_rises_on_both_sides_and_is_finite_where_probabilities_are_not(dim):
    median = stats.chi.median(dim)
    factors = np.geomspace(1, 1000, 300)
    for norms in (median * factors, median / factors):
        found = latent_norm_deviation(torch.from_numpy(norms), dim, "tail")
        assert found.isfinite().all()
        assert (found.diff() > 0).all()
    ends = latent_norm_deviation(torch.tensor([0.0, 1e30]), dim, "tail")
    assert ends.isfinite().all()
    assert (ends > 100).all()


def test_tail_far_out_by_closed_form():
    # Two dimensions: P(χ >= r) = exp(-r²/2), so -log 2P = r²/2 - log 2; for small r P(χ <= r) = r²/2.
    found = latent_norm_deviation(torch.tensor([60.0, 1e-150], dtype=torch.float64), 2, "tail")
    assert found.tolist() == pytest.approx([1800 - math.log(2), -math.log(1e-300)], rel=1e-12)


def test_tail_far_out_agrees_with_the_logarithm_of_the_normal_distribution():
    found = latent_norm_deviation(torch.tensor([50.0], dtype=torch.float64), 1, "tail")
    assert found.item() == pytest.approx(-(2 * math.log(2) + special.log_ndtr(-50.0)), rel=1e-12)


@pytest.mark.parametrize("arguments", [("squared",), ("tail", 2.0)])
def test_deviation_refuses(arguments):
    with pytest.raises(InputError, match="give signed, absolute or tail, and a mode only"):
        latent_norm_deviation(torch.ones(2), 5, *arguments)


def test_empirical_mode_is_the_middle_of_the_fullest_bin():
    # Fifty bins of width 1 from 0 to 50; three of five values are in [7, 8).
    assert empirical_mode([0, 7.1, 7.2, 7.9, 50]) == 7.5
    assert empirical_mode([4.0]) == pytest.approx(4.0, abs=0.02)
    norms = stats.chi.rvs(50, size=200_000, random_state=0)
    assert empirical_mode(norms) == pytest.approx(7, abs=0.3)


@pytest.mark.parametrize("norms", [[], [1, np.nan], [[1.0]]])
def test_empirical_mode_refuses(norms):
    with pytest.raises(InputError, match="at least one"):
        empirical_mode(norms)


def test_empirical_tail_by_hand():
    # Ten shares of nine values: three are >= 7, of which one is 7, and seven are <= 7.
    reference = np.arange(1.0, 10.0)
    values = torch.tensor([7.0, 5.0, 100.0, -100.0])
    expected = [2 * 4 / 10, 1, 2 * 1 / 10, 2 * 1 / 10]
    assert torch.exp(-empirical_tail(values, reference)).tolist() == pytest.approx(expected)
    one_sided = [4 / 10, 6 / 10, 1 / 10, 1]
    assert torch.exp(-empirical_tail(values, reference, two_sided=False)).tolist() == pytest.approx(one_sided)
