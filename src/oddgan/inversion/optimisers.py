"""Optimisers of a latent search (Adam, RMSProp, SGD): each row of z with a state of its own."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from oddgan._core.checks import positive, share
from oddgan._core.errors import InputError

State = dict[str, Tensor]
"""What an optimiser remembers, (k, ...) each: one row for each latent point, so that points can come and go."""


@dataclass(frozen=True)
class LatentOptimiser(ABC):
    """A rule that moves latent points z (k, m), each by its own loss and gradient and by nothing else.

    Where `monotone` is true, the rule tries points and may go back: its answer is the best point that it has seen.
    Where `needs_jacobian` is true, `step` also gets J Jᵀ of the generator at z.
    """

    monotone: ClassVar[bool] = False
    needs_jacobian: ClassVar[bool] = False

    @abstractmethod
    def start(self, z: Tensor) -> State:
        """Return the state of points (k, m) that have not moved yet."""

    @abstractmethod
    def step(self, state: State, z: Tensor, seen: "Seen", rate: Tensor) -> Tensor:
        """Return where to look next, (k, m), and update the state in place.

        Parameters
        ----------
        state : of these points; entries are replaced or changed in place.
        z : the points (k, m) that were looked at.
        seen : what was found there.
        rate : factor (k,) on the step size of each point.
        """

    def answer(self, state: State, z: Tensor, loss: Tensor) -> tuple[Tensor, Tensor]:
        """Return the points (k, m) and losses (k,) to report, of which z and loss were seen last."""
        del state
        return z, loss


@dataclass(frozen=True)
class Seen:
    """What a look at latent points found.

    Parameters
    ----------
    loss : (k,).
    gradient : of each loss to its own z, (k, m).
    curvature : the loss's Gauss-Newton matrix in z, (k, m, m), for rules that need it.
    """

    loss: Tensor
    gradient: Tensor
    curvature: Tensor | None = None


@dataclass(frozen=True)
class LatentAdam(LatentOptimiser):
    """Adam (Kingma and Ba, 2015), the operations of `torch.optim.Adam` with a step count for each row.

    Parameters
    ----------
    lr : step size, above 0.
    betas : decay rates of both moments, each in [0, 1).
    stability : what is added to the denominator, above 0.
    """

    lr: float = 1e-2
    betas: tuple[float, float] = (0.5, 0.999)
    stability: float = 1e-8

    def __post_init__(self) -> None:
        positive(self, lr=self.lr, stability=self.stability)
        if len(self.betas) != 2 or not all(0 <= beta < 1 for beta in self.betas):
            raise InputError(f"LatentAdam got betas={self.betas}: give two numbers of at least 0 and below 1.")

    def start(self, z: Tensor) -> State:
        """Return zero moments (k, m) and step counts (k,)."""
        count = torch.zeros(len(z), dtype=torch.float64, device=z.device)
        return {"first": torch.zeros_like(z), "second": torch.zeros_like(z), "count": count}

    def step(self, state: State, z: Tensor, seen: Seen, rate: Tensor) -> Tensor:
        """Return z (k, m) after one step of Adam."""
        beta1, beta2 = self.betas
        state["first"].lerp_(seen.gradient, 1 - beta1)
        state["second"].mul_(beta2).addcmul_(seen.gradient, seen.gradient, value=1 - beta2)
        state["count"] += 1
        root = (1 - beta2 ** state["count"]).sqrt().to(z.dtype)[:, None]
        size = (self.lr * rate / (1 - beta1 ** state["count"])).to(z.dtype)[:, None]
        return z - size * state["first"] / (state["second"].sqrt() / root + self.stability)


@dataclass(frozen=True)
class LatentRMSProp(LatentOptimiser):
    """RMSProp, the operations of `torch.optim.RMSprop`; MAD-GAN searches with it at lr 0.1.

    Parameters
    ----------
    lr : step size, above 0.
    alpha : decay rate of the squared gradient's mean, in [0, 1).
    stability : what is added to the denominator, above 0.
    """

    lr: float = 1e-2
    alpha: float = 0.99
    stability: float = 1e-8

    def __post_init__(self) -> None:
        positive(self, lr=self.lr, stability=self.stability)
        share(self, alpha=self.alpha)

    def start(self, z: Tensor) -> State:
        """Return a zero mean of squared gradients, (k, m)."""
        return {"square": torch.zeros_like(z)}

    def step(self, state: State, z: Tensor, seen: Seen, rate: Tensor) -> Tensor:
        """Return z (k, m) after one step of RMSProp."""
        g = seen.gradient
        state["square"].mul_(self.alpha).addcmul_(g, g, value=1 - self.alpha)
        size = (self.lr * rate).to(z.dtype)[:, None]
        return z - size * g / (state["square"].sqrt() + self.stability)


@dataclass(frozen=True)
class LatentSGD(LatentOptimiser):
    """Gradient descent with momentum, the operations of `torch.optim.SGD`.

    Parameters
    ----------
    lr : step size, above 0.
    momentum : share of the last step that is kept, in [0, 1).
    """

    lr: float = 1e-2
    momentum: float = 0.9

    def __post_init__(self) -> None:
        positive(self, lr=self.lr)
        share(self, momentum=self.momentum)

    def start(self, z: Tensor) -> State:
        """Return zero velocities (k, m)."""
        return {"velocity": torch.zeros_like(z)}

    def step(self, state: State, z: Tensor, seen: Seen, rate: Tensor) -> Tensor:
        """Return z (k, m) after one step down the gradient."""
        state["velocity"].mul_(self.momentum).add_(seen.gradient)
        return z - (self.lr * rate).to(z.dtype)[:, None] * state["velocity"]
