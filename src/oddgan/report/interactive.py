"""Charts as plotly figures; plotly's script is embedded once."""

from typing import Any

import numpy as np

from oddgan._core.extras import load_extra
from oddgan.report.charts import Chart, Floats, Trace

DASHES = ("solid", "dash", "dot", "dashdot", "longdash")


def plotly_script() -> str:
    """The text of plotly.js.

    Raises
    ------
    MissingExtraError
        Without the extra `report`.
    """
    return str(load_extra("plotly.offline", "report").get_plotlyjs())


def figure(chart: Chart) -> dict[str, Any]:
    """Data and layout of a chart in plotly's terms; the page's script adds colours that suit light or dark."""
    traces = [_trace(t) for t in chart.traces]
    if chart.at_threshold is not None:
        x, y = chart.at_threshold
        traces.append(
            {"x": [x], "y": [y], "mode": "markers", "name": "at the threshold", "colour": -1, "cliponaxis": False}
        )
    x_limits = np.log10(chart.x_limits).tolist() if chart.log_x else list(chart.x_limits)
    y_limits = np.log10(chart.y_limits).tolist() if chart.log_y else list(chart.y_limits)
    layout: dict[str, Any] = {
        "xaxis": {"title": {"text": chart.x_label}, "type": "log" if chart.log_x else "linear", "range": x_limits},
        "yaxis": {"title": {"text": chart.y_label}, "type": "log" if chart.log_y else "linear", "range": y_limits},
    }
    if chart.threshold is not None:
        at = {"x0": chart.threshold, "x1": chart.threshold, "yref": "paper", "y0": 0, "y1": 1}
        layout["shapes"] = [{"type": "line", "line": {"width": 1.5, "dash": "dash"}} | at]
    return {"key": chart.key, "data": traces, "layout": layout}


def _trace(t: Trace) -> dict[str, Any]:
    x, y = _plain(t.x), _plain(t.y)
    common = {"name": t.name, "mode": "lines", "colour": t.colour}
    if t.kind == "bars":
        return common | {"x": x, "y": [*y, y[-1]], "line": {"shape": "hv", "width": 1.5}, "fill": "tozeroy"}
    if t.kind == "points":
        return common | {"x": x, "y": y, "mode": "markers", "size": 5}
    dash = "dot" if t.kind == "guide" else DASHES[t.colour]
    return common | {"x": x, "y": y, "line": {"width": 2, "dash": dash}}


def _plain(values: Floats) -> list[float | None]:
    """Numbers as JSON has them: null instead of NaN."""
    return [v if np.isfinite(v) else None for v in values.tolist()]
