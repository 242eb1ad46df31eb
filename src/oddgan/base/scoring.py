"""Run a function over rows in passes of fixed sizes, so that no row's result depends on its company.

Float32 matrix products differ by about 3e-7 between batch sizes, and a search amplifies that to 1e-3. With every
forward pass on the same number of rows (idle slots repeat the last row) results are equal to the last bit on a CPU,
whatever the batch size, order or neighbours. That number is a multiple of 64: matrix products treat the rows that
are left over from their blocks in another way, so that a row's place would count.

Large passes are faster. Whether they give the same bits depends on the processor and on the library of matrix products,
so the first pass of each large size is compared with a small one, on rows from all over it.
"""

import math
from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from oddgan.inputs.rows import Rows, read_range

Scoring = Literal["exact", "fast"]
Results = dict[str, np.ndarray]
BLOCK = 64
# Passes of so many rows hide what their calls cost; samples of more values in all leave the processor's caches.
LARGE, MOST_VALUES = (2048, 1024), 2**16


class Progress(NamedTuple):
    """How far scoring is.

    Parameters
    ----------
    rows : rows that are done.
    steps : search steps that a row took so far, on average; None without a search.
    converged : the share of rows whose search reached its goal; None without a search.
    """

    rows: int
    steps: float | None = None
    converged: float | None = None


Report = Callable[[Progress], None]


class Passes(NamedTuple):
    """How many rows a forward pass takes.

    Parameters
    ----------
    rows : of a pass, >= 1.
    large : rows of large passes, the largest first: taken while so many remain, the last one while half as many do, if
        that changes no bit.
    padded : whether every pass is filled up to its size, so that bits depend on no row beside.
    known : where it is kept whether large passes change bits, by what is computed and how; None asks in every call.
    """

    rows: int
    large: tuple[int, ...] = ()
    padded: bool = True
    known: dict[tuple[object, ...], bool] | None = None


def full_pass(slots: int) -> int:
    """The rows of one forward pass of exact scoring: `slots`, up to a multiple of 64."""
    return math.ceil(slots / BLOCK) * BLOCK


def large_passes(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The rows of large passes through networks, by the shape of a sample: most for tables."""
    return LARGE if len(shape) == 1 else (min(LARGE[-1], MOST_VALUES // math.prod(shape) // BLOCK * BLOCK),)


def passes_of(
    slots: int,
    scoring: Scoring,
    large: tuple[int, ...] = (),
    known: dict[tuple[object, ...], bool] | None = None,
) -> Passes:
    """The passes for the settings of a detector; "fast" takes large ones without comparing."""
    if scoring == "fast":
        return Passes(max(slots, *large[-1:]) if large else slots, padded=False)
    rows = full_pass(slots)
    return Passes(rows, tuple(size for size in large if size > rows), known=known)


def run_rows(
    function: Callable[[Tensor], Mapping[str, Tensor]],
    rows: Rows,
    prepare: Callable[[np.ndarray], Tensor],
    *,
    passes: Passes,
    report: Report | None = None,
) -> Results:
    """Apply `function` (batch -> results (n, ...) by name) to all rows; float64 arrays (n, ...) by name.

    Parameters
    ----------
    function : sees one pass at once; its results are float64 where they are scores.
    prepare : raw rows (n, ...) to network input on the device.
    passes : the rows of a pass.
    report : told how far it is.
    """
    parts: list[Results] = []
    run, done = _Runner(function, prepare, passes), 0
    while done < len(rows):
        size = run.size(len(rows) - done)
        found = run(read_range(rows, done, min(done + size, len(rows))), size)
        if found is None:  # large passes give other bits
            continue
        parts.append(found)
        done += len(next(iter(found.values())))
        if report is not None:
            report(Progress(done))
    return {k: np.concatenate([p[k] for p in parts]) for k in parts[0]} if parts else {}


class _Runner:
    """Runs passes, large ones as long as they give the bits of small ones."""

    def __init__(
        self,
        function: Callable[[Tensor], Mapping[str, Tensor]],
        prepare: Callable[[np.ndarray], Tensor],
        passes: Passes,
    ) -> None:
        self._function, self._prepare, self._passes = function, prepare, passes
        self._large = passes.large if passes.padded else ()
        self._equal: set[int] = set()

    def size(self, left: int) -> int:
        """The rows of the next pass, of which `left` remain."""
        fitting = (size for size in self._large if left >= size or (size == self._large[-1] and 2 * left >= size))
        return next(fitting, self._passes.rows)

    def __call__(self, raw: np.ndarray, size: int) -> Results | None:
        """The results of one pass of `size` rows; None where it was large and its bits were found to differ."""
        results = self._pass(raw, size)
        if size not in self._large or size in self._equal:
            return results
        if self._changes_no_bit(raw, size, results):
            self._equal.add(size)
            return results
        self._large = tuple(other for other in self._large if other != size)
        return None

    def _changes_no_bit(self, raw: np.ndarray, size: int, results: Results) -> bool:
        known = {} if self._passes.known is None else self._passes.known
        key = (size, self._passes.rows, torch.get_num_threads(), *sorted(results))
        if key not in known:
            some = _scattered(len(raw), self._passes.rows)
            known[key] = _same(self._pass(raw[some], self._passes.rows), {k: v[some] for k, v in results.items()})
        return known[key]

    def _pass(self, raw: np.ndarray, size: int) -> Results:
        n = len(raw)
        padded = self._passes.padded and n < size
        with torch.no_grad():
            found = self._function(
                self._prepare(np.concatenate([raw, np.repeat(raw[-1:], size - n, axis=0)]) if padded else raw)
            )
        return {k: v[:n].double().cpu().numpy() for k, v in found.items()}


def _scattered(n: int, k: int) -> np.ndarray:
    """At most k row numbers below n, evenly spaced but for an offset that takes every remainder in turn."""
    stride = max(1, n // k)
    rows = np.arange(min(n, k)) * stride
    return rows + np.arange(len(rows)) % stride


def _same(a: Results, b: Results) -> bool:
    return all(np.array_equal(a[name], b[name], equal_nan=True) for name in a)
