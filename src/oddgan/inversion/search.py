"""Inversion by gradient descent in the latent space, each sample by itself."""

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from oddgan._core.errors import InputError
from oddgan.inversion.result import Inverted, Loss, Map, Support

ADAM_EPS = 1e-8


@dataclass(frozen=True)
class LatentSearch:
    r"""Search :math:`z^* = \arg\min_z d(x, G(z))` with Adam, from several starts per sample.

    Every pair of a sample and a start has its own loss, its own moments and its own end: it stops before the first
    step at which its loss is at most `eps`, else after `n_max` steps, and does not move again. Losses are summed, never
    averaged, over samples. The answer for a sample therefore does not depend on the samples beside it. A start whose
    loss is not a number stops, and loses against all others.

    Parameters
    ----------
    n_max : most steps, at least 1.
    lr : Adam's step size, above 0.
    eps : loss at which a sample counts as found, at least 0.
    reduce : "min" reports the loss of the best start, "mean" the mean loss over the starts.
    betas : Adam's decay rates of both moments, each in [0, 1).
    chunk : most latent points that the generator sees at once, at least 1; all starts of a sample go together.

    References
    ----------
    T. Schlegl et al.: Unsupervised Anomaly Detection with Generative Adversarial Networks to Guide Marker Discovery,
    2017, https://arxiv.org/abs/1703.05921, section 2.2.
    """

    n_max: int = 500
    lr: float = 1e-2
    eps: float = 0.0
    reduce: Literal["min", "mean"] = "min"
    betas: tuple[float, float] = (0.5, 0.999)
    chunk: int = 1024

    def __post_init__(self) -> None:
        if self.n_max < 1 or self.chunk < 1:
            raise InputError(f"LatentSearch got n_max={self.n_max} and chunk={self.chunk}: give whole numbers above 0.")
        if not 0 < self.lr < math.inf or not 0 <= self.eps < math.inf:
            raise InputError(
                f"LatentSearch got lr={self.lr} and eps={self.eps}: give lr above 0 and eps of at least 0."
            )
        if self.reduce not in ("min", "mean"):
            raise InputError(f'LatentSearch got reduce={self.reduce!r}: give "min" or "mean".')
        if len(self.betas) != 2 or not all(0 <= beta < 1 for beta in self.betas):
            raise InputError(f"LatentSearch got betas={self.betas}: give two numbers of at least 0 and below 1.")

    def __call__(self, x: Tensor, generator: Map, prior: Support, loss: Loss, starts: Tensor) -> Inverted:
        """Invert samples x (n, ...). Works where gradients are switched off; no weight receives a gradient.

        Parameters
        ----------
        x : samples, (n, ...), at least one.
        generator : maps z (k, m) to samples (k, ...), each row by itself: in evaluation mode.
        prior : its `project` brings z (k, m) back to the support after each step.
        loss : maps samples and reconstructions to one loss per sample, (k,).
        starts : latent points (n_seed, m) that the search starts from, the same for every sample.

        Returns
        -------
        For each sample the best start's z and G(z). With reduce="min" also its loss and steps; with reduce="mean" the
        starts' mean loss and the most steps that any of them took. Converged: the reported loss is at most `eps`.

        Raises
        ------
        InputError
            If there are no samples or starts, or the loss is not one differentiable value per sample.
        """
        if len(x) == 0 or starts.ndim != 2 or starts.numel() == 0:
            raise InputError(
                f"LatentSearch takes at least one sample and starts (n_seed, m), but got the shapes {tuple(x.shape)} "
                f"and {tuple(starts.shape)}."
            )
        # Rounding depends on the number of rows that a network sees: equal chunks, the last one filled up with its
        # last sample, keep it the same for all samples.
        count = math.ceil(len(x) / max(self.chunk // len(starts), 1))
        size = math.ceil(len(x) / count)
        rows = torch.arange(count * size, device=x.device).clamp(max=len(x) - 1).view(count, size)
        with torch.inference_mode(mode=False), torch.enable_grad():
            found = [self._search(x[rows[i]], generator, prior, loss, starts) for i in range(count)]
        return Inverted(*(torch.cat(values)[: len(x)] for values in zip(*found, strict=True)))

    def _search(self, x: Tensor, generator: Map, prior: Support, loss: Loss, starts: Tensor) -> Inverted:
        """Fold the starts into the batch, search, and pick each sample's best start."""
        n, n_seed = len(x), len(starts)
        found = self._descend(x.repeat_interleave(n_seed, dim=0), generator, prior, loss, starts.repeat(n, 1))
        each = found.loss.view(n, n_seed)
        best = torch.where(each.isnan(), math.inf, each).argmin(dim=1)
        z, y, least, steps, _ = (value[torch.arange(n, device=x.device) * n_seed + best] for value in found)
        if self.reduce == "mean":
            least, steps = each.mean(dim=1), found.steps.view(n, n_seed).amax(dim=1)
        return Inverted(z, y, least, steps, least <= self.eps)

    def _descend(self, x: Tensor, generator: Map, prior: Support, loss: Loss, z: Tensor) -> Inverted:
        """Search from z (k, m) for x (k, ...), row by row."""
        moments = torch.zeros_like(z), torch.zeros_like(z)
        active = torch.ones(len(z), dtype=torch.bool, device=z.device)
        steps = torch.zeros(len(z), dtype=torch.int64, device=z.device)
        for step in range(1, self.n_max + 2):
            z = z.detach().requires_grad_()
            y = generator(z)
            each = loss(x, y)
            if each.shape != (len(z),) or not each.requires_grad:
                raise InputError(
                    f"LatentSearch needs one differentiable loss per sample, shape ({len(z)},), but got the shape "
                    f"{tuple(each.shape)}{'' if each.requires_grad else ', which does not depend on z'}."
                )
            active = active & (each.detach() > self.eps)
            if step > self.n_max or not active.any():
                break
            (gradient,) = torch.autograd.grad(each.sum(), z)
            with torch.no_grad():
                z = torch.where(active[:, None], prior.project(self._adam(z, gradient, moments, step)), z)
            steps += active
        each = each.detach()
        return Inverted(z.detach(), y.detach(), each, steps, each <= self.eps)

    def _adam(self, z: Tensor, gradient: Tensor, moments: tuple[Tensor, Tensor], step: int) -> Tensor:
        """Return z after step number `step` of Adam; updates both moments in place.

        Rows that are still searching have all taken the same number of steps, so one number serves them all. The
        operations are those of torch.optim.Adam, in its order.
        """
        (first, second), (beta1, beta2) = moments, self.betas
        first.lerp_(gradient, 1 - beta1)
        second.mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
        scale = (second.sqrt() / math.sqrt(1 - beta2**step)).add_(ADAM_EPS)
        return torch.addcdiv(z, first, scale, value=-self.lr / (1 - beta1**step))
