"""How a search runs: rows in one pass, a draft in lower precision, a callback for progress."""

from typing import NamedTuple

import torch
from torch import Tensor

from oddgan.inversion.result import Loss, Map, Report


class Slots(NamedTuple):
    """How many rows the networks see in one pass.

    Parameters
    ----------
    most : at most so many.
    fixed : always exactly so many, idle slots filled up: rounding depends on the number of rows, so that only then are
        float32 results equal to the last bit whatever else is searched for.
    """

    most: int = 64
    fixed: bool = False

    def map(self, function: Map, rows: Tensor) -> Tensor:
        """Apply a function to rows (n, ...), at most `most` at once, each by itself: (n, ...)."""
        with torch.no_grad():
            parts = []
            for i in range(0, len(rows), self.most):
                some = rows[i : i + self.most]
                idle = self.most - len(some) if self.fixed else 0
                parts.append(function(torch.cat([some, some[-1:].repeat(idle, *[1] * (some.ndim - 1))]))[: len(some)])
            return torch.cat(parts)


class Execution(NamedTuple):
    """How a search is run; none of it changes an answer but for rounding.

    Parameters
    ----------
    slots : how many points the generator sees at once.
    draft : a generator and a loss of lower precision to descend on; ends and losses are those of the full ones.
    report : called whenever latent points come to rest, with how many did, the steps that they took in all, and how
        many of them converged.
    """

    slots: Slots = Slots()
    draft: tuple[Map, Loss] | None = None
    report: Report | None = None


PLAIN = Execution()
