"""Data inspection: columns, labels, duplicates, intrinsic dimension, suspect and typical rows."""

import hashlib
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddgan._core.errors import InputError
from oddgan.data.dataset import Dataset
from oddgan.data.intrinsic import IntrinsicDimension, LatentAdvice, intrinsic_dimension
from oddgan.data.labels import describe_labels, is_anomaly
from oddgan.data.suspects import Suspects, suspects
from oddgan.options import Kind

# Quantiles and distinct values are those of at most so many rows, evenly spaced.
ROWS = 10_000
SHOWN = 12
_ROUND = 1e-12


@dataclass(frozen=True)
class Column:
    """The values of a table's column, or of a channel; of finite ones but for the counts.

    Parameters
    ----------
    name : of the column or channel.
    least, q25, median, q75, most, mean, std : of its values; None without any. Quantiles are of at most 10 000 rows.
    nan, infinite : how many values are missing, and how many are infinite.
    constant : whether all values are equal.
    """

    name: str
    least: float | None
    q25: float | None
    median: float | None
    q75: float | None
    most: float | None
    mean: float | None
    std: float | None
    nan: int
    infinite: int
    constant: bool


@dataclass(frozen=True)
class Suspect:
    """A row that does not seem to belong.

    Parameters
    ----------
    row, id : its number, from 0, and its name.
    score : the exponent of the rows expected that far out, see `oddgan.data.suspects.Suspects`; suspect from 1 on.
    reason : what is odd about it.
    label : as given, or None.
    """

    row: int
    id: str
    score: float
    reason: str
    label: str | None


@dataclass(frozen=True)
class Inspection:
    """What is in a data set.

    Parameters
    ----------
    source : where it comes from.
    kind, shape, dtype, n : of the data; the shape is that of one row.
    split : the half that was read, of a source with two.
    columns : of a table; the channels of other kinds.
    constant_values : how many of a row's values are the same in all rows.
    duplicates : numbers of the rows that equal an earlier one in every value.
    conflicting : how many of those have another label than the first one like them.
    shared : numbers of the rows that are in the other half, too; None where there is none.
    incomplete : numbers of the rows with values that are no finite numbers.
    labels : the labels and how often each occurs, in words; None without labels.
    normal : the label that is taken for that of normal rows; None without labels.
    anomalies : the share of rows labelled as anomalies; None where no row has that label.
    dimension, advice : the intrinsic dimension, and the size of a latent space that follows; None where it can't be
        estimated.
    looked_at : how many rows were looked at for suspects.
    suspects : the most suspect rows first.
    typical : numbers of rows in the middle of the data.
    notes : what the user should know.
    data : the rows themselves, not part of any document.
    """

    source: str
    kind: Kind
    shape: tuple[int, ...]
    dtype: str
    n: int
    split: str | None
    columns: tuple[Column, ...]
    constant_values: int
    duplicates: tuple[int, ...]
    conflicting: int
    shared: tuple[int, ...] | None
    incomplete: tuple[int, ...]
    labels: str | None
    normal: str | None
    anomalies: float | None
    dimension: IntrinsicDimension | None
    advice: LatentAdvice | None
    looked_at: int
    suspects: tuple[Suspect, ...]
    typical: tuple[int, ...]
    notes: tuple[str, ...]
    data: Dataset = field(repr=False, compare=False)


