"""Plain convolutions with max pooling for series and images."""

from dataclasses import dataclass

from torch import nn

from oddgan._core.errors import InputError
from oddgan.networks.backbones.convolutional import Convolutional
from oddgan.networks.base import Init, Norm, whole
from oddgan.networks.blocks.layers import CONV, CONV_TRANSPOSE, MAX_POOL, Layers, Sides, normalisation

WAYS = {1: "linear", 2: "bilinear"}


@dataclass(frozen=True, kw_only=True)
class Pooled(Convolutional):
    """Pairs of 3 x 3 convolutions without padding, each pair followed by max pooling, for series and images.

    Encoder and critic: the second convolution of a pair doubles the channels; then a convolution as large as the last
    map with `hidden` channels, and a linear layer. Decoder: a transposed convolution to the last map, and for each pair
    linear interpolation and two transposed convolutions. ReLU throughout. The critic's features are the last map.

    The networks of S. Yoon, Y.-K. Noh, F. C. Park: Autoencoding Under Normalization Constraints, ICML 2021, for MNIST.

    Parameters
    ----------
    hidden : channels of the layer before a code, at least 1.
    """

    width: int = 32
    depth: int | None = 2
    hidden: int = 1024
    norm: Norm = "none"
    critic_norm: Norm = "none"
    init: Init = "default"

    def __post_init__(self) -> None:
        super().__post_init__()
        whole(hidden=self.hidden)

    def check(self, shape: tuple[int, ...]) -> None:
        """Raise InputError unless the shape is a series or an image that the levels leave something of."""
        super().check(shape)
        if min(self._levels(shape[1:])[-1]) < 1:
            raise InputError(
                f"{type(self).__name__} can't serve samples of shape {shape}: each of its levels cuts off 4 and halves "
                "the rest; use a smaller depth, or ConvLadder."
            )

    def _halved(self, side: int) -> int:
        return (side - 4) // 2

    def _activation(self) -> nn.Module:
        return nn.ReLU()

    def _convolution(self, before: int, after: int, axes: int, norm: Norm) -> Layers:
        return [CONV[axes](before, after, 3), *normalisation(norm, after, axes), nn.ReLU()]

    def _analysis(self, channels: int, levels: list[Sides], out: int, norm: Norm) -> tuple[Layers, Layers]:
        axes, trunk = len(levels[0]), Layers()
        for width in self._widths(len(levels) - 1):
            trunk += self._convolution(channels, width, axes, norm)
            trunk += [*self._convolution(width, 2 * width, axes, norm), MAX_POOL[axes](2)]
            channels = 2 * width
        head = [CONV[axes](channels, self.hidden, levels[-1]), nn.ReLU(), CONV[axes](self.hidden, out, 1), nn.Flatten()]
        return trunk, head

    def _synthesis(self, dim: int, levels: list[Sides], channels: int) -> Layers:
        axes, widths = len(levels[0]), self._widths(len(levels) - 1)
        transposed = CONV_TRANSPOSE[axes]
        layers: Layers = [nn.Unflatten(1, (dim,) + (1,) * axes), transposed(dim, 2 * widths[-1], levels[-1])]
        for i in reversed(range(len(widths))):
            pooled_from = tuple(side - 4 for side in levels[i])
            before, after = 2 * widths[i], 2 * widths[i - 1] if i else channels
            layers += [*normalisation(self.norm, before, axes), nn.ReLU()]
            layers += [nn.Upsample(pooled_from, mode=WAYS[axes], align_corners=True), transposed(before, widths[i], 3)]
            layers += [*normalisation(self.norm, widths[i], axes), nn.ReLU(), transposed(widths[i], after, 3)]
        return layers
