"""What every inversion returns, and what it is given."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from torch import Tensor

Map = Callable[[Tensor], Tensor]
"""A generator, z (n, m) to x (n, ...), or an encoder, the other way."""

Loss = Callable[[Tensor, Tensor], Tensor]
"""Samples (n, ...) and reconstructions (n, ...) to one loss per sample (n,)."""


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
    """

    z: Tensor
    x: Tensor
    loss: Tensor
    steps: Tensor
    converged: Tensor
