"""Training monitor charts: gradients, samples against data, critics, and samples over time."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from oddgan._core.monitoring import Snapshots, Watched
from oddgan.evaluate import Run
from oddgan.report.charts import COLOURS, Chart, Floats, Trace, thin
from oddgan.report.numbers import counted, number
from oddgan.report.pictures import LARGEST, picture, png, rescale
from oddgan.report.views import Picture, grey_range

LINES = 8  # series of a snapshot
SIDE = 6  # images along a side of a grid


def monitor_charts(watched: Sequence[Watched]) -> list[Chart]:
    """Gradients of each player, and samples and critics where there are some: one chart each for each phase."""
    charts = []
    for index in sorted({w.phase_index for w in watched}):
        of_phase = [w for w in watched if w.phase_index == index]
        epoch = np.array([w.epoch for w in of_phase], dtype=np.float64)
        phase = of_phase[-1].phase
        players = dict.fromkeys(player for w in of_phase for player in w.gradients)
        norms = {p: [w.gradients[p].norm if p in w.gradients else np.nan for w in of_phase] for p in players}
        found = [_lines(f"training-gradients-{index}", f"Gradients: {phase}", "gradient norm", epoch, norms)]
        names = ("coverage", "density", "spread")
        values = {n: [np.nan if w.samples is None else getattr(w.samples, n) for w in of_phase] for n in names}
        found.append(
            _lines(f"training-samples-{index}", f"Samples against data: {phase}", "1 = as data", epoch, values)
        )
        critics = dict.fromkeys(name for w in of_phase for name in w.critics)
        seen = {c: [w.critics[c].separation if c in w.critics else np.nan for w in of_phase] for c in critics}
        found.append(_lines(f"training-critics-{index}", f"Critics: {phase}", "separation", epoch, seen))
        charts += [chart for chart in found if chart is not None]
    return charts


_CAPTIONS = {
    "gradient norm": "Euclidean norm over a player's weights, the median over an epoch.",
    "1 = as data": "Coverage: training rows that samples come near. Density: how thick samples lie on the rows. "
    "Spread: how far samples differ.",
    "separation": "0: the critic can't tell real from generated samples; 1: it mistakes none.",
}


def _lines(key: str, title: str, y_label: str, x: Floats, values: dict[str, list[float]]) -> Chart | None:
    """Lines over the epochs; gradients on a logarithmic axis. None where nothing is finite."""
    log = y_label == "gradient norm"
    lines = {name: np.array(line, dtype=np.float64) for name, line in values.items()}
    lines = {name: np.where(line > 0, line, np.nan) if log else line for name, line in lines.items()}
    known = np.concatenate([line[np.isfinite(line)] for line in lines.values()] or [np.zeros(0)])
    if not len(known):
        return None
    ends = ", ".join(f"{name} {number(float(line[-1]))}" for name, line in lines.items())
    low, high = float(known.min()), float(known.max())
    limits = (low / 1.5, high * 1.5) if log else (min(0.0, low), 1.05 * max(1.0, high))
    return Chart(
        key=key,
        title=title,
        summary=f"{y_label.capitalize()} by epoch. At the end: {ends}.",
        x_label="epoch",
        y_label=y_label,
        traces=tuple(Trace(name, *thin(x, line), i % COLOURS) for i, (name, line) in enumerate(lines.items())),
        x_limits=(min(float(x.min()), 1.0), max(float(x.max()), 2.0)),
        y_limits=limits,
        log_y=log,
        caption=f"{_CAPTIONS[y_label]} At the end: {ends}.",
    )


@dataclass(frozen=True)
class Album:
    """Samples over time: pictures of images, charts of everything else.

    Parameters
    ----------
    pictures : grids of images, training rows first.
    charts : series, or rows on a plane, training rows first or behind.
    """

    pictures: tuple[Picture, ...] = ()
    charts: tuple[Chart, ...] = ()


def album(run: Run) -> Album:
    """Lay the samples of a run out."""
    shots = run.snapshots
    if shots is None or not len(shots.samples):
        return Album()
    titles = [_title(shots, i) for i in range(len(shots.epoch))]
    if run.info.data.kind == "image":
        low, high = grey_range(shots.rows)
        grids = [_grid(rescale(x, low, high)) for x in (shots.rows, *shots.samples)]
        pairs = zip(["training rows", *titles], grids, strict=True)
        return Album(pictures=tuple(Picture(title, png(grid)) for title, grid in pairs))
    charts = _series(shots, titles) if run.info.data.kind == "series" else _plane(shots, titles)
    return Album(charts=tuple(charts))


def _title(shots: Snapshots, i: int) -> str:
    several = len(np.unique(shots.phase_index)) > 1
    phase = f", phase {shots.phase_index[i] + 1}" if several else ""
    return f"epoch {shots.epoch[i]}{phase}"


def _grid(x: Floats) -> NDArray[np.uint8]:
    """Images (k, c, h, w) in 0..1, side by side with a grey line between: pixels (h', w', 3)."""
    side = min(SIDE, int(np.ceil(np.sqrt(len(x)))))
    _, c, h, w = x.shape
    canvas = np.full((c, side * (h + 1) - 1, side * (w + 1) - 1), 0.5)
    for i, image in enumerate(x[: side * side]):
        top, left = (i // side) * (h + 1), (i % side) * (w + 1)
        canvas[:, top : top + h, left : left + w] = image
    times = max(1, LARGEST // max(canvas.shape[1:]))
    return picture(canvas.repeat(times, axis=1).repeat(times, axis=2))


def _series(shots: Snapshots, titles: Sequence[str]) -> list[Chart]:
    """Some series of each snapshot, and of the training rows, over each other; the first channel."""
    c, t = shots.rows.shape[1:]
    x = np.append(np.arange(t, dtype=np.float64), np.nan)
    low, high = _reach(shots.rows[:, 0])
    charts = []
    for i, (title, values) in enumerate(zip(["training rows", *titles], [shots.rows, *shots.samples], strict=True)):
        few = values[:LINES, 0].astype(np.float64)
        lines = np.concatenate([few, np.full((len(few), 1), np.nan)], axis=1).ravel()
        charts.append(
            Chart(
                key=f"samples-{i}",
                title=title.capitalize(),
                summary=f"{len(few)} series over each other: {title}.",
                x_label="time step",
                y_label="value" if c == 1 else "first channel",
                traces=(Trace("", np.tile(x, len(few)), np.clip(lines, low, high), 0),),
                x_limits=(0.0, float(max(t - 1, 1))),
                y_limits=(low, high),
            )
        )
    return charts


def _plane(shots: Snapshots, titles: Sequence[str]) -> list[Chart]:
    """Rows and samples on the plane of the rows' first two principal components, columns having one scale."""
    rows = shots.rows.astype(np.float64)
    scale = rows.std(axis=0)
    centred = (rows - rows.mean(axis=0)) / np.where(scale > 0, scale, 1.0)
    plain = rows.shape[1] <= 2
    axes = np.eye(rows.shape[1])[:2] if plain else np.linalg.svd(centred, full_matrices=False)[2][:2]
    axes = axes if len(axes) == 2 else np.concatenate([axes, np.zeros_like(axes)])
    kind, at = "column" if plain else "component", centred @ axes.T
    x_limits, y_limits = _reach(at[:, 0]), _reach(at[:, 1])
    charts = []
    for i, (title, samples) in enumerate(zip(titles, shots.samples, strict=True)):
        drawn = (samples - rows.mean(axis=0)) / np.where(scale > 0, scale, 1.0) @ axes.T
        kept = ((drawn >= (x_limits[0], y_limits[0])) & (drawn <= (x_limits[1], y_limits[1]))).all(axis=1)
        charts.append(
            Chart(
                key=f"samples-{i}",
                title=title.capitalize(),
                summary=f"{len(at)} training rows and {len(drawn)} samples on a plane: {title}.",
                x_label=f"first {kind}",
                y_label=f"second {kind}",
                traces=(
                    Trace("training rows", at[:, 0], at[:, 1], 2, "points"),
                    Trace("samples", drawn[kept, 0], drawn[kept, 1], 1, "points"),
                ),
                x_limits=x_limits,
                y_limits=y_limits,
                caption=f"{counted(int((~kept).sum()), 'sample')} beyond the axes." if not kept.all() else "",
            )
        )
    return charts


def _reach(values: NDArray[np.floating]) -> tuple[float, float]:
    """The range of the values with half of it around, so that samples beside the data are seen."""
    low, high = float(values.min()), float(values.max())
    pad = 0.25 * (high - low) or 1.0
    return low - pad, high + pad
