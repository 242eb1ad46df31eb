"""Run a function over rows on a fixed number of slots, so that no row's result depends on its company.

Float32 matrix products differ by about 3e-7 between batch sizes, and a search amplifies that to 1e-3. With every
forward pass on the same number of rows (idle slots repeat the last row) results are equal to the last bit on a CPU,
whatever the batch size, order or neighbours. That number is a multiple of 64: matrix products treat the rows that
are left over from their blocks in another way, so that a row's place would count.
"""

import math
from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from oddgan.base.rows import Rows, chunks

Scoring = Literal["exact", "fast"]
BLOCK = 64


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


def full_pass(slots: int) -> int:
    """The rows of one forward pass of exact scoring: `slots`, up to a multiple of 64."""
    return math.ceil(slots / BLOCK) * BLOCK


def run_rows(
    function: Callable[[Tensor], Mapping[str, Tensor]],
    rows: Rows,
    prepare: Callable[[np.ndarray], Tensor],
    *,
    slots: int,
    scoring: Scoring,
    report: Report | None = None,
) -> dict[str, np.ndarray]:
    """Apply `function` (batch -> results (n, ...) by name) to all rows; float64 arrays (n, ...) by name.

    Parameters
    ----------
    function : sees one pass at once; its results are float64 where they are scores.
    prepare : raw rows (n, ...) to network input on the device.
    slots : rows that are scored in each forward pass.
    scoring : "exact" pads each pass to the same number of rows; "fast" does not.
    report : told how far it is.
    """
    parts: list[Mapping[str, np.ndarray]] = []
    done, full = 0, full_pass(slots)
    for raw in chunks(rows, slots):
        n = len(raw)
        padded = np.concatenate([raw, np.repeat(raw[-1:], full - n, axis=0)]) if scoring == "exact" else raw
        with torch.no_grad():
            results = function(prepare(padded))
        parts.append({k: v[:n].double().cpu().numpy() for k, v in results.items()})
        done += n
        if report is not None:
            report(Progress(done))
    return {k: np.concatenate([p[k] for p in parts]) for k in parts[0]} if parts else {}
