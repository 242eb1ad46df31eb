import numpy as np
import pytest

from oddgan import InputError
from oddgan.evaluate import LatentMap
from oddgan.report.drawing import draw
from oddgan.report.latent import latent_chart, map_charts


def test_a_line_for_each_start_and_a_cross_at_its_end():
    way = np.array([[[0.0, 0.0], [1.0, 2.0]], [[4.0, 4.0], [3.0, 2.0]]])
    chart = latent_chart({"normal": way, "anomaly": way + 10})
    normal, anomaly = chart.traces
    # Two starts: from (0, 0) to (1, 2) and from (4, 4) to (3, 2), with a break after each.
    np.testing.assert_array_equal(normal.x[:6], [0, 1, np.nan, 4, 3, np.nan])
    np.testing.assert_array_equal(normal.y[:6], [0, 2, np.nan, 4, 2, np.nan])
    # Then two strokes for each end, whose middle is the end.
    strokes = np.stack([normal.x[6:], normal.y[6:]], axis=1).reshape(4, 3, 2)[:, :2]
    np.testing.assert_allclose(strokes.mean(axis=1), [[1, 2], [1, 2], [3, 2], [3, 2]])
    assert (normal.colour, anomaly.colour) == (0, 1)
    assert np.nanmax(anomaly.x) < chart.x_limits[1] + 0.2
    assert chart.x_limits[1] - chart.x_limits[0] == pytest.approx(chart.y_limits[1] - chart.y_limits[0])
    assert draw(chart)


def test_one_point_has_a_place():
    low, high = latent_chart({"normal": np.zeros((1, 1, 2))}).x_limits
    assert low < 0 < high


@pytest.mark.parametrize("shape", [(2, 3), (1, 2, 3), (0, 2, 2)])
def test_wrong_ways(shape):
    with pytest.raises(InputError, match="up to 5 samples' ways"):
        latent_chart({"normal": np.zeros(shape)})


AT = np.arange(20.0).reshape(10, 2)


def test_a_map_by_class_and_by_score():
    label = np.array(list("NNNNNNVVSN"))
    by_class, by_score = map_charts(LatentMap("PCA, 90 % of the variance", AT, np.arange(10.0), label))
    assert [(t.name, t.colour, t.kind) for t in by_class.traces] == [
        ("N (7)", 0, "points"),
        ("V (2)", 1, "points"),
        ("S (1)", 2, "points"),
    ]
    assert by_class.traces[1].x.tolist() == [12, 14]
    assert by_class.traces[1].y.tolist() == [13, 15]
    # Ten rows in fifths of two, from the lowest scores to the highest.
    assert [len(t.x) for t in by_score.traces] == [2] * 5
    assert [t.colour for t in by_score.traces] == [5, 6, 7, 8, 9]
    assert by_score.traces[-1].x.tolist() == [16, 18]
    assert by_score.caption == "10 rows; PCA, 90 % of the variance."
    for chart in (by_class, by_score):
        assert chart.x_limits[0] < 0
        assert chart.x_limits[1] > 18
        assert draw(chart)


def test_many_classes_share_a_colour():
    label = np.array(list("aaabbccdef"))
    by_class, _ = map_charts(LatentMap("PCA", AT, np.arange(10.0), label))
    assert [t.name for t in by_class.traces] == ["a (3)", "b (2)", "c (2)", "d (1)", "others (2)"]


def test_a_map_without_labels_or_with_equal_scores():
    (chart,) = map_charts(LatentMap("PCA", AT, np.zeros(10)))
    assert [len(t.x) for t in chart.traces] == [10]


def test_points_that_are_not_finite():
    at = AT.copy()
    at[0] = np.nan
    score = np.arange(10.0)
    score[1] = np.inf
    (chart,) = map_charts(LatentMap("PCA", at, score))
    assert sum(len(t.x) for t in chart.traces) == 8
    assert map_charts(LatentMap("PCA", at[:1], score[:1])) == []
