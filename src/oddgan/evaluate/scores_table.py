"""The table of scores that `score`, `fit` and `evaluate` write: .csv, .npz or .parquet, at full precision."""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from oddgan._core.damage import brief
from oddgan._core.errors import InputError
from oddgan._core.extras import load_extra
from oddgan._core.files import new_file
from oddgan._core.npy import Archive
from oddgan._core.paths import regular_file

SUFFIXES = (".csv", ".npz", ".parquet")
_FIXED = ("row", "id", "anomaly_score", "is_anomaly", "p_value", "label")
_REQUIRED = _FIXED[:4]
_PREFIX = "component:"
_BLOCK = 2**14  # lines of a csv file that are held as texts at once
_TOP, _CONTRIBUTION = "top_", "contribution_"


class Contributor(NamedTuple):
    """The column or channel that contributes most to each row's score, or second most, and so on.

    Parameters
    ----------
    name : (n,) text, of the column or channel.
    contribution : (n,) of it to the score.
    """

    name: NDArray[np.str_]
    contribution: NDArray[np.float64]


@dataclass(frozen=True)
class ScoreTable:
    """One line for each scored row.

    Parameters
    ----------
    row : (n,) integers, the row's number in the data.
    id : (n,) text, what the user knows it by (a file name, an index).
    anomaly_score : (n,) higher = more anomalous.
    is_anomaly : (n,) booleans, flagged: anomaly_score > threshold.
    p_value : (n,) conformal p-values, or None.
    label : (n,) booleans, True for a labelled anomaly, or None without labels.
    components : name -> (n,), the parts of the score.
    top : what contributes most to each row's score, second most, ...; in the file as `top_1` with `contribution_1`,
        `top_2` with `contribution_2`, ...
    """

    row: NDArray[np.int64]
    id: NDArray[np.str_]
    anomaly_score: NDArray[np.float64]
    is_anomaly: NDArray[np.bool_]
    p_value: NDArray[np.float64] | None = None
    label: NDArray[np.bool_] | None = None
    components: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    top: tuple[Contributor, ...] = ()

    def __post_init__(self) -> None:
        for name, values in self.columns().items():
            if values.shape != self.row.shape or values.ndim != 1:
                raise InputError(f"Column {name!r} has the shape {values.shape}, but there are {len(self.row)} rows.")

    def __len__(self) -> int:
        return len(self.row)

    def columns(self) -> dict[str, NDArray[Any]]:
        """Every column (n,) by its name in the file."""
        fixed = {name: getattr(self, name) for name in _FIXED}
        parts = {_PREFIX + name: values for name, values in self.components.items()}
        top: dict[str, NDArray[Any]] = {}
        for i, found in enumerate(self.top, start=1):
            top |= {f"{_TOP}{i}": found.name, f"{_CONTRIBUTION}{i}": found.contribution}
        return {name: values for name, values in fixed.items() if values is not None} | parts | top

    @classmethod
    def of(cls, columns: Mapping[str, Any]) -> Self:
        """Build the table from named columns, of text or of numbers."""
        missing, unknown = [c for c in _REQUIRED if c not in columns], _unknown(columns)
        if missing or unknown:
            raise InputError(f"columns are missing: {missing}; unknown: {unknown}")
        p_value, label = columns.get("p_value"), columns.get("label")
        return cls(
            row=np.asarray(columns["row"]).astype(np.int64),
            id=np.asarray(columns["id"]).astype(np.str_),
            anomaly_score=_floats(columns["anomaly_score"]),
            is_anomaly=_booleans(columns["is_anomaly"]),
            p_value=None if p_value is None else _floats(p_value),
            label=None if label is None else _booleans(label),
            components={k.removeprefix(_PREFIX): _floats(v) for k, v in columns.items() if k.startswith(_PREFIX)},
            top=tuple(
                Contributor(np.asarray(columns[name]).astype(np.str_), _floats(columns[contribution]))
                for name, contribution in _top_columns(columns)
            ),
        )


