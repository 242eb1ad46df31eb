"""Bias-free LeNets of Deep SVDD, for images and series."""

import math
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal, get_args

from torch import nn

from oddgan._core.errors import InputError
from oddgan.networks.backbones.convolutional import Maps
from oddgan.networks.backbones.mlp import MLP
from oddgan.networks.base import Init, Norm, one_of, whole
from oddgan.networks.blocks.layers import BATCH_NORM, CONV, MAX_POOL, Grow, Layers, Sides

EPS = 1e-4  # added to the variance in batch norm, as in the released code
PlainNorm = Literal["batch", "none"]


@dataclass(frozen=True, kw_only=True)
class LeNet(Maps):
    """Convolutions without biases and max pooling, the networks of Deep SVDD, for series and images.

    Encoder: blocks of a convolution that keeps the sides, batch norm without gain and shift, leaky ReLU and max pooling
    by 2; then a linear layer. Decoder: a linear layer to the encoder's last map, then blocks that double the map by
    repetition, each with a convolution. The critic's features are the encoder's last map. Nothing adds a constant, so
    that no network can map all samples to one point by its biases alone. The published decoders reshape the code to
    maps of 4 x 4 instead, which serves few lengths of codes and sizes of images.

    Ruff et al.: Deep One-Class Classification, 2018.

    Parameters
    ----------
    widths : channels of each block, from the sample inwards, at least one; each block halves the sides,
        rounding up.
    kernel : side of the kernels, odd.
    slope : slope of the leaky ReLU below zero, 0 or more; the paper says 0.1, the released code uses 0.01.
    norm : normalisation in encoder and decoder: "batch", without gain and shift, or "none".
    critic_norm : normalisation in the critic; "batch" is wrong under a gradient penalty.
    feature_layer : which map of a critic is its features: 0 the last one below the head, 1 the one before it, and so
        on; critics of samples with codes have only 0.
    spectral_norm : whether encoder and critic divide each weight by its largest singular value.
    init : how weights start: torch's "default", "dcgan" (normal, 0.02), "xavier" or "he" (both normal), or
        "equalised", see `ConvLadder`.
    codes : critics of codes alone, and the branch for codes in a critic that judges samples with codes.
    """

    widths: tuple[int, ...] = (8, 4)
    kernel: int = 5
    slope: float = 0.01
    norm: PlainNorm = "batch"
    critic_norm: PlainNorm = "none"
    feature_layer: int = 0
    spectral_norm: bool = False
    init: Init = "default"
    codes: MLP = field(default=MLP(hidden=(128,), bias=False))

    def __post_init__(self) -> None:
        if not self.widths:
            raise InputError("widths must name the channels of at least one block, e.g. (8, 4).")
        for width in self.widths:
            whole(widths=width)
        whole(kernel=self.kernel)
        whole(0, feature_layer=self.feature_layer)
        if self.kernel % 2 == 0 or not self.slope >= 0:
            raise InputError(f"kernel={self.kernel} must be odd, and slope={self.slope} 0 or more.")
        one_of(get_args(PlainNorm), norm=self.norm, critic_norm=self.critic_norm)
        one_of(get_args(Init), init=self.init)

    def check(self, shape: tuple[int, ...]) -> None:
        """Raise InputError unless the shape is a series or an image whose sides can be halved often enough."""
        smallest = 2 ** len(self.widths)
        if len(shape) not in (2, 3) or min(shape) < 1 or min(shape[1:]) < smallest:
            raise InputError(
                f"{type(self).__name__} can't serve samples of shape {shape}: it takes series (c, t) and images "
                f"(c, h, w) with sides of at least {smallest} for its {len(self.widths)} blocks; name fewer widths."
            )

    def _meeting(self) -> tuple[int, bool]:
        return self.codes.hidden[-1], False

    def _activation(self) -> nn.Module:
        return nn.LeakyReLU(self.slope)

    def _levels(self, sides: Sides) -> list[Sides]:
        return [tuple(math.ceil(side / 2**i) for side in sides) for i in range(len(self.widths) + 1)]

    def _analysis(self, channels: int, levels: list[Sides], out: int, norm: Norm) -> tuple[Layers, Layers]:
        trunk, axes = Layers(), len(levels[0])
        for before, after in pairwise((channels, *self.widths)):
            trunk += [*self._block(before, after, axes, norm), MAX_POOL[axes](2, ceil_mode=True)]
        return trunk, [nn.Flatten(), nn.Linear(self.widths[-1] * math.prod(levels[-1]), out, bias=False)]

    def _synthesis(self, dim: int, levels: list[Sides], channels: int) -> Layers:
        up, widths, axes = levels[::-1], self.widths[::-1], len(levels[0])
        first = nn.Linear(dim, widths[0] * math.prod(up[0]), bias=False)
        layers = [first, nn.Unflatten(1, (widths[0], *up[0])), self._activation()]
        for before, after, (small, large) in zip(widths, widths[1:], pairwise(up), strict=False):
            layers += [Grow(small, large), *self._block(before, after, axes, self.norm)]
        return [*layers, Grow(up[-2], up[-1]), self._convolution(widths[-1], channels, axes)]

    def _block(self, before: int, after: int, axes: int, norm: Norm) -> Layers:
        norms = [BATCH_NORM[axes](after, eps=EPS, affine=False)] if norm == "batch" else []
        return [self._convolution(before, after, axes), *norms, self._activation()]

    def _convolution(self, before: int, after: int, axes: int) -> nn.Module:
        layer: nn.Module = CONV[axes](before, after, self.kernel, padding=self.kernel // 2, bias=False)
        return layer
