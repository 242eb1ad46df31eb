"""Dissimilarities (n, ...) x (n, ...) -> (n,): 0 for equal samples, higher = less alike."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal, Self

import torch
from torch import Tensor

from oddgan._core.errors import InputError

Reduction = Literal["mean", "sum"]


@dataclass(frozen=True)
class Similarity(ABC):
    """How unlike two samples are: 0 if equal, differentiable, each pair by itself."""

    def __call__(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the dissimilarity (n,) of samples x (n, ...) and their reconstructions y.

        Raises
        ------
        InputError
            If the shapes differ: a broadcast would silently compare a sample with others.
        """
        if x.shape != y.shape or x.ndim < 2:
            raise InputError(
                f"A similarity compares two batches of one shape (n, ...), but got {tuple(x.shape)} and "
                f"{tuple(y.shape)}."
            )
        return self._compare(x, y)

    @abstractmethod
    def _compare(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the dissimilarity (n,) of batches of one shape."""


@dataclass(frozen=True)
class L1(Similarity):
    r"""Absolute difference, :math:`\sum_j |x_j - y_j|` or its mean.

    Parameters
    ----------
    reduction : "mean" or "sum" over everything but the samples.
    """

    reduction: Reduction = "mean"

    def __post_init__(self) -> None:
        _known("L1", self.reduction)

    def _compare(self, x: Tensor, y: Tensor) -> Tensor:
        return _reduce((x - y).abs(), self.reduction)


@dataclass(frozen=True)
class L2(Similarity):
    r"""Squared difference, :math:`\sum_j (x_j - y_j)^2` or its mean.

    Parameters
    ----------
    reduction : "mean" or "sum" over everything but the samples.
    """

    reduction: Reduction = "mean"

    def __post_init__(self) -> None:
        _known("L2", self.reduction)

    def _compare(self, x: Tensor, y: Tensor) -> Tensor:
        return _reduce((x - y).square(), self.reduction)


@dataclass(frozen=True)
class RBF(Similarity):
    r"""One minus a Gaussian kernel of whole samples, :math:`1 - \exp(-\|x - y\|^2 / (2 \sigma^2))`, in [0, 1).

    Far from a sample, at many bandwidths, it is flat: a search that starts there gets no gradient.

    Parameters
    ----------
    bandwidth : the kernel's width σ, above 0; `fit` takes it from data.
    """

    bandwidth: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.bandwidth < math.inf:
            raise InputError(f"RBF got bandwidth={self.bandwidth}: give a finite number above 0.")

    def _compare(self, x: Tensor, y: Tensor) -> Tensor:
        return -torch.expm1(-(x - y).square().flatten(1).sum(dim=1) / (2 * self.bandwidth**2))

    def fit(self, reference: Tensor) -> Self:
        """Return an RBF whose bandwidth is the median distance between pairs of reference samples.

        Parameters
        ----------
        reference : normal samples (n, ...), at least two; of more than 500, 500 at even steps are used.

        Raises
        ------
        InputError
            If there are fewer than two samples, they are not finite, or half of all pairs or more are equal.
        """
        if reference.ndim < 2 or len(reference) < 2 or not reference.isfinite().all():
            raise InputError(
                f"RBF.fit takes at least two samples (n, ...) of finite values, but got the shape "
                f"{tuple(reference.shape)}{'' if reference.isfinite().all() else ' with values that are not finite'}."
            )
        rows = torch.linspace(0, len(reference) - 1, min(len(reference), 500), dtype=torch.float64).round().long()
        sample = reference.detach()[rows.to(reference.device)].flatten(1).double()
        median = float(torch.pdist(sample).median())
        if median == 0:
            raise InputError(
                f"RBF.fit found a median distance of 0 between {len(sample)} samples, most of which are equal: give "
                "samples that differ, or set the bandwidth yourself."
            )
        return type(self)(bandwidth=median)


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


def _reduce(each: Tensor, reduction: Reduction) -> Tensor:
    each = each.flatten(1)
    return each.mean(dim=1) if reduction == "mean" else each.sum(dim=1)


def _known(part: str, reduction: str) -> None:
    if reduction not in ("mean", "sum"):
        raise InputError(f'{part} got reduction={reduction!r}: give "mean" or "sum".')
