"""Tables with named columns: csv, parquet, and frames of pandas, polars and pyarrow."""

import contextlib
import csv
import datetime
import numbers
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import narwhals as nw
import numpy as np
from narwhals.exceptions import DuplicateError, NarwhalsError

from oddgan._core.damage import brief
from oddgan._core.errors import InputError
from oddgan._core.extras import load_extra
from oddgan.data.header import header, refuse_nameless
from oddgan.data.numeric_csv import read_numbers
from oddgan.data.selection import drop_flag

# What an empty cell looks like in a csv file, in lower case.
MISSING = frozenset({"", "?", "na", "n/a", "nan", "null"})
_DELIMITERS = ",;\t|"
_QUOTED = re.compile(r'"[^"]*"')
CELLS = 2**18  # of a piece of a table: some 20 MB as texts
_TEXTS = (nw.String, nw.Categorical, nw.Enum, nw.Object)

Select = Callable[[str, Sequence[str]], Sequence[str]]
"""From the name of a table and those of its columns to those of the columns to read."""


def every(source: str, names: Sequence[str]) -> Sequence[str]:
    """Select all columns."""
    del source
    return names


def row_number(row: int) -> str:
    """Name a row in a message."""
    return f"row {row}"


class Table(NamedTuple):
    """Columns by name: floats with NaN where a value is missing, or objects that are texts or None.

    Parameters
    ----------
    source : how messages name the table.
    columns : the columns, all of one length.
    place : how messages name a row of the whole table.
    names : all columns of the table, with those that were not selected.
    """

    source: str
    columns: dict[str, np.ndarray]
    place: Callable[[int], str] = row_number
    names: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """How many rows the table has."""
        return len(next(iter(self.columns.values()), ()))


def read_csv(path: Path, select: Select = every, *, texts_matter: bool = True) -> Table:
    """Read a csv file: a line of column names, then rows; separated by comma, semicolon, tab or bar; UTF-8.

    Every column comes as texts; empty cells, NA, N/A, NaN, null and ? are missing.

    Parameters
    ----------
    path : the file.
    select : which columns to read. One without a name is called `column` and its number.
    texts_matter : whether somebody looks at how numbers are written; otherwise the columns of a file of nothing but
        finite numbers come as floats, in a tenth of the time.

    Raises
    ------
    InputError
        If there is no line of distinct names, or a row has another number of cells.
    """
    table = None if texts_matter else _numbers_of(path, select)
    return next(csv_pieces(path, select, cells=None)) if table is None else table


def _numbers_of(path: Path, select: Select) -> Table | None:
    """The table of a csv file that holds nothing but finite numbers; None for any other."""
    with _csv(path) as lines:
        names = header(path, next(lines, []))
        wanted = set(select(str(path), names))
        refuse_nameless(path, [name for name in names if name in wanted])
        found = read_numbers(path, lines.dialect.delimiter, lines.line_num, len(names))
    if found is None:
        return None
    columns = {str(name): column for name, column in zip(names, found.T, strict=True) if name in wanted}
    return Table(str(path), columns, partial(_line, path), tuple(names))


