"""Residual networks for images and series of any size."""

import math
from dataclasses import dataclass
from itertools import pairwise

from torch import nn

from oddgan.networks.backbones.convolutional import Convolutional
from oddgan.networks.base import Init, Norm
from oddgan.networks.blocks.layers import CONV, Grow, Layers, Residual, Sides, normalisation, shrink


@dataclass(frozen=True, kw_only=True)
class ResNet(Convolutional):
    """Pre-activation residual networks, those of f-AnoGAN, for series and images.

    Critic and encoder: a convolution, then residual blocks that halve the map by averaging, then a linear layer; the
    critic's features are the last map, flattened. Decoder: a linear layer, blocks that double the map by repetition,
    normalisation, ReLU, a convolution. All kernels are 3 (1 in shortcuts). Where a side is odd, halving rounds up and
    the decoder cuts off the surplus.

    Schlegl et al.: f-AnoGAN, 2019, with the residual networks of Gulrajani et al.: Improved Training of Wasserstein
    GANs, 2017.

    Parameters
    ----------
    width : channels before the first block; each block doubles them, at least 1.
    """

    critic_norm: Norm = "layer"
    init: Init = "he"

    def _halved(self, side: int) -> int:
        return math.ceil(side / 2)

    def _activation(self) -> nn.Module:
        return nn.ReLU()

    def _analysis(self, channels: int, levels: list[Sides], out: int, norm: Norm) -> tuple[Layers, Layers]:
        axes, widths = len(levels[0]), self._widths(len(levels))
        layers: Layers = [CONV[axes](channels, widths[0], 3, padding=1)]
        for (before, after), (large, small) in zip(pairwise(widths), pairwise(levels), strict=True):
            main = [*_convolve(before, before, axes, norm, bias=norm == "none"), *_convolve(before, after, axes, norm)]
            shortcut = [CONV[axes](before, after, 1)]
            layers.append(Residual([*main, shrink(large, small)], [shrink(large, small), *shortcut]))
        return [*layers, nn.Flatten()], [nn.Linear(widths[-1] * math.prod(levels[-1]), out)]

    def _synthesis(self, dim: int, levels: list[Sides], channels: int) -> Layers:
        axes, widths, start = len(levels[0]), self._widths(len(levels))[::-1], levels[-1]
        layers: Layers = [nn.Linear(dim, widths[0] * math.prod(start)), nn.Unflatten(1, (widths[0], *start))]
        for (before, after), (small, large) in zip(pairwise(widths), pairwise(levels[::-1]), strict=True):
            *first, convolution = _convolve(before, after, axes, self.norm, bias=self.norm == "none")
            main = [*first, Grow(small, large), convolution, *_convolve(after, after, axes, self.norm)]
            layers.append(Residual(main, [Grow(small, large), CONV[axes](before, after, 1)]))
        return [*layers, *_convolve(widths[-1], channels, axes, self.norm)]


def _convolve(before: int, after: int, axes: int, norm: Norm, *, bias: bool = True) -> list[nn.Module]:
    """Return normalisation, ReLU and a 3-wide convolution."""
    return [*normalisation(norm, before, axes), nn.ReLU(), CONV[axes](before, after, 3, padding=1, bias=bias)]
