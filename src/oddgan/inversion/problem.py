"""The loss that a latent search minimises, with gradients and Gauss-Newton matrices for each point."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.func import jvp, vmap

from oddgan.inversion.optimisers import Seen
from oddgan.inversion.restriction import Price, Restriction
from oddgan.inversion.result import Loss, Map, check_losses

# Tangents that are pushed through the generator at once, for the Jacobian.
TANGENTS = 1024


@dataclass(frozen=True)
class Problem:
    """The loss of latent points, d(x, G(z)) and what a restriction adds, with its gradient.

    Parameters
    ----------
    generator : maps z (k, m) to samples (k, ...).
    loss : maps what is known of samples, and reconstructions, to one loss each, (k,).
    restriction : adds its penalty, if it has one.
    """

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
