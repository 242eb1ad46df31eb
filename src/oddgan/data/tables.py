"""Tables with named columns, and which of the columns are read: all, all but some (`drop`), or some (`keep`)."""

import difflib
import shlex
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from oddgan._core.errors import InputError
from oddgan.data.dataset import Reading
from oddgan.options import Options

# What an empty cell looks like in a csv file, in lower case.
MISSING = frozenset({"", "?", "na", "n/a", "nan", "null"})
_SHOWN = 10

CELLS = 2**18  # of a piece of a table: some 20 MB as texts
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


def cells_of(column: Sequence[str | None]) -> np.ndarray:
    """A column of texts (n,), None where a value is missing."""
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


def selected(source: str, names: Sequence[str], options: Options, like: Reading | None) -> tuple[str, ...]:
    """The columns that are read, in the order of the table; a column of labels is one of them.

    Parameters
    ----------
    source : how messages name the table.
    names : its columns.
    options : its label, drop and keep apply; what it names must be there.
    like : the reading of a fitted model, whose drop and keep apply too; what it names need not be there.

    Raises
    ------
    InputError
        If a name is not there, or the labels are dropped.
    """
    drop, keep = (named(source, words, names, flag) for words, flag in _words(options))
    if options.label in drop:
        raise InputError(f"--label {options.label} names the labels and --drop leaves them out: choose one.")
    if like is not None:
        drop, keep = (*drop, *like.drop), keep or like.keep
    remembered = like.label if like else None

    def chosen(name: str) -> bool:
        return name == options.label or (name not in drop and (not keep or name in (*keep, remembered)))

    return tuple(name for name in names if chosen(name))


def named(source: str, words: Iterable[str], names: Sequence[str], flag: str) -> tuple[str, ...]:
    """The columns that words name: each one column, or several with commas between them.

    Parameters
    ----------
    source : how messages name the table.
    words : what the user gave.
    names : the columns that there are.
    flag : how messages name the option.

    Raises
    ------
    InputError
        If a column is not there; the message names those that are alike.
    """
    found: list[str] = []
    for word in words:
        for name in [word] if word in names else [part.strip() for part in word.split(",")]:
            if name not in names:
                raise InputError(f"{source} has no column {name!r} for {flag}: {_alike(name, names)}.")
            found.append(name)
    return tuple(dict.fromkeys(found))


def some(names: Sequence[str]) -> str:
    """The first ten names, and how many more there are.

    >>> some(["a", "b"]), some([str(i) for i in range(12)])
    ('a, b', '0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more')
    """
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


def drop_flag(*names: str) -> str:
    """The options that leave columns out.

    >>> drop_flag("day", "row name")
    "--drop day --drop 'row name'"
    """
    return " ".join(f"--drop {shlex.quote(name)}" for name in names)


def categorical_flag(name: str) -> str:
    """The option that gives each text of a column a column of its own."""
    return f"--categorical {shlex.quote(name)}"


def _words(options: Options) -> tuple[tuple[tuple[str, ...], str], tuple[tuple[str, ...], str]]:
    return (options.drop, "--drop"), (options.keep, "--keep")


def _alike(name: str, names: Sequence[str]) -> str:
    folded = {known.casefold(): known for known in names}
    close = [folded[match] for match in difflib.get_close_matches(name.casefold(), folded, n=3)]
    if close:
        return f"did you mean {' or '.join(close)}"
    return f"it has {some(names)}"
