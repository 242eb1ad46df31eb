"""Read csv files: a line of column names, then rows; files of nothing but numbers in a tenth of the time."""

import contextlib
import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from oddgan._core.damage import brief
from oddgan._core.errors import InputError
from oddgan.data.dataset import Raw, Reading
from oddgan.data.encoding import encode, encode_mapped, known_texts
from oddgan.data.patterns import is_number
from oddgan.data.tables import CELLS, Select, Table, cells_of, drop_flag, every, selected
from oddgan.options import Options

_DELIMITERS = ",;\t|"
_QUOTED = re.compile(r'"[^"]*"')
_DIGITS = b"0123456789+-.eE\r\n"
_CHUNK = 2**20


def load_csv(path: Path, options: Options, like: Reading | None, *_: object) -> Raw:
    """Read a csv file as a table of numbers (n, d), piece by piece where it is to be mapped."""
    select = partial(selected, options=options, like=like)
    if options.mapped:
        return encode_mapped(lambda: csv_pieces(path, select), options, like)
    texts_matter = bool(options.categorical) or any(texts is not None for texts in known_texts(like).values())
    return encode(read_csv(path, select, texts_matter=texts_matter), options, like)


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
            texts = {str(name): cells_of(column) for name, column in columns if name in wanted}
            yield Table(str(path), texts, partial(_line, path), tuple(names))
            piece = [] if size is None else list(islice(rows, size))
            if not piece:
                return


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


class _Nameless(str):
    """What a column is called that has no name."""

    __slots__ = ()


def header(path: Path, cells: Sequence[str]) -> list[str]:
    """The names of the columns, on one line each; a column without one is called `column` and its number.

    Parameters
    ----------
    path : the file, for messages.
    cells : the first line.

    Raises
    ------
    InputError
        If there are no names, or several columns share one.
    """
    names = [" ".join(cell.strip().splitlines()) for cell in cells]
    if not names:
        raise InputError(f"{path} is empty; expected a line of column names and rows below it.")
    if all(is_number(name) for name in names):
        raise InputError(f"{path} starts with numbers; expected a line of column names first.")
    names = [name or _Nameless(f"column {i}") for i, name in enumerate(names, start=1)]
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise InputError(f"{path} has several columns of the name {', '.join(twice)}: give each its own.")
    return names


def refuse_nameless(path: Path, names: Sequence[str]) -> None:
    """Refuse to read a column that has no name.

    Parameters
    ----------
    path : the file, for messages.
    names : what `header` calls the columns that are to be read.

    Raises
    ------
    InputError
        If one of them has no name.
    """
    first = next((name for name in names if isinstance(name, _Nameless)), None)
    if first is not None:
        raise InputError(
            f"{path} has no name for {first}: name it, or leave it out with {drop_flag(first)} if it holds row numbers "
            "or nothing."
        )


def read_numbers(path: Path, delimiter: str, skipped: int, width: int) -> np.ndarray | None:
    """Read the rows of a csv file as float64 (n, width), each cell with the value that `float` gives its text.

    None if a cell is anything but digits with a sign, a decimal point and an exponent, if it is no finite number, if a
    row has another number of cells, or if there is one column, where an empty line may be a missing value: then the
    file is to be read cell by cell, which says what is wrong.

    Parameters
    ----------
    path : the file.
    delimiter : what separates cells.
    skipped : lines of the header.
    width : cells of a row.
    """
    if width == 1 or not _only_digits(path, delimiter.encode(), skipped):
        return None
    try:
        found = np.loadtxt(
            path, delimiter=delimiter, skiprows=skipped, comments=None, ndmin=2, encoding="utf-8", dtype=np.float64
        )
    except ValueError:
        return None
    return found if found.shape[1] == width and np.isfinite(found).all() else None


def _only_digits(path: Path, delimiter: bytes, skipped: int) -> bool:
    """Whether all rows, at least one, are made of numbers and line ends of one kind."""
    allowed, rows = _DIGITS + delimiter, False
    with path.open("rb") as file:
        head = b"".join(file.readline() for _ in range(skipped))
        if head.count(b"\r") != head.count(b"\r\n"):
            return False
        while chunk := file.read(_CHUNK):
            if chunk.endswith(b"\r"):
                chunk += file.read(1)
            if chunk.translate(None, allowed) or chunk.count(b"\r") != chunk.count(b"\r\n"):
                return False
            rows = rows or bool(chunk.strip())
    return rows
