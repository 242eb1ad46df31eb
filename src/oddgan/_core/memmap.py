"""Memory-mapped rows: read from a file when needed, so that they need not fit into memory."""

import mmap
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

import numpy as np

from oddgan._core.files import plain_errors

MOST_VALUES = 2**19  # of a piece: 4 MiB as float64
MOST_ROWS = 4096
_TOUCHED = 32 * 2**20  # bytes of a map that may be resident before they are given back
_AROUND = 2 * 2**20  # bytes that Linux may map around each row that is read alone: as much as it caches in one block
_TOGETHER = _TOUCHED // _AROUND


class Mapped:
    """Rows of a memory-mapped array, in any order; every access gives an array in memory, in C order.

    Pages that were read are given back to the system from time to time, so that the resident memory of a process does
    not grow with what it reads. `numpy.asarray` reads all rows.

    Parameters
    ----------
    array : (n, ...) a view of a memory map.
    index : the numbers of the rows, in their order; None takes all.
    convert : applied to rows (k, ...) that were read, for each row by itself.
    """

    def __init__(
        self,
        array: np.ndarray,
        index: np.ndarray | None = None,
        convert: Callable[[np.ndarray], np.ndarray] | None = None,
    ) -> None:
        self._array, self._index, self._convert = array, index, convert
        self._touched = [0]  # shared with what is taken from these rows
        none = np.empty((0, *array.shape[1:]), array.dtype)
        like = none if convert is None else convert(none)
        self.dtype = like.dtype
        self.shape: tuple[int, ...] = (len(array) if index is None else len(index), *like.shape[1:])
        self.ndim = len(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[np.ndarray]:
        for piece in pieces(self):
            yield from piece

    def __getitem__(self, key: Any) -> np.ndarray:
        if isinstance(key, slice):
            return self._read(np.arange(*key.indices(len(self))))
        numbers = np.asarray(key)
        if isinstance(key, tuple) or numbers.ndim > 1 or numbers.dtype.kind not in "biu":
            raise TypeError("rows are chosen by a number, a slice, or a list of numbers or truth values")
        if numbers.dtype.kind == "b":
            return self._read(self._chosen(numbers))
        rows: np.ndarray = self._read(self._positive(np.atleast_1d(numbers)))
        return rows if numbers.ndim else rows[0]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        whole = np.empty(self.shape, self.dtype if dtype is None else dtype)
        start = 0
        for piece in pieces(self):
            whole[start : start + len(piece)] = piece
            start += len(piece)
        return whole

    def take(self, rows: np.ndarray) -> "Mapped":
        """Some rows, still in their file.

        Parameters
        ----------
        rows : row numbers, or a boolean (n,).
        """
        rows = np.asarray(rows)
        numbers = self._chosen(rows) if rows.dtype.kind == "b" else self._positive(rows)
        return self._also(numbers if self._index is None else self._index[numbers], self._convert)

    def map(self, function: Callable[[np.ndarray], np.ndarray]) -> "Mapped":
        """The rows after a function that turns rows (k, ...) into rows (k, ...), each by itself."""
        before = self._convert
        convert = function if before is None else lambda rows: function(before(rows))
        return self._also(self._index, convert)

    def astype(self, dtype: Any) -> "Mapped":
        """The rows as numbers of another type."""
        return self if self.dtype == dtype else self.map(lambda rows: rows.astype(dtype))

    def min(self) -> Any:
        """The smallest value."""
        return min(piece.min() for piece in pieces(self))

    def max(self) -> Any:
        """The largest value."""
        return max(piece.max() for piece in pieces(self))

    def _also(self, index: np.ndarray | None, convert: Callable[[np.ndarray], np.ndarray] | None) -> "Mapped":
        other = Mapped(self._array, index, convert)
        other._touched = self._touched
        return other

    def _positive(self, numbers: np.ndarray) -> np.ndarray:
        if len(numbers) and not -len(self) <= numbers.min() <= numbers.max() < len(self):
            raise IndexError(f"there are {len(self)} rows")
        return np.where(numbers < 0, numbers + len(self), numbers).astype(np.intp)

    def _chosen(self, mask: np.ndarray) -> np.ndarray:
        if mask.shape != (len(self),):
            raise IndexError(f"there are {len(self)} rows, but truth values of shape {mask.shape}")
        return np.flatnonzero(mask)

    def _read(self, numbers: np.ndarray) -> np.ndarray:
        """Rows in the order of these numbers, read in the order of the file."""
        if self._index is not None:
            numbers = self._index[numbers]
        start, stop = (int(numbers[0]), int(numbers[-1]) + 1) if len(numbers) else (0, 0)
        at_once = stop - start == len(numbers) and bool((np.diff(numbers) == 1).all())
        if at_once:
            found = np.array(self._array[start:stop], order="C")
            self._give_back(found.nbytes)
        else:
            order = np.argsort(numbers, kind="stable")
            found = np.empty((len(numbers), *self._array.shape[1:]), self._array.dtype)
            for first in range(0, len(order), _TOGETHER):
                some = order[first : first + _TOGETHER]
                found[some] = self._array[numbers[some]]
                self._give_back(len(some) * _AROUND)
        return found if self._convert is None else np.ascontiguousarray(self._convert(found))

    def _give_back(self, touched: int) -> None:
        self._touched[0] += touched
        if self._touched[0] < _TOUCHED or self._array.nbytes < _TOUCHED:
            return
        self._touched[0] = 0
        mapping, mode = _mapping(self._array)
        # A private map would lose what was written to it.
        if mapping is not None and mode == "r" and hasattr(mmap, "MADV_DONTNEED"):
            mapping.madvise(mmap.MADV_DONTNEED)


Samples = np.ndarray | Mapped


class Spool:
    """A temporary file without a name that rows are written to piece by piece, and then mapped.

    The system removes it as soon as nothing refers to it any more, even if the process is killed. It lies in the folder
    that `TMPDIR` names.

    Raises
    ------
    InputError
        If the disk is full, or the folder not writable.
    """

    def __init__(self) -> None:
        self._folder = Path(tempfile.gettempdir())
        with self._told():
            self._file = tempfile.TemporaryFile(prefix="oddgan-")  # noqa: SIM115
        self.rows = 0
        self.shape: tuple[int, ...] | None = None
        self.dtype: np.dtype[Any] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def write(self, rows: np.ndarray) -> None:
        """Add rows (k, ...), all of one shape and type.

        Raises
        ------
        ValueError
            If the shape or the type differs from that of the first ones.
        """
        if self.shape is None:
            self.shape, self.dtype = rows.shape[1:], rows.dtype
        if rows.shape[1:] != self.shape or rows.dtype != self.dtype:
            raise ValueError(f"it is {rows.shape[1:]} of {rows.dtype}; expected {self.shape} of {self.dtype}")
        with self._told():
            self._file.write(np.ascontiguousarray(rows).data)
        self.rows += len(rows)

    def mapped(self) -> np.ndarray:
        """All rows (n, ...) as a memory map, which may be used after the spool is closed; at least one row."""
        with self._told():
            self._file.flush()
        shape = (self.rows, *(self.shape or ()))
        return np.memmap(self._file, dtype=self.dtype or np.float64, mode="r", shape=shape)

    def _told(self) -> AbstractContextManager[None]:
        return plain_errors(self._folder)


def on_disk(x: object) -> bool:
    """Whether x is a memory-mapped array, or a view of one."""
    return isinstance(x, np.ndarray) and _mapping(x)[0] is not None


def rows_at_once(shape: tuple[int, ...]) -> int:
    """How many rows of an array of this shape make a piece: 4096, or fewer where they have more than 128 values."""
    return max(1, min(MOST_ROWS, MOST_VALUES // max(1, int(np.prod(shape[1:], dtype=np.int64)))))


def pieces(x: Samples) -> Iterator[np.ndarray]:
    """Yield all rows (n, ...) in order, in arrays (k, ...) of bounded size."""
    size = rows_at_once(x.shape)
    for start in range(0, len(x), size):
        yield x[start : start + size]


def _mapping(x: np.ndarray) -> tuple[mmap.mmap | None, str]:
    """The map that an array is a view of, and the mode that it was opened in."""
    mode, base = "", cast(object, x)
    while isinstance(base, np.ndarray):
        mode, base = getattr(base, "mode", mode), base.base
    return (base, mode) if isinstance(base, mmap.mmap) else (None, mode)
