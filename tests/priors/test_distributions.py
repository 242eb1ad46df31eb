import math

import numpy as np
import pytest
import torch
from scipy import stats

from oddgan import priors
from oddgan._core.errors import InputError
from oddgan._core.parts import from_spec, to_spec
from oddgan.priors import Gaussian, Prior, Shell, Sphere, TruncatedNormal, Uniform

EVERY = [getattr(priors, name) for name in priors.__all__]
ALL = [cls() for cls in EVERY if issubclass(cls, Prior) and cls is not Prior]
ALL += [Uniform(low=0, high=3), TruncatedNormal(limit=0.5), Shell(k=0.3), Shell(k=9)]
COORDINATE = [
    (Gaussian(), stats.norm()),
    (Uniform(), stats.uniform(-1, 2)),
    (Uniform(low=0, high=3), stats.uniform(0, 3)),
    (TruncatedNormal(), stats.truncnorm(-2, 2)),
    (TruncatedNormal(limit=0.5), stats.truncnorm(-0.5, 0.5)),
    (TruncatedNormal(limit=8), stats.norm()),
]


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


@pytest.mark.parametrize(("prior", "reference"), COORDINATE)
def test_coordinates_are_drawn_from_the_distribution(prior, reference):
    z = prior.sample(2000, 4)
    assert z.shape == (2000, 4)
    assert z.isfinite().all()
    assert stats.kstest(z.flatten().numpy(), reference.cdf).pvalue > 1e-3
    assert abs(np.corrcoef(z.numpy().T) - np.eye(4)).max() < 4 / 2000**0.5  # independent, to four standard errors


@pytest.mark.parametrize(("prior", "reference"), COORDINATE)
def test_log_density_is_that_of_scipy(prior, reference):
    z = prior.sample(20, 3).double()
    assert prior.log_density(z).numpy() == pytest.approx(reference.logpdf(z.numpy()).sum(axis=1), rel=1e-6)


def test_sphere_is_uniform_on_the_sphere():
    z = Sphere().sample(4000, 3)
    torch.testing.assert_close(z.square().sum(dim=1), torch.full((4000,), 3.0))
    # Archimedes: each coordinate of a uniform point of a sphere in three dimensions is uniform.
    for coordinate in z.T.numpy():
        assert stats.kstest(coordinate, stats.uniform(-(3**0.5), 2 * 3**0.5).cdf).pvalue > 1e-3


@pytest.mark.parametrize(("m", "area"), [(1, 2), (2, 2 * math.pi * 2**0.5), (3, 4 * math.pi * 3)])
def test_sphere_log_density_is_minus_the_log_area(m, area):
    # Two points, the circumference of a circle of radius √2, the surface of a ball of radius √3.
    assert Sphere().log_density(torch.ones(5, m)).tolist() == pytest.approx([-math.log(area)] * 5)


@pytest.mark.parametrize("prior", ALL)
def test_samples_are_on_the_support_and_stay_there(prior):
    z = prior.sample(50, 6)
    torch.testing.assert_close(prior.project(z), z)
    assert prior.log_density(z).isfinite().all()


@pytest.mark.parametrize("prior", ALL)
def test_projection_goes_to_the_nearest_point(prior):
    z = 5 * torch.randn(1, 3)
    found = (prior.project(z) - z).norm()
    assert (found <= (prior.sample(1000, 3) - z).norm(dim=1) + 1e-6).all()
    torch.testing.assert_close(prior.project(prior.project(z)), prior.project(z))


def test_projection_by_hand():
    z = torch.tensor([[3.0, -4.0]])
    assert Gaussian().project(z) is z
    assert Uniform(low=-1, high=2).project(z).tolist() == [[2, -1]]
    assert TruncatedNormal(limit=3.5).project(z).tolist() == [[3, -3.5]]
    assert Sphere().project(z)[0].tolist() == pytest.approx([0.6 * 2**0.5, -0.8 * 2**0.5])


def test_sphere_projects_the_zero_vector_without_nan():
    z = torch.zeros(1, 4, requires_grad=True)
    projected = Sphere().project(z)
    assert projected.tolist() == [[2, 0, 0, 0]]
    projected.sum().backward()
    assert z.grad.isfinite().all()