def inspect(
    data: Dataset,
    *,
    source: str = "the data",
    other: Dataset | None = None,
    normal: str | int | None = None,
    seed: int = 0,
) -> Inspection:
    """Look at a data set; nothing is trained, and labels have no part in what is suspected.

    Large data is sampled: 2000 rows for the dimension and 10 000 for suspects, at random, and quantiles from 10 000.

    Parameters
    ----------
    data : the rows; values that are no finite numbers are counted, and their rows left out of all estimates.
    source : how the result names the data.
    other : the source's other half, to look for rows that are in both.
    normal : the label of normal rows; None as in `is_anomaly`.
    seed : of the samples.
    """
    data = replace(data, x=np.asarray(data.x))  # all rows are compared with each other
    x = np.asarray(data.x)
    finite, flat = _finite(x), x.reshape(len(data), -1)
    complete = np.flatnonzero(finite)
    keys, notes = _digests(flat), list(data.notes)
    dimension, found = _estimates(flat[complete], data, seed, notes)
    return Inspection(
        source=source,
        **_shape(data),
        columns=tuple(_columns(data)),
        constant_values=_constant(flat[complete]),
        **_repeated(keys, data.y),
        shared=None if other is None else _also_in(keys, _digests(np.asarray(other.x).reshape(len(other), -1))),
        incomplete=tuple(np.flatnonzero(~finite).tolist()),
        **_labels(data.y, normal),
        dimension=dimension,
        advice=None if dimension is None else dimension.advice(),
        **_rows(found, complete, data),
        notes=tuple(notes),
        data=data,
    )


def _shape(data: Dataset) -> dict[str, Any]:
    """The fields about the whole."""
    shape, dtype = data.x.shape[1:], str(data.x.dtype)
    return {"kind": data.kind, "shape": shape, "dtype": dtype, "n": len(data), "split": data.reading.split}


def _finite(x: NDArray[Any]) -> NDArray[np.bool_]:
    """Which rows hold finite numbers only, (n,)."""
    if x.dtype.kind != "f":
        return np.ones(len(x), dtype=bool)
    return np.asarray(np.isfinite(x.reshape(len(x), -1)).all(axis=1))


def _constant(flat: NDArray[Any]) -> int:
    """How many values are the same in all rows."""
    return int((np.ptp(flat, axis=0) == 0).sum()) if len(flat) else 0


def _estimates(
    flat: NDArray[Any], data: Dataset, seed: int, notes: list[str]
) -> tuple[IntrinsicDimension | None, Suspects | None]:
    """What complete rows tell; notes say what they don't."""
    if len(flat) < len(data):
        notes.append(f"{len(data) - len(flat)} rows with missing or infinite values are left out of all estimates.")
    scaled = _scaled(flat, data.kind) if len(flat) else np.zeros((0, 1))
    return _dimension(scaled, seed, notes), _suspects(scaled, seed, notes)


def _rows(found: Suspects | None, complete: NDArray[np.int64], data: Dataset) -> dict[str, Any]:
    """The fields about single rows."""
    if found is None:
        return {"looked_at": 0, "suspects": (), "typical": ()}
    named, typical = tuple(_named(found, complete, data)), tuple(complete[found.typical[:SHOWN]].tolist())
    return {"looked_at": len(found.rows), "suspects": named, "typical": typical}


def _columns(data: Dataset) -> list[Column]:
    """The columns of a table, or the channels."""
    x = np.asarray(data.x)
    names = data.columns or [f"{'column' if data.kind == 'table' else 'channel'} {i}" for i in range(x.shape[1])]
    return [_column(name, x[:, i]) for i, name in enumerate(names)]


