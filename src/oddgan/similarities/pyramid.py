"""Laplacian pyramid loss: differences at several scales."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from oddgan._core.checks import known
from oddgan._core.errors import InputError
from oddgan.similarities.base import Similarity
from oddgan.similarities.smoothing import require_axes, smooth

# Burt and Adelson's generating kernel with a = 3/8: the binomial weights.
_BINOMIAL = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)
# Below so many pixels a level is borders more than content.
_SMALLEST = 4


@dataclass(frozen=True)
class LaplacianPyramid(Similarity):
    r"""Absolute difference of every scale, each with the same say.

    .. math:: \sum_{j=0}^{J} 2^{aj} \| L_j(x) - L_j(y) \|_1, \quad
        L_j = g_j - k * g_j, \quad g_{j+1} = (k * g_j)_{\downarrow 2}, \quad g_0 = x, \quad L_J = g_J

    Level j of images has 4 to the power of j times fewer values than the first, and the weight makes up for it: a = 2
    for images, a = 1 for series. Noise shows at the fine levels only; a part that is missing shows at every level, and
    counts at each. k is the binomial kernel (1, 4, 6, 4, 1) / 16; at the borders samples are continued by their edge
    values.

    The weights are those that generative latent optimisation uses, quoted from memory.

    Parameters
    ----------
    levels : number J of halvings, at least 0; None: as many as leave 4 pixels or time steps on the shortest side.
    reduction : "sum" is the formula; "mean" divides it by the number of values in a sample.

    References
    ----------
    P. J. Burt, E. H. Adelson: The Laplacian Pyramid as a Compact Image Code, IEEE Transactions on Communications 1983.
    P. Bojanowski, A. Joulin, D. Lopez-Paz, A. Szlam: Optimizing the Latent Space of Generative Networks, ICML 2018.
    """

    levels: int | None = None
    reduction: Literal["mean", "sum"] = "mean"

    def __post_init__(self) -> None:
        known(self, ("mean", "sum"), reduction=self.reduction)
        if self.levels is not None and self.levels < 0:
            raise InputError(f"LaplacianPyramid got levels={self.levels}: give a whole number of at least 0, or None.")

    def _compare(self, x: Tensor, y: Tensor) -> Tensor:
        axes = require_axes("LaplacianPyramid", x)
        # Every level is linear in the sample, so that of the difference is the difference of the levels.
        bands = _bands(x - y, self._halvings(min(x.shape[2:])))
        total = torch.stack([2 ** (axes * j) * b.abs().flatten(1).sum(dim=1) for j, b in enumerate(bands)]).sum(dim=0)
        return total / math.prod(x.shape[1:]) if self.reduction == "mean" else total

    def _halvings(self, side: int) -> int:
        most = math.ceil(math.log2(side))
        if self.levels is None:
            return next(j for j in range(most + 1) if math.ceil(side / 2 ** (j + 1)) < _SMALLEST)
        if self.levels > most:
            raise InputError(
                f"LaplacianPyramid got levels={self.levels}, but a side of {side} can be halved {most} times at most."
            )
        return self.levels


def _bands(x: Tensor, levels: int) -> Iterator[Tensor]:
    """Yield what each blur takes away, from fine to coarse, then what is left."""
    kernel = torch.tensor(_BINOMIAL, dtype=x.dtype, device=x.device)
    every_second = [slice(None), slice(None), *[slice(None, None, 2)] * (x.ndim - 2)]
    for _ in range(levels):
        low = smooth(x, kernel)
        yield x - low
        x = low[tuple(every_second)]
    yield x
