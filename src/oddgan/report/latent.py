"""The ways of a search in a latent space of two dimensions."""

from collections.abc import Mapping

import numpy as np

from oddgan._core.errors import InputError
from oddgan.report.charts import COLOURS, Chart, Floats, Trace

# Half the size of the cross at a way's end, relative to the width of the chart.
CROSS = 0.01


def latent_chart(ways: Mapping[str, Floats]) -> Chart:
    """Draw how searches moved from their starts to their ends, as Figure 2 of Deecke et al. (2018) does.

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
