"""Similarities made of others, by hand."""

import math

import pytest
import torch

from oddgan import InputError
from oddgan.similarities import L1, L2, RBF, Blurred, Relative, TrailingMask


def test_a_blur_leaves_a_constant_residual_alone() -> None:
    # A kernel that sums to one and samples that go on beyond the border: blurring 0.5 everywhere gives 0.5.
    x, y = torch.zeros(1, 2, 9, 7), torch.full((1, 2, 9, 7), 0.5)
    torch.testing.assert_close(Blurred(L2(), sigma=1.3)(x, y), torch.tensor([0.25]))


def test_a_single_point_spreads_as_the_kernel_squared() -> None:
    # One wrong step of height 1 in the middle: the blurred residual is the kernel itself, and L2 sums its squares.
    sigma, x = 0.8, torch.zeros(1, 1, 31, dtype=torch.float64)
    y = x.clone()
    y[0, 0, 15] = 1.0
    weights = [math.exp(-(i**2) / (2 * sigma**2)) for i in range(-3, 4)]
    expected = sum((w / sum(weights)) ** 2 for w in weights)
    assert float(Blurred(L2(reduction="sum"), sigma=sigma)(x, y)) == pytest.approx(expected, rel=1e-12)


def test_both_axes_of_an_image_are_blurred_alike() -> None:
    x, y = torch.zeros(2, 1, 15, 15), torch.zeros(2, 1, 15, 15)
    y[0, 0, 7, :] = 1.0
    y[1, 0, :, 7] = 1.0
    lying, standing = Blurred(L2(), sigma=1.0)(x, y)
    torch.testing.assert_close(lying, standing)
    assert lying < L2()(x, y)[0]  # a thin line loses height


def test_a_shift_by_a_pixel_counts_less_than_a_missing_part() -> None:
    x = torch.zeros(1, 1, 16, 16)
    x[..., 4:8, 4:8] = 1.0
    shifted, missing = torch.roll(x, 1, dims=3), torch.zeros_like(x)
    plain, blurred = L2(), Blurred(L2(), sigma=1.0)
    assert blurred(x, shifted) / blurred(x, missing) < plain(x, shifted) / plain(x, missing)


def test_relative_divides_by_how_much_there_is_to_draw() -> None:
    # Background -1: the first sample stands out by 1 in half its values (mean 0.5), the second by 2 in all (mean 2).
    x = torch.tensor([[0.0, -1.0], [1.0, 1.0]])
    y = torch.tensor([[-1.0, -1.0], [-1.0, -1.0]])
    torch.testing.assert_close(Relative(L1())(x, y), torch.tensor([0.5 / 0.5, 2.0 / 2.0]))
    torch.testing.assert_close(Relative(L2())(x, y), torch.tensor([0.5 / 0.5, 4.0 / 2.0]))


def test_an_empty_sample_drawn_exactly_has_no_residual() -> None:
    x = torch.full((1, 1, 8, 8), -1.0)
    assert float(Relative(L2())(x, x.clone())) == 0.0
    assert torch.isfinite(Relative(L2())(x, x + 1)).all()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Blurred(sigma=0.0), "sigma=0.0"),
        (lambda: Relative(background=math.inf), "background=inf"),
        (lambda: Blurred()(torch.zeros(2, 3), torch.zeros(2, 3)), "takes series"),
        (lambda: TrailingMask()(torch.zeros(2, 3), torch.zeros(2, 3)), "takes series"),
    ],
)
def test_what_makes_no_sense_is_refused(make, words) -> None:
    with pytest.raises(InputError, match=words):
        make()


def test_fitting_a_wrapper_fits_its_base() -> None:
    # Distances of 0, 1, 3: 1, 2 and 3; a blur leaves a constant series as it is, so that 4 equal steps double them.
    values = torch.tensor([[0.0], [1.0], [3.0]])
    assert Relative(RBF()).fit(values) == Relative(RBF(bandwidth=2.0))
    fitted = Blurred(Relative(RBF()), sigma=0.7).fit(values[:, None].expand(3, 1, 4))
    assert isinstance(fitted.base, Relative)
    assert isinstance(fitted.base.base, RBF)
    assert fitted.base.base.bandwidth == pytest.approx(4.0, rel=1e-6)
    assert TrailingMask(RBF()).fit(values) == TrailingMask(RBF(bandwidth=2.0))


PADDED = torch.tensor([[[1.0, 2.0, -1.0, -1.0]], [[1.0, 2.0, 3.0, -1.0]], [[-1.0, -1.0, -1.0, -1.0]]])


def test_trailing_padding_does_not_count() -> None:
    # Off by 1 everywhere: 2 steps are left of the first series, all of the others (one step ends the second, and what
    # is constant throughout is not padded). The mean over what is left is 1.
    torch.testing.assert_close(TrailingMask(L2())(PADDED, PADDED + 1), torch.ones(3))
    # Off by 4 in the padding alone, or by 2 in the last of the two steps before it, half of what is left.
    y = PADDED.clone()
    y[:, :, 3] += 4
    torch.testing.assert_close(TrailingMask(L1())(PADDED, y), torch.tensor([0.0, 1.0, 1.0]))
    y = PADDED.clone()
    y[:, :, 1] += 2
    torch.testing.assert_close(TrailingMask(L1())(PADDED, y), torch.tensor([1.0, 0.5, 0.5]))


def test_padding_ends_where_any_channel_moves() -> None:
    x = torch.tensor([[[1.0, 0.0, 0.0, 0.0], [5.0, 5.0, 7.0, 7.0]]])
    y = x.clone()
    y[:, :, 1] += 1  # no padding: the second channel is about to move
    torch.testing.assert_close(TrailingMask(L2("sum"))(x, y), torch.tensor([2.0 * 4 / 2]))
    y = x.clone()
    y[:, :, 2] += 1
    assert TrailingMask(L2())(x, y).item() == 0.0


def test_padding_gives_no_gradient() -> None:
    y = torch.zeros_like(PADDED).requires_grad_()
    TrailingMask()(PADDED, y).sum().backward()
    assert y.grad is not None
    assert torch.equal(y.grad[0, 0] != 0, torch.tensor([True, True, False, False]))
    assert (y.grad[1:] != 0).all()
