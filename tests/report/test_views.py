import numpy as np
import pytest

from oddgan.evaluate import DataInfo, Items
from oddgan.report.views import Bars, Curves, Pictures, extremes, heat_range, views


def items(x, **options):
    x = np.asarray(x)
    return Items(np.arange(len(x)), x, np.zeros(len(x)), **options)


def data(kind, x, columns=None):
    return DataInfo(source="s", kind=kind, shape=x.shape[1:], columns=columns)


def test_image_shows_what_there_is():
    x = np.random.default_rng(0).random((2, 1, 4, 4))
    first, _ = views(items(x, reconstruction=x, map=x[:, 0]), data("image", x))
    assert isinstance(first, Pictures)
    assert [p.caption for p in first.pictures] == ["input", "reconstruction", "heatmap"]
    (only, _) = views(items(x), data("image", x))
    assert [p.caption for p in only.pictures] == ["input"]


def test_images_share_one_grey_scale():
    x = np.zeros((2, 1, 2, 2))
    x[1] = 1.0
    dark, light = views(items(x), data("image", x))
    assert dark.pictures != light.pictures


def test_large_images_are_smooth():
    x = np.zeros((1, 1, 128, 128))
    assert not views(items(x), data("image", x))[0].small


def test_the_features_that_contribute_most_come_first():
    x = np.arange(7.0)[None]
    heat = np.array([[0, 5, 1, 10, 2, 0.5, 3.0]])
    (view,) = views(items(x, reconstruction=x + 1, map=heat), data("table", x, tuple("abcdefg")))
    assert isinstance(view, Bars)
    assert [b.name for b in view.bars] == ["d", "b", "g", "e", "c"]
    assert (view.bars[1].value, view.bars[1].expected, view.bars[1].contribution) == ("1", "2", "5")
    assert [b.width for b in view.bars] == [100, 50, 30, 20, 10]


def test_tables_without_map_or_names():
    x = np.arange(3.0)[None]
    (view,) = views(items(x), data("table", x))
    assert not view.ranked
    assert [(b.name, b.expected) for b in view.bars] == [("feature 0", ""), ("feature 1", ""), ("feature 2", "")]


def test_series_shows_the_channels_that_are_reconstructed_worst():
    x = np.random.default_rng(0).normal(size=(4, 5, 20)) * np.array([1, 1, 1, 1, 1000.0])[:, None]
    y = x.copy()
    y[:, 1] += 3.0
    y[:, 2] += 2.0
    y[:, 4] += 10.0  # a hundredth of its spread
    y[:, 0] += 1.0
    view = views(items(x, reconstruction=y, map=np.ones((4, 20))), data("series", x, tuple("abcde")))[0]
    assert isinstance(view, Curves)
    assert [c.name for c in view.channels] == ["a", "b", "c"]
    assert view.heat


def test_a_series_without_a_reconstruction_shows_the_channels_that_contribute_most():
    x = np.random.default_rng(0).normal(size=(1, 5, 20))
    found = items(x, contributions=np.array([[3.0, -9.0, 1.0, 0.0, 2.0]]))
    (view,) = views(found, data("series", x, tuple("abcde")))
    assert [c.name for c in view.channels] == ["a", "c", "e"]


def test_a_single_channel_needs_no_name():
    x = np.random.default_rng(0).normal(size=(1, 1, 20))
    (view,) = views(items(x), data("series", x))
    assert [(c.name, c.reconstruction) for c in view.channels] == [("", "")]
    assert view.heat == ""


@pytest.mark.parametrize("x", [np.full((1, 1, 5), np.nan), np.ones((1, 1, 5)), np.ones((1, 1, 1))])
def test_degenerate_series_are_drawn(x):
    (view,) = views(items(x, reconstruction=x, map=x[:, 0]), data("series", x))
    assert "nan" not in view.channels[0].x + view.heat


def test_long_series_keep_their_extremes():
    x = np.zeros(10_000)
    x[1234], x[8765] = 5.0, -7.0
    times, values = extremes(x, 300)
    assert len(values) <= 302
    assert {1234.0, 8765.0, 0.0, 9999.0} <= set(times)
    assert (values.max(), values.min()) == (5, -7)


def test_heat_scale_ignores_a_single_hot_pixel():
    heat = np.ones((1, 100, 100))
    heat[0, 0, 0] = 1e6
    assert heat_range(items(np.zeros((1, 1, 100, 100)), map=heat)) == (0, 1)
    assert heat_range(items(np.zeros((1, 2)))) == (0, 1)
    assert heat_range(items(np.zeros((1, 2)), map=np.full((1, 2), np.nan))) == (0, 1)


def test_the_area_between_a_series_and_its_reconstruction():
    x = np.array([[[0.0, 1.0, np.nan]]])
    drawn = np.array([[[1.0, 1.0, 1.0]]])
    (view,) = views(items(x, reconstruction=drawn), data("series", x))
    # Along the series, 0 then 1, and back along the reconstruction, 1 and 1; where a value is missing is no area.
    assert view.channels[0].gap == "M50 106L185 22L185 22L50 22Z"
    (bare,) = views(items(x), data("series", x))
    assert bare.channels[0].gap == ""
