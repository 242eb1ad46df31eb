"""Convolutional autoencoders without a narrow code: from samples to samples."""

from dataclasses import dataclass
from itertools import pairwise
from typing import get_args

from torch import nn

from oddgan._core.errors import InputError
from oddgan.networks.base import Init, Norm, SampleOutput, one_of, whole
from oddgan.networks.blocks.layers import CONV, CONV_TRANSPOSE, Chain, Layers, finish, normalisation, sample_output


@dataclass(frozen=True, kw_only=True)
class Refiner:
    """A convolutional autoencoder whose innermost layer is a map, for images and series; fully connected for tables.

    Down: strided convolutions of these widths, each normalised, leaky ReLU. Up: the mirror image with transposed
    convolutions and ReLU, and an output layer that is not normalised. Nothing has to pass a narrow code, so what makes
    it learn more than the identity is noise at its input.

    The refinement network R of M. Sabokrou et al.: Adversarially Learned One-Class Classifier for Novelty Detection,
    CVPR 2018.

    Parameters
    ----------
    widths : channels, or columns, of the layers on the way down, at least one.
    kernel : side of the kernels, an odd number of at least 3; of no effect for tables.
    norm : normalisation after each layer but the last: "batch", "layer", "group" (of 16) or "none".
    slope : slope of the leaky ReLU below zero, 0 or more.
    init : how weights start: "dcgan" (normal, 0.02), "xavier" or "he" (both normal), torch's "default", or
        "equalised", see `ConvLadder`.
    """

    widths: tuple[int, ...] = (32, 64, 128)
    kernel: int = 5
    norm: Norm = "batch"
    slope: float = 0.2
    init: Init = "he"

    def __post_init__(self) -> None:
        if not self.widths:
            raise InputError("widths must name at least one width, e.g. (32, 64).")
        for width in self.widths:
            whole(widths=width)
        whole(3, kernel=self.kernel)
        one_of(get_args(Norm), norm=self.norm)
        one_of(get_args(Init), init=self.init)
        if self.kernel % 2 == 0 or not self.slope >= 0:
            raise InputError(f"kernel={self.kernel} must be odd, and slope={self.slope} 0 or more.")

    def __call__(self, shape: tuple[int, ...], *, output: SampleOutput = "linear") -> nn.Module:
        """Build a network from samples (n, *shape) to samples (n, *shape).

        Parameters
        ----------
        shape : shape of a sample: `(d,)`, `(c, t)` or `(c, h, w)`.
        output : range of the results: any number ("linear"), (-1, 1) ("tanh"), or (0, 1) ("sigmoid").
        """
        if len(shape) not in (1, 2, 3) or min(shape) < 1:
            raise InputError(f"A Refiner can't serve samples of shape {shape}: give (d,), (c, t) or (c, h, w).")
        axes, sides = len(shape) - 1, shape[1:]
        down: Layers = []
        up: Layers = []
        for level, (before, after) in enumerate(pairwise((shape[0], *self.widths))):
            narrow, widen, sides = self._pair(before, after, sides)
            down += [narrow, *normalisation(self.norm, after, axes), nn.LeakyReLU(self.slope)]
            up = [widen, *([*normalisation(self.norm, before, axes), nn.ReLU()] if level else []), *up]
        return finish(Chain([*down, *up, *sample_output(output)], self.init))

    def _pair(self, before: int, after: int, sides: tuple[int, ...]) -> tuple[nn.Module, nn.Module, tuple[int, ...]]:
        """Return the layer that halves maps with these sides, the one that undoes it, and the halved sides."""
        if not sides:
            return nn.Linear(before, after), nn.Linear(after, before), ()
        geometry = {"kernel_size": self.kernel, "stride": 2, "padding": self.kernel // 2}
        narrow = CONV[len(sides)](before, after, **geometry)
        spare = tuple(1 - side % 2 for side in sides)  # what rounding up has lost
        widen = CONV_TRANSPOSE[len(sides)](after, before, **geometry, output_padding=spare)
        return narrow, widen, tuple(-(-side // 2) for side in sides)
