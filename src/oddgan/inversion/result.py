"""What an inversion returns, and the types of generators, losses and supports that it takes."""

from collections.abc import Callable
from typing import NamedTuple, Protocol, runtime_checkable

from torch import Tensor

from oddgan._core.errors import InputError

Map = Callable[[Tensor], Tensor]
"""A generator, z (n, m) to x (n, ...), or an encoder, the other way."""

Loss = Callable[..., Tensor]
"""What is known of samples (one tensor (n, ...) or several) and reconstructions (n, ...), to one loss each, (n,)."""

Report = Callable[[int, int, int], None]
"""Told, when latent points come to rest: how many did, the steps that they took in all, and how many converged."""


def check_losses(each: Tensor, z: Tensor) -> None:
    """Raise InputError unless there is one loss for each latent point z (k, m), through which gradients can flow."""
    if each.shape != (len(z),) or not each.requires_grad:
        raise InputError(
            f"A search needs one differentiable loss per sample, shape ({len(z)},), but got the shape "
            f"{tuple(each.shape)}{'' if each.requires_grad else ', which does not depend on z'}."
        )


@runtime_checkable
class Support(Protocol):
    """A distribution's support, which latent points are kept on."""

    def project(self, z: Tensor) -> Tensor:
        """Return the nearest points (n, m) of the support."""
        ...


class Inverted(NamedTuple):
    """Latent points of samples.

    Parameters
    ----------
    z : latent points, (n, m).
    x : what the generator makes of them, (n, ...).
    loss : each sample's own loss, (n,).
    steps : steps that were taken, (n,), int64.
    converged : whether the search reached its goal, (n,), bool.
    censored : the loss as a score, (n,), float64. Early stopping censors losses: all samples that stop end just under
        the goal eps, in an order that says nothing. Here they count as eps, ordered by the steps that they took.
    """

    z: Tensor
    x: Tensor
    loss: Tensor
    steps: Tensor
    converged: Tensor
    censored: Tensor
