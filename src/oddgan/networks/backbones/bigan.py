"""Networks of bidirectional GANs (EGBAD, ALAD): critics with a branch for samples and one for codes."""

import math
from dataclasses import dataclass, field
from itertools import pairwise
from typing import cast, get_args

import torch
from torch import nn

from oddgan._core.errors import InputError
from oddgan.networks.backbones.dcgan import ConvLadder
from oddgan.networks.backbones.mlp import MLP
from oddgan.networks.base import Backbone, CodeOutput, Init, SampleOutput, one_of, whole
from oddgan.networks.blocks.critics import Critic, JointCritic, join, only_last
from oddgan.networks.blocks.layers import CONV, Chain, Layers, Sides, code_output, finish, normalisation


@dataclass(frozen=True, kw_only=True)
class Bidirectional(Backbone):
    """A backbone for each part of a bidirectional GAN, as EGBAD and ALAD build them (Zenati et al., 2018).

    A critic of samples with codes has a branch for each; their last layers meet in one layer of `width` values, whose
    activation is the features. On tables every further input of a critic counts as a code; for images and series, what
    has the sides of the first input is joined to it along the channels.

    Parameters
    ----------
    encoders : backbone of encoders.
    decoders : backbone of generators.
    samples : branch for samples (the critic's layers below its head), and critics of samples alone.
    codes : branch for codes: all its hidden layers.
    width : values of the layer in which the branches meet, at least 1.
    slope : slope of that layer's leaky ReLU below zero, 0 or more.
    dropout : share of that layer's values dropped while the critic trains, in [0, 1).
    spectral_norm : whether encoders and critics divide each weight by its largest singular value.
    init : how the weights of joint critics start, see `MLP`.
    """

    encoders: Backbone = field(default=MLP())
    decoders: Backbone = field(default=MLP())
    samples: Backbone = field(default=MLP(hidden=(128,)))
    codes: MLP = field(default=MLP(hidden=(128,)))
    width: int = 128
    slope: float = 0.2
    dropout: float = 0.0
    spectral_norm: bool = False
    init: Init = "default"

    def __post_init__(self) -> None:
        whole(width=self.width)
        one_of(get_args(Init), init=self.init)
        if not (self.slope >= 0 and 0 <= self.dropout < 1):
            raise InputError(f"slope={self.slope} must be 0 or more, and dropout={self.dropout} in [0, 1).")

    def check(self, shape: tuple[int, ...]) -> None:
        """Raise InputError where one of the backbones can't serve samples of this shape."""
        for part in (self.encoders, self.decoders, self.samples):
            part.check(shape)

    def encoder(self, shape: tuple[int, ...], out: int, *, output: CodeOutput = "linear") -> nn.Module:
        """Build a network from samples (n, *shape) to codes (n, out)."""
        return self._normed(self.encoders).encoder(shape, out, output=output)

    def decoder(self, dim: int, shape: tuple[int, ...], *, output: SampleOutput = "linear") -> nn.Module:
        """Build a network from codes (n, dim) to samples (n, *shape)."""
        return self.decoders.decoder(dim, shape, output=output)

    def critic(self, shape: tuple[int, ...], *others: tuple[int, ...]) -> nn.Module:
        """Build a network from samples (n, *shape), joined with others, to a Judgement."""
        codes = [other for other in others if len(other) == 1]
        joined, _ = join(shape, tuple(other for other in others if len(other) != 1))
        if not codes:
            return self._normed(self.samples).critic(joined)
        judge = cast(Critic, self.samples.critic(joined))
        only_last(judge.feature_layer)
        trunk = judge.trunk
        _, length = join((1, 1), tuple(codes))
        with torch.no_grad():
            features = trunk.eval()(torch.zeros(1, *joined)).numel()
        branch = [*self.codes.critic_body(length), nn.Linear(self.codes.hidden[-1], self.width, bias=False)]
        last = nn.Sequential(nn.LeakyReLU(self.slope), nn.Dropout(self.dropout))
        sample_branch = [*trunk.train(), nn.Flatten(), nn.Linear(features, self.width)]
        head = [last, nn.Linear(self.width, 1)]
        together = JointCritic(sample_branch, branch, head, self.init, (joined, (length,)))
        return finish(together, spectral=self.spectral_norm)

    def _normed(self, part: Backbone) -> Backbone:
        return part.with_spectral_norm() if self.spectral_norm else part


