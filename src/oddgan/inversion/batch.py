"""Latent points of a search in batches: those on slots, those to be confirmed, and those at rest."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any, NamedTuple, Self

import torch
from torch import Tensor

from oddgan.inversion.optimisers import State

_FIELDS = ("pair", "live", "refused", "z", "steps", "rate")


@dataclass
class Batch:
    """Points that are moved together, a row for each slot.

    Parameters
    ----------
    pair : which sample and start each is, (k,).
    live : which are searched for; the others are idle slots, (k,) bool.
    refused : which were found not to have ended where they are, (k,) bool.
    z, steps, rate : where each is, (k, m), how many steps it took, (k,), and the factor of its step size, (k,).
    known : what is known of their samples, (k, ...) each.
    state : the optimiser's, (k, ...) each.
    """

    pair: Tensor
    live: Tensor
    refused: Tensor
    z: Tensor
    steps: Tensor
    rate: Tensor
    known: tuple[Tensor, ...]
    state: State

    def take(self, rows: Tensor) -> Self:
        """Return some rows, by number (r,), as a batch of their own."""
        return self._each(lambda value: value[rows])

    def join(self, other: Self) -> Self:
        """Return both, one after the other."""
        return self._each(lambda one, more: torch.cat([one, more]), other)

    def replace(self, rows: Tensor, other: Self) -> None:
        """Put the other's rows on the slots `rows`, (r,)."""
        self._each(lambda old, new: old.index_put_((rows,), new), other)

    def _each(self, function: Callable[..., Tensor], *others: Self) -> Self:
        """Return a batch of what a function makes of each tensor, and of the same tensor of others."""
        batches = (self, *others)
        fields: dict[str, Any] = {name: function(*(getattr(b, name) for b in batches)) for name in _FIELDS}
        fields["known"] = tuple(function(*values) for values in zip(*(b.known for b in batches), strict=True))
        fields["state"] = {name: function(*(b.state[name] for b in batches)) for name in self.state}
        return replace(self, **fields)


class Waiting:
    """Pairs that wait for a slot.

    Parameters
    ----------
    q : how many pairs there are; they enter in their order.
    enter : puts pairs (k,) at their starts; the second argument says which of them are live, (k,) bool.
    device : where they are searched for.
    """

    def __init__(self, q: int, enter: Callable[[Tensor, Tensor], Batch], device: torch.device) -> None:
        self._q, self._enter, self._device = q, enter, device
        self._next, self._most, self._padded = 0, 0, False
        self._returned: Batch | None = None

    def __len__(self) -> int:
        returned = 0 if self._returned is None else len(self._returned.pair)
        return self._q - self._next + returned

    def first(self, most: int, *, padded: bool) -> Batch:
        """The first pairs, at most so many; padded to so many by idle slots."""
        self._most, self._padded, self._next = most, padded, min(most, self._q)
        pair = torch.arange(most if padded else self._next, device=self._device)
        return self._enter(pair.clamp(max=self._q - 1), pair < self._q)

    def give_back(self, batch: Batch) -> None:
        """Take points back that are still to be moved from where they are."""
        if len(batch.pair):
            batch.live, batch.refused = torch.ones_like(batch.live), torch.ones_like(batch.refused)
            self._returned = batch if self._returned is None else self._returned.join(batch)

    def fill(self, batch: Batch) -> Batch:
        """The batch with waiting pairs on its free slots; without padding, slots that stay free are given up."""
        free = (~batch.live).nonzero()[:, 0]
        if self._padded:
            while len(free) and (some := self._some(len(free))) is not None:
                batch.replace(free[: len(some.pair)], some)
                free = free[len(some.pair) :]
            return batch
        batch = batch.take(batch.live.nonzero()[:, 0]) if len(free) else batch
        while len(batch.pair) < self._most and (some := self._some(self._most - len(batch.pair))) is not None:
            batch = batch.join(some)
        return batch

    def _some(self, most: int) -> Batch | None:
        """At most so many pairs, those first that have been given back; None where nothing waits."""
        if (returned := self._returned) is not None:
            rows = torch.arange(len(returned.pair), device=returned.pair.device)
            self._returned = returned.take(rows[most:]) if len(rows) > most else None
            return returned.take(rows[:most])
        pair = torch.arange(self._next, min(self._next + most, self._q), device=self._device)
        self._next += len(pair)
        return self._enter(pair, torch.ones_like(pair, dtype=torch.bool)) if len(pair) else None


class Parked:
    """Points that may have ended, kept until they are confirmed together."""

    def __init__(self) -> None:
        self._parts: list[tuple[Batch, Tensor]] = []

    def __len__(self) -> int:
        return sum(len(z) for _, z in self._parts)

    def add(self, batch: Batch, z: Tensor, rows: Tensor) -> None:
        """Keep copies of some rows of a batch, (k,) bool, that would answer z (k, m)."""
        if bool(rows.any()):
            chosen = rows.nonzero()[:, 0]
            self._parts.append((batch.take(chosen), z[chosen]))

    def take_all(self) -> tuple[Batch, Tensor]:
        """Return all points, at least one, and the z (k, m) that they would answer; none is left."""
        parts, self._parts = self._parts, []
        return reduce(lambda a, b: a.join(b), [batch for batch, _ in parts]), torch.cat([z for _, z in parts])


class Found(NamedTuple):
    """Where points came to rest: z (q, m), loss (q,), steps (q,) and, where each was drawn anyway, y (q, ...)."""

    z: Tensor
    loss: Tensor
    steps: Tensor
    y: Tensor | None


class Ledger:
    """Results of the points that came to rest."""

    def __init__(self, q: int, starts: Tensor, *, keep_y: bool) -> None:
        self.z = torch.empty(q, starts.shape[-1], dtype=starts.dtype, device=starts.device)
        self.loss: Tensor | None = None
        self.steps = torch.zeros(q, dtype=torch.int64, device=starts.device)
        self.y: Tensor | None = None
        self.keep_y = keep_y

    def write(self, batch: Batch, ended: Tensor, z: Tensor, loss: Tensor, y: Tensor) -> Tensor:
        """Note where points ended, (k,) bool: z (k, m), loss (k,), y (k, ...). Return the steps that they took."""
        pair, q = batch.pair[ended], len(self.z)
        if self.loss is None:
            self.loss = loss.new_empty(q)
            self.y = y.new_empty(q, *y.shape[1:]) if self.keep_y else None
        self.z[pair], self.loss[pair], self.steps[pair] = z[ended], loss[ended], batch.steps[ended]
        if self.y is not None:
            self.y[pair] = y[ended]
        return batch.steps[ended]

    def close(self) -> Found:
        """Return what was written."""
        loss = self.z.new_empty(0) if self.loss is None else self.loss
        return Found(self.z, loss, self.steps, self.y)
