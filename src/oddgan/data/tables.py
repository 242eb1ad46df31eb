"""Tables with named columns: csv, parquet, and frames of pandas, polars and pyarrow."""

import contextlib
import csv
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import narwhals as nw
import numpy as np
from narwhals.exceptions import DuplicateError

from oddgan._core.errors import InputError
from oddgan._core.extras import load_extra

# What an empty cell looks like in a csv file, in lower case.
MISSING = frozenset({"", "?", "na", "n/a", "nan", "null"})
_DELIMITERS = ",;\t"
CELLS = 2**18  # of a piece of a table: some 20 MB as texts


class Table(NamedTuple):
    """Columns by name: floats with NaN where a value is missing, or objects that are texts or None.

    Parameters
    ----------
    source : how messages name the table.
    columns : the columns, all of one length.
    """

    source: str
    columns: dict[str, np.ndarray]

    @property
    def rows(self) -> int:
        """How many rows the table has."""
        return len(next(iter(self.columns.values()), ()))


def read_csv(path: Path) -> Table:
    """Read a csv file: a line of column names, then rows; separated by comma, semicolon or tab; UTF-8.

    Every column comes as texts; empty cells, NA, N/A, NaN, null and ? are missing.

    Raises
    ------
    InputError
        If there is no line of distinct names, or a row has another number of cells.
    """
    return next(csv_pieces(path, cells=None))


def csv_pieces(path: Path, cells: int | None = CELLS) -> Iterator[Table]:
    """Read a csv file piece by piece, as `read_csv` does; one piece at least.

    Parameters
    ----------
    path : the file.
    cells : about how many cells make a piece; None takes all.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            first = file.readline()
            file.seek(0)
            delimiter = max(_DELIMITERS, key=first.count)
            lines = csv.reader(file, delimiter=delimiter, strict=True)
            names = _header(path, [name.strip() for name in next(lines, [])])
            rows = _rows(path, lines, len(names))
            size = None if cells is None else max(1, cells // len(names))
            piece = list(islice(rows, size))
            while True:
                columns = zip(*piece, strict=True) if piece else [()] * len(names)
                yield Table(str(path), {name: _cells(column) for name, column in zip(names, columns, strict=True)})
                piece = [] if size is None else list(islice(rows, size))
                if not piece:
                    return
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text: store it as UTF-8, or as parquet.") from error
    except csv.Error as error:
        raise InputError(f"{path} can't be read as csv: {error}.") from error


def read_parquet(path: Path) -> Table:
    """Read a parquet file; needs the extra `parquet`.

    Raises
    ------
    InputError
        If the file is damaged or has columns that are neither numbers nor texts.
    """
    parquet = load_extra("pyarrow.parquet", "parquet")
    with _whole(path):
        frame = parquet.read_table(path)
    return read_frame(frame, str(path))


def parquet_pieces(path: Path, cells: int = CELLS) -> Iterator[Table]:
    """Read a parquet file piece by piece, as `read_parquet` does; one piece at least.

    Parameters
    ----------
    path : the file; a group of its rows is held compressed at a time.
    cells : about how many cells make a piece.
    """
    arrow = load_extra("pyarrow", "parquet")
    parquet = load_extra("pyarrow.parquet", "parquet")
    with _whole(path), parquet.ParquetFile(path, pre_buffer=False) as file:  # which would read far ahead
        empty = file.schema_arrow.empty_table()
        if not file.metadata.num_rows:
            yield read_frame(empty, str(path))
        for batch in file.iter_batches(max(1, cells // max(1, len(empty.column_names)))):
            yield read_frame(arrow.Table.from_batches([batch]), str(path))


def read_frame(frame: Any, source: str = "The frame") -> Table:
    """Take the columns of a frame: numbers and truth values as floats, texts and categories as texts.

    Parameters
    ----------
    frame : a frame of pandas, polars or pyarrow.
    source : how messages name it.

    Raises
    ------
    InputError
        If a column is neither numbers nor texts, e.g. a date, or two columns share a name.
    """
    columns = zip(frame_columns(frame) or (), nw.from_native(frame, eager_only=True).iter_columns(), strict=True)
    return Table(source, {name: _column(series, source) for name, series in columns})


def frame_columns(X: object) -> tuple[str, ...] | None:
    """The column names of a frame of pandas, polars or pyarrow, or None for anything else.

    Parameters
    ----------
    X : what may be a frame.

    Raises
    ------
    InputError
        If two columns share a name.
    """
    try:
        native = nw.from_native(X, eager_only=True, pass_through=True)
    except DuplicateError as error:
        raise InputError("The frame has several columns of one name: give each its own.") from error
    return tuple(str(name) for name in native.columns) if isinstance(native, nw.DataFrame) else None


@contextlib.contextmanager
def _whole(path: Path) -> Iterator[None]:
    arrow = load_extra("pyarrow", "parquet")
    try:
        yield
    except (OSError, arrow.ArrowException) as error:
        raise InputError(f"{path} can't be read: it is damaged, cut short or no parquet file ({error}).") from error


def _header(path: Path, names: list[str]) -> list[str]:
    if not names:
        raise InputError(f"{path} is empty; expected a line of column names and rows below it.")
    if all(_is_number(name) for name in names):
        raise InputError(f"{path} starts with numbers; expected a line of column names first.")
    if "" in names:
        raise InputError(
            f"{path} has no name for column {names.index('') + 1}: name it, or remove it if it is a row number."
        )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"{path} has several columns of the name {', '.join(twice)}: give each its own.")
    return names


def _rows(path: Path, lines: Any, width: int) -> Iterator[list[str]]:
    for cells in lines:
        if not cells:
            continue
        if len(cells) != width:
            raise InputError(f"{path} has {len(cells)} cells in line {lines.line_num}; expected {width}.")
        yield cells


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _cells(column: Sequence[str]) -> np.ndarray:
    # Few cells need a change, so look at the distinct ones first: a tenth of the time on a large file.
    changed = {cell: _cell(cell) for cell in set(column)}
    changed = {cell: value for cell, value in changed.items() if value != cell}
    return _objects([changed.get(cell, cell) for cell in column] if changed else column)


def _cell(cell: str) -> str | None:
    stripped = cell.strip()
    return None if stripped.lower() in MISSING else stripped


def _objects(values: Sequence[Any]) -> np.ndarray:
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def _column(series: "nw.Series[Any]", source: str) -> np.ndarray:
    kind = series.dtype
    if kind.is_numeric() or kind == nw.Boolean:
        return np.asarray(series.cast(nw.Float64).to_numpy(), dtype=np.float64)
    if kind in (nw.String, nw.Categorical, nw.Enum, nw.Object):
        pairs = zip(series.to_list(), series.is_null().to_list(), strict=True)
        return _objects([None if missing else str(value) for value, missing in pairs])
    raise InputError(f"{source} has the column {series.name} of type {kind}; expected numbers or texts.")