@pytest.mark.parametrize("prior", [Uniform(), TruncatedNormal()])
def test_nothing_lies_outside_the_bounds(prior):
    z = torch.tensor([[0.5, 0.5], [0.5, 2.5]])
    assert prior.log_density(z)[1] == -math.inf
    assert prior.typicality(z)[0] > 0
    assert prior.typicality(z)[1] == 0


def test_gaussian_typicality_is_the_two_sided_tail_probability():
    z = Gaussian().sample(3000, 7).double()
    squared = z.square().sum(dim=1).numpy()
    expected = 2 * np.minimum(stats.chi2.cdf(squared, 7), stats.chi2.sf(squared, 7))
    assert Gaussian().typicality(z).numpy() == pytest.approx(expected, rel=1e-9)
    assert stats.kstest(expected, "uniform").pvalue > 1e-3


def test_gaussian_typicality_by_hand():
    # In two dimensions ‖z‖² is exponential with mean 2: its median is 2 log 2, and P(‖z‖² > 2 log 40) = 1/40.
    z = torch.tensor([[(2 * math.log(2)) ** 0.5, 0], [0, (2 * math.log(40)) ** 0.5], [0, 0], [100, 0]])
    assert Gaussian().typicality(z).tolist() == pytest.approx([1, 0.05, 0, 0], abs=1e-6)


@pytest.mark.parametrize(
    ("prior", "coordinate"), [(Uniform(low=0, high=3), stats.uniform(0, 3)), (TruncatedNormal(1.5), None)]
)
def test_bounded_typicality_uses_the_moments_of_the_squared_distance(prior, coordinate):
    reference = coordinate or stats.truncnorm(-1.5, 1.5)
    mean, variance = (6 * reference.expect(f) for f in moments_of_square(reference))
    gamma = stats.gamma(mean**2 / variance, scale=variance / mean)
    z = prior.sample(100, 6).double()
    squared = (z - reference.mean()).square().sum(dim=1).numpy()
    assert prior.typicality(z).numpy() == pytest.approx(2 * np.minimum(gamma.cdf(squared), gamma.sf(squared)), rel=1e-6)


def moments_of_square(reference):
    centre = reference.mean()
    mean = reference.expect(lambda v: (v - centre) ** 2)
    return (lambda v: (v - centre) ** 2), (lambda v: ((v - centre) ** 2 - mean) ** 2)


@pytest.mark.parametrize("prior", [Uniform(), TruncatedNormal()])
def test_bounded_typicality_is_close_to_a_probability(prior):
    typicality = prior.typicality(prior.sample(5000, 20)).numpy()
    assert stats.kstest(typicality, "uniform").statistic < 0.05


def test_sphere_typicality_falls_off_both_ways():
    z = 2.0 * torch.tensor([[1.0, 0, 0, 0], [0.5, 0, 0, 0], [0, 2, 0, 0], [0, 0, 0, 0]])
    assert Sphere().typicality(z).tolist() == [1, 0.5, 0.5, 0]


@pytest.mark.parametrize(
    ("m", "mode", "std"),
    [(5, 2.0, 0.688), (16, 3.873, 0.701), (50, 7.0, 0.705), (100, 9.950, 0.706), (256, 15.969, 0.707)],
)
def test_the_shell_lies_around_the_mode_of_the_norm(m, mode, std):
    # Mode √(m - 1) and standard deviation √(m - mean²) of the χ distribution, to three digits.
    assert Shell(k=1.5).edges(m) == pytest.approx((mode - 1.5 * std, mode + 1.5 * std), abs=2e-3)
    assert Shell(k=1.5).edges(m) == pytest.approx([(m - 1) ** 0.5 + s * 1.5 * stats.chi.std(m) for s in (-1, 1)])
    assert Shell(k=1e3).edges(m)[0] == 0


