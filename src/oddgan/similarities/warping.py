"""Dynamic time warping (DTW) and its differentiable form, soft-DTW, for series."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from oddgan._core.checks import positive
from oddgan._core.errors import InputError
from oddgan.similarities.base import Similarity

_INF = float("inf")
# Vector instructions and their scalar remainder round differently: with whole vectors only, a series' value does not
# depend on its place in the batch.
_LANES = 32


@dataclass(frozen=True)
class DTW(Similarity):
    r"""Dynamic time warping: the least sum of squared differences along a monotone alignment of two series.

    .. math:: R_{ij} = \|x_i - y_j\|^2 + \min(R_{i-1,j-1}, R_{i-1,j}, R_{i,j-1}), \quad s(x, y) = R_{tt}

    with x_i the values of all channels at time i: the channels are warped together. No root is taken. It is meant for
    scoring: its gradient follows one alignment and jumps where another becomes the best; search with `SoftDTW`.

    Parameters
    ----------
    band : how many time steps aligned moments may be apart, at least 0 (0 is the squared difference); None: any.

    References
    ----------
    H. Sakoe, S. Chiba: Dynamic Programming Algorithm Optimization for Spoken Word Recognition, IEEE Transactions on
    Acoustics, Speech, and Signal Processing 1978.
    """

    band: int | None = None

    def __post_init__(self) -> None:
        _check_band("DTW", self.band)

    def _compare(self, x: Tensor, y: Tensor) -> Tensor:
        _require_series("DTW", x)
        n, c, t = x.shape
        back = y.flip(2)
        # A diagonal holds R[i, k - i] at i + 1, infinite where there is no such cell; R[-1, -1] = 0 starts the path.
        before, last = (x.new_full((n, t + 1), _INF) for _ in range(2))
        before[:, 0] = 0
        for k in range(2 * t - 1):
            i, stop = _rows(k, t, self.band)
            aside = t - 1 - k
            cost = x.new_zeros(n, stop - i)
            for channel in range(c):
                cost = cost + (x[:, channel, i:stop] - back[:, channel, i + aside : stop + aside]).square()
            best = torch.minimum(torch.minimum(last[:, i:stop], last[:, i + 1 : stop + 1]), before[:, i:stop])
            before, last = last, functional.pad(cost + best, (i + 1, t - stop), value=_INF)
        return last[:, t]


@dataclass(frozen=True)
class SoftDTW(Similarity):
    r"""Soft-DTW divergence: dynamic time warping with a smooth minimum, made 0 for equal series.

    .. math:: R_{ij} = \|x_i - y_j\|^2 + \min{}_\gamma(R_{i-1,j-1}, R_{i-1,j}, R_{i,j-1}), \quad
        \min{}_\gamma(a) = -\gamma \log \sum_l e^{-a_l / \gamma}

    .. math:: s(x, y) = R_{tt}(x, y) - \tfrac12 \left( R_{tt}(x, x) + R_{tt}(y, y) \right)

    Soft-DTW itself can be far below 0 and leads to a blurred copy of x; the divergence is 0 and flat at y = x. Between
    other series it was seen a few thousandths below 0, never more. With γ → 0 it becomes `DTW`; the larger γ, the more
    alignments share the gradient. Time and memory grow with the square of the length; a band saves time. It has first
    derivatives only.

    Parameters
    ----------
    gamma : smoothness γ, above 0, in units of a squared difference on the network's scale.
    band : how many time steps aligned moments may be apart, at least 0; None: any.

    References
    ----------
    M. Cuturi, M. Blondel: Soft-DTW: a Differentiable Loss Function for Time-Series, ICML 2017.
    M. Blondel, A. Mensch, J.-P. Vert: Differentiable Divergences Between Time Series, AISTATS 2021.
    """

    gamma: float = 0.1
    band: int | None = None

    def __post_init__(self) -> None:
        positive(self, gamma=self.gamma)
        _check_band("SoftDTW", self.band)

    def _compare(self, x: Tensor, y: Tensor) -> Tensor:
        _require_series("SoftDTW", x)
        to_x, to_y = self._align(torch.cat([x, y]), torch.cat([y, y])).chunk(2)
        return to_x - (self._align(x, x) + to_y) / 2

    def _align(self, x: Tensor, y: Tensor) -> Tensor:
        align: Callable[..., Tensor] = _SoftAlignment.apply
        return align(x, y, self.gamma, self.band)


class _SoftAlignment(torch.autograd.Function):
    """Soft-DTW (n,) of series (n, c, t), and its gradient by the expected alignment.

    Cells are (i, j, n) with a border of one before the first, so that a diagonal is every t-th cell, its neighbours
    are the same cells shifted, and the batch is contiguous. All is in units of γ and negative: log-weights of paths.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor, gamma: float, band: int | None) -> Tensor:
        n, _, t = x.shape
        ctx.band = band
        given, x, y = (x, y), _lanes(x), _lanes(y)
        table = x.new_full((t + 1, t + 1, x.shape[2]), -_INF)
        costs = table[1:, 1:].zero_()
        for here, there in zip(x, y, strict=True):
            difference = here[:, None] - there[None]
            costs.addcmul_(difference, difference, value=-1 / gamma)
        _close(costs, band)
        table[0, 0] = 0
        cells = table.flatten(0, 1)
        for here, up, left, corner in _diagonals(t, band):
            paths = torch.logaddexp(cells[up], cells[left])
            cells[here] += torch.logaddexp(paths, cells[corner], out=paths)
        ctx.save_for_backward(*given, table)
        return -gamma * table[t, t, :n]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, y, table = ctx.saved_tensors
        n, x, y = len(x), _lanes(x), _lanes(y)
        flow = _flow(table, gradient, ctx.band)
        to_x, to_y = torch.empty_like(x), torch.empty_like(y)
        for channel, (here, there) in enumerate(zip(x, y, strict=True)):
            moved = flow * (here[:, None] - there[None])
            to_x[channel], to_y[channel] = moved.sum(dim=1), -moved.sum(dim=0)
        return *(2 * g[..., :n].permute(2, 0, 1) for g in (to_x, to_y)), None, None


