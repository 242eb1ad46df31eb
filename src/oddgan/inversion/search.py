"""Latent search: gradient descent in the latent space of a generator, each sample by itself."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal, cast

import torch
from torch import Tensor

from oddgan._core.errors import InputError
from oddgan.inversion.batch import Batch, Found, Ledger, Parked, Waiting
from oddgan.inversion.budget import affordable
from oddgan.inversion.execution import PLAIN, Execution
from oddgan.inversion.optimisers import LatentAdam, LatentOptimiser, Seen
from oddgan.inversion.problem import Problem
from oddgan.inversion.restriction import Best, Restriction, restricted
from oddgan.inversion.result import Inverted, Loss, Map, Support

# A censored loss is eps less at most this share of it: enough to order ties, too little to matter otherwise.
TIE = 1e-6


@dataclass(frozen=True)
class LatentSearch:
    r"""Search :math:`z^* = \arg\min_z d(x, G(z))` from several starts per sample.

    Every pair of a sample and a start has its own loss, its own optimiser state and its own end: it stops before the
    first step at which its loss is at most `eps`, else after `n_max` steps. Losses are summed, never averaged, over
    samples. A start whose loss is not a number stops, and loses against all others. The pairs take turns on a fixed
    number of slots: one that has ended leaves its slot to the next, so that no step is spent on it. The answer for a
    sample depends neither on the samples beside it nor on the number of slots, but for rounding.

    Parameters
    ----------
    n_max : most steps, at least 1.
    optimiser : how latent points move.
    eps : loss at which a sample counts as found, at least 0.
    reduce : "min" reports the loss of the best start, "mean" the mean loss over the starts.
    drop : None, or a loss and a factor, e.g. (0.05, 0.1): from the first time that a point's loss is below the one, its
        step size is multiplied by the other, as in the survey's system.
    restriction : a support of the search's own, chosen without training again: `Projected`, `SupportPenalty` or
        `Accepted`; None stays on the prior's.
    precision : "fp32", or "bf16" for a search in half precision whose ends and losses are confirmed in full.

    References
    ----------
    T. Schlegl et al.: Unsupervised Anomaly Detection with Generative Adversarial Networks to Guide Marker Discovery,
    2017, https://arxiv.org/abs/1703.05921, section 2.2.
    F. Lüer, C. Böhm: Anomaly Detection using Generative Adversarial Networks, section 4.5: stopping, lower rates.
    """

    n_max: int = 500
    optimiser: LatentOptimiser = field(default=LatentAdam())
    eps: float = 0.0
    reduce: Literal["min", "mean"] = "min"
    drop: tuple[float, float] | None = None
    restriction: Restriction | None = None
    precision: Literal["fp32", "bf16"] = "fp32"

    def __post_init__(self) -> None:
        if self.n_max < 1 or not 0 <= self.eps < math.inf:
            raise InputError(
                f"LatentSearch got n_max={self.n_max} and eps={self.eps}: give n_max of at least 1 and eps of at least "
                "0."
            )
        if self.reduce not in ("min", "mean") or self.precision not in ("fp32", "bf16"):
            raise InputError(
                f"LatentSearch got reduce={self.reduce!r} and precision={self.precision!r}: give "
                '"min" or "mean", and "fp32" or "bf16".'
            )
        if self.drop is not None and (len(self.drop) != 2 or not all(0 < v < math.inf for v in self.drop)):
            raise InputError(f"LatentSearch got drop={self.drop}: give a loss and a factor above 0, or None.")

    def __call__(
        self,
        x: Tensor | tuple[Tensor, ...],
        generator: Map,
        prior: Support,
        loss: Loss,
        starts: Tensor,
        how: Execution = PLAIN,
    ) -> Inverted:
        """Invert samples x (n, ...). Works where gradients are switched off; no weight receives a gradient.

        Parameters
        ----------
        x : samples (n, ...), at least one, or all that `loss` needs to know of them, (n, ...) each.
        generator : maps z (k, m) to samples (k, ...), each row by itself: in evaluation mode.
        prior : its `project` brings z (k, m) back to the support after each step, unless `restriction` does.
        loss : maps what is known of samples, and reconstructions, to one loss per sample, (k,).
        starts : latent points (n_seed, m) that the search starts from, the same for every sample, or (n, n_seed, m).
        how : how many points the generator sees at once, a draft in lower precision, a callback for progress.

        Returns
        -------
        For each sample the best start's z (n, m) and G(z) (n, ...). With reduce="min" also its loss and steps; with
        reduce="mean" the starts' mean loss and the most steps that any of them took. Converged: the reported loss is at
        most `eps`.

        Raises
        ------
        InputError
            If there are no samples or starts, or the loss is not one differentiable value per sample.
        """
        known = x if isinstance(x, tuple) else (x,)
        n = len(known[0])
        if n == 0 or starts.ndim not in (2, 3) or starts.numel() == 0 or (starts.ndim == 3 and len(starts) != n):
            raise InputError(
                f"LatentSearch takes at least one sample and starts (n_seed, m) or (n, n_seed, m), but got the shapes "
                f"{tuple(known[0].shape)} and {tuple(starts.shape)}."
            )
        support, starts = restricted(self.restriction, prior, starts)
        problem = Problem(generator, loss, self.restriction)
        with torch.inference_mode(mode=False), torch.enable_grad():
            found = Descent(self, known, problem, support, starts, how).run()
        return self._reduced(found, n, partial(how.slots.map, generator))

    def _reduced(self, found: Found, n: int, draw: Map) -> Inverted:
        """Return one answer for each of n samples from those of its starts."""
        each = found.loss.view(n, -1)
        best = torch.where(each.isnan(), math.inf, each).argmin(dim=1)
        pick = torch.arange(n, device=each.device) * each.shape[1] + best
        z, least, steps = found.z[pick], found.loss[pick], found.steps[pick]
        y = found.y[pick] if found.y is not None else draw(z)
        censored = self._censored(found.loss, found.steps).view(n, -1)
        if self.reduce == "min":
            return Inverted(z, y, least, steps, least <= self.eps, censored.gather(1, best[:, None])[:, 0])
        mean, most = each.mean(dim=1), found.steps.view(n, -1).amax(dim=1)
        return Inverted(z, y, mean, most, mean <= self.eps, censored.mean(dim=1))

    def _censored(self, loss: Tensor, steps: Tensor) -> Tensor:
        r"""Losses as scores: :math:`\max(\text{loss}, \epsilon)`, ties at eps ordered by the steps that were taken."""
        tie = self.eps * (1 - TIE * (1 - steps.double() / (self.n_max + 1)))
        return torch.where(loss <= self.eps, tie, loss.double())

    def calibrate(self, budget_ms: float, run: Callable[["LatentSearch"], object], n: int) -> "LatentSearch":
        """Return this search with the n_max that a budget pays for on the machine at hand.

        Parameters
        ----------
        budget_ms : milliseconds for each sample, above 0.
        run : runs the search that it is given on n samples.
        n : the number of samples.

        Raises
        ------
        InputError
            If the budget does not pay for one step.
        """
        steps = affordable(budget_ms, lambda steps: run(replace(self, n_max=steps, eps=0.0)), n)
        return replace(self, n_max=steps)


@dataclass(frozen=True)
class Descent:
    """Moves all pairs of samples and starts, q = n · n_seed of them, from their starts to rest: continuous batching."""

    search: LatentSearch
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
