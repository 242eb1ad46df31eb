"""Joint search (ADGAN): moves the latent point and a private copy of the generator's weights together."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, Protocol

import torch
from torch import Tensor

from oddgan._core.errors import InputError
from oddgan.inversion.budget import affordable
from oddgan.inversion.execution import PLAIN, Execution, Slots
from oddgan.inversion.optimisers import LatentAdam, Seen
from oddgan.inversion.restriction import Kept, Restriction, restricted, rowwise
from oddgan.inversion.result import Inverted, Loss, Support, check_losses


class Copies(Protocol):
    """A generator with parameters θ of their own for each group of neighbouring rows."""

    def __call__(self, z: Tensor) -> Tensor:
        """Map z (groups · members, m) to samples, differentiable in z."""
        ...

    def reset(self) -> None:
        """Give every group the generator's own θ."""
        ...

    def step(self) -> None:
        """Move every θ by the gradient that was taken last in z."""
        ...

    def bytes(self, z: Tensor) -> int:
        """The memory that one row takes; z (1, m) is any latent point."""
        ...


class Copier(Protocol):
    """Makes the copies of a generator."""

    def __call__(self, rule: "JointSearch", members: int) -> Copies:
        """Return copies whose θ moves by the rule, for groups of `members` rows."""
        ...


class Joint(NamedTuple):
    """Where all starts ended.

    Parameters
    ----------
    z : latent points, (n, n_seed, m).
    x : what the best start's own copy makes of its z, (n, ...).
    loss : of each start, (n, n_seed).
    """

    z: Tensor
    x: Tensor
    loss: Tensor

    def best(self) -> Tensor:
        """Return each sample's start with the least loss, (n,)."""
        return torch.where(self.loss.isnan(), math.inf, self.loss).argmin(dim=1)

    def inverted(self, steps: int) -> Inverted:
        """Return the best start's z and x, and the mean loss, after so many steps."""
        z = self.z[torch.arange(len(self.z), device=self.z.device), self.best()]
        taken = torch.full((len(z),), steps, dtype=torch.int64, device=z.device)
        mean = self.loss.mean(dim=1)
        return Inverted(z, self.x, mean, taken, torch.ones_like(taken, dtype=torch.bool), mean.double())