def _flow(table: Tensor, gradient: Tensor, band: int | None) -> Tensor:
    """Return the expected share of paths through each cell (t, t, n), times the gradient of the result."""
    t, n = len(table) - 1, len(gradient)
    flow = torch.zeros_like(table)
    flow[t, t, :n] = gradient
    cells, share = table.flatten(0, 1), flow.flatten(0, 1)
    for here, *ways in reversed(list(_diagonals(t, band))):
        came = torch.stack([cells[way] for way in ways]).softmax(dim=0)
        for way, part in zip(ways, came, strict=True):
            share[way].addcmul_(share[here], part)
    return flow[1:, 1:]


def _diagonals(t: int, band: int | None) -> Iterator[tuple[slice, ...]]:
    """Yield, for each diagonal, its cells and the three that lead there, as slices of the flat bordered table."""
    for k in range(2 * t - 1):
        i, stop = _rows(k, t, band)
        if i < stop:
            first, end = t + 2 + k + i * t, t + 3 + k + (stop - 1) * t
            yield tuple(slice(first - back, end - back, t) for back in (0, t + 1, 1, t + 2))


def _rows(k: int, t: int, band: int | None) -> tuple[int, int]:
    """Return first row and stop of the cells (i, k - i) that lie in the table and in the band."""
    low, high = max(0, k - t + 1), min(k, t - 1)
    if band is not None:
        low, high = max(low, (k - band + 1) // 2), min(high, (k + band) // 2)
    return low, high + 1


def _lanes(x: Tensor) -> Tensor:
    """Return series (n, c, t) as (c, t, n), with idle ones up to whole vectors."""
    return functional.pad(x.permute(1, 2, 0), (0, -len(x) % _LANES)).contiguous()


def _close(costs: Tensor, band: int | None) -> None:
    """Bar the cells (t, t, n) that lie outside the band."""
    if band is not None:
        at = torch.arange(len(costs), device=costs.device)
        costs[(at[:, None] - at).abs() > band] = -_INF


def _check_band(part: str, band: int | None) -> None:
    if band is not None and band < 0:
        raise InputError(f"{part} got band={band}: give a whole number of at least 0, or None.")


def _require_series(part: str, x: Tensor) -> None:
    if x.ndim != 3:
        raise InputError(f"{part} takes series (n, c, t), but got {tuple(x.shape)}.")
