"""The pyramid by hand."""

import pytest
import torch

from oddgan import InputError
from oddgan.similarities import L1, LaplacianPyramid


def test_no_level_is_l1():
    x, y = torch.randn(2, 3, 1, 5)
    torch.testing.assert_close(LaplacianPyramid(levels=0)(x, y), L1()(x, y))
    torch.testing.assert_close(LaplacianPyramid(0, "sum")(x, y), L1("sum")(x, y))


def test_a_point_in_a_series():
    # A point of 1 at step 8 of 16, k = (1, 4, 6, 4, 1)/16. What the blur takes away: 1 - 6/16 there, and
    # 2·(4 + 1)/16 around: 20/16. Of the blurred point every second step stays, 6/16 and 2·1/16 = 8/16, at twice the
    # weight: 16/16.
    x, y = torch.zeros(2, 1, 1, 16)
    y[0, 0, 8] = 1
    assert LaplacianPyramid(1, "sum")(x, y).item() == pytest.approx(20 / 16 + 2 * 8 / 16)
    assert LaplacianPyramid(1, "mean")(x, y).item() == pytest.approx((20 / 16 + 2 * 8 / 16) / 16)


def test_a_point_in_an_image():
    # As for series with the weights k·kᵀ, whose middle is 36/256: 1 - 36/256 + (1 - 36/256), then four times
    # (8/16)·(8/16).
    x, y = torch.zeros(2, 1, 1, 16, 16)
    y[0, 0, 8, 8] = 1
    assert LaplacianPyramid(1, "sum")(x, y).item() == pytest.approx(2 * (1 - 36 / 256) + 4 * 64 / 256)


@pytest.mark.parametrize("shape", [(1, 2, 16), (1, 3, 16, 32)])
def test_a_constant_difference_counts_once(shape):
    # No band holds a constant; the coarsest level does, and its weight makes up for its size.
    x = torch.zeros(shape)
    torch.testing.assert_close(LaplacianPyramid()(x, x + 0.5), torch.tensor([0.5]))


@pytest.mark.parametrize(("side", "levels"), [(3, 0), (7, 1), (8, 1), (28, 3), (32, 3), (187, 5)])
def test_levels_leave_four_steps(side, levels):
    # 7, 4; 8, 4; 28, 14, 7, 4; 32, 16, 8, 4; 187, 94, 47, 24, 12, 6. One more would leave 2 or 3.
    x, y = torch.randn(2, 1, 1, side)
    torch.testing.assert_close(LaplacianPyramid()(x, y), LaplacianPyramid(levels)(x, y))


def test_a_missing_part_counts_more_than_noise():
    # Noise shows at fine levels only, a part at all.
    torch.manual_seed(0)
    x = torch.zeros(1, 1, 32, 32)
    x[..., 8:16, 8:16] = 1
    missing, noisy = torch.zeros_like(x), x + torch.randn_like(x)
    plain, pyramid = L1(), LaplacianPyramid()
    assert pyramid(x, missing) / plain(x, missing) > 1.5 * pyramid(x, noisy) / plain(x, noisy)


def test_levels_that_do_not_exist_are_refused():
    with pytest.raises(InputError, match="levels=-1"):
        LaplacianPyramid(levels=-1)
    with pytest.raises(InputError, match="levels=4, but a side of 8 can be halved 3 times"):
        LaplacianPyramid(levels=4)(torch.zeros(1, 1, 8, 9), torch.ones(1, 1, 8, 9))