@dataclass(frozen=True)
class JointSearch:
    r"""Move z and a private copy of θ together for k steps, from several starts per sample.

    .. math:: \ell_j = d(x, g_{\theta_{j,k}}(z_{j,k})), \quad
        z_{j,t+1} = \mathrm{Adam}(\nabla_z \ell), \quad \theta_{j,t+1} = \mathrm{Adam}(\nabla_\theta \ell)

    Both gradients are of the same loss, before either moves. θ, z and both optimisers start again for every sample and
    every start. The starts are the same for all samples: their first pass is computed once.

    Parameters
    ----------
    steps : number k of steps, at least 0.
    lr : Adam's step size for z, above 0.
    theta : how θ moves. "adam": each start's own θ by Adam, as in the paper; "gradient": by plain gradient steps, which
        have a form without copies; "shared": one θ for all starts of a sample, by Adam on their mean loss, an
        approximation; "frozen": not at all, an approximation.
    theta_lr : step size for θ, above 0; None takes 5e-5 for Adam, the value of public code, and 3e-3 for plain steps,
        which moves the loss as far on MNIST.
    betas : Adam's decay rates of both moments, each in [0, 1).
    restriction : a support of the search's own, chosen without training again: `Projected`, `SupportPenalty` or
        `Accepted`; None stays on the prior's.
    precision : of the matrix products, "fp32" (the generator's own) or "bf16"; θ is kept in full precision.
    memory_mb : most memory for private parameters and maps, in MiB, above 0; one start is always searched.

    References
    ----------
    L. Deecke, R. Vandermeulen, L. Ruff, S. Mandt, M. Kloft: Image Anomaly Detection with Generative Adversarial
    Networks, 2018, algorithm 1.
    """

    steps: int = 5
    lr: float = 0.25
    theta: Literal["adam", "gradient", "shared", "frozen"] = "adam"
    theta_lr: float | None = None
    betas: tuple[float, float] = (0.5, 0.999)
    restriction: Restriction | None = None
    precision: Literal["fp32", "bf16"] = "fp32"
    memory_mb: int = 256

    def __post_init__(self) -> None:
        if self.steps < 0 or self.memory_mb < 1:
            raise InputError(
                f"JointSearch got steps={self.steps} and memory_mb={self.memory_mb}: give steps of at least 0 and "
                "memory of at least 1."
            )
        if not all(0 < rate < math.inf for rate in (self.lr, self.rate)):
            raise InputError(f"JointSearch got lr={self.lr} and theta_lr={self.theta_lr}: give numbers above 0.")
        if self.theta not in ("adam", "gradient", "shared", "frozen"):
            raise InputError(f'JointSearch got theta={self.theta!r}: give "adam", "gradient", "shared" or "frozen".')
        if self.precision not in ("fp32", "bf16"):
            raise InputError(f'JointSearch got precision={self.precision!r}: give "fp32" or "bf16".')
        if len(self.betas) != 2 or not all(0 <= beta < 1 for beta in self.betas):
            raise InputError(f"JointSearch got betas={self.betas}: give two numbers of at least 0 and below 1.")

    @property
    def rate(self) -> float:
        """The step size for θ."""
        return (3e-3 if self.theta == "gradient" else 5e-5) if self.theta_lr is None else self.theta_lr

    def __call__(
        self,
        x: Tensor,
        generator: Copier,
        prior: Support,
        loss: Loss | tuple[Loss, Loss],
        starts: Tensor,
        how: Execution = PLAIN,
    ) -> Joint:
        """Invert samples x (n, ...). Works where gradients are switched off; the generator is left as it is.

        Parameters
        ----------
        x : samples, (n, ...), at least one.
        generator : makes the private copies.
        prior : its `project` brings z (k, m) back to the support after each step, unless `restriction` does.
        loss : maps samples and reconstructions to one loss per sample, (k,); or two such, one that z and θ move by and
            one that what they end with is measured by, without the price of a restriction.
        starts : latent points (n_seed, m) that the search starts from, the same for every sample.
        how : with fixed slots a pass is of one sample, so that rounding cannot depend on others; else samples share
            passes of that many rows. A callback for progress.

        Raises
        ------
        InputError
            If there are no samples or starts, or the loss is not one differentiable value per sample.
        """
        if len(x) == 0 or starts.ndim != 2 or starts.numel() == 0:
            raise InputError(
                f"JointSearch takes at least one sample and starts (n_seed, m), but got the shapes {tuple(x.shape)} "
                f"and {tuple(starts.shape)}."
            )
        support, starts = restricted(self.restriction, prior, starts)
        with torch.inference_mode(mode=False), torch.enable_grad():
            copies = generator(self, len(starts) if self.theta == "shared" else 1)
            passes, samples = self._passes(starts, copies.bytes(starts[:1]), how.slots, len(x))
            search, *final = loss if isinstance(loss, tuple) else (loss,)
            descent = JointDescent(self, copies, support, search, *final)
            firsts = [descent.first(z) for z in passes]
            found = []
            for some in torch.split(x, samples):
                found.append(_together(descent, some, firsts, len(starts)))
                if how.report is not None:
                    points = len(some) * len(starts)
                    how.report(points, self.steps * points, points)
        return Joint(*(torch.cat(values) for values in zip(*found, strict=True)))

    def _passes(self, starts: Tensor, size: int, slots: Slots, n: int) -> tuple[tuple[Tensor, ...], int]:
        """Return the starts (k, m) of each pass, and how many of n samples share passes; a row takes `size` bytes.

        One pass is on all starts of some samples, or several are on parts of one sample's.
        """
        most = self.memory_mb * 2**20 // size
        samples = 1 if slots.fixed else max(1, min(min(most, slots.most) // len(starts), n))
        parts = 1 if samples > 1 or self.theta == "shared" else math.ceil(len(starts) / max(most, 1))
        return torch.split(starts.repeat(samples, 1), math.ceil(samples * len(starts) / parts)), samples

    def trace(
        self, x: Tensor, generator: Copier, prior: Support, loss: Loss | tuple[Loss, Loss], starts: Tensor
    ) -> Tensor:
        """Return the ways of all starts, (n, n_seed, k + 1, m), with the arguments of a call.

        With `Accepted` it is the way itself, accepted or not.
        """
        rule = self.restriction
        free = replace(self, restriction=None) if rule is not None and rule.accepts else self
        first = starts if rule is None else rule.enter(starts)
        ends = [
            replace(free, steps=k)(x, generator, prior, loss, starts).z if k else first.expand(len(x), -1, -1)
            for k in range(self.steps + 1)
        ]
        return torch.stack(ends, dim=2)

    def calibrate(self, budget_ms: float, run: Callable[["JointSearch"], object], n: int) -> "JointSearch":
        """Return this search with the steps that a budget pays for on the machine at hand.

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
        return replace(self, steps=affordable(budget_ms, lambda steps: run(replace(self, steps=steps)), n))


@dataclass(frozen=True)
class JointDescent:
    """Gradient descent of the rows of one pass after the other.

    Parameters
    ----------
    search : its settings.
    copies : private copies of the generator.
    prior : keeps z on its support.
    loss : one for each row.
    final : the loss that ends are measured by, where it is another one.
    """

    search: JointSearch
    copies: Copies
    prior: Support
    loss: Loss
    final: Loss | None = None

    def first(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Return the starts z (k, m) of a pass and their samples (k, ...), with a graph that serves all passes."""
        self.copies.reset()
        z = z.clone().requires_grad_()
        return z, self.copies(z)

    def run(self, x: Tensor, first: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Search for x (k, ...), row by row: where z (k, m) ends, what is drawn there (k, ...), its losses (k,)."""
        self.copies.reset()
        z, y = first
        adam, rule = LatentAdam(lr=self.search.lr, betas=self.search.betas), self.search.restriction
        state, rate = adam.start(z.detach()), z.new_ones(len(z))
        kept = None if rule is None or not rule.accepts else Kept(rule, z.detach(), y.detach())
        for step in range(1, self.search.steps + 1):
            each = self.loss(x, y)
            check_losses(each, z)
            (gradient,) = torch.autograd.grad(each.sum(), z, retain_graph=step == 1)
            if kept is not None:
                kept.note(z.detach(), y.detach(), each.detach())
            price = None if rule is None else rule.price(z.detach())
            gradient = gradient if price is None else gradient + price.gradient
            self.copies.step()
            z = self.prior.project(adam.step(state, z.detach(), Seen(each.detach(), gradient), rate))
            last = step == self.search.steps
            with torch.set_grad_enabled(not last):
                z = z.requires_grad_(not last)
                y = self.copies(z)
        with torch.no_grad():
            z, y, loss = self._end(x, z.detach(), y.detach(), kept)
            return z, y, loss if self.final is None else self.final(x, y)

    def _end(self, x: Tensor, z: Tensor, y: Tensor, kept: Kept | None) -> tuple[Tensor, Tensor, Tensor]:
        """Return the answers of a pass that ended at z with y."""
        loss, rule = self.loss(x, y), self.search.restriction
        price = None if rule is None else rule.price(z)
        if kept is None:
            return z, y, loss if price is None else loss + price.value
        kept.note(z, y, loss)
        z, loss, none = kept.answer(z)
        if not bool(none.any()):
            return z, kept.y, loss
        y = self.copies(z)
        return z, torch.where(rowwise(none, y), y, kept.y), torch.where(none, self.loss(x, y), loss)


def _together(descent: JointDescent, x: Tensor, firsts: list[tuple[Tensor, Tensor]], n_seed: int) -> Joint:
    """Search for samples that share passes; rows of a pass that are left over get the last sample."""
    found = []
    for first in firsts:
        rows = (torch.arange(len(first[0]), device=x.device) // n_seed).clamp(max=len(x) - 1)
        found.append(descent.run(x[rows], first))
    ends = (torch.cat(values)[: len(x) * n_seed] for values in zip(*found, strict=True))
    z, y, each = (end.view(len(x), n_seed, *end.shape[1:]) for end in ends)
    joint = Joint(z, y, each)
    return joint._replace(x=y[torch.arange(len(x), device=x.device), joint.best()])
