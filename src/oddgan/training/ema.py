"""Exponential moving average of weights."""

from collections.abc import Iterable

import torch
from torch import nn


class Ema:
    """A moving average of parameters: after each step, average ← decay·average + (1 - decay)·weight.

    The average starts at the first weights. Buffers (batch-norm statistics are averages already) are left alone.

    Parameters
    ----------
    parameters : the weights to follow.
    decay : in [0, 1); 0.999 remembers about a thousand steps.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], decay: float) -> None:
        self.decay = decay
        self.weights = list(parameters)
        self.averages = [w.detach().clone() for w in self.weights]

    @torch.no_grad()
    def step(self) -> None:
        """Follow the weights by one step."""
        for average, weight in zip(self.averages, self.weights, strict=True):
            average.lerp_(weight, 1 - self.decay)

    @torch.no_grad()
    def apply(self) -> None:
        """Put the averages in place of the weights."""
        for average, weight in zip(self.averages, self.weights, strict=True):
            weight.copy_(average)
