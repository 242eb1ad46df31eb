"""Labelled rows, and which of them a model has seen."""

import hashlib

import numpy as np
from numpy.typing import NDArray

from oddgan._core.errors import InputError
from oddgan.data import Dataset, is_anomaly


def labels_of(data: Dataset, instead: str) -> NDArray[np.bool_]:
    """Which rows are anomalous, (n,).

    Parameters
    ----------
    data : the rows.
    instead : what else to do without labels, for the message.

    Raises
    ------
    InputError
        If there are no labels.
    """
    if data.y is None:
        raise InputError(
            "The data has no labels to compare with: name their column with --label or their array with --y, "
            f"{instead}."
        )
    return is_anomaly(data.y, data.reading.normal)


def row_marks(data: Dataset) -> NDArray[np.int64]:
    """Numbers (n,) by which rows are known again: 64 bits of a hash of each row's id and values."""
    marks, pairs = np.empty(len(data), dtype="<i8"), zip(data.ids, data.x, strict=True)
    for i, (name, row) in enumerate(pairs):
        marks[i] = int.from_bytes(
            hashlib.blake2b(f"{name}\n".encode() + row.tobytes(), digest_size=8).digest(), "little", signed=True
        )
    return marks.astype(np.int64)


def among(data: Dataset, marks: np.ndarray | None) -> NDArray[np.bool_]:
    """Which rows (n,) have one of these marks; none where there are no marks."""
    return np.zeros(len(data), dtype=np.bool_) if marks is None else np.isin(row_marks(data), marks)
