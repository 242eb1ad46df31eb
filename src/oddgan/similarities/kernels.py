"""Kernel similarities: one minus a kernel of whole samples."""

import dataclasses
import math
from dataclasses import dataclass
from typing import Literal, Self

import torch
from torch import Tensor

from oddgan._core.checks import known
from oddgan._core.errors import InputError
from oddgan.similarities.base import Similarity

# Enough pairs (124,750) for a median; more would only take time.
_ROWS = 500


@dataclass(frozen=True)
class RBF(Similarity):
    """One minus a kernel of the distance of whole samples (Frobenius over channels and time), in [0, 1).

        gaussian     1 - exp(-‖x - y‖² / (2σ²))
        exponential  1 - exp(-‖x - y‖ / (2σ²))
        laplacian    1 - exp(-‖x - y‖ / σ)

    "gaussian" with the median distance as bandwidth is what RGAN and MAD-GAN search with. Far from a sample, at many
    bandwidths, a kernel is flat: a search that starts there gets no gradient.

    Parameters
    ----------
    bandwidth : the kernel's width σ, above 0; None: the median distance between pairs of normal samples, taken in fit.
    kernel : "gaussian", "exponential" or "laplacian".
    """

    bandwidth: float | None = None
    kernel: Literal["gaussian", "exponential", "laplacian"] = "gaussian"

    def __post_init__(self) -> None:
        known(self, ("gaussian", "exponential", "laplacian"), kernel=self.kernel)
        if self.bandwidth is not None and not 0 < self.bandwidth < math.inf:
            raise InputError(f"RBF got bandwidth={self.bandwidth}: give a finite number above 0, or None.")

    def _compare(self, x: Tensor, y: Tensor) -> Tensor:
        if self.bandwidth is None:
            raise InputError("RBF has no bandwidth yet: take it from normal samples with fit(reference), or give one.")
        difference = (x - y).flatten(1)
        if self.kernel == "gaussian":
            exponent = difference.square().sum(dim=1) / (2 * self.bandwidth**2)
        else:
            width = self.bandwidth if self.kernel == "laplacian" else 2 * self.bandwidth**2
            exponent = torch.linalg.vector_norm(difference, dim=1) / width
        return -torch.expm1(-exponent)

    def fit(self, reference: Tensor) -> Self:
        """Return an RBF with a bandwidth: its own, or else the median distance between pairs of reference samples.

        Parameters
        ----------
        reference : normal samples (n, ...), at least two; of more than 500, 500 at even steps are used.

        Raises
        ------
        InputError
            If there are fewer than two samples, they are not finite, or half of all pairs or more are equal.
        """
        if self.bandwidth is not None:
            return self
        if reference.ndim < 2 or len(reference) < 2 or not reference.isfinite().all():
            raise InputError(
                f"RBF.fit takes at least two samples (n, ...) of finite values, but got the shape "
                f"{tuple(reference.shape)}{'' if reference.isfinite().all() else ' with values that are not finite'}."
            )
        rows = torch.linspace(0, len(reference) - 1, min(len(reference), _ROWS), dtype=torch.float64).round().long()
        sample = reference.detach()[rows.to(reference.device)].flatten(1).double()
        median = float(torch.pdist(sample).median())
        if median == 0:
            raise InputError(
                f"RBF.fit found a median distance of 0 between {len(sample)} samples, most of which are equal: give "
                "samples that differ, or set the bandwidth yourself."
            )
        return dataclasses.replace(self, bandwidth=median)
