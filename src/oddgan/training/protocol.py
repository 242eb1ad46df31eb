"""Phases, players and updates: how a method says what it trains.

A step is a generator. It yields `Update(player, loss)`; the loop updates that player and nobody else, then resumes the
step, which sees the new weights. `_phases` is itself a generator: code after `yield Phase(...)` runs after that phase.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol, Self

import torch
from torch import Tensor

from oddgan._core.errors import InputError
from oddgan.training.ema import Ema
from oddgan.training.optimisers import Adam, Optimiser


class Update(NamedTuple):
    """One player's loss: `(n,)`, entry i about sample i, or `()` where the loss is about the batch as a whole."""

    player: str
    loss: Tensor


@dataclass(frozen=True)
class Clock:
    """The position in a phase of training.

    Parameters
    ----------
    iteration : steps taken in this phase, from 0.
    epoch : passes over the data finished in this phase, from 0.
    epochs : passes that the phase will make.
    batches : steps of one pass.
    total : steps of the phase; None for those of all passes.
    """

    iteration: int
    epoch: int
    epochs: int
    batches: int = 1
    total: int | None = None

    @property
    def progress(self) -> float:
        """The share of the phase that is done, in [0, 1)."""
        return self.iteration / max(1, self.total or self.epochs * self.batches)


Step = Callable[[Tensor, Clock], Iterator[Update]]
Reduce = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Player:
    """Networks that learn together from one loss.

    Parameters
    ----------
    networks : keys of the networks that the player owns.
    optimiser : how they learn.
    reduce : turns per-sample losses (n,) into one; the mean unless told otherwise.
    waits : steps at the start of the phase in which the player does not learn, >= 0.
    """

    networks: tuple[str, ...]
    optimiser: Optimiser = field(default_factory=Adam)
    reduce: Reduce = torch.mean
    waits: int = 0


class Memory(Protocol):
    """State of a step beside the weights, e.g. the ends of chains: kept in checkpoints, not in models."""

    def dump(self) -> dict[str, Tensor]:
        """Its tensors, of any shape, by name."""
        ...

    def load(self, held: Mapping[str, Tensor]) -> None:
        """Restore tensors of any shape, by name, that `dump` gave."""
        ...


@dataclass(frozen=True)
class Phase:
    """One stage of training: a step, who plays, and for how long.

    Parameters
    ----------
    step : called with a batch (n, ...) and the clock; yields updates.
    players : the players by name. Networks of no player stay frozen, in evaluation mode. Without players the phase only
        looks at the rows.
    epochs : passes over the data.
    ema : decay of an exponential moving average of the trained weights, which replaces them when the phase ends; or an
        average that goes on from an earlier phase; None keeps the last weights.
    memory : what the step remembers beside the weights.
    prepares : whether the phase only prepares the networks for another: no epoch is selected, and an average does not
        replace the weights yet.
    steps : updates of the player that learns most rarely, after which the phase ends, be it in the middle of a pass;
        None ends after `epochs` passes.
    slowest : batches for each of these updates, e.g. the critic's updates for each of the generator, >= 1.
    """

    step: Step
    players: Mapping[str, Player]
    epochs: int
    ema: float | Ema | None = None
    memory: Memory | None = None
    prepares: bool = False
    steps: int | None = None
    slowest: int = 1

    def __post_init__(self) -> None:
        if self.epochs is None:
            raise InputError("A phase got epochs=None: make it by `self._phase(step, players)`, which has a default.")

    def total(self, batches: int) -> int:
        """The batches of the phase, given those of one pass."""
        return self.epochs * batches if self.steps is None else self.steps * self.slowest

    def lasting(self, epochs: int, steps: int | None) -> Self:
        """The phase with another length."""
        return replace(self, epochs=epochs, steps=steps)

    def sized(self, batches: int) -> Self:
        """The phase with as many passes as its steps take, the last of which may be cut short."""
        return self if self.steps is None else replace(self, epochs=math.ceil(self.total(batches) / batches))

    @property
    def name(self) -> str:
        """The step's name in words."""
        return str(getattr(self.step, "__name__", "training")).strip("_").replace("_", " ")
