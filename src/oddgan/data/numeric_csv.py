"""A fast reader for csv files that hold nothing but plain numbers."""

from pathlib import Path

import numpy as np

_DIGITS = b"0123456789+-.eE\r\n"
_CHUNK = 2**20


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
