"""What each chart shows, as data; `drawing` turns it into SVG and `interactive` into plotly figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from oddgan.evaluate import Counts, Epoch, ScoreTable
from oddgan.report.numbers import counted, number

Floats = NDArray[np.float64]
MAX_POINTS = 400
COLOURS = 5
RAMP = (5, 6, 7, 8, 9)


@dataclass(frozen=True)
class Trace:
    """One line, or the outline of a histogram.

    Parameters
    ----------
    name : in the legend; empty for none.
    x, y : (n,) points of a line; (b + 1,) edges and (b,) heights of bars. NaN breaks a line.
    colour : 0 to 4, of the page's palette; 5 to 9 are one hue, from weak to strong.
    kind : "guide" is a dashed line for reference, "points" are dots.
    """

    name: str
    x: Floats
    y: Floats
    colour: int = 0
    kind: Literal["line", "bars", "guide", "points"] = "line"


@dataclass(frozen=True)
class Chart:
    """A chart.

    Parameters
    ----------
    key : unique on the page.
    title, summary : for everybody, and for who can't see it.
    x_label, y_label : of the axes.
    traces : drawn in this order.
    x_limits, y_limits : what the axes cover.
    log_x, log_y : logarithmic axes.
    threshold : where a vertical line marks the cut, or None.
    at_threshold : the point that the cut reaches on a curve, or None.
    caption : shown below, e.g. what was left out.
    """

    key: str
    title: str
    summary: str
    x_label: str
    y_label: str
    traces: tuple[Trace, ...]
    x_limits: tuple[float, float]
    y_limits: tuple[float, float]
    log_x: bool = False
    log_y: bool = False
    threshold: float | None = None
    at_threshold: tuple[float, float] | None = None
    caption: str = ""


def training_charts(epochs: Sequence[Epoch]) -> list[Chart]:
    """Loss of each player over the epochs, one chart for each phase."""
    charts = []
    for index in sorted({e.phase_index for e in epochs}):
        of_phase = [e for e in epochs if e.phase_index == index]
        players = list(dict.fromkeys(player for e in of_phase for player in e.losses))
        x = np.array([e.epoch for e in of_phase], dtype=np.float64)
        lines = [np.array([e.losses.get(p, np.nan) for e in of_phase], dtype=np.float64) for p in players]
        traces = tuple(Trace(p, *thin(x, y), i % COLOURS) for i, (p, y) in enumerate(zip(players, lines, strict=True)))
        ends = ", ".join(f"{p} {number(float(y[-1]))}" for p, y in zip(players, lines, strict=True))
        name, last = of_phase[-1].phase, of_phase[-1]
        charts.append(
            Chart(
                key=f"training-{index}",
                title=f"Training: {name}",
                summary=f"Mean loss by epoch. Losses at the end: {ends}.",
                x_label="epoch",
                y_label="mean loss",
                traces=traces,
                x_limits=(min(float(x.min()), 1.0), max(float(x.max()), 2.0)),
                y_limits=_limits(np.concatenate([t.y for t in traces]) if traces else np.zeros(0)),
                caption=f"{last.epoch} of {counted(last.epochs, 'epoch')}. Losses at the end: {ends}.",
            )
        )
    return charts


def score_chart(table: ScoreTable, threshold: float) -> Chart | None:
    """Histogram of the scores, by class where there are labels; None without a finite score."""
    finite = np.isfinite(table.anomaly_score)
    scores = table.anomaly_score[finite]
    if not len(scores):
        return None
    low, high, log = _score_axis(scores, threshold)
    edges = np.geomspace(low, high, 41) if log else np.linspace(low, high, 41)
    shown = np.clip(scores, low, high)
    outside = int(np.count_nonzero(shown != scores))
    traces = _histograms(shown, None if table.label is None else table.label[finite], edges)
    caption = f"{counted(outside, 'score')} beyond the axis counted in the outermost bars." if outside else ""
    return Chart(
        key="scores",
        title="Anomaly scores",
        summary=f"Histogram of {len(scores)} scores between {number(scores.min())} and {number(scores.max())}; "
        f"the threshold is {number(threshold)}.",
        x_label="anomaly score (higher = more anomalous)",
        y_label="% of the class" if len(traces) > 1 else "% of the rows",
        traces=traces,
        x_limits=(low, high),
        y_limits=(0.0, 1.05 * max(float(t.y.max()) for t in traces)),
        log_x=log,
        threshold=threshold,
        caption=caption,
    )


def _histograms(scores: Floats, label: NDArray[np.bool_] | None, edges: Floats) -> tuple[Trace, ...]:
    """The share of scores (n,) in each bin in per cent, one trace a class."""
    groups = {"all rows": np.ones(len(scores), dtype=bool)} if label is None else {"normal": ~label, "anomaly": label}
    return tuple(
        Trace(f"{name} ({g.sum()})", edges, 100 * np.histogram(scores[g], edges)[0] / g.sum(), colour, "bars")
        for colour, (name, g) in enumerate(groups.items())
        if g.any()
    )


def roc_chart(c: Counts, threshold: float, auroc: float) -> Chart:
    """Recall against the false-alarm rate."""
    alarm_rate, hit_rate = c.roc()
    tp, fp = c.at(threshold)
    diagonal = np.array([0.0, 1.0])
    return Chart(
        key="roc",
        title="ROC curve",
        summary=f"Recall against the false-alarm rate over all thresholds; the area under it is {number(auroc)}.",
        x_label="false-alarm rate",
        y_label="recall",
        traces=(
            Trace("chance", diagonal, diagonal, 2, "guide"),
            Trace(f"AUROC {auroc:.3f}", *thin(alarm_rate, hit_rate)),
        ),
        x_limits=(0.0, 1.0),
        y_limits=(0.0, 1.0),
        at_threshold=(float(fp / c.n_normals[0]), float(tp / c.n_anomalies[0])),
    )


def precision_recall_chart(c: Counts, threshold: float, average_precision: float) -> Chart:
    """Precision against recall."""
    precision, recall = c.precision_recall()
    tp, fp = c.at(threshold)
    share = float(c.n_anomalies[0] / (c.n_anomalies[0] + c.n_normals[0]))
    guide = Trace(f"prevalence {share:.3f}", np.array([0.0, 1.0]), np.array([share, share]), 2, "guide")
    x, y = thin(np.append(0.0, recall), np.append(precision[0], precision))
    flagged = float(tp + fp)
    return Chart(
        key="precision-recall",
        title="Precision and recall",
        summary=f"Precision against recall over all thresholds; the average precision is {number(average_precision)}.",
        x_label="recall",
        y_label="precision",
        traces=(guide, Trace(f"average precision {average_precision:.3f}", x, y)),
        x_limits=(0.0, 1.0),
        y_limits=(0.0, 1.0),
        at_threshold=(float(tp / c.n_anomalies[0]), float(tp) / flagged) if flagged else None,
    )


def thin(x: Floats, y: Floats, most: int = MAX_POINTS) -> tuple[Floats, Floats]:
    """Keep at most `most` points of a curve x (n,), y (n,), evenly along its way; both ends stay."""
    if len(x) <= most:
        return x, y
    way = np.cumsum(np.abs(np.diff(x, prepend=x[0])) / _span(x) + np.abs(np.diff(y, prepend=y[0])) / _span(y))
    way = np.nan_to_num(way, nan=0.0) if not np.isnan(way).any() else np.arange(len(x), dtype=np.float64)
    kept = np.unique(np.searchsorted(way, np.linspace(way[0], way[-1], most)))
    kept = np.unique(np.append(kept, [0, len(x) - 1]))
    return x[kept], y[kept]


def _span(values: Floats) -> float:
    finite = values[np.isfinite(values)]
    return float(np.ptp(finite)) or 1.0 if len(finite) else 1.0


def _limits(values: Floats) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    if not len(finite):
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    pad = 0.05 * (high - low) or max(abs(high), 1.0) * 0.05
    return low - pad, high + pad


def _score_axis(scores: Floats, threshold: float) -> tuple[float, float, bool]:
    """Cover all scores, unless a few extreme ones would press the rest into one bar: then log, or cut the ends."""
    low, high = float(scores.min()), float(scores.max())
    inner = np.quantile(scores, [0.01, 0.5, 0.99])
    if min(low, threshold) > 0 and high > 20 * inner[1]:
        return min(low, threshold) * 0.95, max(high, threshold) * 1.05, True
    width = float(inner[2] - inner[0])
    if width > 0 and high - low > 10 * width:
        low, high = max(low, float(inner[0]) - width), min(high, float(inner[2]) + width)
    low, high = min(low, threshold), max(high, threshold)
    pad = 0.02 * (high - low) or max(abs(high), 1.0) * 0.05
    return low - pad, high + pad, False
