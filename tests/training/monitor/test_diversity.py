import math

import pytest
import torch
from torch import nn

from oddgan.training.monitor import diversity, embed, expected_coverage
from oddgan.training.monitor.diversity import quiet


def line(*values):
    return torch.tensor(values, dtype=torch.float32)[:, None]


def test_by_hand():
    # With k = 1 the balls around 0, 1, 10, 12 have the radii 1, 1, 2, 2. A sample at 0.5 lies in the first two, one at
    # 11 in the last two, one at 30 in none.
    found = diversity(line(0, 1, 10, 12), line(0.5, 11, 30), k=1)
    assert found.coverage == 1
    assert found.density == pytest.approx(4 / (1 * 3))
    one_mode = diversity(line(0, 1, 10, 12), line(0.5, 0.5, 0.5), k=1)
    assert (one_mode.coverage, one_mode.density, one_mode.spread) == (0.5, 2.0, 0.0)


def test_spread_is_of_root_mean_square_distances():
    # ±1 around 0 has 1, and ±3 around any mean has 3.
    assert diversity(line(-1, 1), line(7, 13), k=1).spread == pytest.approx(3)


def test_samples_beside_the_data_have_neither():
    found = diversity(line(0, 1, 2, 3), line(100, 101, 102), k=2)
    assert (found.coverage, found.density) == (0, 0)


def test_expected_coverage():
    # A row is missed if its k nearest among n - 1 + m others are all rows: for k = 1, (n - 1) / (n - 1 + m).
    assert expected_coverage(4, 6, k=1) == pytest.approx(1 - 3 / 9)
    drawn = torch.randn(2000, 3, generator=torch.Generator().manual_seed(0))
    assert diversity(drawn[:1000], drawn[1000:]).coverage == pytest.approx(expected_coverage(1000, 1000), abs=0.02)


def test_embedding():
    short = torch.randn(5, 2, 3)
    assert torch.equal(embed(short), short.flatten(1))
    state = torch.get_rng_state()
    x = torch.randn(400, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    y = embed(x)
    assert y.shape == (400, 32)
    assert torch.equal(y, embed(x))
    assert torch.equal(torch.get_rng_state(), state), "the matrix has a generator of its own"
    # Entries of variance 1/p keep squared distances on average; their spread is √(2/32) = 1/4 of them.
    ratio = (y[::2] - y[1::2]).square().sum(1) / (x[::2] - x[1::2]).flatten(1).square().sum(1)
    assert ratio.mean().item() == pytest.approx(1, abs=0.1)
    assert ratio.std().item() == pytest.approx(math.sqrt(2 / 32), rel=0.3)


def test_quiet_puts_modes_and_generators_back():
    networks = nn.ModuleDict({"a": nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)), "b": nn.Dropout()})
    networks["a"][0].eval()  # one layer in another mode than its network
    modes = [m.training for m in networks.modules()]
    buffers, state = {k: v.clone() for k, v in networks.state_dict().items()}, torch.get_rng_state()
    with quiet(networks, torch.device("cpu")):
        assert networks.training, "detectors look there"
        assert not any(m.training for m in networks["a"].modules())
        first = torch.randn(3)
        networks["a"](torch.randn(8, 2))
    with quiet(networks, torch.device("cpu")):
        assert torch.equal(torch.randn(3), first), "the same draws each time"
    assert [m.training for m in networks.modules()] == modes
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(v, buffers[k]) for k, v in networks.state_dict().items())
