"""Panels of lines, marks and bars as inline SVG; layout and ticks are those of the reports' charts."""

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import NamedTuple

import numpy as np

from oddgan.report.charts import Chart, Trace
from oddgan.report.drawing import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Axis, Drawing, draw

LARGE, SMALL = 4.5, 2.2
LEAST_SPAN = 0.02
# The corners of each colour's mark, in units of its radius, so that colours are not all that tells lines apart.
CORNERS: tuple[tuple[tuple[float, float], ...], ...] = (
    (),  # a circle
    ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),
    ((0.0, -1.2), (1.1, 0.8), (-1.1, 0.8)),
    ((0.0, -1.3), (1.3, 0.0), (0.0, 1.3), (-1.3, 0.0)),
    ((-1.1, -0.8), (1.1, -0.8), (0.0, 1.2)),
    (
        (-0.4, -1.2),
        (0.4, -1.2),
        (0.4, -0.4),
        (1.2, -0.4),
        (1.2, 0.4),
        (0.4, 0.4),
        (0.4, 1.2),
        (-0.4, 1.2),
        (-0.4, 0.4),
        (-1.2, 0.4),
        (-1.2, -0.4),
        (-0.4, -0.4),
    ),
)
ROW, BAR = 34, 12
NOTE = (36, 13)  # the room that a note takes; a second one there stands below its mark


class Point(NamedTuple):
    """A value with what is written beside its mark."""

    x: float
    y: float
    label: str = ""


@dataclass(frozen=True)
class Line:
    """Points of one colour.

    Parameters
    ----------
    name : in the legend; empty for none.
    points : in the order of the line.
    colour : 0 to 5, which is also the mark's shape.
    joined : a line through large marks; else a cloud of small ones.
    """

    name: str
    points: Sequence[Point]
    colour: int
    joined: bool = True


@dataclass(frozen=True)
class Panel:
    """One set of axes.

    Parameters
    ----------
    title : above it.
    x_label, y_label : of the axes.
    lines : drawn in this order.
    log_x, log_y : logarithmic axes.
    x_ticks : values and labels in the place of round numbers; none for those.
    x_limits, y_limits : what the axes cover; None for what the points need.
    """

    title: str
    x_label: str
    y_label: str
    lines: Sequence[Line]
    log_x: bool = True
    log_y: bool = False
    x_ticks: Sequence[tuple[float, str]] = ()
    x_limits: tuple[float, float] | None = None
    y_limits: tuple[float, float] | None = None


class Bar(NamedTuple):
    """A bar from 0 to a value."""

    name: str
    value: float


@dataclass(frozen=True)
class Bars:
    """Bars with their values.

    Parameters
    ----------
    title : above them.
    bars : from top to bottom.
    longest : the value of a bar over the whole width.
    """

    title: str
    bars: Sequence[Bar]
    longest: float


def figure(key: str, panels: Sequence[Panel | Bars | Chart], caption: str) -> str:
    """Panels side by side, one below the other on narrow screens, with one legend.

    Parameters
    ----------
    key : unique on the page.
    panels : nothing is drawn without any.
    caption : below, as text.
    """
    if not panels:
        return ""
    drawn = [_drawn(f"{key}-{i}", panel) for i, panel in enumerate(panels)]
    named = dict.fromkeys(pair for panel in panels for pair in _named(panel) if pair[0])
    legend = "".join(
        f'<li><svg viewBox="-8 -6 16 12" aria-hidden="true">{_mark(0, 0, colour, LARGE)}</svg>{html.escape(name)}</li>'
        for name, colour in named
    )
    # Without an empty line, Markdown leaves all of this as it is.
    return "\n".join([
        f'<figure class="plots" id="{key}">',
        '<div class="panels">',
        *drawn,
        "</div>",
        "<figcaption>" + (f"<ul>{legend}</ul>" if legend else "") + f"<p>{html.escape(caption)}</p></figcaption>",
        "</figure>\n",
    ])  # fmt: skip


def _named(panel: Panel | Bars | Chart) -> list[tuple[str, int]]:
    """What the legend has of a panel: names and colours."""
    if isinstance(panel, Bars):
        return []
    return [(line.name, line.colour) for line in (panel.lines if isinstance(panel, Panel) else panel.traces)]


def _drawn(key: str, panel: Panel | Bars | Chart) -> str:
    if isinstance(panel, Bars):
        return _bars(key, panel)
    return _panel(key, panel) if isinstance(panel, Panel) else _axes(key, draw(panel), [])


def short(value: float) -> str:
    """Three significant digits, never an exponent.

    >>> short(1234.5), short(0.93491), short(6.0)
    ('1230', '0.935', '6')
    """
    return np.format_float_positional(value, precision=3, unique=False, fractional=False, trim="-")


def limits(values: Iterable[float], *, log: bool = False, pad: float = 0.06) -> tuple[float, float]:
    """A range that holds the values with some air around them."""
    v = np.array(list(values))
    v = np.log(v) if log else v
    air = pad * float(np.ptp(v)) or 0.05 * max(abs(float(v[0])), 1.0)
    low, high = float(v.min()) - air, float(v.max()) + air
    return (float(np.exp(low)), float(np.exp(high))) if log else (low, high)


def widened(panel: Panel) -> Panel:
    """The same with a y axis that spans .02 or more: smaller differences mean nothing, and their ticks do not fit."""
    heights = [point.y for line in panel.lines for point in line.points]
    return replace(panel, y_limits=limits([*heights, max(heights) - LEAST_SPAN]))


