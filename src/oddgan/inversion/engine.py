"""Continuous batching: latent points take turns on a fixed number of slots, each with its own end."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor
from torch.func import jvp, vmap

from oddgan.inversion.optimisers import Seen, State
from oddgan.inversion.restriction import Best, Price, Restriction
from oddgan.inversion.result import Loss, Map, Report, Support, check_losses

if TYPE_CHECKING:
    from oddgan.inversion.search import LatentSearch

# Tangents that are pushed through the generator at once, for the Jacobian.
TANGENTS = 1024


class Slots(NamedTuple):
    """How many rows the networks see at once.

    Parameters
    ----------
    most : at most so many.
    fixed : always exactly so many, idle slots filled up: rounding depends on the number of rows, so that only then are
        float32 results equal to the last bit whatever else is searched for.
    """

    most: int = 64
    fixed: bool = False

    def map(self, function: Map, rows: Tensor) -> Tensor:
        """Apply a function to rows (n, ...), at most `most` at once, each by itself."""
        with torch.no_grad():
            parts = []
            for i in range(0, len(rows), self.most):
                some = rows[i : i + self.most]
                idle = self.most - len(some) if self.fixed else 0
                parts.append(function(torch.cat([some, some[-1:].repeat(idle, *[1] * (some.ndim - 1))]))[: len(some)])
            return torch.cat(parts)


class Found(NamedTuple):
    """Where points came to rest: z (q, m), loss (q,), steps (q,) and, where each was drawn anyway, y (q, ...)."""

    z: Tensor
    loss: Tensor
    steps: Tensor
    y: Tensor | None


@dataclass(frozen=True)
class Problem:
    """What is descended on."""

    generator: Map
    loss: Loss
    restriction: Restriction | None = None

    def look(self, z: Tensor, known: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
        """Return losses (k,) and reconstructions (k, ...) without gradients."""
        with torch.no_grad():
            y = self.generator(z)
            loss, price = self.loss(*known, y), self._price(z)
            return loss if price is None else loss + price.value, y

    def descent(self, z: Tensor, known: tuple[Tensor, ...], *, jacobian: bool) -> tuple[Seen, Tensor]:
        """Return losses (k,) with gradients (k, m) to their own z, and reconstructions."""
        price = self._price(z)
        seen, y = self._slope(z.detach().requires_grad_(), known, jacobian=jacobian)
        if price is None:
            return seen, y
        curved = seen.curvature
        if curved is not None:
            curved = curved + torch.diag_embed(price.curvature[:, None].expand_as(z))
        return Seen(seen.loss + price.value, seen.gradient + price.gradient, curved), y

    def _price(self, z: Tensor) -> Price | None:
        return None if self.restriction is None else self.restriction.price(z.detach())

    def _slope(self, z: Tensor, known: tuple[Tensor, ...], *, jacobian: bool) -> tuple[Seen, Tensor]:
        """Return the same without what the restriction adds."""
        y = self.generator(z)
        free = y.detach().requires_grad_() if jacobian else y
        each = self.loss(*known, free)
        check_losses(each, z)
        if not jacobian:
            (gradient,) = torch.autograd.grad(each.sum(), z)
            return Seen(each.detach(), gradient), y.detach()
        (slope,) = torch.autograd.grad(each.sum(), free)
        return self._with_curvature(z.detach(), known[0], y.detach(), each.detach(), slope), y.detach()

    def _with_curvature(self, z: Tensor, x: Tensor, y: Tensor, loss: Tensor, slope: Tensor) -> Seen:
        """Return the gradient and c J Jᵀ, with c (y - x) as long along the residual as the loss's slope in y."""
        k, m = z.shape
        residual, slope = (y - x).flatten(1), slope.flatten(1)
        c = (slope * residual).sum(1) / residual.square().sum(1).clamp(min=torch.finfo(z.dtype).tiny)
        rows = []
        tangents = torch.eye(m, dtype=z.dtype, device=z.device)
        for i in range(0, k, per := max(1, TANGENTS // m)):
            some = z[i : i + per]
            push = vmap(lambda t, at=some: jvp(self.generator, (at,), (t.expand_as(at),))[1])
            rows.append(push(tangents).flatten(2).transpose(0, 1))
        jacobian = torch.cat(rows)  # (k, m, values of a sample)
        gradient = (jacobian @ slope[:, :, None])[:, :, 0]
        return Seen(loss, gradient, c.clamp(min=0)[:, None, None] * (jacobian @ jacobian.transpose(1, 2)))


@dataclass
class _Batch:
    """The points that are being moved: a row for each slot."""

    pair: Tensor
    live: Tensor
    z: Tensor
    steps: Tensor
    rate: Tensor
    known: tuple[Tensor, ...]
    state: State

    def replace(self, rows: Tensor, other: "_Batch") -> None:
        """Put the other's rows on the slots `rows`."""
        for name in ("pair", "live", "z", "steps", "rate"):
            getattr(self, name)[rows] = getattr(other, name)
        for old, new in zip(self.known, other.known, strict=True):
            old[rows] = new
        for name, value in self.state.items():
            value[rows] = other.state[name]

    def keep(self, rows: Tensor) -> None:
        """Give up the slots that `rows` does not name."""
        for name in ("pair", "live", "z", "steps", "rate"):
            setattr(self, name, getattr(self, name)[rows])
        self.known = tuple(value[rows] for value in self.known)
        self.state = {name: value[rows] for name, value in self.state.items()}


class Execution(NamedTuple):
    """How a search is run; none of it changes an answer but for rounding.

    Parameters
    ----------
    slots : how many points the generator sees at once.
    draft : a generator and a loss of lower precision to descend on; ends and losses are those of the full ones.
    report : told how far it is.
    """

    slots: Slots = Slots()
    draft: tuple[Map, Loss] | None = None
    report: Report | None = None


PLAIN = Execution()


@dataclass(frozen=True)
class Descent:
    """Moves all pairs of samples and starts, q = n · n_seed of them, from their starts to rest."""

    search: "LatentSearch"
    known: tuple[Tensor, ...]
    problem: Problem
    prior: Support
    starts: Tensor
    how: Execution

    @property
    def q(self) -> int:
        """The number of pairs."""
        return len(self.known[0]) * self.starts.shape[-2]

    @property
    def best(self) -> Best | None:
        """Keeps the best points inside, where only those count."""
        rule = self.search.restriction
        return Best(rule) if rule is not None and rule.accepts else None

    def run(self) -> Found:
        """Search until all pairs are at rest."""
        search, slots = self.search, self.how.slots
        rough = self.problem if self.how.draft is None else Problem(*self.how.draft, search.restriction)
        last = self.best is None and not search.optimiser.monotone
        found = _Ledger(self.q, self.starts, keep_y=self.starts.shape[-2] == 1 and last)
        waiting = min(slots.most, self.q)
        first = torch.arange(slots.most if slots.fixed else waiting, device=self.starts.device)
        batch = self._enter(first.clamp(max=self.q - 1), first < self.q)
        while bool(batch.live.any()):
            seen, y = self._look(rough, batch)
            z, loss, unsure = self._answer(batch, seen)
            goal = seen.loss if self.best is None else loss
            ended = batch.live & ((goal <= search.eps) | (batch.steps >= search.n_max) | seen.loss.isnan())
            if bool((ended & unsure).any()):
                exact, y = self._confirm(batch, z, ended & unsure, (loss, y))
                loss = torch.where(unsure, exact, loss)
                if self.how.draft is not None:
                    ended &= (loss <= search.eps) | (batch.steps >= search.n_max) | loss.isnan()
            over, batch.live = ended, batch.live & ~ended
            self._move(batch, seen)
            if bool(over.any()):
                self._tell(found.write(batch, over, z, loss, y), loss[over])
                waiting = self._refill(batch, over, waiting)
        return found.close()

    def _enter(self, pair: Tensor, live: Tensor) -> _Batch:
        """Put pairs at their starts."""
        n_seed = self.starts.shape[-2]
        sample, seed = pair // n_seed, pair % n_seed
        z = self.starts[seed] if self.starts.ndim == 2 else self.starts[sample, seed]
        zero, rows = torch.zeros(len(pair), device=z.device), tuple(value[sample] for value in self.known)
        state = self.search.optimiser.start(z) | ({} if self.best is None else self.best.start(z))
        return _Batch(pair.clone(), live.clone(), z, zero.long(), 1 + zero.double(), rows, state)

    def _look(self, problem: Problem, batch: _Batch) -> tuple[Seen, Tensor]:
        """Evaluate the loss at z, with its gradient unless all points are at their last step."""
        if bool((batch.steps >= self.search.n_max)[batch.live].all()):
            loss, y = problem.look(batch.z, batch.known)
            return Seen(loss, torch.zeros_like(batch.z)), y
        return problem.descent(batch.z, batch.known, jacobian=self.search.optimiser.needs_jacobian)

    def _answer(self, batch: _Batch, seen: Seen) -> tuple[Tensor, Tensor, Tensor]:
        """Return what ends now would answer: points, losses, and which of these must be looked at (again) for that."""
        rough = torch.full_like(batch.live, self.how.draft is not None)
        if self.best is None:
            return *self.search.optimiser.answer(batch.state, batch.z, seen.loss), rough
        self.best.note(batch.state, batch.z, seen.loss)
        z, loss, none = self.best.answer(batch.state, batch.z)
        return z, loss, rough | none

    def _confirm(self, batch: _Batch, z: Tensor, ended: Tensor, rough: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """Return losses and reconstructions in full precision, where points have ended that need it."""
        if self.how.slots.fixed:
            return self.problem.look(z, batch.known)
        rows, (loss, y) = ended.nonzero()[:, 0], rough
        exact, drawn = self.problem.look(z[rows], tuple(value[rows] for value in batch.known))
        return loss.to(exact.dtype).index_copy(0, rows, exact), y.to(drawn.dtype).index_copy(0, rows, drawn)

    def _move(self, batch: _Batch, seen: Seen) -> None:
        """Take one step with all points that are still on their way."""
        if not bool(batch.live.any()):
            return
        search = self.search
        with torch.no_grad():
            if search.drop is not None:
                below, factor = search.drop
                batch.rate = torch.where(seen.loss < below, factor, batch.rate)
            stepped = self.prior.project(search.optimiser.step(batch.state, batch.z, seen, batch.rate))
            batch.z = torch.where(batch.live[:, None], stepped, batch.z)
            batch.steps = batch.steps + batch.live

    def _refill(self, batch: _Batch, ended: Tensor, waiting: int) -> int:
        """Let waiting pairs enter free slots, give up those that stay empty; return which pair waits next."""
        free = ended.nonzero()[:, 0]
        count = min(len(free), self.q - waiting)
        if count:
            pair = torch.arange(waiting, waiting + count, device=free.device)
            batch.replace(free[:count], self._enter(pair, torch.ones_like(pair, dtype=torch.bool)))
        if count < len(free) and not self.how.slots.fixed:
            batch.keep(batch.live.nonzero()[:, 0])
        return waiting + count

    def _tell(self, steps: Tensor, loss: Tensor) -> None:
        if self.how.report is not None:
            self.how.report(len(loss), int(steps.sum()), int((loss <= self.search.eps).sum()))


class _Ledger:
    """Where the points that came to rest are written down."""

    def __init__(self, q: int, starts: Tensor, *, keep_y: bool) -> None:
        self.z = torch.empty(q, starts.shape[-1], dtype=starts.dtype, device=starts.device)
        self.loss: Tensor | None = None
        self.steps = torch.zeros(q, dtype=torch.int64, device=starts.device)
        self.y: Tensor | None = None
        self.keep_y = keep_y

    def write(self, batch: _Batch, ended: Tensor, z: Tensor, loss: Tensor, y: Tensor) -> Tensor:
        """Note the points that have ended; return the steps that they took."""
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
