"""Similarities value by value, and by angle."""

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from oddgan._core.checks import known
from oddgan._core.errors import InputError
from oddgan.similarities.base import Similarity


@dataclass(frozen=True)
class _Elementwise(Similarity):
    """Base of similarities value by value.

    Parameters
    ----------
    reduction : "mean" or "sum" over everything but the samples.
    """

    reduction: Literal["mean", "sum"] = "mean"

    def __post_init__(self) -> None:
        known(self, ("mean", "sum"), reduction=self.reduction)

    @abstractmethod
    def _each(self, difference: Tensor) -> Tensor:
        """Return what each value's difference counts, (n, ...)."""

    def _compare(self, x: Tensor, y: Tensor) -> Tensor:
        each = self._each(x - y).flatten(1)
        return each.mean(dim=1) if self.reduction == "mean" else each.sum(dim=1)


@dataclass(frozen=True)
class L1(_Elementwise):
    r"""Absolute difference, :math:`\sum_j |x_j - y_j|` or its mean."""

    def _each(self, difference: Tensor) -> Tensor:
        return difference.abs()


@dataclass(frozen=True)
class L2(_Elementwise):
    r"""Squared difference, :math:`\sum_j (x_j - y_j)^2` or its mean."""

    def _each(self, difference: Tensor) -> Tensor:
        return difference.square()


@dataclass(frozen=True)
class Minkowski(Similarity):
    r"""Minkowski distance of whole samples, :math:`\left(\sum_j |x_j - y_j|^p\right)^{1/p}`.

    With p = 1 it is the sum of `L1`, with p = 2 the root of the sum of `L2`; the higher p, the more the largest
    difference decides.

    Parameters
    ----------
    p : the exponent, finite and at least 1.
    """

    p: float = 2.0

    def __post_init__(self) -> None:
        if not 1 <= self.p < math.inf:
            raise InputError(f"Minkowski got p={self.p}: give a finite number of at least 1.")

    def _compare(self, x: Tensor, y: Tensor) -> Tensor:
        difference = (x - y).flatten(1)
        # Powers of numbers far from 1 leave single precision; the distance is homogeneous, so any scale will do.
        largest = difference.detach().abs().amax(dim=1)
        scale = torch.where(largest > 0, largest, 1.0)
        distance: Tensor = scale * torch.linalg.vector_norm(difference / scale[:, None], ord=self.p, dim=1)
        return distance


@dataclass(frozen=True)
class Cosine(Similarity):
    r"""One minus the cosine of the angle between whole samples, in [0, 2]. The length of a sample does not count.

    .. math:: 1 - \frac{\langle x, y \rangle}{\|x\| \|y\|}
        = \frac12 \left\| \frac{x}{\|x\|} - \frac{y}{\|y\|} \right\|^2

    The second form is computed: it is exactly 0 for equal samples. A zero vector counts as orthogonal to all others (1)
    and as equal to itself (0).
    """

    def _compare(self, x: Tensor, y: Tensor) -> Tensor:
        (x, x_is_zero), (y, y_is_zero) = (_direction(v) for v in (x, y))
        # One zero vector leaves half the other's squared length, ½: the missing half makes it orthogonal.
        return ((x - y).square().sum(dim=1) + (x_is_zero != y_is_zero).to(x.dtype)) / 2


def _direction(v: Tensor) -> tuple[Tensor, Tensor]:
    """Return the flattened unit vectors (n, d), zero vectors as they are, and which are zero (n,)."""
    v = v.flatten(1)
    norm = torch.linalg.vector_norm(v, dim=1, keepdim=True)
    return v / torch.where(norm > 0, norm, 1.0), norm[:, 0] == 0
