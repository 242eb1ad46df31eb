import json

import numpy as np
import pytest

from oddgan.report.charts import Chart, Trace
from oddgan.report.interactive import figure, plotly_script


def chart(**changes):
    line = Trace("a", np.array([1.0, 2.0]), np.array([np.nan, 3.0]))
    bars = Trace("b", np.array([1.0, 2.0, 10.0]), np.array([4.0, 5.0]), 1, "bars")
    fields = {"x_limits": (1.0, 100.0), "y_limits": (0.0, 5.0), "threshold": 3.0, "at_threshold": (2.0, 3.0)}
    return Chart("k", "t", "s", "x", "y", (line, bars), **(fields | changes))


def test_figure_is_json_without_nan():
    assert json.loads(json.dumps(figure(chart()), allow_nan=False))["data"][0]["y"] == [None, 3.0]


def test_log_axes_take_exponents():
    assert figure(chart(log_x=True))["layout"]["xaxis"]["range"] == [0, 2]
    assert figure(chart())["layout"]["xaxis"]["range"] == [1, 100]


def test_plotly_accepts_every_key():
    plotly = pytest.importorskip("plotly.graph_objects")
    made = figure(chart())
    for trace in made["data"]:
        assert "colour" in trace
        plotly.Scatter(**{k: v for k, v in trace.items() if k != "colour"})
    plotly.Layout(**made["layout"])


def test_the_script_is_whole():
    pytest.importorskip("plotly")
    assert "</script" not in plotly_script().lower()
    assert len(plotly_script()) > 1_000_000
