import numpy as np
import pytest

from oddgan import InputError
from oddgan.report.drawing import draw
from oddgan.report.latent import latent_chart


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
