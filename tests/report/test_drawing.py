import numpy as np
import pytest

from oddgan.report.charts import Chart, Trace
from oddgan.report.drawing import BOTTOM, LEFT, RIGHT, TOP, Axis, draw, filled, polyline


def test_axis_maps_ends_to_ends():
    axis = Axis(-1.0, 3.0, LEFT, RIGHT)
    assert (axis.at(-1.0), axis.at(1.0), axis.at(3.0)) == (LEFT, (LEFT + RIGHT) / 2, RIGHT)
    log = Axis(1.0, 100.0, 0.0, 10.0, log=True)
    assert log.at(10.0) == 5


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (0.0, 1.0, ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
        (-3.0, 17.0, ["0", "5", "10", "15"]),
        (0.0, 3e-5, ["0", "1e-05", "2e-05", "3e-05"]),
    ],
)
def test_ticks_are_round(low, high, labels):
    assert [label for _, label in Axis(low, high, 0, 1).ticks()] == labels


def test_log_ticks():
    assert [label for _, label in Axis(0.5, 2000.0, 0, 1, log=True).ticks()] == ["1", "10", "100", "1000"]
    assert len(Axis(0.9, 25.0, 0, 1, log=True).ticks()) >= 3


def test_an_axis_without_extent_draws():
    assert np.isfinite(Axis(2.0, 2.0, 0, 1).at(2.0))
    assert len(Axis(2.0, 2.0, 0, 1).ticks()) < 10


def test_a_gap_lifts_the_pen():
    assert polyline([0, 1, 2, 3, 4], [5, 5, np.nan, 7, 8]) == "M0 5L1 5M3 7L4 8"
    assert polyline([0], [np.inf]) == ""


def test_an_area_returns_to_its_base():
    assert filled(np.array([0.0, 1.0]), np.array([3.0, np.nan]), 9.0) == "M0 3L1 9L1 9L0 9Z"


def test_bars_stand_on_the_axis():
    bars = Trace("b", np.array([0.0, 0.5, 1.0]), np.array([1.0, 0.0]), 1, "bars")
    drawing = draw(Chart("k", "t", "s", "x", "y", (bars,), (0, 1), (0, 1), threshold=0.5, at_threshold=(1.0, 1.0)))
    middle = (LEFT + RIGHT) // 2
    assert drawing.shapes[0].style == "bars c1"
    assert drawing.shapes[0].path.startswith(f"M{LEFT} {TOP}L{middle} {TOP}L{middle} {BOTTOM}L{RIGHT} {BOTTOM}")
    assert drawing.threshold == middle
    assert drawing.point == (RIGHT, TOP)
