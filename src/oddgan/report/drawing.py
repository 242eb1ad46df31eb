"""SVG drawings of charts: coordinates on a small canvas, which the template writes."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from oddgan.report.charts import Chart, Floats, Trace

WIDTH, HEIGHT = 400, 250
LEFT, RIGHT, TOP, BOTTOM = 50, 386, 12, 208


@dataclass(frozen=True)
class Axis:
    """A map from values to pixels.

    Parameters
    ----------
    low, high : values at the ends.
    start, end : pixels at the ends.
    log : logarithmic.
    """

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, values: Floats) -> Floats:
        """Pixels (n,) of values (n,); NaN stays NaN."""
        low, high, v = (np.log(t) if self.log else np.asarray(t) for t in (self.low, self.high, values))
        return np.asarray(self.start + (v - low) / ((high - low) or 1.0) * (self.end - self.start))

    def at(self, value: float) -> float:
        """Pixel of one value."""
        return round(float(self(np.array(value))), 1)

    def ticks(self) -> list[tuple[float, str]]:
        """Round values in the range with their labels, about five."""
        if self.log:
            return [(self.at(v), f"{v:g}") for v in _log_ticks(self.low, self.high)]
        step = _nice((self.high - self.low) / 5)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [(self.at(i * step), f"{i * step:.6g}") for i in range(first, last + 1)]


@dataclass(frozen=True)
class Shape:
    """A path.

    Parameters
    ----------
    path : SVG path data.
    style : CSS classes.
    """

    path: str
    style: str


@dataclass(frozen=True)
class Drawing:
    """Everything that the template needs, in pixels.

    Parameters
    ----------
    chart : what is drawn.
    x_ticks, y_ticks : pixel and label.
    shapes : paths in order.
    threshold : x pixel, or None.
    point : pixels of the point at the threshold, or None.
    """

    chart: Chart
    x_ticks: list[tuple[float, str]]
    y_ticks: list[tuple[float, str]]
    shapes: list[Shape]
    threshold: float | None
    point: tuple[float, float] | None


def draw(chart: Chart) -> Drawing:
    """Lay the chart out."""
    x_axis = Axis(*chart.x_limits, LEFT, RIGHT, chart.log_x)
    y_axis = Axis(*chart.y_limits, BOTTOM, TOP, chart.log_y)
    at = chart.at_threshold
    return Drawing(
        chart=chart,
        x_ticks=x_axis.ticks(),
        y_ticks=y_axis.ticks(),
        shapes=[Shape(_path(t, x_axis, y_axis), f"{t.kind} c{t.colour}") for t in chart.traces],
        threshold=None if chart.threshold is None else x_axis.at(chart.threshold),
        point=None if at is None else (x_axis.at(at[0]), y_axis.at(at[1])),
    )


def polyline(x: Iterable[float], y: Iterable[float]) -> str:
    """Path data through the points; a NaN lifts the pen.

    >>> polyline([0, 1, 2, 3], [5, 5, float("nan"), 7])
    'M0 5L1 5M3 7'
    """
    parts, down = [], False
    for a, b in zip(x, y, strict=True):
        if math.isfinite(a) and math.isfinite(b):
            parts.append(f"{'L' if down else 'M'}{round(a, 1):g} {round(b, 1):g}")
            down = True
        else:
            down = False
    return "".join(parts)


def dots(x: Iterable[float], y: Iterable[float]) -> str:
    """Path data of a dot at each point, drawn by strokes with round ends.

    >>> dots([0, 1], [5, float("nan")])
    'M0 5h0'
    """
    points = zip(x, y, strict=True)
    return "".join(f"M{round(a, 1):g} {round(b, 1):g}h0" for a, b in points if math.isfinite(a) and math.isfinite(b))


def filled(x: NDArray[np.float64], y: NDArray[np.float64], base: float) -> str:
    """Path data of the area between points x, y (n,) and a base line; what is not finite lies on the base."""
    y = np.where(np.isfinite(y), y, base)
    return polyline(x.tolist(), y.tolist()) + f"L{x[-1]:g} {base:g}L{x[0]:g} {base:g}Z"


def _path(trace: Trace, x_axis: Axis, y_axis: Axis) -> str:
    x, y = x_axis(trace.x), y_axis(trace.y)
    if trace.kind == "bars":
        return filled(np.repeat(x, 2)[1:-1].round(1), np.repeat(y, 2), BOTTOM)
    if trace.kind == "points":
        return dots(x.tolist(), y.tolist())
    return polyline(x.tolist(), y.tolist())


def _nice(step: float) -> float:
    """Round a step up to 1, 2 or 5 times a power of ten."""
    if not step > 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(step))
    return float(next((m * power for m in (1, 2, 5) if m * power >= step * (1 - 1e-9)), 10 * power))


def _log_ticks(low: float, high: float) -> list[float]:
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1,), (1, 3), (1, 2, 5)):
        found = [float(f"{f}e{d}") for d in decades for f in factors if low <= float(f"{f}e{d}") <= high]
        if len(found) >= 3:
            break
    return found[:: max(1, math.ceil(len(found) / 6))]
