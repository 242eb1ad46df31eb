"""Penalties on the slope of a critic, one value per sample."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, get_args

import torch
from torch import Tensor

from oddgan._core.errors import InputError

Critic = Callable[[Tensor], Tensor]
"""Samples (n, ...) to logits (n,).

One with a method `slope`, e.g. `oddgan.networks.Logits`, may write its slope down: samples (n, ...) to each logit's
gradient in its own sample (n, ...), as a graph of the weights, or None where it can't.
"""

Gradient = Literal["auto", "chain", "double"]


@dataclass(frozen=True)
class Regulariser(ABC):
    """A penalty on a critic that is added to its loss.

    Parameters
    ----------
    gradient : how the slope is computed: "chain" writes it out, which takes one ordinary backward pass, and is exact
        for critics of linear layers, convolutions and (leaky) ReLU; "double" differentiates a gradient, for any critic;
        "auto" takes the first where it can.
    """

    gradient: Gradient = field(default="auto", kw_only=True)

    def __post_init__(self) -> None:
        if self.gradient not in get_args(Gradient):
            raise InputError(
                f"{type(self).__name__} got gradient={self.gradient!r}: give one of {', '.join(get_args(Gradient))}."
            )

    @abstractmethod
    def __call__(self, critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
        """Return the weighted penalty (n,) of a critic, given real and generated samples (n, ...)."""

    def _slope(self, critic: Critic, x: Tensor) -> Tensor:
        """Return the gradient of each sample's own logit, flattened to (n, d), as part of the graph."""
        x = x.detach()
        write: Callable[[Tensor], Tensor | None] | None = getattr(critic, "slope", None)
        written = write(x) if write is not None and self.gradient != "double" else None
        if written is not None:
            return written.flatten(1)
        if self.gradient == "chain":
            raise InputError(
                f'{type(self).__name__}(gradient="chain") needs a critic of linear layers, convolutions and (leaky) '
                'ReLU without normalisation or dropout: take such a critic, or gradient="auto".'
            )
        with torch.enable_grad():
            x.requires_grad_()
            # The sum's gradient at a sample is that of the sample's own logit: the others do not depend on it.
            (slope,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True, materialize_grads=True)
        return slope.flatten(1)


@dataclass(frozen=True)
class GradientPenalty(Regulariser):
    r"""Keep the critic's slope near a target between real and generated samples.

    .. math:: \lambda \, (\|\nabla_{\tilde x} D(\tilde x)\|_2 - k)^2, \quad
        \tilde x = \epsilon x + (1 - \epsilon) \hat x, \quad \epsilon \sim U(0, 1)

    One :math:`\epsilon` per sample, shared by all its values. The critic must judge each sample by itself: batch
    normalisation breaks this, layer normalisation does not.

    Parameters
    ----------
    weight : the factor λ, at least 0.
    target : the slope k that costs nothing, at least 0; 1 makes the critic 1-Lipschitz, 0 flattens it.

    References
    ----------
    I. Gulrajani, F. Ahmed, M. Arjovsky, V. Dumoulin, A. Courville: Improved Training of Wasserstein GANs, 2017,
    https://arxiv.org/abs/1704.00028, equation 3.
    """

    weight: float = 10.0
    target: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        _at_least_zero("GradientPenalty", "weight", self.weight)
        _at_least_zero("GradientPenalty", "target", self.target)

    def __call__(self, critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
        """Return λ (‖∇D‖ - k)², (n,), at one random point of each segment real-fake."""
        if real.shape != fake.shape:
            raise InputError(
                f"GradientPenalty mixes pairs of samples, but got real samples of shape {tuple(real.shape)} "
                f"and generated ones of shape {tuple(fake.shape)}: give as many of the one as of the other."
            )
        share = torch.rand(len(real), *[1] * (real.ndim - 1), dtype=real.dtype, device=real.device)
        slope = self._slope(critic, share * real + (1 - share) * fake)
        # vector_norm has the subgradient 0 at 0, where the square root of a sum of squares would give NaN.
        norm: Tensor = torch.linalg.vector_norm(slope, dim=1)
        return self.weight * (norm - self.target).square()


@dataclass(frozen=True)
class R1(Regulariser):
    r"""Keep the critic flat at the real samples.

    .. math:: \frac{\gamma}{2} \|\nabla_x D(x)\|_2^2

    Parameters
    ----------
    weight : the factor γ, at least 0.

    References
    ----------
    L. Mescheder, A. Geiger, S. Nowozin: Which Training Methods for GANs do actually Converge?, 2018,
    https://arxiv.org/abs/1801.04406, equation 9.
    """

    weight: float = 10.0

    def __post_init__(self) -> None:
        super().__post_init__()
        _at_least_zero("R1", "weight", self.weight)

    def __call__(self, critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
        """Return γ/2 ‖∇D‖², (n,), at the real samples."""
        del fake  # only the real samples count
        return self.weight / 2 * self._slope(critic, real).square().sum(dim=1)


def _at_least_zero(part: str, name: str, value: float) -> None:
    if not 0 <= value < math.inf:
        raise InputError(f"{part} got {name}={value}: give a finite number of at least 0.")
