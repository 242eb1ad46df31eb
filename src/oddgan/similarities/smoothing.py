"""Convolution of series and images with one kernel along every axis."""

import torch
from torch import Tensor
from torch.nn import functional

from oddgan._core.errors import InputError

_CONV = {1: functional.conv1d, 2: functional.conv2d}


def require_axes(part: str, x: Tensor) -> int:
    """Return how many axes samples x (n, c, ...) have beside channels: 1 for series, 2 for images.

    Raises
    ------
    InputError
        If the batch holds neither: columns of a table have no neighbours.
    """
    axes = x.ndim - 2
    if axes not in _CONV:
        raise InputError(f"{part} takes series (n, c, t) and images (n, c, h, w), but got {tuple(x.shape)}.")
    return axes


def smooth(x: Tensor, kernel: Tensor) -> Tensor:
    """Return series or images convolved along each axis; at the borders they go on with their edge values.

    Parameters
    ----------
    x : series (n, c, t) or images (n, c, h, w).
    kernel : odd number of weights (k,) that sum to 1, of x's dtype and device.
    """
    axes, channels, reach = x.ndim - 2, x.shape[1], len(kernel) // 2
    for axis in range(axes):
        sides = [1] * axes
        sides[axis] = len(kernel)
        pad = [0, 0] * axes
        pad[2 * (axes - 1 - axis)] = pad[2 * (axes - 1 - axis) + 1] = reach
        weight = kernel.view(1, 1, *sides).expand(channels, 1, *sides)
        x = _CONV[axes](functional.pad(x, pad, mode="replicate"), weight, groups=channels)
    return x


def gaussian(sigma: float, reach: int, like: Tensor) -> Tensor:
    """Return a Gaussian's weights (k,), k = 2 reach + 1, which sum to 1, with dtype and device of another tensor."""
    at = torch.arange(-reach, reach + 1, dtype=like.dtype, device=like.device)
    kernel = torch.exp(-at.square() / (2 * sigma**2))
    return kernel / kernel.sum()
