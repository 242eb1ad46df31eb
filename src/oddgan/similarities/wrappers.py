"""Wrappers of similarities: Gaussian blur, relative to the foreground, without trailing padding."""

import dataclasses
import math
from dataclasses import dataclass, field
from typing import Self

import torch
from torch import Tensor

from oddgan._core.checks import finite, positive
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
        positive(self, sigma=self.sigma)

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
        finite(self, background=self.background)

    def _compare(self, x: Tensor, y: Tensor) -> Tensor:
        much = (x - self.background).abs().flatten(1).mean(dim=1)
        return self.base(x, y) / much.clamp(min=torch.finfo(x.dtype).eps)

    def fit(self, reference: Tensor) -> Self:
        """Return this with its base fitted to the reference samples (n, ...)."""
        return dataclasses.replace(self, base=self.base.fit(reference))


@dataclass(frozen=True)
class TrailingMask(Similarity):
    r"""Another similarity of series without the padding at their end, :math:`s(x, y') \cdot t / (t - p)`.

    The last p of x's t steps are padding if they are all equal, in every channel, and p is at least 2; y' is y with
    them drawn exactly. The factor turns a mean over all steps into the mean over those that are left, so that short
    series do not look easy. A series that is constant throughout is not padded: all of it counts.

    Whatever ends flat is taken for padding, a heart that has stopped, too. A scaling that gives each step a scale of
    its own (`per="feature"`) makes padding unequal, and nothing is left out then.

    Parameters
    ----------
    base : the similarity of what is left.
    """

    base: Similarity = field(default_factory=L2)

    def _compare(self, x: Tensor, y: Tensor) -> Tensor:
        padded = self._padding(x)
        kept = x.shape[2] - padded.sum(dim=1)
        return self.base(x, torch.where(padded[:, None], x, y)) * (x.shape[2] / kept)

    def fit(self, reference: Tensor) -> Self:
        """Return this with its base fitted to the reference samples (n, ...)."""
        return dataclasses.replace(self, base=self.base.fit(reference))

    @staticmethod
    def _padding(x: Tensor) -> Tensor:
        """Return which steps (n, t) of series x (n, c, t) are padding."""
        if x.ndim != 3:
            raise InputError(f"TrailingMask takes series (n, c, t), but got {tuple(x.shape)}.")
        same = (x == x[:, :, -1:]).all(dim=1)
        tail = same.flip(1).long().cumprod(dim=1).flip(1).bool()
        count = tail.sum(dim=1, keepdim=True)
        return tail & (count > 1) & (count < x.shape[2])
