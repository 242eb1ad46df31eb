"""Spoiled copies: what each corruption keeps, and what it changes."""

import pytest
import torch

from oddgan import InputError
from oddgan.training import (
    AutoCorruption,
    GaussianCorruption,
    MixedCorruption,
    PatchCorruption,
    PermutationCorruption,
    ShuffleCorruption,
)

SHAPES = {"table": (6,), "series": (2, 16), "image": (3, 8, 10)}
ALL = (
    GaussianCorruption(), ShuffleCorruption(), PermutationCorruption(), PatchCorruption(), PatchCorruption(how="erase"),
    MixedCorruption(), AutoCorruption(),
)  # fmt: skip


def numbered(n, shape):
    """Rows (n, *shape) in which no value comes twice."""
    torch.manual_seed(0)
    return torch.arange(1.0, 1 + n * torch.Size(shape).numel()).view(n, *shape)


@pytest.mark.parametrize("kind", SHAPES)
@pytest.mark.parametrize("corruption", ALL, ids=repr)
def test_every_row_is_spoiled_and_the_rows_given_stay(corruption, kind):
    x = numbered(20, SHAPES[kind])
    before = x.clone()
    spoiled = corruption(x)
    assert spoiled.shape == x.shape
    assert torch.equal(x, before)
    changed = (spoiled != x).flatten(1).any(1)
    assert changed.float().mean() > 0.8  # a patch or a permutation may hit its own place
    torch.manual_seed(0)
    again = corruption(x)
    torch.manual_seed(0)
    assert torch.equal(corruption(x), again)


def test_noise_has_its_size():
    torch.manual_seed(0)
    assert GaussianCorruption(std=0.7)(torch.zeros(5000, 4)).std().item() == pytest.approx(0.7, abs=0.02)


@pytest.mark.parametrize("kind", SHAPES)
def test_shuffling_keeps_the_values_of_a_row(kind):
    x = numbered(7, SHAPES[kind])
    y = ShuffleCorruption(share=0.5)(x)
    flat = (v.reshape(7, SHAPES[kind][0] if v.ndim > 2 else 1, -1) for v in (x, y))
    for row, spoiled in zip(*flat, strict=True):
        order = [row[0].tolist().index(v) for v in spoiled[0].tolist()]
        assert sorted(order) == list(range(len(order)))
        assert torch.equal(row[:, order], spoiled)  # channels move together
        moved = sum(i != place for i, place in enumerate(order))
        assert moved == round(0.5 * len(order))  # none of the chosen ones stays


@pytest.mark.parametrize("kind", SHAPES)
def test_permutation_keeps_the_values_of_a_column(kind):
    x = numbered(30, SHAPES[kind])
    y = PermutationCorruption(share=0.5)(x).flatten(1)
    x = x.flatten(1)
    assert torch.equal(y.sort(0).values, x.sort(0).values)
    assert ((x != y).any(0)).sum() == round(0.5 * x.shape[1])
    # Each column has an order of its own: what came together no longer does.
    orders = {tuple(y[:, j].argsort().tolist()) for j in range(x.shape[1]) if not torch.equal(x[:, j], y[:, j])}
    assert len(orders) == round(0.5 * x.shape[1])


@pytest.mark.parametrize(("shape", "sides"), [((10,), (3,)), ((2, 20), (6,)), ((3, 10, 20), (3, 6))])
def test_an_erased_patch_is_a_rectangle_of_its_size(shape, sides):
    y = PatchCorruption(size=0.3, how="erase")(numbered(9, shape))
    for row in y:
        erased = (row == 0) if row.ndim == 1 else (row == 0).all(0)
        places = erased.nonzero()
        extent = tuple((places.max(0).values - places.min(0).values + 1).tolist())
        assert extent == sides
        assert erased.sum() == torch.Size(sides).numel()
        assert (row == 0).sum() == erased.sum() * (1 if row.ndim == 1 else row.shape[0])


def test_a_pasted_patch_comes_whole_from_one_row():
    x = numbered(9, (1, 8, 10))
    y = PatchCorruption(size=0.4)(x)
    width = round(0.4 * 10)
    for i in range(9):
        inside = (y[i, 0] != x[i, 0]).nonzero()
        if len(inside):
            (top, left), (bottom, right) = inside.min(0).values.tolist(), inside.max(0).values.tolist()
            patch = y[i, 0, top : bottom + 1, left : right + 1]
            assert patch.shape == (round(0.4 * 8), width)
            assert torch.equal(patch - patch[0, 0], x[0, 0, : patch.shape[0], :width] - 1)
            assert len(((patch - 1) // 80).unique()) == 1


def test_a_mixture_takes_each_way_for_some_rows():
    ways = (PatchCorruption(size=1.0, how="erase"), GaussianCorruption(std=1e-6))
    torch.manual_seed(0)
    erased = (MixedCorruption(ways=ways)(torch.ones(1000, 4)) == 0).all(1)
    assert erased.float().mean().item() == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize(("kind", "shape"), SHAPES.items())
def test_the_kind_of_data_chooses_the_corruption(kind, shape):
    ways = {"table": GaussianCorruption(std=2.0), "series": ShuffleCorruption(), "image": PatchCorruption(size=0.5)}
    x = numbered(5, shape)
    torch.manual_seed(1)
    spoiled = AutoCorruption(**ways)(x)
    torch.manual_seed(1)
    assert torch.equal(spoiled, ways[kind](x))


@pytest.mark.parametrize(
    "make",
    [
        lambda: GaussianCorruption(std=0.0),
        lambda: ShuffleCorruption(share=0.0),
        lambda: PermutationCorruption(share=1.1),
        lambda: PatchCorruption(size=0.0),
        lambda: PatchCorruption(how="cut"),
        lambda: MixedCorruption(ways=()),
    ],
)
def test_ranges(make):
    with pytest.raises(InputError, match=r"Corruption got .*(give|name)"):
        make()
