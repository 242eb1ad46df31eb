"""Inversion that moves the latent point and a private copy of the generator together."""

import math
from dataclasses import dataclass
from typing import Literal, Protocol

import torch
from torch import Tensor

from oddgan._core.errors import InputError
from oddgan.inversion.result import Inverted, Loss, Support

ADAM_EPS = 1e-8
# Matrix products treat rows that are left over from blocks of this many in another way.
BLOCK = 64


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
    theta_lr : step size for θ, above 0. Plain steps need larger ones than Adam's.
    betas : Adam's decay rates of both moments, each in [0, 1).
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
    theta_lr: float = 5e-5
    betas: tuple[float, float] = (0.5, 0.999)
    precision: Literal["fp32", "bf16"] = "fp32"
    memory_mb: int = 256

    def __post_init__(self) -> None:
        if self.steps < 0 or self.memory_mb < 1:
            raise InputError(
                f"JointSearch got steps={self.steps} and memory_mb={self.memory_mb}: give steps of at least 0 and "
                "memory of at least 1."
            )
        if not all(0 < rate < math.inf for rate in (self.lr, self.theta_lr)):
            raise InputError(f"JointSearch got lr={self.lr} and theta_lr={self.theta_lr}: give numbers above 0.")
        if self.theta not in ("adam", "gradient", "shared", "frozen"):
            raise InputError(
                f'JointSearch got theta={self.theta!r}: give "adam", "gradient", "shared" or "frozen".'
            )
        if self.precision not in ("fp32", "bf16"):
            raise InputError(f'JointSearch got precision={self.precision!r}: give "fp32" or "bf16".')
        if len(self.betas) != 2 or not all(0 <= beta < 1 for beta in self.betas):
            raise InputError(f"JointSearch got betas={self.betas}: give two numbers of at least 0 and below 1.")

    def __call__(self, x: Tensor, generator: Copier, prior: Support, loss: Loss, starts: Tensor) -> Inverted:
        """Invert samples x (n, ...). Works where gradients are switched off; the generator is left as it is.

        Parameters
        ----------
        x : samples, (n, ...), at least one.
        generator : makes the private copies.
        prior : its `project` brings z (k, m) back to the support after each step.
        loss : maps samples and reconstructions to one loss per sample, (k,).
        starts : latent points (n_seed, m) that the search starts from, the same for every sample.

        Returns
        -------
        For each sample the best start's z and x, and the mean loss of all starts after k steps.

        Raises
        ------
        InputError
            If there are no samples or starts, or the loss is not one differentiable value per sample.
        """
        z, y, each = self._all(x, generator, prior, loss, starts)
        best = torch.where(each.isnan(), math.inf, each).argmin(dim=1)
        rows = torch.arange(len(x), device=x.device)
        steps = torch.full((len(x),), self.steps, dtype=torch.int64, device=x.device)
        z, y = z[rows, best, -1], y[rows, best]
        return Inverted(z, y, each.mean(dim=1), steps, torch.ones_like(steps, dtype=torch.bool))

    def trace(self, x: Tensor, generator: Copier, prior: Support, loss: Loss, starts: Tensor) -> Tensor:
        """Return the way of every start, (n, n_seed, k + 1, m), with the arguments of a call."""
        return self._all(x, generator, prior, loss, starts)[0]

    def _all(
        self, x: Tensor, generator: Copier, prior: Support, loss: Loss, starts: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return every start's way (n, n_seed, k + 1, m), last samples (n, n_seed, ...) and last losses (n, n_seed)."""
        if len(x) == 0 or starts.ndim != 2 or starts.numel() == 0:
            raise InputError(
                f"JointSearch takes at least one sample and starts (n_seed, m), but got the shapes {tuple(x.shape)} "
                f"and {tuple(starts.shape)}."
            )
        found: list[tuple[Tensor, Tensor, Tensor]] = []
        with torch.inference_mode(mode=False), torch.enable_grad():
            copies = generator(self, len(starts) if self.theta == "shared" else 1)
            most = self.memory_mb * 2**20 // copies.bytes(starts[:1])
            samples, passes = _plan(starts, most, whole=self.theta == "shared")
            firsts = [self._first(copies, z) for z in passes]
            for some in x.split(samples):
                # A pass on several samples has all their starts in order; idle rows at its end get the last sample.
                numbers = [(torch.arange(len(z)) // len(starts)).clamp(max=len(some) - 1) for z in passes]
                parts = [
                    self._descend(some[rows], copies, prior, loss, first)
                    for rows, first in zip(numbers, firsts, strict=True)
                ]
                z, y, each = (torch.cat(p)[: len(some) * len(starts)] for p in zip(*parts, strict=True))
                found.append((z, y, each))
        z, y, each = (torch.cat(values).unflatten(0, (len(x), -1)) for values in zip(*found, strict=True))
        return z, y, each

    @staticmethod
    def _first(copies: Copies, z: Tensor) -> tuple[Tensor, Tensor]:
        """Return the starts of a pass and their samples, with a graph that serves all passes."""
        copies.reset()
        z = z.clone().requires_grad_()
        return z, copies(z)

    def _descend(
        self, x: Tensor, copies: Copies, prior: Support, loss: Loss, first: tuple[Tensor, Tensor]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Search for x (k, ...), row by row: the way of z (k, steps + 1, m), the samples (k, ...), the losses (k,)."""
        copies.reset()
        z, y = first
        way, moments = [z.detach()], (torch.zeros_like(z), torch.zeros_like(z))
        for step in range(1, self.steps + 1):
            each = loss(x, y)
            if each.shape != (len(z),) or not each.requires_grad:
                raise InputError(
                    f"JointSearch needs one differentiable loss per sample, shape ({len(z)},), but got the shape "
                    f"{tuple(each.shape)}{'' if each.requires_grad else ', which does not depend on z'}."
                )
            (gradient,) = torch.autograd.grad(each.sum(), z, retain_graph=step == 1)
            copies.step()
            z = prior.project(self._adam(way[-1], gradient, moments, step))
            way.append(z)
            with torch.set_grad_enabled(step < self.steps):
                z = z.requires_grad_(step < self.steps)
                y = copies(z)
        with torch.no_grad():
            return torch.stack(way, dim=1).detach(), y.detach(), loss(x, y)

    def _adam(self, z: Tensor, gradient: Tensor, moments: tuple[Tensor, Tensor], step: int) -> Tensor:
        """Return z after step number `step` of Adam; updates both moments in place."""
        (first, second), (beta1, beta2) = moments, self.betas
        first.lerp_(gradient, 1 - beta1)
        second.mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
        scale = (second.sqrt() / math.sqrt(1 - beta2**step)).add_(ADAM_EPS)
        return torch.addcdiv(z.detach(), first, scale, value=-self.lr / (1 - beta1**step))



def _plan(starts: Tensor, most: int, *, whole: bool) -> tuple[int, tuple[Tensor, ...]]:
    """Return how many samples share a pass of at most about `most` rows, and the starts of each pass that they take.

    A row's place in a pass, and with it its rounding, must not depend on the samples beside it. So samples share a pass
    of 64 rows, where no place differs from another, or a pass is of one sample. `whole` keeps its starts together.
    """
    n_seed = len(starts)
    samples = BLOCK // n_seed
    if samples > 1 and most >= BLOCK and not (whole and BLOCK % n_seed):
        return samples, (starts.repeat(samples + 1, 1)[:BLOCK],)
    parts = 1 if whole else math.ceil(n_seed / max(most, 1))
    return 1, starts.split(math.ceil(n_seed / parts))
