"""Data-parallel training: each worker takes its share of every batch; all get the weights of one process."""

import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager

import torch
from torch import Tensor, nn

from oddgan._core.errors import InputError, TrainingError
from oddgan.networks.blocks.minibatch import BatchStatistic
from oddgan.training.batches import Source, count
from oddgan.training.distributed.rows import Shared
from oddgan.training.distributed.team import Team, current
from oddgan.training.engine import Engine
from oddgan.training.state import State

# Rounding may differ between devices; a loss that depends on the rows differs by more.
_SAME = 1e-6


class SharedEngine(Engine):
    """Data-parallel engine: sums the gradients of the workers' shares of a batch.

    Weights, optimisers, averages and random streams are the same on all workers at all times, so that whatever is
    stored on one of them holds for any number of them.

    Parameters
    ----------
    team : the workers.
    """

    def __init__(self, team: Team) -> None:
        self.team = team
        self.rows = Shared(team, 0, 0, 0)

    @classmethod
    def for_now(cls) -> Engine:
        """The engine for the processes there are: this one, or that of one process."""
        team = current()
        return Engine() if team is None else cls(team)

    def prepare(self, state: State) -> None:
        """Refuse layers that look at the rows of a batch together, other than batch normalisation.

        Raises
        ------
        InputError
            If there is one: it would see a worker's rows only.
        """
        if any(isinstance(module, BatchStatistic) for module in state.networks.modules()):
            raise InputError(
                "Minibatch layers look at batches as a whole, which several workers can't: take networks without them, "
                "or use one process."
            )

    def batches(self, state: State, source: Source, start: int = 0) -> Iterator[Tensor]:
        """One epoch without its first `start` batches, as this worker's shares (k, ...); then the workers are compared.

        Raises
        ------
        InputError
            If there are more workers than rows in a batch.
        TrainingError
            If the workers have drifted apart.
        """
        workers, n = self.team.share[1], len(source)
        parts = count(n, state.batch_size)
        if n // parts < workers:
            raise InputError(
                f"{workers} workers can't share a batch of {n // parts} rows: raise batch_size (now "
                f"{state.batch_size}), give more rows (now {n}), or start fewer workers."
            )
        sizes = [len(batch) for batch in torch.arange(n).tensor_split(parts)[start:]]
        return self._shares(state, source.epoch(state.batch_size, start, self.team.share), sizes)

    def _shares(self, state: State, batches: Iterator[Tensor], sizes: list[int]) -> Iterator[Tensor]:
        worker, workers = self.team.share
        for x, size in zip(batches, sizes, strict=True):
            shares = torch.arange(size).tensor_split(workers)
            first = sum(len(share) for share in shares[:worker])
            self.rows = Shared(self.team, first, first + len(x), size)
            yield x
        self._compare(state)

    def around(self) -> AbstractContextManager[object]:
        """Draws and batch statistics are those of all rows."""
        return self.rows

    def backward(self, state: State, player: str, loss: Tensor) -> Tensor:
        """Fill the gradients of a player's parameters with those of the whole batch; return its loss, ().

        Raises
        ------
        TrainingError
            If a loss () is not the same on all workers: it is about each worker's rows alone.
        """
        parameters = list(dict.fromkeys(state.parameters[player]))
        if loss.ndim == 0:
            value = self._common(state, player, loss)
            torch.autograd.backward(loss / self.team.share[1], inputs=parameters)
            self._combine(parameters)
            return value
        reduce = state.phase.players[player].reduce
        if reduce is torch.mean:
            torch.autograd.backward(loss.sum(), inputs=parameters)
            total, n = self._combine(parameters, loss.detach().sum(), torch.tensor(len(loss)))
            for weight in parameters:
                if weight.grad is not None:
                    weight.grad /= n
            return total / n
        every = self.rows.gathered(loss.detach()).requires_grad_()
        reduced = reduce(every)
        (slopes,) = torch.autograd.grad(reduced, every)
        torch.autograd.backward(loss, slopes[self.rows.first : self.rows.stop], inputs=parameters)
        self._combine(parameters)
        return reduced.detach()

    def _common(self, state: State, player: str, loss: Tensor) -> Tensor:
        value = loss.detach()
        values = torch.zeros(self.team.share[1], dtype=value.dtype, device=value.device)
        values[self.team.share[0]] = value
        self.team.add(values)
        if not torch.allclose(values, values[0].expand_as(values), rtol=_SAME, atol=0.0, equal_nan=True):
            raise TrainingError(
                f"The step of phase {state.phase.name!r} yields one loss for a whole batch to {player!r}, which "
                "differs among workers as each has other rows: yield a loss for each sample, or compute it from the "
                "rows that `oddgan.training.gathered` returns, or train in one process."
            )
        return value

    def _combine(self, parameters: list[nn.Parameter], *numbers: Tensor) -> list[Tensor]:
        """Sum the gradients, and further numbers, over the workers, in one exchange for each type."""
        gradients = [w.grad for w in parameters if w.grad is not None]
        kinds = dict.fromkeys(g.dtype for g in gradients) or {torch.get_default_dtype(): None}
        extra: list[Tensor] = []
        for i, kind in enumerate(kinds):
            mine = [g for g in gradients if g.dtype == kind]
            device = mine[0].device if mine else numbers[0].device if numbers else None
            more = [number.to(device, kind).reshape(1) for number in numbers] if i == 0 else []
            flat = self.team.add(torch.cat([*(g.flatten() for g in mine), *more])) if mine or more else None
            if flat is None:
                continue
            sizes = [g.numel() for g in mine] + [1] * len(more)
            pieces = torch.split(flat, sizes)
            for gradient, piece in zip(mine, pieces, strict=False):
                gradient.copy_(piece.view_as(gradient))
            extra += [piece[0] for piece in pieces[len(mine) :]]
        return extra

    def _compare(self, state: State) -> None:
        """Stop if random streams or weights differ: a step has broken the rules, and the result is no one's."""
        stream = zlib.crc32(torch.get_rng_state().numpy().tobytes())
        tensors = [t.detach().double().sum() for t in state.networks.state_dict().values()]
        seen = (stream, float(torch.stack(tensors).sum()) if tensors else 0.0)
        if any(other != seen for other in self.team.hear(seen)):
            raise TrainingError(
                f"The workers have drifted apart in phase {state.phase.name!r}: its step must do the same on all of "
                "them but for their rows, so decide by `oddgan.training.gathered` rows, draw one entry for each row or "
                "the same for all, or train in one process."
            )
