"""Engines: how an update is computed; this one in one process, as torch does by itself."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor

from oddgan.training.batches import Source
from oddgan.training.state import State


class Engine:
    """Draws batches and turns losses into gradients.

    This one computes as torch does by itself; subclasses share the work among processes or protect single rows.
    """

    def prepare(self, state: State) -> None:
        """Get ready for a phase: networks, parameters and optimisers are there, nothing is trained yet."""

    def batches(self, state: State, source: Source, start: int = 0) -> Iterator[Tensor]:
        """One epoch but its first `start` batches, as this process sees them, (k, ...); the order is drawn at once."""
        return source.epoch(state.batch_size, start)

    def around(self) -> AbstractContextManager[object]:
        """What a step runs in, e.g. autocast; updates are applied outside."""
        return nullcontext()

    def backward(self, state: State, player: str, loss: Tensor) -> Tensor | None:
        """Fill the gradients of a player's parameters, and of nobody else's; return the loss as one number, ().

        None if the loss must stay private.

        Parameters
        ----------
        state : what the loop holds.
        player : whose loss it is.
        loss : (n,), entry i about sample i, or ().
        """
        reduced = state.phase.players[player].reduce(loss) if loss.ndim else loss
        torch.autograd.backward(reduced, inputs=state.parameters[player])
        return reduced.detach()
