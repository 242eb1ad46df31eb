"""Similarities made of others: after a blur, or relative to how much there is to draw."""

import dataclasses
import math
from dataclasses import dataclass, field
from typing import Self

import torch
from torch import Tensor

from oddgan._core.errors import InputError
from oddgan.similarities.base import Similarity
from oddgan.similarities.measures import L2
from oddgan.similarities.smoothing import gaussian, require_axes, smooth

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

    def fit(self, reference: Tensor) -> Self:
        """Return this with its base fitted to the blurred reference samples (n, ...)."""
        return dataclasses.replace(self, base=self.base.fit(self._blur(reference)))

    def _blur(self, x: Tensor) -> Tensor:
        require_axes("Blurred", x)
        return smooth(x, gaussian(self.sigma, max(1, math.ceil(_REACH * self.sigma)), like=x))


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

    def fit(self, reference: Tensor) -> Self:
        """Return this with its base fitted to the reference samples (n, ...)."""
        return dataclasses.replace(self, base=self.base.fit(reference))
