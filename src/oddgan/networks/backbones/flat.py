"""Fully connected networks for samples of any shape."""

import math
from dataclasses import dataclass

from torch import nn

from oddgan._core.errors import InputError
from oddgan.networks.backbones.mlp import MLP
from oddgan.networks.base import CodeOutput, SampleOutput
from oddgan.networks.blocks.critics import Critic, JointCritic, join, only_last
from oddgan.networks.blocks.layers import finish


@dataclass(frozen=True, kw_only=True)
class FlatMLP(MLP):
    """Fully connected networks for samples of any shape, laid out as one row: tables, series and images.

    The layers are those of `MLP`. A critic joins samples along their channels; codes that it judges with samples of
    two or three axes get a branch of their own, and both are added up in a layer of `hidden[-1]` values, the features.

    The networks that the papers of AAE and ARAE use on images.
    """

    def check(self, shape: tuple[int, ...]) -> None:
        """Raise InputError unless the shape is a table, a series or an image."""
        if not 1 <= len(shape) <= 3 or min(shape) < 1:
            raise InputError(
                f"{type(self).__name__} can't serve samples of shape {shape}: it takes tables (d,), series (c, t) and "
                "images (c, h, w) without empty axes."
            )

    def encoder(self, shape: tuple[int, ...], out: int, *, output: CodeOutput = "linear") -> nn.Module:
        """Build a network from samples (n, *shape) to codes (n, out)."""
        self.check(shape)
        return nn.Sequential(nn.Flatten(), super().encoder((math.prod(shape),), out, output=output))

    def decoder(self, dim: int, shape: tuple[int, ...], *, output: SampleOutput = "linear") -> nn.Module:
        """Build a network from codes (n, dim) to samples (n, *shape)."""
        self.check(shape)
        return nn.Sequential(super().decoder(dim, (math.prod(shape),), output=output), nn.Unflatten(1, shape))

    def critic(self, shape: tuple[int, ...], *others: tuple[int, ...]) -> nn.Module:
        """Build a network from samples (n, *shape), joined with others, to a Judgement."""
        if len(shape) == 1:
            return super().critic(shape, *others)
        joined, code_length = join(shape, others)
        self.check(joined)
        trunk, last = [nn.Flatten(), *self.critic_body(math.prod(joined))], self.hidden[-1]
        if not code_length:
            alone = Critic(trunk, self._linear(1), self.init, self.feature_layer)
            return finish(alone, spectral=self.spectral_norm)
        only_last(self.feature_layer)
        branch = [*self.critic_body(code_length), self._linear(last)]
        critic = JointCritic([*trunk, self._linear(last)], branch, [self._activation(), self._linear(1)], self.init)
        return finish(critic, spectral=self.spectral_norm)

    def _linear(self, out: int) -> nn.Linear:
        return nn.Linear(self.hidden[-1], out, bias=self.bias)
