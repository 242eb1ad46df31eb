"""Labels: which rows are normal, which are anomalous."""

import numpy as np

from oddgan._core.errors import InputError
from oddgan._core.text import texts_if
from oddgan.data.dataset import Dataset
from oddgan.data.patterns import TRUTH_VALUES

NORMAL_TEXTS = ("normal", "good", "0")


def clean_labels(y: np.ndarray, n: int, source: str) -> np.ndarray:
    """Bring labels into one of two forms: (n,) int64 or (n,) text.

    Parameters
    ----------
    y : labels as found, (n,) or (n, 1); true counts as 1.
    n : how many samples there are.
    source : how messages name the data.

    Raises
    ------
    InputError
        If there are not n labels, or they are neither whole numbers nor texts, or some are missing.
    """
    y = np.asarray(y)
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.shape != (n,):
        raise InputError(f"{source} has labels of shape {y.shape} for {n} samples; expected one label a sample.")
    if y.dtype.kind in "US":
        return y.astype(np.str_)
    if y.dtype.kind not in "biuf":
        raise InputError(f"{source} has labels of type {y.dtype}; expected whole numbers or texts.")
    fractions = np.flatnonzero(~(np.isfinite(y) & (y == np.round(y))))
    if len(fractions):
        raise InputError(
            f"{source} has {len(fractions)} labels that are missing or no whole numbers, the first in row "
            f"{fractions[0]}: {y[fractions[0]]}; expected whole numbers or texts."
        )
    return y.astype(np.int64)


def is_anomaly(y: np.ndarray, normal: str | int | None = None) -> np.ndarray:
    """Say which labels mean an anomaly, (n,) bool.

    Parameters
    ----------
    y : labels, (n,) whole numbers or texts.
    normal : the label of normal rows; 3 and "3" mean the same. None means 0 among numbers, and any of normal, good
        and 0 (in any case) among texts.

    Raises
    ------
    InputError
        If the labels are numbers and `normal` is none.
    """
    y = clean_labels(y, np.size(y), "The data")
    if y.dtype.kind == "U":
        if normal is None:
            return ~np.isin(np.char.lower(y), NORMAL_TEXTS)
        return np.asarray(y != str(normal))
    return np.asarray(y != _number(normal, y))


def select_normal(dataset: Dataset, normal: str | int | None = None) -> tuple[Dataset, int]:
    """Keep the normal rows; without labels every row counts as normal.

    Parameters
    ----------
    dataset : the data, at least two rows of it normal.
    normal : the label of normal rows; None as in `is_anomaly`.

    Returns
    -------
    the normal rows, and how many rows were dropped.

    Raises
    ------
    InputError
        If no label, or only one, is the normal one; the message lists the labels that there are.
    """
    if dataset.y is None:
        if normal is not None:
            raise InputError(f"The data has no labels, so the rows of label {normal!r} can't be chosen: remove it.")
        return dataset, 0
    anomalous = is_anomaly(dataset.y, normal)
    rows = np.flatnonzero(~anomalous)
    if len(rows) == 0:
        wanted = "0 (or 'normal' or 'good')" if normal is None else repr(normal)
        raise InputError(
            f"No row has the label {wanted}; the labels are {describe_labels(dataset.y)}: choose the normal one "
            "with --normal."
        )
    if len(rows) == 1:
        raise InputError(f"Only one of {len(dataset)} rows is normal; at least 2 are needed to learn from.")
    return dataset.take(rows), int(anomalous.sum())


def describe_labels(y: np.ndarray, most: int = 12) -> str:
    """Name the labels (n,) and how often each occurs.

    >>> describe_labels(np.array([3, 0, 3]))
    '0 (1 row), 3 (2 rows)'
    """
    values, counts = np.unique(y, return_counts=True)
    pairs = zip(values[:most].tolist(), counts[:most].tolist(), strict=True)
    named = [f"{v} ({c} row{'s' * (c != 1)})" for v, c in pairs]
    more = len(values) - most
    return ", ".join(named + texts_if((more > 0, f"and {more} more")))


def _number(normal: str | int | None, y: np.ndarray) -> int:
    truth = TRUTH_VALUES.get(str(normal).lower())  # csv files and frames hold them as 1 and 0
    try:
        value = float(0 if normal is None else normal) if truth is None else truth
    except ValueError:
        value = np.nan
    if not value.is_integer():
        raise InputError(f"The normal label is {normal!r}, but the labels are numbers: {describe_labels(y)}.")
    return int(value)
