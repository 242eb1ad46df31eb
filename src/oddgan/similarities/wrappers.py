"""Similarities made of others: after a blur, or relative to how much there is to draw."""

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional

from oddgan._core.errors import InputError
from oddgan.similarities.measures import L2, Similarity

_CONV = {1: functional.conv1d, 2: functional.conv2d}
# Where a Gaussian is cut off, in standard deviations.
_REACH = 3


@dataclass(frozen=True)
class Blurred(Similarity):
    r"""Another similarity after a Gaussian blur of both samples, :math:`s(k_\sigma * x, k_\sigma * y)`.

    Sharp residuals along edges that a reconstruction puts slightly aside count less, missing and additional parts as
    much as before. At the borders samples are continued by their edge values.

    Parameters
    ----------
    base : the similarity of the blurred samples.
    sigma : standard deviation of the blur, in pixels or time steps, above 0. Tables can't be blurred.
    """

    base: Similarity = field(default_factory=L2)
    sigma: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.sigma < math.inf:
            raise InputError(f"Blurred got sigma={self.sigma}: give a finite number above 0.")

    def _compare(self, x: Tensor, y: Tensor) -> Tensor:
        return self.base(self._blur(x), self._blur(y))

    def _blur(self, x: Tensor) -> Tensor:
        axes = x.ndim - 2
        if axes not in _CONV:
            raise InputError(f"Blurred takes series (n, c, t) and images (n, c, h, w), but got {tuple(x.shape)}.")
        reach = max(1, math.ceil(_REACH * self.sigma))
        at = torch.arange(-reach, reach + 1, dtype=x.dtype, device=x.device)
        kernel = torch.exp(-at.square() / (2 * self.sigma**2))
        kernel, channels = kernel / kernel.sum(), x.shape[1]
        for axis in range(axes):
            sides = [1] * axes
            sides[axis] = len(kernel)
            pad = [0, 0] * axes
            pad[2 * (axes - 1 - axis)] = pad[2 * (axes - 1 - axis) + 1] = reach
            weight = kernel.view(1, 1, *sides).expand(channels, 1, *sides)
            x = _CONV[axes](functional.pad(x, pad, mode="replicate"), weight, groups=channels)
        return x


@dataclass(frozen=True)
class Relative(Similarity):
    r"""Another similarity relative to how much there is to draw, :math:`s(x, y) / \operatorname{mean}_j |x_j - b|`.

    Where samples differ in how far they stand out from a background (thin and bold digits, weak and strong signals),
    the residual grows with it; this one does not. A sample that is all background and drawn exactly has 0.

    Parameters
    ----------
    base : the similarity.
    background : the value b of a sample with nothing on it, on the network's scale: -1 is black for images.
    """

    base: Similarity = field(default_factory=L2)
    background: float = -1.0

    def __post_init__(self) -> None:
        if not math.isfinite(self.background):
            raise InputError(f"Relative got background={self.background}: give a finite number.")

    def _compare(self, x: Tensor, y: Tensor) -> Tensor:
        much = (x - self.background).abs().flatten(1).mean(dim=1)
        return self.base(x, y) / much.clamp(min=torch.finfo(x.dtype).eps)
