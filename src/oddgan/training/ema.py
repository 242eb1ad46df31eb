"""Exponential moving average of weights."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


class Ema:
    """A moving average of weights: after step t = 1, 2, ..., average ← d·average + (1 - d)·weight.

    d = min(decay, t / (t + 9)), so that the first weights are soon forgotten: with a fixed d of 0.999 a run of 1000
    steps would end as a third of its random start. The statistics of batch norm belong to the weights that made them:
    with those of the last weights, averaged ones reconstruct nothing. So they are averaged, too, see `followed`.

    Parameters
    ----------
    parameters : the weights to follow.
    decay : in [0, 1); 0.999 remembers about a thousand steps.
    """

    def __init__(self, parameters: Iterable[Tensor], decay: float) -> None:
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

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Put the averages in place for a while."""
        kept = [weight.detach().clone() for weight in self.weights]
        self.apply()
        try:
            yield
        finally:
            with torch.no_grad():
                for weight, own in zip(self.weights, kept, strict=True):
                    weight.copy_(own)

    @torch.no_grad()
    def load(self, averages: Mapping[str, Tensor], steps: int) -> None:
        """Continue from stored averages (...), by number, after so many steps."""
        self.steps = steps
        for i, average in enumerate(self.averages):
            average.copy_(averages[str(i)])


def followed(network: nn.Module) -> Iterator[Tensor]:
    """What an average follows of a network: its parameters, of any shape, and batch norm's running statistics (c,)."""
    yield from network.parameters()
    for norm in (layer for layer in network.modules() if isinstance(layer, _BatchNorm)):
        yield from (s for s in (norm.running_mean, norm.running_var) if s is not None)