def over_runs(name: str, places: Iterable[Sequence[Point]], colour: int) -> list[Line]:
    """A line through the means at each place, in a cloud of the single runs where there are several."""
    runs = [points for points in places if points]
    cloud = [point for points in runs if len(points) > 1 for point in points]
    means = [Point(fmean(p.x for p in points), fmean(p.y for p in points)) for points in runs]
    both = (Line("", cloud, colour, joined=False), Line(name, means, colour))
    return [line for line in both if line.points]


def _panel(key: str, panel: Panel) -> str:
    points = [point for line in panel.lines for point in line.points]
    chart = Chart(
        key=key,
        title=panel.title,
        summary=_summary(panel),
        x_label=panel.x_label,
        y_label=panel.y_label,
        traces=tuple(_trace(line) for line in panel.lines if line.joined),
        x_limits=panel.x_limits or limits((p.x for p in points), log=panel.log_x),
        y_limits=panel.y_limits or limits((p.y for p in points), log=panel.log_y),
        log_x=panel.log_x,
        log_y=panel.log_y,
    )
    x_axis, y_axis = Axis(*chart.x_limits, LEFT, RIGHT, chart.log_x), Axis(*chart.y_limits, BOTTOM, TOP, chart.log_y)
    drawing = draw(chart)
    if panel.x_ticks:
        drawing = replace(drawing, x_ticks=[(x_axis.at(value), label) for value, label in panel.x_ticks])
    marks, notes = [], list[tuple[float, float]]()
    for line in panel.lines:
        for point in line.points:
            x, y = x_axis.at(point.x), y_axis.at(point.y)
            marks.append(_mark(x, y, line.colour, LARGE if line.joined else SMALL))
            if point.label:
                taken = any(abs(x - a) < NOTE[0] and abs(y - 9 - b) < NOTE[1] for a, b in notes)
                notes.append((x, y + 17 if taken else y - 9))
                marks.append(f'<text class="note mid" x="{x:g}" y="{notes[-1][1]:g}">{html.escape(point.label)}</text>')
    return _axes(key, drawing, marks)


def _axes(key: str, drawing: Drawing, marks: Iterable[str]) -> str:
    """Lines on their axes, and marks on the lines."""
    chart, out = drawing.chart, []
    for y, label in drawing.y_ticks:
        out.append(f'<line class="grid" x1="{LEFT}" x2="{RIGHT}" y1="{y}" y2="{y}"/>')
        out.append(f'<text class="tick end" x="{LEFT - 5}" y="{y + 3.5}">{label}</text>')
    for x, label in drawing.x_ticks:
        out.append(f'<line class="grid" x1="{x}" x2="{x}" y1="{BOTTOM}" y2="{BOTTOM + 4}"/>')
        out.append(f'<text class="tick mid" x="{x}" y="{BOTTOM + 16}">{label}</text>')
    out.append(f'<line class="axis" x1="{LEFT}" x2="{RIGHT}" y1="{BOTTOM}" y2="{BOTTOM}"/>')
    out += [f'<path class="{s.style}" d="{s.path}"/>' for s in drawing.shapes]
    out += marks
    across, up = (LEFT + RIGHT) / 2, f"translate(11 {(TOP + BOTTOM) / 2:g}) rotate(-90)"
    out.append(f'<text class="label mid" x="{across:g}" y="{HEIGHT - 6}">{html.escape(chart.x_label)}</text>')
    out.append(f'<text class="label mid" transform="{up}">{html.escape(chart.y_label)}</text>')
    return _svg(key, chart.title, chart.summary, HEIGHT, out)


def _bars(key: str, panel: Bars) -> str:
    out = []
    for i, (name, value) in enumerate(panel.bars):
        y, width = 4 + i * ROW, 330 * value / panel.longest
        out.append(f'<text class="label start" x="0" y="{y + 11}">{html.escape(name)}</text>')
        out.append(f'<rect class="bar" x="0" y="{y + 16}" width="{width:.1f}" height="{BAR}"/>')
        out.append(f'<text class="label start" x="{width + 6:.1f}" y="{y + 26}">{short(value)}</text>')
    summary = "; ".join(f"{name}: {short(value)}" for name, value in panel.bars) + "."
    return _svg(key, panel.title, summary, 4 + ROW * len(panel.bars), out)


def _svg(key: str, title: str, summary: str, height: int, content: Iterable[str]) -> str:
    return "".join([
        f'<div class="panel"><p>{html.escape(title)}</p>',
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="{key}-title {key}-desc">',
        f'<title id="{key}-title">{html.escape(title)}</title><desc id="{key}-desc">{html.escape(summary)}</desc>',
        *content,
        "</svg></div>",
    ])  # fmt: skip


def _summary(panel: Panel) -> str:
    """The numbers of a panel in words, for who can't see it."""
    named = dict(panel.x_ticks)
    said = []
    for line in panel.lines:
        if line.name:
            at = ", ".join(f"{short(p.y)} at {p.label or named.get(p.x) or short(p.x)}" for p in line.points)
            said.append(f"{line.name}: {at}")
    return f"{panel.y_label} against {panel.x_label}. {'; '.join(said)}."


def _trace(line: Line) -> Trace:
    x, y = (np.array([point[i] for point in line.points], dtype=np.float64) for i in (0, 1))
    return Trace(line.name, x, y, line.colour)


def _mark(x: float, y: float, colour: int, size: float) -> str:
    if not CORNERS[colour]:
        return f'<circle class="mark c{colour}" cx="{x:g}" cy="{y:g}" r="{size:g}"/>'
    corners = " ".join(f"{x + size * dx:.1f},{y + size * dy:.1f}" for dx, dy in CORNERS[colour])
    return f'<polygon class="mark c{colour}" points="{corners}"/>'
