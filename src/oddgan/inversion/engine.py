"""Continuous batching: latent points take turns on a fixed number of slots, each with its own end."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, cast

import torch
from torch import Tensor
from torch.func import jvp, vmap

from oddgan.inversion.batch import Batch, Found, Ledger, Parked, Waiting
from oddgan.inversion.optimisers import Seen
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
        last = self.best is None and not self.search.optimiser.monotone
        found = Ledger(self.q, self.starts, keep_y=self.starts.shape[-2] == 1 and last)
        waiting = Waiting(self.q, self._enter, self.starts.device)
        batch = waiting.first(self.how.slots.most, padded=self.how.slots.fixed)
        (self._search if self.how.draft is None else self._search_by_draft)(batch, waiting, found)
        return found.close()

    def _search(self, batch: Batch, waiting: Waiting, found: Ledger) -> None:
        while bool(batch.live.any()):
            seen, y = self._look(self.problem, batch)
            z, loss, unsure = self._answer(batch, seen)
            over = self._ended(batch, seen, loss)
            if bool((over & unsure).any()):
                exact, y = self._confirm(batch, z, over & unsure, (loss, y))
                loss = torch.where(unsure, exact, loss)
            batch.live = batch.live & ~over
            self._move(batch, seen)
            if bool(over.any()):
                self._tell(found.write(batch, over, z, loss, y), loss[over])
                batch = waiting.fill(batch)

    def _search_by_draft(self, batch: Batch, waiting: Waiting, found: Ledger) -> None:
        """Descend on the draft; points that it says have ended are confirmed in full precision, many at once."""
        rough, parked = Problem(*cast(tuple[Map, Loss], self.how.draft), self.search.restriction), Parked()
        while bool(batch.live.any()) or len(parked):
            if bool(batch.live.any()):
                seen, _ = self._look(rough, batch)
                z, loss, _ = self._answer(batch, seen)
                over = self._ended(batch, seen, loss) & ~batch.refused
                parked.add(batch, z, over)
                batch.live, batch.refused = batch.live & ~over, torch.zeros_like(over)
                self._move(batch, seen)
            if len(parked) >= self.how.slots.most or (not len(waiting) and len(parked) >= int(batch.live.sum())):
                waiting.give_back(self._settle(parked, found))
            batch = waiting.fill(batch)

    def _ended(self, batch: Batch, seen: Seen, loss: Tensor) -> Tensor:
        """Which live points end here, (k,) bool."""
        goal = seen.loss if self.best is None else loss
        return batch.live & ((goal <= self.search.eps) | (batch.steps >= self.search.n_max) | seen.loss.isnan())

    def _settle(self, parked: Parked, found: Ledger) -> Batch:
        """Look at parked points in full precision; note those that have ended, return the others."""
        batch, z = parked.take_all()
        looks = [self._exact(z[i : i + self.how.slots.most], batch, i) for i in range(0, len(z), self.how.slots.most)]
        loss, y = (torch.cat(parts) for parts in zip(*looks, strict=True))
        over = (loss <= self.search.eps) | (batch.steps >= self.search.n_max) | loss.isnan()
        if bool(over.any()):
            self._tell(found.write(batch, over, z, loss, y), loss[over])
        return batch.take((~over).nonzero()[:, 0])

    def _exact(self, z: Tensor, batch: Batch, first: int) -> tuple[Tensor, Tensor]:
        """Losses and reconstructions of at most a pass of points, of which the first is row `first` of the batch."""
        size = self.how.slots.most if self.how.slots.fixed else len(z)
        rows = torch.arange(size, device=z.device).clamp(max=len(z) - 1)
        loss, y = self.problem.look(z[rows], tuple(value[first + rows] for value in batch.known))
        return loss[: len(z)], y[: len(z)]

    def _enter(self, pair: Tensor, live: Tensor) -> Batch:
        """Put pairs at their starts."""
        n_seed = self.starts.shape[-2]
        sample, seed = pair // n_seed, pair % n_seed
        z = self.starts[seed] if self.starts.ndim == 2 else self.starts[sample, seed]
        zero, rows = torch.zeros(len(pair), device=z.device), tuple(value[sample] for value in self.known)
        state = self.search.optimiser.start(z) | ({} if self.best is None else self.best.start(z))
        refused = torch.zeros_like(live)
        return Batch(pair.clone(), live.clone(), refused, z, zero.long(), 1 + zero.double(), rows, state)

    def _look(self, problem: Problem, batch: Batch) -> tuple[Seen, Tensor]:
        """Evaluate the loss at z, with its gradient unless all points are at their last step."""
        if bool((batch.steps >= self.search.n_max)[batch.live].all()):
            loss, y = problem.look(batch.z, batch.known)
            return Seen(loss, torch.zeros_like(batch.z)), y
        return problem.descent(batch.z, batch.known, jacobian=self.search.optimiser.needs_jacobian)

    def _answer(self, batch: Batch, seen: Seen) -> tuple[Tensor, Tensor, Tensor]:
        """Return what ends now would answer: points, losses, and which of these must be looked at (again) for that."""
        if self.best is None:
            return *self.search.optimiser.answer(batch.state, batch.z, seen.loss), torch.zeros_like(batch.live)
        self.best.note(batch.state, batch.z, seen.loss)
        return self.best.answer(batch.state, batch.z)

    def _confirm(self, batch: Batch, z: Tensor, ended: Tensor, rough: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """Return losses and reconstructions in full precision, where points have ended that need it."""
        if self.how.slots.fixed:
            return self.problem.look(z, batch.known)
        rows, (loss, y) = ended.nonzero()[:, 0], rough
        exact, drawn = self.problem.look(z[rows], tuple(value[rows] for value in batch.known))
        return loss.to(exact.dtype).index_copy(0, rows, exact), y.to(drawn.dtype).index_copy(0, rows, drawn)

    def _move(self, batch: Batch, seen: Seen) -> None:
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

    def _tell(self, steps: Tensor, loss: Tensor) -> None:
        if self.how.report is not None:
            self.how.report(len(loss), int(steps.sum()), int((loss <= self.search.eps).sum()))
