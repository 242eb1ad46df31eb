"""Automatic choice of the backbone by the shape of the samples."""

import math
from dataclasses import dataclass, field, replace
from typing import Self

from torch import nn

from oddgan._core.errors import InputError
from oddgan.networks.backbones.dcgan import ConvLadder
from oddgan.networks.backbones.mlp import MLP
from oddgan.networks.base import Backbone, CodeOutput, SampleOutput


@dataclass(frozen=True, kw_only=True)
class Auto(Backbone):
    """Choose the backbone by the shape: tables `(d,)`, series `(c, t)`, images `(c, h, w)`.

    Parameters
    ----------
    table : backbone for tables, and for critics of codes alone.
    series : backbone for series.
    image : backbone for images.
    large : backbone for images of more than `most` values, e.g. convolutions where small ones are served by fully
        connected layers; None serves all alike.
    most : values of an image (channels x height x width) up to which it is small, >= 1.
    """

    table: Backbone = field(default=MLP())
    series: Backbone = field(default=ConvLadder(width=32, init="xavier"))
    image: Backbone = field(default=ConvLadder())
    large: Backbone | None = None
    most: int = 4096

    def __call__(self, shape: tuple[int, ...]) -> Backbone:
        """Return the backbone for samples of this shape."""
        served = {1: self.table, 2: self.series, 3: self.image}
        if len(shape) not in served:
            raise InputError(
                f"No network takes samples of shape {shape}: tables are (d,), series (c, t), images (c, h, w)."
            )
        if self.large is not None and len(shape) == 3 and math.prod(shape) > self.most:
            return self.large
        return served[len(shape)]

    def check(self, shape: tuple[int, ...]) -> None:
        """Raise InputError where the backbone for this shape can't serve it."""
        self(shape).check(shape)

    def encoder(self, shape: tuple[int, ...], out: int, *, output: CodeOutput = "linear") -> nn.Module:
        """Build a network from samples (n, *shape) to codes (n, out)."""
        return self(shape).encoder(shape, out, output=output)

    def decoder(self, dim: int, shape: tuple[int, ...], *, output: SampleOutput = "linear") -> nn.Module:
        """Build a network from codes (n, dim) to samples (n, *shape)."""
        return self(shape).decoder(dim, shape, output=output)

    def critic(self, shape: tuple[int, ...], *others: tuple[int, ...]) -> nn.Module:
        """Build a network from samples (n, *shape), joined with others, to a Judgement."""
        return self(shape).critic(shape, *others)

    def with_spectral_norm(self) -> Self:
        """Return a copy whose backbones have spectral norm in encoder and critic."""
        table, series, image = (part.with_spectral_norm() for part in (self.table, self.series, self.image))
        large = None if self.large is None else self.large.with_spectral_norm()
        return replace(self, table=table, series=series, image=image, large=large)
