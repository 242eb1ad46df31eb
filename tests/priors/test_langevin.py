import math

import pytest
import torch
from torch import nn

from oddgan._core.errors import InputError
from oddgan.priors import Langevin, Replay


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def quadratic(stiffness):
    return lambda x: 0.5 * stiffness * x.square().sum(1)


@pytest.mark.parametrize(
    ("chain", "stiffness", "temperature", "variance"),
    [
        # On E = a x²/2 a step is x' = (1 - λa/T) x + σε, whose variance settles at σ² / (1 - (1 - λa/T)²).
        (Langevin(steps=200, step=0.1), 4.0, 1.0, 0.2 / (1 - 0.6**2)),
        (Langevin(steps=200, step=0.1), 4.0, 2.0, 0.2 / (1 - 0.8**2)),
        (Langevin(steps=200, step=0.1, noise=0.3), 1.0, 1.0, 0.09 / (1 - 0.9**2)),
        # With σ = √(2λ) and small steps that is T/a, the variance of exp(-E/T).
        (Langevin(steps=1000, step=0.01), 1.0, 0.5, 0.5),
    ],
)
def test_quadratic_energy_gives_a_normal_distribution(chain, stiffness, temperature, variance):
    x = chain(torch.full((20_000, 2), 5.0), quadratic(stiffness), temperature=temperature)
    # 40,000 values: the relative standard error of a variance is √(2/40,000) = 0.7%; the last chain is 1% from T/a.
    assert x.var().item() == pytest.approx(variance, rel=0.03)
    assert x.mean().item() == pytest.approx(0, abs=4 * math.sqrt(variance / 40_000))
    assert (x.square().mean(0) ** 2 * 3).mean() == pytest.approx((x**4).mean().item(), rel=0.1)  # a normal's kurtosis


def test_without_noise_it_is_gradient_descent():
    # x' = x - 0.1 · 2x, three times.
    x = Langevin(steps=3, step=0.1, noise=0.0)(torch.tensor([[1.0], [-2.0]]), quadratic(2.0))
    torch.testing.assert_close(x, torch.tensor([[1.0], [-2.0]]) * 0.8**3)


def test_gradients_are_clipped_entry_by_entry():
    # The slopes are (5, -0.5) at (5, -0.5); one step of size 1 moves by at most 1.
    x = Langevin(steps=1, step=1.0, noise=0.0, clip=1.0)(torch.tensor([[5.0, -0.5]]), quadratic(1.0))
    assert x.tolist() == [[4.0, 0.0]]


def test_annealed_noise_falls_as_one_over_k():
    # On a flat energy variances add up: σ² (1 + 1 + 1/4 + 1/9); the first two steps share σ, as in the paper's code.
    flat = lambda x: (0 * x).sum(1)  # noqa: E731
    x = Langevin(steps=4, step=1.0, noise=0.5, anneal=True)(torch.zeros(20_000, 2), flat)
    assert x.var().item() == pytest.approx(0.25 * (2 + 1 / 4 + 1 / 9), rel=0.03)


def test_projection_keeps_to_the_support():
    seen = []

    def project(x):
        seen.append(x)
        return x.clamp(-1, 1)

    x = Langevin(steps=5, step=0.1)(torch.zeros(50, 2), quadratic(1.0), project=project)
    assert len(seen) == 5
    assert x.abs().max() <= 1 < max(s.abs().max() for s in seen)


def test_weights_get_no_gradient_and_ends_no_graph():
    network = nn.Linear(2, 1)
    with torch.no_grad():
        x = Langevin(steps=2)(torch.zeros(3, 2), lambda x: network(x).squeeze(1))
    assert not x.requires_grad
    assert network.weight.grad is None


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"step": 0.0}, {"noise": -0.1}, {"clip": 0.0}])
def test_impossible_chains_are_refused(wrong):
    with pytest.raises(InputError, match="give at least 1 step"):
        Langevin(**wrong)


def test_replay_starts_from_the_latest_ends():
    replay, fresh = Replay(capacity=3, share=1.0), torch.zeros(50, 1)
    assert replay.starts(fresh) is fresh  # nothing is kept yet
    replay.keep(torch.tensor([[1.0], [2.0]]))
    replay.keep(torch.tensor([[3.0], [4.0]]))
    assert set(replay.starts(fresh).flatten().tolist()) == {2.0, 3.0, 4.0}


def test_replay_mixes_by_its_share():
    replay = Replay(capacity=10, share=0.25)
    replay.keep(torch.ones(1, 1))
    # 10,000 draws: four standard errors are 0.017.
    assert replay.starts(torch.zeros(10_000, 1)).mean().item() == pytest.approx(0.25, abs=0.018)


@pytest.mark.parametrize(("capacity", "share"), [(0, 0.5), (3, 1.5), (3, -0.1)])
def test_impossible_replays_are_refused(capacity, share):
    with pytest.raises(InputError, match="at least 1 point and"):
        Replay(capacity, share)