@dataclass(frozen=True, kw_only=True)
class DenseLadder(ConvLadder):
    """The ladder of EGBAD and ALAD: more layers at its ends, and dropout in the critic (Zenati et al., 2018).

    Encoder: a convolution that keeps the sides, if there is a `stem`, then levels as in `ConvLadder`, all of them
    normalised, with biases. Decoder: fully connected layers, then the levels.

    Parameters
    ----------
    stem : channels of the encoder's first convolution, at least 1; None has none.
    dense : widths of the decoder's fully connected layers before its smallest map; with none, `ConvLadder`'s decoder.
    dropout : share of the values dropped behind each activation of the critic while it trains, in [0, 1).
    """

    stem: int | None = None
    dense: tuple[int, ...] = ()
    dropout: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        whole(stem=1 if self.stem is None else self.stem)
        for width in self.dense:
            whole(dense=width)
        if not 0 <= self.dropout < 1:
            raise InputError(f"dropout must lie in [0, 1), not {self.dropout}.")

    def encoder(self, shape: tuple[int, ...], out: int, *, output: CodeOutput = "linear") -> nn.Module:
        """Build a network from samples (n, *shape) to codes (n, out)."""
        self.check(shape)
        whole(out=out)
        channels, levels = shape[0], self._levels(shape[1:])
        conv, layers = CONV[len(levels[0])], Layers()
        if self.stem is not None:
            odd = self.kernel - 1 + self.kernel % 2
            layers += [conv(channels, self.stem, odd, padding=odd // 2), self._activation()]
            channels = self.stem
        for width, (large, small) in zip(self._widths(len(levels) - 1), pairwise(levels), strict=True):
            layers.append(conv(channels, width, **self._geometry(large, small)))
            layers += [*normalisation(self.norm, width, len(small)), self._activation()]
            channels = width
        head = [conv(channels, out, levels[-1]), nn.Flatten(), *code_output(output)]
        return finish(Chain([*layers, *head], self.init), spectral=self.spectral_norm)

    def critic(self, shape: tuple[int, ...], *others: tuple[int, ...]) -> nn.Module:
        """Build a network from samples (n, *shape), joined with others, to a Judgement."""
        network = super().critic(shape, *others)
        if self.dropout and len(shape) > 1:
            name = "samples" if isinstance(network, JointCritic) else "trunk"
            setattr(network, name, self._dropping(cast(nn.Sequential, getattr(network, name))))
        return network

    def _dropping(self, layers: nn.Sequential) -> nn.Sequential:
        """Return the layers with dropout behind each activation."""
        thin = [[layer, nn.Dropout(self.dropout)] if isinstance(layer, nn.LeakyReLU) else [layer] for layer in layers]
        return nn.Sequential(*(layer for pair in thin for layer in pair))

    def _synthesis(self, dim: int, levels: list[Sides], channels: int) -> Layers:
        ladder = super()._synthesis(dim, levels, channels)
        if not self.dense:
            return ladder
        small, first = levels[-1], self._widths(len(levels) - 1)[-1]
        layers = Layers()
        for before, after in pairwise((dim, *self.dense, first * math.prod(small))):
            layers += [nn.Linear(before, after), *normalisation(self.norm, after, axes=0), nn.ReLU()]
        # The ladder from its second convolution on: the first one made the map from the code.
        made = next(i for i, layer in enumerate(ladder) if isinstance(layer, nn.ReLU)) + 1
        return [*layers, nn.Unflatten(1, (first, *small)), *ladder[made:]]
