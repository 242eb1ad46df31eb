import math

import pytest
import torch

from oddgan.training.monitor.oscillation import swing, swings


def circle(period, t, decay=1.0):
    angle = 2 * math.pi * torch.arange(t, dtype=torch.float64) / period
    return torch.stack([angle.cos(), angle.sin()], dim=1) * decay ** torch.arange(t)[:, None]


def test_a_circle():
    found = swing(circle(6, 36))
    assert found.period == 6
    # Of a circle of radius 1: r(l) = cos(2π l / 6), so -1 after 3 steps and 1 after 6.
    assert (found.opposite, found.again) == (pytest.approx(-1, abs=0.05), pytest.approx(1, abs=0.05))
    assert found.amplitude == pytest.approx(1, abs=0.05)
    assert found.settling == pytest.approx(1, abs=0.1)


def test_alternation():
    # There and back in two steps: half a period is a single step.
    found = swing(torch.tensor([1.0, -1.0] * 9)[:, None])
    assert found.period == 2
    assert found.opposite < -0.9
    assert found.again > 0.9


def test_what_settles():
    assert swing(circle(6, 36, decay=0.9)).settling < 0.3


def test_a_trend_is_no_swing():
    straight = torch.arange(36.0)[:, None] * torch.tensor([[1.0, -2.0]])
    assert swing(straight) is None
    bent = torch.log(1 + torch.arange(36.0))[:, None]
    assert swing(bent).opposite > -0.5


def test_chance_seldom_swings():
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(300, 18, 2, generator=generator)
    for paths in (noise, noise.cumsum(dim=1)):
        hits = [s for s in map(swing, paths) if s.opposite < -0.5 and s.again > 0.5 and s.settling > 0.7]
        assert len(hits) <= 3  # one in a hundred


def test_windows():
    assert swings(circle(6, 17)) == []
    assert len(swings(circle(6, 40))) == 2
    assert swings(torch.ones(40, 3)) == []
