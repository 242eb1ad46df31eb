"""Warping by hand, against the recursion as it is written, and against all alignments."""

import itertools
import math

import numpy as np
import pytest
import torch

from oddgan import InputError
from oddgan.similarities import DTW, L2, SoftDTW


def series(*rows):
    return torch.tensor(rows, dtype=torch.float64)[:, None]


def costs(x, y):
    """The squared differences (t, t) of one pair of series (c, t)."""
    return ((x[:, :, None] - y[:, None]) ** 2).sum(dim=0).tolist()


def alignments(t, band):
    """Every monotone path through t x t cells, for a few steps."""
    ends = {(0, 0): [[(0, 0)]]}
    for i, j in itertools.product(range(t), repeat=2):
        if (i, j) != (0, 0):
            before = [(i - 1, j), (i, j - 1), (i - 1, j - 1)]
            ends[i, j] = [[*p, (i, j)] for b in before for p in ends.get(b, [])] if abs(i - j) <= band else []
    return ends[t - 1, t - 1]


def path_costs(x, y, band):
    each = costs(x, y)
    return np.array([sum(each[i][j] for i, j in path) for path in alignments(x.shape[1], band)])


def test_a_table_filled_by_hand():
    # Costs (rows x = 1 2 3, columns y = 2 2 4)    and their least sums
    #   1 1 9                                        1 2 11
    #   0 0 4                                        1 1  5
    #   1 1 1                                        2 2  2
    assert DTW()(series([1, 2, 3]), series([2, 2, 4])).item() == 2


def test_another_pace_is_no_difference():
    x = series([0, 0, 1, 3, 2, 2, 0])
    y = series([0, 1, 1, 3, 3, 2, 0])
    assert DTW()(x, y).item() == 0
    assert L2()(x, y).item() > 0


def test_channels_are_warped_together():
    # Each channel by itself could be aligned at no cost. Steps (0, 0), (1, 0), (1, 1) against (0, 0), (0, 1), (1, 1)
    # cost 0 1 2 / 1 2 1 / 2 1 0: over the corners 1 + 1, along the diagonal 2.
    x, y = torch.tensor([[[0.0, 1, 1], [0, 0, 1]]]), torch.tensor([[[0.0, 0, 1], [0, 1, 1]]])
    assert DTW()(x[:, :1], y[:, :1]).item() == DTW()(x[:, 1:], y[:, 1:]).item() == 0
    assert DTW()(x, y).item() == 2


@pytest.mark.parametrize("band", [None, 0, 1, 2, 3, 9])
@pytest.mark.parametrize("t", [1, 2, 5])
def test_against_every_alignment(t, band):
    torch.manual_seed(t)
    x, y = torch.randn(2, 3, 2, t, dtype=torch.float64)
    for i in range(3):
        sums = path_costs(x[i], y[i], t if band is None else band)
        assert DTW(band)(x, y)[i].item() == pytest.approx(sums.min())
        soft = [SoftDTW(0.7, band)._align(a[i : i + 1], b[i : i + 1]).item() for a, b in ((x, y), (x, x), (y, y))]
        assert soft[0] == pytest.approx(-0.7 * math.log(np.exp(-sums / 0.7).sum()))
        assert SoftDTW(0.7, band)(x, y)[i].item() == pytest.approx(soft[0] - (soft[1] + soft[2]) / 2)


def test_a_band_of_zero_compares_step_by_step():
    x, y = torch.randn(2, 4, 2, 9, dtype=torch.float64)
    torch.testing.assert_close(DTW(band=0)(x, y), L2("sum")(x, y))
    torch.testing.assert_close(SoftDTW(band=0)(x, y), L2("sum")(x, y))


def test_a_wider_band_never_costs_more():
    x, y = torch.randn(2, 4, 1, 12)
    values = torch.stack([DTW(band)(x, y) for band in (0, 1, 3, 6, 11, None)])
    assert (values.diff(dim=0) <= 0).all()
    assert torch.equal(values[-1], values[-2])


@pytest.mark.parametrize("band", [None, 2])
def test_soft_becomes_hard(band):
    # The soft minimum lies below the hard one by at most γ·log(number of alignments), itself below γ·2t·log 3.
    torch.manual_seed(0)
    x, y = torch.randn(2, 5, 2, 8, dtype=torch.float64)
    gaps = [(SoftDTW(g, band)(x, y) - DTW(band)(x, y)).abs().max().item() for g in (1, 0.1, 0.01, 0.001)]
    assert gaps[-1] < 0.001 * 16 * math.log(3)
    assert gaps == sorted(gaps, reverse=True)


def test_hard_gradient_follows_the_best_alignment():
    # The best alignment of the table above is (0, 0), (1, 0), (1, 1), (2, 2): y_0 meets 1 and 2, y_1 meets 2, y_2
    # meets 3, so that the gradients 2·Σ(y_j - x_i) are 2, 0 and 2.
    y = series([2.0, 2.0, 4.0]).requires_grad_()
    DTW()(series([1, 2, 3]), y).backward()
    assert y.grad.flatten().tolist() == [2, 0, 2]


def test_soft_gradient_vanishes_at_the_sample():
    # Where soft-DTW itself would go on towards a blurred copy.
    x = torch.randn(3, 2, 10, dtype=torch.float64)
    y = x.clone().requires_grad_()
    SoftDTW(0.5)(x, y).sum().backward()
    torch.testing.assert_close(y.grad, torch.zeros_like(x), rtol=0, atol=1e-12)
    y.grad = None
    SoftDTW(0.5)._align(x, y).sum().backward()
    assert y.grad.abs().max() > 0.1


def test_descent_by_the_soft_gradient_finds_the_sample():
    torch.manual_seed(0)
    x = torch.sin(torch.linspace(0, 6, 24))[None, None]
    y = torch.roll(x, 3, dims=2).clone().requires_grad_()
    optimiser = torch.optim.Adam([y], lr=0.05)
    first = SoftDTW()(x, y).item()
    for _ in range(100):
        optimiser.zero_grad()
        SoftDTW()(x, y).sum().backward()
        optimiser.step()
    assert SoftDTW()(x, y).item() < 0.01 * first


def test_single_precision_keeps_up_with_double():
    torch.manual_seed(0)
    x = torch.rand(4, 1, 187, dtype=torch.float64) * 2 - 1
    y = x + 0.1 * torch.randn_like(x)
    exact, single = SoftDTW()(x, y), SoftDTW()(x.float(), y.float())
    torch.testing.assert_close(single.double(), exact, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: DTW(band=-1), "DTW got band=-1"),
        (lambda: SoftDTW(band=-1), "SoftDTW got band=-1"),
        (lambda: SoftDTW(gamma=0), "SoftDTW got gamma=0"),
        (lambda: SoftDTW(gamma=math.inf), "SoftDTW got gamma=inf"),
        (lambda: DTW()(torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 4, 4)), "DTW takes series"),
    ],
)
def test_what_makes_no_sense_is_refused(make, words):
    with pytest.raises(InputError, match=words):
        make()
