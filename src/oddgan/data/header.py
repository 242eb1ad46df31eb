"""The first line of a csv file: the names of its columns."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from oddgan._core.errors import InputError
from oddgan.data.patterns import is_number
from oddgan.data.selection import drop_flag


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
