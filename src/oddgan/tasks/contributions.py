"""Which columns of a table, or channels of a series, contribute most to each row's score."""

import numpy as np

from oddgan._core.errors import InputError
from oddgan._core.memmap import rows_at_once
from oddgan.base import Detector
from oddgan.data import Dataset
from oddgan.evaluate import Contributor, ScoreTable

TOP = 3
"""How many are named, at most."""


def check_explainable(data: Dataset) -> None:
    """Refuse data whose rows have neither columns nor channels, before anything is computed.

    Raises
    ------
    InputError
        If it is of images.
    """
    if data.kind == "image":
        raise InputError(
            "--explain names columns of tables or channels of series, but these are images: use --heatmaps."
        )


def check_explained(table: ScoreTable, path: object) -> None:
    """Refuse a finished table that names no contributions, where they are asked for.

    Raises
    ------
    InputError
        If it was written without them.
    """
    if not table.top:
        raise InputError(f"{path} is finished, but was written without --explain: start anew with --force.")


def top_contributors(detector: Detector, data: Dataset) -> tuple[Contributor, ...]:
    """The columns or channels that contribute most to each row's score, in falling order, see `Detector.explain`.

    Parameters
    ----------
    detector : fitted.
    data : a table or series; of equal contributions the first column comes first.
    """
    k = data.x.shape[1]
    names = np.array(column_names(data))
    block, order, values = rows_at_once(data.x.shape), [np.empty((0, min(TOP, k)), int)], [np.empty((0, min(TOP, k)))]
    for start in range(0, len(data), block):
        rows = np.arange(start, min(start + block, len(data)))
        found = detector.explain(data.take(rows).x).contributions
        if found is None:
            raise InputError(f"{type(detector).__name__} tells no contributions of {data.kind} data.")
        order.append(np.argsort(-found, axis=1, kind="stable")[:, :TOP])
        values.append(np.take_along_axis(found, order[-1], axis=1))
    top, contribution = np.concatenate(order), np.concatenate(values)
    return tuple(Contributor(names[top[:, j]], contribution[:, j]) for j in range(top.shape[1]))


def column_names(data: Dataset) -> tuple[str, ...]:
    """The names of columns or channels, or their numbers from 0 where they have none."""
    kind, k = "channel" if data.kind == "series" else "column", data.x.shape[1]
    if data.columns is not None and len(data.columns) == k:
        return data.columns
    return tuple(f"{kind} {i}" for i in range(k))
