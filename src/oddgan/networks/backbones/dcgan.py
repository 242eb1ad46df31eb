"""DCGAN's ladder of strided convolutions, for images and series of any size."""

from dataclasses import dataclass
from itertools import pairwise

from torch import nn

from oddgan._core.errors import InputError
from oddgan.networks.backbones.convolutional import Convolutional
from oddgan.networks.base import Norm, whole
from oddgan.networks.blocks.layers import CONV, CONV_TRANSPOSE, Layers, Sides, normalisation


@dataclass(frozen=True, kw_only=True)
class ConvLadder(Convolutional):
    """Strided convolutions, the networks of DCGAN, for series and images.

    Encoder and critic: convolutions C(4,2,1), each with twice the channels of the one before, normalised from the
    second on, leaky ReLU; then a convolution as large as the last map. The critic's features are that map.
    Decoder: the mirror image with transposed convolutions and ReLU. Where a side is odd, the transposed convolution
    makes one row more (output padding), so that a decoder gives exactly the size asked for. Convolutions have biases
    only in networks without normalisation, as in the released code of GANomaly and BeatGAN, but for `first_bias`.

    Radford, Metz, Chintala: Unsupervised Representation Learning with Deep Convolutional GANs, 2016.

    Parameters
    ----------
    kernel : side of the kernels that halve a map, at least 3.
    slope : slope of the leaky ReLU below zero in encoder and critic, 0 or more.
    widths : channels of the levels of encoder and critic, from the sample inwards, where they do not double; the last
        number holds for all further levels.
    decoder_widths : the same for the decoder, from the sample inwards, too; None takes those of the encoder.
    first_bias : whether the first convolution of encoder and critic has biases in any case. Without them and with layer
        norm behind, a critic gives a sample and the same with a third of its contrast one logit, so that a generator
        never learns how dark the dark is.
    """

    kernel: int = 4
    slope: float = 0.2
    widths: tuple[int, ...] | None = None
    decoder_widths: tuple[int, ...] | None = None
    first_bias: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        whole(3, kernel=self.kernel)
        if not self.slope >= 0:
            raise InputError(f"slope must be 0 or more, not {self.slope}.")
        for name in ("widths", "decoder_widths"):
            given = getattr(self, name)
            if given is not None and not given:
                raise InputError(f"{name} must name at least one width, e.g. (64,), or be None.")
            for width in given or ():
                whole(**{name: width})

    def _halved(self, side: int) -> int:
        return (side + 2 * self._padding - self.kernel) // 2 + 1

    @property
    def _padding(self) -> int:
        return (self.kernel - 1) // 2

    def _activation(self) -> nn.Module:
        return nn.LeakyReLU(self.slope)

    def _geometry(self, large: Sides, small: Sides) -> dict[str, Sides]:
        """Return the settings of a convolution from the large to the small map; sides that are equal are kept."""
        odd = self.kernel - 1 + self.kernel % 2
        halved = [a != b for a, b in zip(large, small, strict=True)]
        return {
            "kernel_size": tuple(self.kernel if h else odd for h in halved),
            "stride": tuple(2 if h else 1 for h in halved),
            "padding": tuple(self._padding if h else odd // 2 for h in halved),
        }

    def _channels(self, count: int, given: tuple[int, ...] | None) -> list[int]:
        """Return the channels of `count` levels: those given, as far as they go, or the rule's."""
        return self._widths(count) if given is None else [given[min(i, len(given) - 1)] for i in range(count)]

    def _analysis(self, channels: int, levels: list[Sides], out: int, norm: Norm) -> tuple[Layers, Layers]:
        axes, bias, layers = len(levels[0]), norm == "none", Layers()
        widths = self._channels(len(levels) - 1, self.widths)
        for i, (large, small) in enumerate(pairwise(levels)):
            biased = bias or (self.first_bias and not i)
            layers.append(CONV[axes](channels, widths[i], **self._geometry(large, small), bias=biased))
            layers += normalisation(norm, widths[i], axes) if i else []
            layers.append(self._activation())
            channels = widths[i]
        return layers, [CONV[axes](channels, out, levels[-1], bias=bias), nn.Flatten()]

    def _synthesis(self, dim: int, levels: list[Sides], channels: int) -> Layers:
        axes, bias = len(levels[0]), self.norm == "none"
        transposed, up = CONV_TRANSPOSE[axes], levels[::-1]
        widths = self._channels(len(levels) - 1, self.decoder_widths or self.widths)[::-1]
        layers: Layers = [nn.Unflatten(1, (dim,) + (1,) * axes), transposed(dim, widths[0], up[0], bias=bias)]
        for before, after, (small, large) in zip(widths, [*widths[1:], channels], pairwise(up), strict=True):
            geometry = self._geometry(large, small)
            spare = tuple((a + 2 * p - k) % s for a, k, s, p in zip(large, *geometry.values(), strict=True))
            layers += [*normalisation(self.norm, before, axes), nn.ReLU()]
            layers.append(transposed(before, after, **geometry, output_padding=spare, bias=bias))
        return layers