def write_scores(path: str | Path, table: ScoreTable, *, force: bool = False) -> None:
    """Write the table in the format that the suffix names.

    Parameters
    ----------
    path : ends in .csv, .npz or .parquet (the last needs the extra `parquet`).
    table : the scores.
    force : replace an existing file.

    Raises
    ------
    InputError
        If the suffix is unknown, or the file exists without `force`.
    """
    target = Path(path)
    check_suffix(target)
    columns = table.columns()
    with new_file(target, force=force) as temporary:
        if target.suffix == ".csv":
            _write_csv(temporary, columns)
        elif target.suffix == ".npz":
            np.savez_compressed(temporary, allow_pickle=False, **columns)
        else:
            arrow, parquet = load_extra("pyarrow", "parquet"), load_extra("pyarrow.parquet", "parquet")
            parquet.write_table(arrow.table({k: v.tolist() for k, v in columns.items()}), temporary)


def check_suffix(path: Path) -> None:
    """Say early, before anything is computed, that a table can't be written under this name."""
    if path.suffix not in SUFFIXES:
        raise InputError(f"{path} has the suffix {path.suffix!r}: scores are written as {', '.join(SUFFIXES)}.")


def read_scores(path: str | Path) -> ScoreTable:
    """Read a table that `write_scores` wrote.

    Raises
    ------
    InputError
        If the file is missing, cut short, or not such a table.
    """
    source = Path(path)
    check_suffix(source)
    try:
        return ScoreTable.of(_read(source))
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise InputError(f"{source} can't be read as a table of scores: {brief(error)}.") from error


def _read(source: Path) -> Mapping[str, Any]:
    regular_file(source)
    if source.suffix == ".csv":
        return _read_csv(source)
    if source.suffix == ".npz":
        return read_npz(source)
    parquet = load_extra("pyarrow.parquet", "parquet")
    return dict(parquet.read_table(source).to_pydict())


def read_npz(source: Path) -> dict[str, NDArray[Any]]:
    """Read every array (n, ...) of an .npz file, without pickles; a file that is not one raises InputError."""
    with Archive(source) as file:
        return {name: file.read(name) for name in file.keys}


def _write_csv(path: Path, columns: Mapping[str, NDArray[Any]]) -> None:
    n = max(map(len, columns.values()), default=0)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        for start in range(0, n, _BLOCK):
            block = (values[start : start + _BLOCK] for values in columns.values())
            writer.writerows(zip(*map(_texts, block), strict=True))


def _texts(values: NDArray[Any]) -> Iterable[str]:
    """Values as csv holds them: truth values as 0 and 1, floats in the fewest digits that give them back."""
    if values.dtype.kind == "b":
        values = values.astype(np.int8)
    return map(repr if values.dtype.kind == "f" else str, values.tolist())


def _read_csv(path: Path) -> dict[str, list[str]]:
    text = path.read_text(encoding="utf-8")
    if not text.endswith("\n"):
        raise ValueError("its last line has no end, so it is cut short")
    header, *rows = list(csv.reader(io.StringIO(text, newline="")))
    for number, row in enumerate(rows, start=2):
        if len(row) != len(header):
            raise ValueError(f"line {number} has {len(row)} values where the header names {len(header)}")
    return {name: [row[i] for row in rows] for i, name in enumerate(header)}


def _unknown(columns: Mapping[str, Any]) -> list[str]:
    known = {*_FIXED, *(name for pair in _top_columns(columns) for name in pair)}
    return [c for c in columns if c not in known and not c.startswith(_PREFIX)]


def _top_columns(columns: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The columns on what contributes most, second most, ..., as far as both of a pair are there."""
    pairs = [(f"{_TOP}{i}", f"{_CONTRIBUTION}{i}") for i in range(1, len(columns) + 1)]
    return list(takewhile(lambda pair: set(pair) <= columns.keys(), pairs))


def _floats(values: Any) -> NDArray[np.float64]:
    return np.asarray(values).astype(np.float64)


def _booleans(values: Any) -> NDArray[np.bool_]:
    numbers = _floats(values)
    if not np.all(np.isin(numbers, (0, 1))):
        raise ValueError("is_anomaly and label must be 0 or 1")
    return numbers.astype(np.bool_)
