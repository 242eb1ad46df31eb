"""Optimisers and learning-rate schedules, chosen per player.

Weights are updated together (`foreach`), to the same bits as one by one in less time. Torch's fused kernels take still
less, but not safely: on CPUs they read a gradient of another memory layout in the wrong order, and leave no sign that
a weight has changed.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from oddgan._core.errors import InputError


class Schedule(ABC):
    """The learning rate over a phase, as a factor of the initial one."""

    @abstractmethod
    def __call__(self, progress: float) -> float:
        """The factor at `progress`, the share of the phase that is done, in [0, 1)."""


@dataclass(frozen=True)
class Constant(Schedule):
    """The learning rate stays."""

    def __call__(self, progress: float) -> float:
        """1."""
        del progress
        return 1.0


@dataclass(frozen=True)
class LinearDecay(Schedule):
    """Stay, then fall linearly.

    Parameters
    ----------
    start : share of the phase after which the rate falls, in [0, 1).
    end : factor that is reached at the end, in [0, 1].
    """

    start: float = 0.0
    end: float = 0.0

    def __call__(self, progress: float) -> float:
        """1 until `start`, then a straight line to `end`."""
        done = max(0.0, (progress - self.start) / (1 - self.start))
        return 1 + (self.end - 1) * done


@dataclass(frozen=True)
class CosineDecay(Schedule):
    """Fall along half a cosine (Loshchilov & Hutter, 2017, without restarts).

    Parameters
    ----------
    end : factor that is reached at the end, in [0, 1].
    """

    end: float = 0.0

    def __call__(self, progress: float) -> float:
        """Half a cosine: end + (1 - end)·(1 + cos(π·progress))/2."""
        return self.end + (1 - self.end) * 0.5 * (1 + math.cos(math.pi * progress))


@dataclass(frozen=True)
class StepDecay(Schedule):
    """Multiply the rate at milestones.

    Parameters
    ----------
    at : milestones as shares of the phase, each in (0, 1).
    factor : multiplies the rate at each milestone, in (0, 1].
    """

    at: tuple[float, ...] = (0.5,)
    factor: float = 0.1

    def __call__(self, progress: float) -> float:
        """One `factor` for each milestone passed."""
        return float(self.factor ** sum(progress >= m for m in self.at))


@dataclass(frozen=True)
class Optimiser(ABC):
    """How a player's weights follow their gradients.

    Parameters
    ----------
    lr : learning rate at the start, > 0.
    weight_decay : L2 penalty on the weights, >= 0.
    schedule : how the learning rate changes over a phase.
    """

    lr: float = 2e-4
    weight_decay: float = 0.0
    schedule: Schedule = field(default_factory=Constant)

    @abstractmethod
    def __call__(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """The torch optimiser for these parameters."""

    def _made(
        self, kind: Callable[..., torch.optim.Optimizer], parameters: Iterable[nn.Parameter], **more: Any
    ) -> torch.optim.Optimizer:
        """Torch's optimiser of this kind, whose refusals of a value become one sentence."""
        try:
            return kind(parameters, lr=self.lr, weight_decay=self.weight_decay, foreach=True, **more)
        except ValueError as error:
            text = str(error)
            raise InputError(f"{type(self).__name__} can't be used: {text[:1].lower()}{text[1:]}.") from error

    def set_rate(self, optimiser: torch.optim.Optimizer, progress: float) -> None:
        """Set the learning rate that the schedule asks for."""
        for group in optimiser.param_groups:
            group["lr"] = self.lr * self.schedule(progress)


@dataclass(frozen=True)
class Adam(Optimiser):
    """Adam (Kingma & Ba, 2015).

    Parameters
    ----------
    betas : decay of the moving averages of the gradient and of its square, each in [0, 1).
    """

    betas: tuple[float, float] = (0.5, 0.999)

    def __call__(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """torch.optim.Adam."""
        beta1, beta2 = self.betas
        return self._made(torch.optim.Adam, parameters, betas=(beta1, beta2))


@dataclass(frozen=True)
class RMSProp(Optimiser):
    """RMSProp (Tieleman & Hinton, 2012).

    Parameters
    ----------
    alpha : decay of the moving average of the squared gradient, in [0, 1).
    """

    alpha: float = 0.99

    def __call__(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """torch.optim.RMSprop."""
        return self._made(torch.optim.RMSprop, parameters, alpha=self.alpha)


@dataclass(frozen=True)
class SGD(Optimiser):
    """Stochastic gradient descent.

    Parameters
    ----------
    momentum : decay of the moving average of the gradient, in [0, 1).
    """

    momentum: float = 0.0

    def __call__(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """torch.optim.SGD."""
        return self._made(torch.optim.SGD, parameters, momentum=self.momentum)
