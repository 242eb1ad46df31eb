import numpy as np
import pytest

from oddgan import InputError
from oddgan.evaluate import pixel_auroc, pro


@pytest.fixture
def masks():
    found = np.zeros((2, 6, 6), dtype=bool)
    found[0, :2, :2] = True  # a region of 4 pixels
    found[0, 4:, :] = True  # one of 12
    return found


def test_perfect_map(masks):
    assert pixel_auroc(masks.astype(float), masks) == 1.0
    assert pro(masks.astype(float), masks) == pytest.approx(1.0)


def test_constant_map(masks):
    assert pixel_auroc(np.ones(masks.shape), masks) == 0.5
    # PRO follows the diagonal: its mean up to 0.3 is 0.15.
    assert pro(np.ones(masks.shape), masks) == pytest.approx(0.15)
    assert pro(np.ones(masks.shape), masks, max_fpr=1.0) == pytest.approx(0.5)


def test_inverted_map(masks):
    assert pixel_auroc(-masks.astype(float), masks) == 0.0
    assert pro(-masks.astype(float), masks) == 0.0


def test_small_regions_count_like_large_ones(masks):
    maps = np.zeros(masks.shape)
    maps[0, :2, :2] = 1.0  # finds the small region only, then all the rest at once
    # PRO starts at 1/2 and rises to 1 with the false-alarm rate: 1/2 + x/2, its mean up to 0.3 is 0.575.
    assert pro(maps, masks) == pytest.approx(0.5 + 0.3 / 4)
    # Pixels: 4 of 16 first, then the diagonal: 0.25 + 0.75 / 2.
    assert pixel_auroc(maps, masks) == pytest.approx(0.625)


def test_regions_touch_at_corners_but_not_across_images():
    masks = np.zeros((2, 3, 3), dtype=bool)
    masks[0, 0, 0] = masks[0, 1, 1] = True  # one region: they share a corner
    masks[1, 1, 1] = True  # another image, another region
    maps = np.zeros(masks.shape)
    maps[1, 1, 1] = 1.0
    assert pro(maps, masks) == pytest.approx(0.5 + 0.3 / 4)


def test_only_the_order_matters(masks):
    maps = np.random.default_rng(0).normal(size=masks.shape) + masks
    assert pro(np.exp(maps), masks) == pytest.approx(pro(maps, masks))


@pytest.mark.parametrize(
    ("maps", "masks", "message"),
    [
        (np.zeros((1, 2, 2)), np.zeros((1, 2, 2), dtype=bool), "no anomalous pixel"),
        (np.zeros((1, 2, 2)), np.ones((1, 2, 2), dtype=bool), "no normal pixel"),
        (np.zeros((1, 2, 2)), np.ones((1, 2, 2)), "masks as booleans"),
        (np.zeros((2, 2)), np.ones((2, 2), dtype=bool), r"\(n, h, w\)"),
        (np.full((1, 1, 2), np.nan), np.array([[[True, False]]]), "2 map values"),
    ],
)
def test_bad_input_is_named(maps, masks, message):
    with pytest.raises(InputError, match=message):
        pro(maps, masks)


def test_limit_must_be_a_rate(masks):
    with pytest.raises(InputError, match="max_fpr is 0"):
        pro(masks.astype(float), masks, max_fpr=0)
