import math

import numpy as np
import pytest
import torch
from scipy import stats

from oddgan.networks import ConvLadder, prepare
from oddgan.scores import manifold


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


@pytest.mark.parametrize("beta", [1.0, 2.0, 5.0])
def test_nll_of_codes_is_that_of_the_distribution(beta):
    z = np.array([[-1.0, 0.5], [3.0, 2.0]])
    found = manifold.generalised_normal_nll(
        torch.tensor(z), torch.tensor([[beta, 2.0], [0.5, 0.0], [1.5, math.sqrt(2)]], dtype=torch.float64)
    )
    expected = -stats.gennorm.logpdf(z[:, 0], beta, 0.5, 1.5) - stats.norm.logpdf(z[:, 1])  # β = 2, α = √2 is N(0, 1)
    np.testing.assert_allclose(found, expected)


def test_fit_finds_what_codes_were_drawn_from():
    z = np.stack([stats.gennorm.rvs(b, 2.0, 3.0, size=4000, random_state=0) for b in (1.0, 2.0)], axis=1)
    shape, centre, scale = manifold.fit_generalised_normal(torch.tensor(z))
    # The estimates' own errors are some percent: 4000 draws, an asymptotic deviation of β̂ of about 3 β/√n.
    np.testing.assert_allclose(shape, [1.0, 2.0], rtol=0.15)
    np.testing.assert_allclose(centre, [2.0, 2.0], atol=0.2)
    np.testing.assert_allclose(scale, [3.0, 3.0], rtol=0.15)


@pytest.mark.parametrize("z", [np.zeros(20), np.repeat([0.0, 1.0], 10), np.r_[np.zeros(19), 1.0]])
def test_degenerate_codes_give_finite_densities(z):
    found = manifold.fit_generalised_normal(torch.tensor(z)[:, None])
    assert 0.5 <= found[0] <= 20
    values = manifold.generalised_normal_nll(torch.tensor([[0.0], [1.0], [1e3]], dtype=torch.float64), found)
    assert torch.isfinite(values).all()
    assert values[2] > values[:2].max()


def test_log_volume_is_half_the_log_determinant_of_the_gram_matrix():
    matrices = torch.randn(3, 7, 2).double()
    torch.testing.assert_close(manifold.log_volume(matrices), torch.logdet(matrices.mT @ matrices) / 2)
    # A flat direction counts as 1e-6, and stretching by 2 and 3 makes log 6.
    flat = torch.tensor([[[2.0, 0.0], [0.0, 0.0]], [[2.0, 0.0], [0.0, 3.0]]])
    np.testing.assert_allclose(manifold.log_volume(flat), [math.log(2e-6), math.log(6)], rtol=1e-6)


@pytest.mark.parametrize("shape", [(37, 5), (9, 7), (45, 3)])
def test_a_rows_place_does_not_change_a_bit_of_its_volume(shape):
    matrices = torch.randn(64, *shape)  # sizes whose matrices would not be aligned in memory
    order = torch.randperm(64)
    assert torch.equal(manifold.log_volume(matrices)[order], manifold.log_volume(matrices[order]))


@pytest.mark.parametrize("mode", [torch.inference_mode, torch.no_grad])
def test_jacobians_of_prepared_networks_without_a_graph(mode):
    shape, backbone = (1, 16, 16), ConvLadder(width=16, init="he")
    decoder = backbone.decoder(18, shape, output="tanh").eval().requires_grad_(requires_grad=False)
    encoder = backbone.encoder(shape, 18).eval().requires_grad_(requires_grad=False)
    z, x = torch.randn(3, 18), torch.randn(3, *shape)
    with mode():
        down = manifold.backward_jacobian(prepare(encoder), x)
        up = manifold.forward_jacobian(prepare(decoder), z)
    assert up.shape == down.shape == (3, 256, 18)
    for i in range(3):
        expected = torch.autograd.functional.jacobian(lambda v: decoder(v[None])[0].flatten(), z[i])
        torch.testing.assert_close(up[i], expected, atol=1e-4, rtol=1e-4)
        expected = torch.autograd.functional.jacobian(lambda v: encoder(v[None])[0], x[i]).flatten(1).T
        torch.testing.assert_close(down[i], expected, atol=1e-4, rtol=1e-4)


def test_histogram_by_hand():
    # Two bins of width 1 from 1 to 3: three rows and one row of four.
    lower, upper, log_density = manifold.distance_histogram(torch.tensor([1.0, 1.5, 1.9, 3.0]), 2)
    assert (lower.tolist(), upper.tolist()) == ([1.0, 2.0], [2.0, 3.0])
    np.testing.assert_allclose(log_density, np.log([3 / 4, 1 / 4]))
    # Four rows in bins of width 0.5: the third bin is empty and counts as one row.
    np.testing.assert_allclose(
        manifold.distance_histogram(torch.tensor([1.0, 1.6, 1.7, 3.0]), 4)[2], np.log(np.array([1, 2, 1, 1]) / 2)
    )
    assert torch.isfinite(manifold.distance_histogram(torch.zeros(5), 3)).all()


def test_perpendicular_density_in_three_dimensions_is_spread_over_a_spheres_area():
    # p(r) / 4πr²: inside a bin, below the first edge (falling to zero at r = 0), and beyond the last.
    histogram = manifold.distance_histogram(torch.tensor([1.0, 1.5, 1.9, 3.0]), 2)
    r = torch.tensor([1.5, 2.5, 0.5, 6.0])
    p = np.array([3 / 4, 1 / 4, 3 / 4 * 0.5, 1 / 4])
    found = manifold.perpendicular_nll(r, histogram, 3)
    np.testing.assert_allclose(found, -np.log(p / (4 * np.pi * r.numpy() ** 2)), rtol=1e-6)


def test_perpendicular_density_grows_with_the_distance_and_is_finite_at_none():
    histogram = manifold.distance_histogram(torch.rand(1000) + 1, 30)
    found = manifold.perpendicular_nll(torch.tensor([0.0, 2.0, 3.0, 300.0]), histogram, 50)
    assert torch.isfinite(found).all()
    assert found.diff().min() > 0
