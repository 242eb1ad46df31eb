"""Where training reads its batches from: all rows made ready beforehand, or a batch at a time."""

from collections.abc import Callable

import numpy as np
from torch import Tensor

from oddgan._core.memmap import Mapped
from oddgan.inputs.rows import Rows, chunks
from oddgan.training import BatchSource, DatasetSource, Source, TensorSource

# Bytes of network input up to which rows of a memory map are made ready beforehand: each pass is faster then.
STAGED = 256 * 2**20


def source_of(rows: Rows, prepare: Callable[[np.ndarray], Tensor]) -> Source:
    """The batches of some rows; for equal rows in an array and in a memory map they are equal.

    Parameters
    ----------
    rows : an array, or a memory map of at most 256 MiB of network input, is made ready beforehand; rows of a larger map
        are read a batch at a time, and those of a map-style dataset one by one, or many at once by `__getitems__`.
    prepare : raw rows (n, ...) to network input (n, ...) on the device, each row by itself.
    """
    if isinstance(rows, np.ndarray) or (isinstance(rows, Mapped) and _size(rows, prepare) <= STAGED):
        return TensorSource(_staged(rows, prepare))
    return BatchSource(rows, prepare) if isinstance(rows, Mapped) else DatasetSource(rows, prepare)


def _staged(rows: np.ndarray | Mapped, prepare: Callable[[np.ndarray], Tensor]) -> Tensor:
    """All rows as network input, without a second copy on the way."""
    first = prepare(rows[:1])
    staged, start = first.new_empty(len(rows), *first.shape[1:]), 0
    for chunk in chunks(rows):
        staged[start : start + len(chunk)] = prepare(chunk)
        start += len(chunk)
    return staged


def _size(rows: Mapped, prepare: Callable[[np.ndarray], Tensor]) -> int:
    """Bytes of all rows as network input."""
    first = prepare(rows[:1])
    return len(rows) * first.numel() * first.element_size()
