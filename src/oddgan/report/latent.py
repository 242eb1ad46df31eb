"""Latent space charts: paths of a search, and maps of rows."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from oddgan._core.errors import InputError
from oddgan.evaluate import LatentMap
from oddgan.report.charts import COLOURS, RAMP, Chart, Floats, Trace
from oddgan.report.numbers import counted, number

# Half the size of the cross at a way's end, relative to the width of the chart.
CROSS = 0.01


def latent_chart(ways: Mapping[str, Floats]) -> Chart:
    """Draw the paths of a few rows' searches through a latent space of two dimensions, from their starts to their ends.

    Figure 2 of Deecke et al. (2018) shows the same space in another way: where 500 samples stand after several numbers
    of steps, as points sized by their loss.

    Parameters
    ----------
    ways : by a sample's name, e.g. "normal" and "anomaly", the latent points (n_seed, k + 1, 2) of its search, as
        `JointSearch.trace` returns them: at most five samples.

    Raises
    ------
    InputError
        If there are no ways, or the latent space has not two dimensions.
    """
    if not 0 < len(ways) <= COLOURS or any(way.ndim != 3 or way.shape[2] != 2 or not way.size for way in ways.values()):
        shapes = {name: way.shape for name, way in ways.items()}
        raise InputError(f"latent_chart draws up to {COLOURS} samples' ways (n_seed, k + 1, 2), but got {shapes}.")
    points = np.concatenate([way.reshape(-1, 2) for way in ways.values()])
    middle, reach = (points.max(0) + points.min(0)) / 2, float(np.ptp(points, axis=0).max()) / 2 * 1.05 or 1.0
    (x_low, y_low), (x_high, y_high) = middle - reach, middle + reach
    traces = []
    for colour, (name, way) in enumerate(ways.items()):
        crosses = _crosses(way[:, -1], 2 * reach * CROSS)
        x, y = np.concatenate([_broken(way), crosses]).T
        traces.append(Trace(name, x, y, colour))
    return Chart(
        key="latent",
        title="Ways through the latent space",
        summary=f"How the searches for {', '.join(ways)} moved; a cross marks where each start ended.",
        x_label="z, first coordinate",
        y_label="z, second coordinate",
        traces=tuple(traces),
        x_limits=(float(x_low), float(x_high)),
        y_limits=(float(y_low), float(y_high)),
        caption="A cross marks the end of each way.",
    )


def _broken(lines: Floats) -> Floats:
    """Lines (n, k, 2) as one, with NaN between them: (n · (k + 1), 2)."""
    return np.concatenate([lines, np.full_like(lines[:, :1], np.nan)], axis=1).reshape(-1, 2)


def _crosses(at: Floats, size: float) -> Floats:
    """Crosses at points (n, 2), as lines."""
    stroke = size * np.array([[[-1.0, -1.0], [1.0, 1.0]], [[-1.0, 1.0], [1.0, -1.0]]])
    return _broken((at[:, None, None] + stroke).reshape(-1, 2, 2))


def map_charts(latent: LatentMap) -> list[Chart]:
    """The map of a latent space twice: coloured by class, where there are labels, and by score.

    Parameters
    ----------
    latent : its points; those whose place is not finite are left out.
    """
    at = latent.at.astype(np.float64)
    known = np.isfinite(at).all(axis=1) & np.isfinite(latent.score)
    at, score = at[known], latent.score[known]
    if not len(at):
        return []
    by_score = _map("map-score", "Latent space by score", latent.kind, at, _score_traces(at, score))
    if latent.label is None:
        return [by_score]
    traces = _class_traces(at, latent.label[known])
    return [_map("map-class", "Latent space by class", latent.kind, at, traces), by_score]


def _map(key: str, title: str, kind: str, at: Floats, traces: list[Trace]) -> Chart:
    low, high = at.min(axis=0), at.max(axis=0)
    pad = np.where(high > low, 0.04 * (high - low), 1.0)
    return Chart(
        key=key,
        title=title,
        summary=f"{len(at)} rows on a plane ({kind}), by {', '.join(t.name for t in traces)}.",
        x_label="first axis",
        y_label="second axis",
        traces=tuple(traces),
        x_limits=(float(low[0] - pad[0]), float(high[0] + pad[0])),
        y_limits=(float(low[1] - pad[1]), float(high[1] + pad[1])),
        caption=f"{counted(len(at), 'row')}; {kind}.",
    )


def _class_traces(at: Floats, label: NDArray[np.str_]) -> list[Trace]:
    """One trace for each of the largest classes; the rest share the last. Small classes lie on top."""
    names, counts = np.unique(label, return_counts=True)
    names = names[np.argsort(-counts, kind="stable")]
    own = names if len(names) <= COLOURS else names[: COLOURS - 1]
    groups = {str(name): label == name for name in own}
    if len(own) < len(names):
        groups["others"] = ~np.isin(label, own)
    found = list(enumerate(groups.items()))
    return [
        Trace(f"{name} ({rows.sum()})", at[rows, 0], at[rows, 1], colour, "points") for colour, (name, rows) in found
    ]


def _score_traces(at: Floats, score: Floats) -> list[Trace]:
    """Fifths of the rows by their scores, the highest on top."""
    edges = np.quantile(score, np.linspace(0, 1, len(RAMP) + 1))
    fifth = np.clip(np.searchsorted(edges, score, side="right") - 1, 0, len(RAMP) - 1)
    return [
        Trace(
            f"{number(float(edges[i]))} to {number(float(edges[i + 1]))}",
            at[fifth == i, 0],
            at[fifth == i, 1],
            colour,
            "points",
        )
        for i, colour in enumerate(RAMP)
        if (fifth == i).any()
    ]
