import time

import pytest
import torch
from torch import nn

from oddgan._core.errors import InputError
from oddgan.inversion import EncoderInversion, Hybrid, LatentAdam, LatentSearch


def test_one_pass_without_search_or_gradients():
    encoder, generator = nn.Linear(3, 2), nn.Linear(2, 3)
    x = torch.randn(5, 3)
    found = EncoderInversion()(x, generator, encoder, lambda x, y: (x - y).square().sum(dim=1))
    assert torch.equal(found.z, encoder(x))
    assert torch.equal(found.x, generator(encoder(x)))
    assert torch.equal(found.loss, (x - found.x).square().sum(dim=1))
    assert found.steps.tolist() == [0] * 5
    assert found.steps.dtype == torch.int64
    assert found.converged.tolist() == [True] * 5
    assert not any(value.requires_grad for value in found)


def test_hybrid_goes_on_from_the_encoder():
    torch.manual_seed(0)
    encoder, generator = nn.Linear(3, 2), nn.Sequential(nn.Linear(2, 3), nn.Tanh())
    x, anywhere = torch.rand(5, 3), type("Anywhere", (), {"project": staticmethod(lambda z: z)})()

    def loss(x, y):
        return (x - y).square().sum(dim=1)

    codes = encoder(x).detach()
    plain = EncoderInversion()(x, generator, encoder, loss)
    hybrid = Hybrid(LatentSearch(n_max=20, optimiser=LatentAdam(lr=0.05)))
    found = hybrid(x, generator, anywhere, loss, codes)
    assert (found.loss < plain.loss).all()
    assert found.steps.tolist() == [20] * 5
    none = Hybrid(LatentSearch(n_max=5, eps=100.0))(x, generator, anywhere, loss, codes)
    assert torch.equal(none.z, plain.z)
    assert none.steps.tolist() == [0] * 5


def test_a_budget_becomes_steps():
    # 1 ms for the first pass and 2 ms for each step, on a clock of our own.
    runs = []

    def run(trial):
        runs.append(trial.search.n_max)
        time.sleep(0.001 * (1 + 2 * trial.search.n_max))

    found = Hybrid(LatentSearch(eps=0.5)).calibrate(25.0, run, n=1)
    assert found.search.eps == 0.5
    assert 8 <= found.search.n_max <= 12  # (25 - 1) / 2
    assert Hybrid().calibrate(25.0, run, n=10).search.n_max > 100
    with pytest.raises(InputError, match=r"2 steps of the search take"):
        Hybrid().calibrate(0.5, run, n=1)
    with pytest.raises(InputError, match="above 0"):
        Hybrid().calibrate(0.0, run, n=1)
    with pytest.raises(InputError, match="no steps"):
        EncoderInversion().calibrate(5.0, run, n=1)