@pytest.mark.parametrize(("k", "m"), [(0.5, 3), (2.0, 20), (2.0, 1), (6.0, 200)])
def test_norms_of_the_shell_follow_the_truncated_chi_distribution(k, m):
    norms = Shell(k=k).sample(3000, m).norm(dim=1).double().numpy()
    low, high = Shell(k=k).edges(m)
    assert low * (1 - 1e-5) <= norms.min()
    assert norms.max() <= high * (1 + 1e-5)
    inside = stats.chi(m).cdf([low, high])
    assert stats.kstest(norms, lambda r: (stats.chi(m).cdf(r) - inside[0]) / (inside[1] - inside[0])).pvalue > 1e-3


def test_directions_of_the_shell_are_uniform():
    z = Shell(k=1.0).sample(4000, 3)
    direction = (z / z.norm(dim=1, keepdim=True)).numpy()
    for coordinate in direction.T:  # Archimedes again
        assert stats.kstest(coordinate, stats.uniform(-1, 2).cdf).pvalue > 1e-3


def test_the_shells_density_is_the_normal_one_over_its_mass():
    # In two dimensions ‖z‖² is exponential with mean 2: the mass of the shell is exp(-low²/2) - exp(-high²/2).
    low, high = Shell(k=1.0).edges(2)
    mass = math.exp(-(low**2) / 2) - math.exp(-(high**2) / 2)
    z = torch.tensor([[0.6, 0.8], [0.0, 0.1], [3.0, 0.0]]).double()
    assert Shell(k=1.0).log_density(z).tolist() == pytest.approx(
        [-0.5 - math.log(2 * math.pi) - math.log(mass), -math.inf, -math.inf]
    )
    middle = math.sqrt(-2 * math.log((math.exp(-(low**2) / 2) + math.exp(-(high**2) / 2)) / 2))
    at = torch.tensor([[middle, 0.0], [0.0, high], [0.0, 0.1]], dtype=torch.float64)
    assert Shell(k=1.0).typicality(at).tolist() == pytest.approx([1, 0, 0], abs=1e-9)


def test_typicality_of_the_shell_is_uniform_over_samples():
    assert stats.kstest(Shell(k=1.0).typicality(Shell(k=1.0).sample(3000, 8).double()).numpy(), "uniform").pvalue > 1e-3


def test_the_shell_projects_radially():
    low, high = Shell(k=1.0).edges(2)
    z = torch.tensor([[3.0, 4.0], [0.06, 0.08], [0.6, 0.8], [0.0, 0.0]]).double()
    expected = [[0.6 * high, 0.8 * high], [0.6 * low, 0.8 * low], [0.6, 0.8], [low, 0.0]]
    assert Shell(k=1.0).project(z).numpy() == pytest.approx(np.array(expected))
    assert torch.equal(Shell(k=1.0).project(z)[2], z[2])
    assert Shell(k=1.0).project(torch.full((1, 2), math.nan)).isnan().all()


@pytest.mark.parametrize("prior", ALL)
def test_each_entry_is_about_its_own_point(prior):
    z = prior.sample(9, 4)
    for function in (prior.project, prior.log_density, prior.typicality):
        assert torch.equal(function(z)[4:5], function(z[4:5]))


@pytest.mark.parametrize("prior", ALL)
def test_seeded_by_torchs_generator(prior):
    torch.manual_seed(3)
    first = prior.sample(4, 2)
    torch.manual_seed(3)
    assert torch.equal(prior.sample(4, 2), first)


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        (Uniform, {"low": 1, "high": 1}, "low below high"),
        (Uniform, {"low": -math.inf}, "finite bounds"),
        (TruncatedNormal, {"limit": 0}, "limit=0"),
        (TruncatedNormal, {"limit": math.nan}, "limit=nan"),
        (Shell, {"k": 0}, "k=0"),
        (Shell, {"k": math.inf}, "k=inf"),
    ],
)
def test_wrong_arguments(kind, arguments, message):
    with pytest.raises(InputError, match=message):
        kind(**arguments)


@pytest.mark.parametrize("prior", ALL)
def test_stored_and_built_again(prior):
    known = {type(prior).__name__: type(prior)}
    assert from_spec(to_spec(prior, {}, "prior"), known, {}) == prior
