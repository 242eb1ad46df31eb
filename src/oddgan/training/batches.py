"""Batches in random order from a tensor in memory (fast), rows in a file, or a map-style dataset."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

Share = tuple[int, int]
"""Which worker, from 0, of how many."""
ALL: Share = (0, 1)


class Source(Protocol):
    """Training rows, as batches in random order for each epoch."""

    def __len__(self) -> int:
        """The number of rows."""
        ...

    def epoch(self, batch_size: int, start: int = 0, share: Share = ALL) -> Iterator[Tensor]:
        """One pass in random order, as batches (k, ...), k at most `batch_size`, without the first `start`.

        One of several workers gets its share of each batch.

        The order is drawn when this is called, before the first batch is asked for.
        """
        ...

    def take(self, index: Tensor) -> Tensor:
        """The rows with these numbers (k,), as a batch of their own (k, ...)."""
        ...


class Fetches(Protocol):
    """Rows that can be read many at once."""

    def __len__(self) -> int:
        """The number of rows."""
        ...

    def __getitem__(self, index: np.ndarray, /) -> np.ndarray:
        """The rows (k, ...) of these numbers."""
        ...


def count(n: int, batch_size: int) -> int:
    """The number of batches of one pass; none has a single row, so that an odd one out makes a batch of 2 one of 3.

    >>> count(130, 64)
    3
    >>> count(3, 2)
    1
    """
    return max(1, min(math.ceil(n / batch_size), n // 2))


def shuffled(n: int, batch_size: int, share: Share = ALL) -> tuple[Tensor, ...]:
    """A random order of n rows, cut into batches (k,) of nearly equal size, or one worker's share of each.

    An even cut leaves no small last batch: batch normalisation fails on one row and is noisy on few.
    """
    worker, workers = share
    return tuple(batch.tensor_split(workers)[worker] for batch in torch.randperm(n).tensor_split(count(n, batch_size)))


class TensorSource:
    """Rows in one tensor (n, ...) on the device where training runs."""

    def __init__(self, x: Tensor) -> None:
        self.x = x

    def __len__(self) -> int:
        return len(self.x)

    def epoch(self, batch_size: int, start: int = 0, share: Share = ALL) -> Iterator[Tensor]:
        """One pass in random order."""
        order = shuffled(len(self.x), batch_size, share)[start:]
        return (self.take(index) for index in order)

    def take(self, index: Tensor) -> Tensor:
        """The rows with these numbers (k,)."""
        return self.x[index.to(self.x.device)]


class BatchSource:
    """Rows that are read a batch at once, e.g. of a memory map.

    Parameters
    ----------
    rows : gives rows (k, ...) for k row numbers.
    prepare : turns such rows into a batch on the device where training runs, each row by itself.
    """

    def __init__(self, rows: Fetches, prepare: Callable[[np.ndarray], Tensor]) -> None:
        self.rows, self.prepare = rows, prepare

    def __len__(self) -> int:
        return len(self.rows)

    def epoch(self, batch_size: int, start: int = 0, share: Share = ALL) -> Iterator[Tensor]:
        """One pass in random order: the same order as `TensorSource` draws from the same seed."""
        return map(self.take, shuffled(len(self.rows), batch_size, share)[start:])

    def take(self, index: Tensor) -> Tensor:
        """The rows with these numbers (k,)."""
        return self.prepare(self.rows[index.cpu().numpy()])


class DatasetSource:
    """Rows of a map-style dataset, read when they are needed.

    Parameters
    ----------
    rows : gives row i for i in range(len(rows)).
    prepare : turns a list of rows into a batch (n, ...) on the device where training runs.
    workers : processes that read ahead; 0 reads in this one.
    """

    def __init__(self, rows: Sequence[Any], prepare: Callable[[np.ndarray], Tensor], workers: int = 0) -> None:
        self.rows, self.prepare, self.workers = rows, prepare, workers

    def __len__(self) -> int:
        return len(self.rows)

    def epoch(self, batch_size: int, start: int = 0, share: Share = ALL) -> Iterator[Tensor]:
        """One pass in random order: the same order as `TensorSource` draws from the same seed."""
        # The order is drawn here, once: with workers a sampler would be asked twice.
        order = [part.tolist() for part in shuffled(len(self.rows), batch_size, share)[start:]]
        loader: DataLoader[Any] = DataLoader(
            self.rows,  # type: ignore[arg-type]
            batch_sampler=order,
            collate_fn=np.stack,
            num_workers=self.workers,
            generator=torch.Generator(),  # a DataLoader draws from its generator: leave the global one to the method
        )
        return map(self.prepare, loader)

    def take(self, index: Tensor) -> Tensor:
        """The rows with these numbers (k,)."""
        return self.prepare(np.stack([self.rows[i] for i in index.tolist()]))