def csv_pieces(path: Path, select: Select = every, cells: int | None = CELLS) -> Iterator[Table]:
    """Read a csv file piece by piece, as `read_csv` does; one piece at least.

    Parameters
    ----------
    path : the file.
    select : which columns to read.
    cells : about how many cells make a piece; None takes all.
    """
    with _csv(path) as lines:
        names = header(path, next(lines, []))
        wanted = set(select(str(path), names))
        refuse_nameless(path, [name for name in names if name in wanted])
        rows = _rows(path, lines, len(names))
        size = None if cells is None else max(1, cells // len(names))
        piece = list(islice(rows, size))
        while True:
            columns = zip(names, zip(*piece, strict=True) if piece else [()] * len(names), strict=True)
            texts = {str(name): _cells(column) for name, column in columns if name in wanted}
            yield Table(str(path), texts, partial(_line, path), tuple(names))
            piece = [] if size is None else list(islice(rows, size))
            if not piece:
                return


def read_parquet(path: Path, select: Select = every) -> Table:
    """Read a parquet file; needs the extra `parquet`.

    Parameters
    ----------
    path : the file.
    select : which columns to read.

    Raises
    ------
    InputError
        If the file is damaged or has columns that are neither numbers nor texts.
    """
    parquet = load_extra("pyarrow.parquet", "parquet")
    with _whole(path):
        frame = parquet.read_table(path)
    return read_frame(frame, str(path), select)


def parquet_pieces(path: Path, select: Select = every, cells: int = CELLS) -> Iterator[Table]:
    """Read a parquet file piece by piece, as `read_parquet` does; one piece at least.

    Parameters
    ----------
    path : the file; a group of its rows is held compressed at a time.
    select : which columns to read.
    cells : about how many cells make a piece.
    """
    arrow = load_extra("pyarrow", "parquet")
    parquet = load_extra("pyarrow.parquet", "parquet")
    with _whole(path), parquet.ParquetFile(path, pre_buffer=False) as file:  # which would read far ahead
        empty = file.schema_arrow.empty_table()
        if not file.metadata.num_rows:
            yield read_frame(empty, str(path), select)
        for batch in file.iter_batches(max(1, cells // max(1, len(empty.column_names)))):
            yield read_frame(arrow.Table.from_batches([batch]), str(path), select)


def read_frame(frame: Any, source: str = "The frame", select: Select = every) -> Table:
    """Take the columns of a frame: numbers and truth values as floats, texts and categories as texts.

    Parameters
    ----------
    frame : a frame of pandas, polars or pyarrow.
    source : how messages name it.
    select : which columns to take.

    Raises
    ------
    InputError
        If a column is neither numbers nor texts, e.g. a date, or two columns share a name.
    """
    names = tuple(" ".join(name.splitlines()) for name in frame_columns(frame) or ())
    wanted = set(select(source, names))
    columns = zip(names, nw.from_native(frame, eager_only=True).iter_columns(), strict=True)
    taken = {name: _column(series, name, source) for name, series in columns if name in wanted}
    return Table(source, taken, names=names)


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
        return tuple(str(name) for name in native.columns) if isinstance(native, nw.DataFrame) else None
    except DuplicateError as error:
        raise InputError("The frame has several columns of one name: give each its own.") from error


@contextlib.contextmanager
def _csv(path: Path) -> Iterator[Any]:
    """A reader of the lines of a csv file, the first of which tells what separates cells."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            first = _QUOTED.sub("", file.readline())
            file.seek(0)
            delimiter = max(_DELIMITERS, key=first.count)
            lines = csv.reader(file, delimiter=delimiter, strict=True, skipinitialspace=True)
            yield lines
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text: store it as UTF-8, or as parquet.") from error
    except csv.Error as error:
        raise InputError(f"{path} can't be read as csv, line {lines.line_num}: {brief(error)}.") from error


def _line(path: Path, row: int) -> str:
    """Name a row of a csv file by the line that it ends in; the file is read again up to there."""
    with _csv(path) as lines:
        next(islice((cells for cells in lines if cells), row + 1, None), None)
        return f"line {lines.line_num}"


@contextlib.contextmanager
def _whole(path: Path) -> Iterator[None]:
    arrow = load_extra("pyarrow", "parquet")
    try:
        yield
    except (OSError, arrow.ArrowException) as error:
        raise InputError(
            f"{path} can't be read: it is damaged, cut short or no parquet file ({brief(error)})."
        ) from error


def _rows(path: Path, lines: Any, width: int) -> Iterator[list[str]]:
    empty = 0
    for cells in lines:
        if not cells:
            empty = empty or lines.line_num
            continue
        if empty and width == 1:  # a missing value, perhaps; with more columns it has no separators, and is none
            raise InputError(f"{path} has one column, and line {empty} is empty: remove it, or write NA for a value.")
        if len(cells) != width:
            raise InputError(f"{path} has {len(cells)} cells in line {lines.line_num}; expected {width}.")
        yield cells


def _cells(column: Sequence[str | None]) -> np.ndarray:
    # Few cells need a change, so look at the distinct ones first: a tenth of the time on a large file.
    different = {cell: _cell(cell) for cell in set(column) if cell is not None}
    changed: dict[str | None, str | None] = {cell: value for cell, value in different.items() if value != cell}
    return _objects([changed.get(cell, cell) for cell in column] if changed else column)


def _cell(cell: str) -> str | None:
    stripped = cell.strip()
    return None if stripped.lower() in MISSING else stripped


def _objects(values: Sequence[Any]) -> np.ndarray:
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def _column(series: "nw.Series[Any]", name: str, source: str) -> np.ndarray:
    kind = series.dtype
    try:
        if kind.is_numeric() or kind == nw.Boolean:
            return np.asarray(series.cast(nw.Float64).to_numpy(), dtype=np.float64)
        if kind in _TEXTS:
            pairs = zip(series.to_list(), series.is_null().to_list(), strict=True)
            return _cells([None if missing else _text(value) for value, missing in pairs])
        if series.null_count() == len(series):
            return np.full(len(series), np.nan)
        problem = f"of type {getattr(series.to_native(), 'dtype', kind) if kind == nw.Unknown else kind}"
    except (ValueError, TypeError, ArithmeticError, NarwhalsError) as error:
        problem = f"that can't be read ({brief(error)})"
    raise InputError(
        f"{source} has the column {name} {problem}; expected numbers or texts: leave it out with {drop_flag(name)}."
    )


def _text(value: Any) -> str:
    if isinstance(value, str | numbers.Number | np.generic | datetime.date | datetime.time):
        return str(value)
    raise TypeError(f"it holds a value of type {type(value).__name__}")
