"""Exponential moving average of weights."""

from collections.abc import Iterable

import torch
from torch import nn


class Ema:
    """A moving average of parameters: after step t = 1, 2, ..., average ← d·average + (1 - d)·weight.

    d = min(decay, t / (t + 9)), so that the first weights are soon forgotten: with a fixed d of 0.999 a run of 1000
    steps would end as a third of its random start. Buffers (batch-norm statistics are averages already) are left alone.

    Parameters
    ----------
    parameters : the weights to follow.
    decay : in [0, 1); 0.999 remembers about a thousand steps.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], decay: float) -> None:
        self.decay = decay
        self.weights = list(parameters)
        self.averages = [w.detach().clone() for w in self.weights]
        self.steps = 0

    @torch.no_grad()
    def step(self) -> None:
        """Follow the weights by one step."""
        self.steps += 1
        decay = min(self.decay, self.steps / (self.steps + 9))
        for average, weight in zip(self.averages, self.weights, strict=True):
            average.lerp_(weight, 1 - decay)

    @torch.no_grad()
    def apply(self) -> None:
        """Put the averages in place of the weights."""
        for average, weight in zip(self.averages, self.weights, strict=True):
            weight.copy_(average)