def _column(name: str, values: NDArray[Any]) -> Column:
    finite = np.isfinite(values) if values.dtype.kind == "f" else np.ones(values.shape, dtype=bool)
    nan = int(np.isnan(values).sum()) if values.dtype.kind == "f" else 0
    known = values if finite.all() else values[finite]
    counts = {"nan": nan, "infinite": int(values.size - finite.sum()) - nan}
    if not known.size:
        return Column(name, None, None, None, None, None, None, None, constant=False, **counts)
    some = values[:: max(1, len(values) // ROWS)]
    some = some[np.isfinite(some)] if some.dtype.kind == "f" else some.ravel()
    q25, median, q75 = np.quantile(some.astype(np.float64), [0.25, 0.5, 0.75]).tolist() if some.size else [None] * 3
    mean, std = float(known.mean(dtype=np.float64)), float(known.std(dtype=np.float64))
    least, most = float(known.min()), float(known.max())
    return Column(name, least, q25, median, q75, most, mean, std, constant=least == most, **counts)


def _digests(flat: NDArray[Any]) -> list[bytes]:
    """A short name for each row's values; equal values have equal names."""
    rows = np.ascontiguousarray(flat + 0 if flat.dtype.kind == "f" else flat)  # -0.0 becomes 0.0
    return [hashlib.blake2b(row.tobytes(), digest_size=16).digest() for row in rows]


def _repeated(keys: list[bytes], y: NDArray[Any] | None) -> dict[str, Any]:
    """The fields about rows that equal an earlier one."""
    first: dict[bytes, int] = {}
    rows = [i for i, key in enumerate(keys) if first.setdefault(key, i) != i]
    conflicting = 0 if y is None else sum(bool(y[i] != y[first[keys[i]]]) for i in rows)
    return {"duplicates": tuple(rows), "conflicting": conflicting}


def _also_in(keys: list[bytes], other: list[bytes]) -> tuple[int, ...]:
    known = set(other)
    return tuple(i for i, key in enumerate(keys) if key in known)


def _scaled(flat: NDArray[Any], kind: Kind) -> NDArray[np.float64]:
    """Rows whose values compare: a table's columns get median 0 and a robust standard deviation of 1."""
    if kind != "table":
        return flat.astype(np.float64) if len(flat) * flat.shape[1] < 2e7 else flat.astype(np.float32)
    low, middle, high = np.quantile(flat, [0.25, 0.5, 0.75], axis=0)
    spread = (high - low) / 1.349  # that of a normal column is its standard deviation
    deviation = flat.std(axis=0)
    # A column whose middle half is one value has none.
    spread = np.where(spread > _ROUND * deviation, spread, deviation)
    scaled: NDArray[np.float64] = (flat - middle) / np.where(spread > 0, spread, 1.0)
    return scaled


def _dimension(scaled: NDArray[np.floating[Any]], seed: int, notes: list[str]) -> IntrinsicDimension | None:
    try:
        found = intrinsic_dimension(scaled, seed=seed)
    except InputError as error:
        notes.append(f"The intrinsic dimension is not known: {error}")
        return None
    if found.n < len(scaled):
        notes.append(f"The intrinsic dimension is estimated from {found.n} of {len(scaled)} rows.")
    return found


def _suspects(scaled: NDArray[np.floating[Any]], seed: int, notes: list[str]) -> Suspects | None:
    try:
        found = suspects(scaled, seed=seed)
    except InputError as error:
        notes.append(f"No row is suspected, since nothing can be said: {error}")
        return None
    if len(found.rows) < len(scaled):
        notes.append(f"Suspects were looked for among {len(found.rows)} of {len(scaled)} rows, drawn at random.")
    return found


def _named(found: Suspects, complete: NDArray[np.int64], data: Dataset) -> list[Suspect]:
    score = dict(zip(found.rows.tolist(), found.score.tolist(), strict=True))
    return [
        Suspect(
            row=int(complete[row]),
            id=str(data.ids[complete[row]]),
            score=score[row],
            reason=found.reason(row),
            label=None if data.y is None else str(data.y[complete[row]]),
        )
        for row in found.most_suspect.tolist()
    ]


def _labels(y: NDArray[Any] | None, normal: str | int | None) -> dict[str, Any]:
    """The fields about labels (n,): what there is, which means normal, and the share of anomalies."""
    if y is None:
        return {"labels": None, "normal": None, "anomalies": None}
    anomalous = is_anomaly(y, normal)
    taken = str(normal) if normal is not None else "0" if y.dtype.kind != "U" else "normal, good or 0"
    share = None if anomalous.all() else float(anomalous.mean())
    return {"labels": describe_labels(y), "normal": taken, "anomalies": share}
