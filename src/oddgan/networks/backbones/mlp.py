"""Fully connected networks: for tables and codes, and for flattened samples of any shape."""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, get_args

from torch import nn

from oddgan._core.errors import InputError
from oddgan.networks.base import Backbone, CodeOutput, Init, Norm, SampleOutput, one_of, whole
from oddgan.networks.blocks.critics import Critic, JointCritic, join, only_last
from oddgan.networks.blocks.layers import Chain, code_output, finish, normalisation, sample_output

Activation = Literal["relu", "sigmoid"]


@dataclass(frozen=True, kw_only=True)
class MLP(Backbone):
    """Fully connected networks for tables `(d,)` and codes `(m,)`.

    Encoder and critic: `hidden` layers with leaky ReLU, then a linear layer. Decoder: the same widths in reverse with
    ReLU. A critic's features are its last hidden layer, (n, hidden[-1]), or the one that `feature_layer` names; several
    inputs are joined side by side. The layers of EGBAD's and ALAD's networks for tables (Zenati et al., 2018).

    Parameters
    ----------
    hidden : widths of the hidden layers, from the sample inwards, at least one.
    bias : whether layers and norms add constants; Deep SVDD needs encoders that don't.
    norm : normalisation in encoder and decoder: "batch", "layer", "group" (of 16) or "none".
    critic_norm : normalisation in the critic; "batch" is wrong under a gradient penalty.
    feature_layer : which hidden layer of a critic is its features: 0 the last one, 1 the one before it, and so on.
    activation : "relu", which is leaky in encoder and critic, or "sigmoid" in all three.
    slope : slope of the leaky ReLU below zero in encoder and critic, 0 or more.
    dropout : share of hidden values dropped in the critic while it trains, in [0, 1).
    spectral_norm : whether encoder and critic divide each weight by its largest singular value.
    init : how weights start: torch's "default", "dcgan" (normal, 0.02), "xavier" or "he" (both normal), or "equalised":
        normal, 1, and scaled to "he" whenever they are used (Karras et al., 2018).
    """

    hidden: tuple[int, ...] = (128, 64)
    bias: bool = True
    norm: Norm = "none"
    critic_norm: Norm = "none"
    feature_layer: int = 0
    activation: Activation = "relu"
    slope: float = 0.2
    dropout: float = 0.0
    spectral_norm: bool = False
    init: Init = "default"

    def __post_init__(self) -> None:
        if not self.hidden:
            raise InputError("hidden must name at least one width, e.g. (64,).")
        for width in self.hidden:
            whole(hidden=width)
        whole(0, feature_layer=self.feature_layer)
        one_of(get_args(Norm), norm=self.norm, critic_norm=self.critic_norm)
        one_of(get_args(Init), init=self.init)
        one_of(get_args(Activation), activation=self.activation)
        if not (self.slope >= 0 and 0 <= self.dropout < 1):
            raise InputError(f"slope={self.slope} must be 0 or more, and dropout={self.dropout} in [0, 1).")

    def check(self, shape: tuple[int, ...]) -> None:
        """Raise InputError unless the shape is `(d,)`."""
        if len(shape) != 1 or shape[0] < 1:
            raise InputError(
                f"{type(self).__name__} can't serve samples of shape {shape}: it takes tables (d,) with at least one "
                "column; ConvLadder and ResNet take series and images, Auto takes all three."
            )

    def encoder(self, shape: tuple[int, ...], out: int, *, output: CodeOutput = "linear") -> nn.Module:
        """Build a network from rows (n, d) to codes (n, out)."""
        self.check(shape)
        whole(out=out)
        body = self._body((shape[0], *self.hidden), self.norm, self._activation())
        layers = [*body, nn.Linear(self.hidden[-1], out, bias=self.bias), *code_output(output)]
        return finish(Chain(layers, self.init), spectral=self.spectral_norm)

    def decoder(self, dim: int, shape: tuple[int, ...], *, output: SampleOutput = "linear") -> nn.Module:
        """Build a network from codes (n, dim) to rows (n, d)."""
        self.check(shape)
        whole(dim=dim)
        body = self._body((dim, *reversed(self.hidden)), self.norm, self._activation(leaky=False))
        layers = [*body, nn.Linear(self.hidden[0], shape[0], bias=self.bias), *sample_output(output)]
        return finish(Chain(layers, self.init))

    def critic(self, shape: tuple[int, ...], *others: tuple[int, ...]) -> nn.Module:
        """Build a network from rows (n, d), joined with others (n, m), to a Judgement."""
        for each in (shape, *others):
            self.check(each)
        (columns,), _ = join(shape, others)
        head = nn.Linear(self.hidden[-1], 1, bias=self.bias)
        critic = Critic(self.critic_body(columns), head, self.init, self.feature_layer)
        return finish(critic, spectral=self.spectral_norm)

    def critic_body(self, columns: int) -> list[nn.Module]:
        """Return the critic's layers below its head, from (n, columns) to (n, hidden[-1])."""
        return self._body((columns, *self.hidden), self.critic_norm, self._activation(), self.dropout)

    def _activation(self, *, leaky: bool = True) -> nn.Module:
        if self.activation == "sigmoid":
            return nn.Sigmoid()
        return nn.LeakyReLU(self.slope) if leaky else nn.ReLU()

    def _body(
        self, widths: tuple[int, ...], norm: Norm, activation: nn.Module, dropout: float = 0.0
    ) -> list[nn.Module]:
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            # Batch norm takes away what a bias adds.
            linear = nn.Linear(before, after, bias=self.bias and norm != "batch")
            layers += [linear, *normalisation(norm, after, axes=0, affine=self.bias), activation]
            layers += [nn.Dropout(dropout)] if dropout else []
        return layers


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
        head = [self._activation(), self._linear(1)]
        critic = JointCritic([*trunk, self._linear(last)], branch, head, self.init, (joined, (code_length,)))
        return finish(critic, spectral=self.spectral_norm)

    def _linear(self, out: int) -> nn.Linear:
        return nn.Linear(self.hidden[-1], out, bias=self.bias)
