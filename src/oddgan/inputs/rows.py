"""Raw rows as detectors take them: arrays, tensors, data frames, or a map-style dataset read when needed."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from numbers import Real
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import torch
from narwhals.exceptions import DuplicateError

from oddgan._core.arrays import plain_array
from oddgan._core.errors import InputError
from oddgan._core.memmap import Mapped, pieces, rows_at_once

_SHORT = (torch.bfloat16, torch.float8_e4m3fn, torch.float8_e5m2)


class Lazy(Sequence[np.ndarray]):
    """A map-style dataset, e.g. of PyTorch: `dataset[i]` gives a sample, or a tuple that starts with one.

    Rows are checked when they are read. Where the dataset has `__getitems__`, as those of PyTorch may, many are asked
    for at once.
    """

    def __init__(self, dataset: Any) -> None:
        self.dataset = dataset
        self.first = self._raw(0) if len(dataset) else np.empty(0)
        self.shape = (len(dataset), *(self.first.shape if len(dataset) else ()))

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: Any) -> Any:
        return self._checked(self._raw(int(index)), int(index))

    def __getitems__(self, index: list[int]) -> list[np.ndarray]:
        """Many rows at once."""
        if not hasattr(self.dataset, "__getitems__"):
            return [self[i] for i in index]
        rows = [_row_of(sample) for sample in self.dataset.__getitems__(index)]
        if len(rows) != len(index):
            raise InputError(f"The dataset's __getitems__ gives {len(rows)} samples for {len(index)} indices.")
        return [self._checked(row, i) for i, row in zip(index, rows, strict=True)]

    def _raw(self, index: int) -> np.ndarray:
        return _row_of(self.dataset[index])

    def _checked(self, row: np.ndarray, index: int) -> np.ndarray:
        if row.shape != self.shape[1:]:
            raise InputError(f"Sample {index} of the dataset has shape {row.shape}, but sample 0 has {self.shape[1:]}.")
        check_finite(row[None], first=index)
        return row


class Subset(Sequence[np.ndarray]):
    """Some rows of a dataset."""

    def __init__(self, rows: Lazy, index: np.ndarray) -> None:
        self.rows, self.numbers = rows, index
        self.shape = (len(index), *rows.shape[1:])

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, i: Any) -> Any:
        return self.rows[int(self.numbers[i])]

    def __getitems__(self, index: list[int]) -> list[np.ndarray]:
        """Many rows at once."""
        return self.rows.__getitems__(self.numbers[index].tolist())


Rows = np.ndarray | Mapped | Lazy | Subset


def take(rows: Rows, index: np.ndarray) -> Rows:
    """The rows (k, ...) with these numbers (k,)."""
    if isinstance(rows, Subset):
        return Subset(rows.rows, rows.numbers[index])
    if isinstance(rows, Mapped):
        return rows.take(index)
    return Subset(rows, index) if isinstance(rows, Lazy) else rows[index]


def read(rows: Rows, index: np.ndarray) -> np.ndarray:
    """The rows with these numbers, in memory: (k, ...), contiguous."""
    if isinstance(rows, np.ndarray | Mapped):
        return np.ascontiguousarray(rows[index])
    return np.stack(rows.__getitems__(index.tolist()))


def read_range(rows: Rows, start: int, stop: int) -> np.ndarray:
    """The rows from `start` to before `stop`, in memory: (k, ...), contiguous."""
    if isinstance(rows, np.ndarray | Mapped):
        return np.ascontiguousarray(rows[start:stop])
    return read(rows, np.arange(start, stop))


def chunks(rows: Rows, size: int | None = None) -> Iterator[np.ndarray]:
    """All rows in order, in arrays (k, ...) of at most `size` rows; None: what fits into a few MiB, at most 4096.

    The arrays are contiguous: sums over a transposed array, such as a data frame's, end in other bits.
    """
    size = size or rows_at_once(rows.shape)
    for start in range(0, len(rows), size):
        yield read_range(rows, start, min(start + size, len(rows)))


def is_dataset(X: object) -> bool:
    """Whether X is a map-style dataset rather than an array, a frame or a list."""
    if (
        isinstance(X, np.ndarray | torch.Tensor | list | tuple | str | bytes | Mapping)
        or is_frame(X)
        or hasattr(X, "__array__")
    ):
        return False
    return hasattr(X, "__getitem__") and hasattr(X, "__len__") and not hasattr(X, "toarray") and not hasattr(X, "shape")


def is_frame(X: object) -> bool:
    """Whether X is a data frame (pandas, polars, ...)."""
    if isinstance(X, np.ndarray | torch.Tensor):  # the question itself takes longer than a small batch may
        return False
    try:
        return isinstance(nw.from_native(X, pass_through=True, eager_only=True), nw.DataFrame)
    except DuplicateError as error:
        raise InputError("The frame has several columns of one name: give each its own.") from error


def to_array(X: Any) -> np.ndarray:
    """A numpy view of an array or tensor (n, ...); lists, masked arrays and arrays of objects become plain ones.

    Raises
    ------
    InputError
        If it is sparse, holds rows of several shapes, or anything but real numbers.
    """
    if not isinstance(X, torch.Tensor):
        return plain_array(X)
    if X.is_nested or X.is_quantized:
        kind = "nested" if X.is_nested else "quantised"
        raise InputError(f"X is a {kind} tensor; expected one of plain numbers and one shape.")
    if X.layout is not torch.strided:
        raise InputError("X is a sparse tensor; expected a dense one: give X.to_dense().")
    kept = X.detach().cpu().resolve_conj().resolve_neg()
    return plain_array((kept.float() if kept.dtype in _SHORT else kept).numpy())  # numpy has no such types


def check_frame(X: Any) -> None:
    """Refuse a frame without columns, with several of one name, or with columns that are not numbers."""
    frame = nw.from_native(X, eager_only=True)
    if not frame.columns:
        raise InputError("The frame has no columns; expected one for each feature: 0 feature(s) were given.")
    kinds = sorted({type(name).__name__ for name in frame.columns})
    if len(kinds) > 1:
        raise InputError(
            f"The frame has names of columns of several types, {' and '.join(kinds)}: make all of them texts."
        )
    columns = zip(frame.columns, frame.iter_columns(), strict=True)  # names may be numbers, which look up rows
    other = [name for name, column in columns if not _holds_numbers(column)]
    if other:
        raise InputError(
            f"The frame has columns that do not hold numbers: {', '.join(map(repr, other[:5]))}"
            f"{f' and {len(other) - 5} more' if len(other) > 5 else ''}; leave them out, or encode texts by "
            "oddgan.data.read, as `oddgan fit` does."
        )


def _holds_numbers(column: "nw.Series[Any]") -> bool:
    """Whether a column holds numbers or truth values, also as Python objects; None among those is a missing one."""
    if column.dtype != nw.Object:
        return column.dtype.is_numeric() or column.dtype == nw.Boolean
    return all(value is None or _is_number(value) for value in column.to_list())


def _is_number(value: object) -> bool:
    try:
        return isinstance(value, Real | Decimal | np.bool_) and isinstance(float(value), float)
    except OverflowError:  # a whole number beyond float64
        return False


def _row_of(sample: Any) -> np.ndarray:
    return to_array(sample[0] if isinstance(sample, tuple | list) else sample)


def check_finite(x: np.ndarray | Mapped, first: int = 0) -> None:
    """Refuse rows (n, ...) with NaN or infinite values, saying which and how many."""
    if x.dtype.kind in "biu" or all(_all_finite(piece) for piece in pieces(x)):
        return
    fine = [np.isfinite(piece).reshape(len(piece), -1).all(axis=1) for piece in pieces(x)]
    rows = np.flatnonzero(~np.concatenate(fine)) + first if fine else np.empty(0)
    if len(rows):
        which = ", ".join(map(str, rows[:5])) + (", ..." if len(rows) > 5 else "")
        raise InputError(
            f"{len(rows)} of {len(x)} rows hold NaN or infinity (rows {which}): remove them or fill the values in."
        )


def _all_finite(x: np.ndarray) -> bool:
    """Whether all values are finite; a finite sum, which takes one look at each, says so."""
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(x.sum())) or bool(np.isfinite(x).all())
