import numpy as np
import pytest
from PIL import Image

from oddgan import InputError
from oddgan.data import Options, from_arrays
from oddgan.data.images import plain_type, recolour, resize, same_type


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_a_constant_image_stays_constant_at_any_size(dtype):
    x = np.full((2, 3, 10, 7), 200, dtype)
    resized = resize(x, (4, 12))
    assert resized.shape == (2, 3, 4, 12)
    assert resized.dtype == dtype
    assert (resized == 200).all()


def test_sixteen_bits_are_kept():
    x = np.linspace(0, 65535, 64).astype(np.uint16).reshape(1, 1, 8, 8)
    resized = resize(x, (4, 4))
    assert resized.dtype == np.uint16
    # A linear ramp is symmetric: opposite corners sum to the sum of its ends.
    assert int(resized[0, 0, 0, 0]) + int(resized[0, 0, -1, -1]) == pytest.approx(65535, abs=2)


def test_shrinking_averages():
    board = (np.indices((16, 16)).sum(axis=0) % 2 * 100).astype(np.uint8)[None, None]
    inner = resize(board, (4, 4))[..., 1:3, 1:3]
    assert np.abs(inner.astype(float) - 50).max() <= 2  # without antialiasing it would be 0 or 100


def test_integers_are_rounded():
    x = np.random.default_rng(0).integers(0, 65536, (1, 1, 9, 9), dtype=np.uint16)
    exact = resize(x.astype(np.float32), (5, 7))
    assert np.abs(resize(x, (5, 7)) - exact).max() <= 0.51
    assert np.abs(resize(x, (5, 7)) - exact).mean() == pytest.approx(0.25, abs=0.1)  # truncation gives 0.5


def test_rows_stay_rows():
    x = np.repeat(np.arange(12, dtype=np.uint8) * 20, 9).reshape(1, 1, 12, 9)
    assert (np.ptp(resize(x, (6, 15)), axis=-1) == 0).all()


def test_height_comes_first():
    assert from_arrays(np.zeros((2, 16, 12), np.uint8), options=Options(resize=(8, 9))).x.shape == (2, 1, 8, 9)


def test_grey_is_the_same_as_pillow_makes_of_files():
    x = np.random.default_rng(0).integers(0, 256, (1, 3, 20, 20), dtype=np.uint8)
    grey = recolour(x, "grey", "data")
    assert (grey[0, 0] == np.asarray(Image.fromarray(np.moveaxis(x[0], 0, 2)).convert("L"))).all()


def test_white_stays_white():
    assert recolour(np.full((1, 3, 2, 2), 65535, np.uint16), "grey", "data").max() == 65535
    assert recolour(np.ones((1, 4, 2, 2), np.float32), "grey", "data") == pytest.approx(1)


def test_rgb_repeats_grey_and_drops_transparency():
    assert recolour(np.ones((1, 1, 2, 2)), "rgb", "data").shape == (1, 3, 2, 2)
    x = np.arange(4.0)[None, :, None, None]
    assert recolour(x, "rgb", "data").ravel().tolist() == [0, 1, 2]
    assert recolour(x, None, "data") is x


def test_other_channels_have_no_colour():
    with pytest.raises(InputError, match="images of 5 channels; only 1, 3 or 4 can be turned into grey"):
        recolour(np.zeros((1, 5, 2, 2)), "grey", "data")


@pytest.mark.parametrize(
    ("largest", "given", "expected"),
    [(255, "int64", "uint8"), (256, "int64", "uint16"), (70000, "int64", "float64"), (1, "float16", "float64")],
)
def test_integers_take_the_smallest_type_that_holds_them(largest, given, expected):
    assert plain_type(np.full((1, 1, 2, 2), largest, given)).dtype == expected


def test_negative_integers_become_floats():
    assert plain_type(np.full((1, 1, 2, 2), -1, np.int16)).dtype == np.float64


def test_wide_integers_take_the_type_of_the_model():
    assert same_type(np.full((1, 1, 2, 2), 7, np.int64), "uint16", "data").dtype == np.uint16


@pytest.mark.parametrize(("given", "fitted"), [("uint16", "uint8"), ("float64", "uint8"), ("uint8", "float64")])
def test_another_range_of_values_is_refused(given, fitted):
    reading = from_arrays(np.zeros((2, 1, 8, 8), fitted)).reading
    with pytest.raises(InputError, match=f"images of type {given}, but the model was fitted on {fitted}"):
        from_arrays(np.zeros((2, 1, 8, 8), given), like=reading)
