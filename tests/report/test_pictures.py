import base64
import io

import numpy as np
import pytest
from PIL import Image

from oddgan.report.pictures import LARGEST, colour_bar, colours, overlay, picture, png, rescale


def decoded(uri):
    kind, data = uri.split(",", 1)
    assert kind == "data:image/png;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))


def test_colours_grow_lighter():
    lightness = colours(np.linspace(0, 1, 50)) @ [0.2126, 0.7152, 0.0722]
    assert np.all(np.diff(lightness) > 0)
    assert colours(np.array([np.nan])).tolist() == colours(np.array([0.0])).tolist()


def test_png_keeps_pixels():
    pixels = np.random.default_rng(0).integers(0, 256, size=(5, 7, 3), dtype=np.uint8)
    assert np.array_equal(decoded(png(pixels)), pixels)


def test_large_pictures_shrink():
    assert decoded(png(np.zeros((1024, 512, 3), dtype=np.uint8))).shape == (LARGEST, LARGEST // 2, 3)


@pytest.mark.parametrize(("channels", "pixel"), [(1, [51, 51, 51]), (2, [128, 128, 128]), (3, [51, 204, 255])])
def test_picture_of_any_number_of_channels(channels, pixel):
    x = np.array([0.2, 0.8, 1.0])[:channels, None, None] * np.ones((channels, 2, 2))
    assert picture(x)[0, 0].tolist() == pixel  # two channels: the mean of 0.2 and 0.8


def test_no_heat_leaves_the_image_alone():
    x = np.full((1, 2, 2), 0.4)
    assert np.array_equal(overlay(x, np.zeros((2, 2))), picture(x))


def test_rescale():
    assert rescale(np.array([0, 128, 255, 300], dtype=np.int32), 0, 256).tolist() == [0, 0.5, 255 / 256, 1]
    assert rescale(np.array([np.nan, 2.0]), 1.0, 3.0).tolist() == [0, 0.5]
    assert rescale(np.array([5.0]), 5.0, 5.0).tolist() == [0]


def test_colour_bar():
    assert decoded(colour_bar()).shape == (1, 128, 3)
