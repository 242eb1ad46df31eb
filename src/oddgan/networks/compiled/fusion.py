"""Layer fusion: batch norm, pooling, upsampling and reshaping folded into the layer beside them."""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from oddgan.networks.blocks.layers import Batch, Grow, plain
from oddgan.networks.compiled.layers import Affine, Convolve, ConvolvePooled, ConvolveTransposed, Gather, Spread


def joined(first: nn.Module, second: nn.Module) -> nn.Module | None:
    """Return one layer for two, or None where that can't be."""
    if isinstance(second, Batch) and plain(second) and isinstance(first, Affine | Convolve):
        return _normalised(first, second)
    if isinstance(first, nn.Unflatten) and isinstance(second, ConvolveTransposed):
        return _from_pixel(first, second)
    if isinstance(first, Affine) and isinstance(second, nn.Unflatten):
        return _spread(first, tuple(second.unflattened_size))
    if isinstance(first, Grow) and type(second) is Convolve:
        return _grown(first, second)
    if type(first) is Convolve and isinstance(second, nn.AvgPool2d):
        return _pooled(first, second)
    if type(first) is Convolve and isinstance(second, nn.Flatten) and not any(first.geometry["padding"]):
        return Gather(first.weight, first.bias, **first.geometry)
    return None


def _from_pixel(first: nn.Unflatten, second: ConvolveTransposed) -> nn.Module | None:
    """Return a linear layer where a transposed convolution sees codes as one pixel and keeps all that it draws."""
    one_pixel = first.dim == 1 and tuple(first.unflattened_size[1:]) == (1, 1)
    if not one_pixel or any(second.geometry["padding"]) or any(second.geometry["output_padding"]):
        return None
    weight = second.weight.permute(2, 3, 1, 0).flatten(0, 2)
    bias = None if second.bias is None else second.bias.repeat(second.weight[0, 0].numel())
    return Spread(weight, bias, tuple(second.weight.shape[1:]))


def _spread(first: Affine, shape: tuple[int, ...]) -> nn.Module | None:
    """Return a linear layer whose rows have the order in which maps are stored."""
    if len(shape) != 3:
        return None
    order = torch.arange(len(first.weight)).view(shape).permute(1, 2, 0).flatten()
    return Spread(first.weight[order], None if first.bias is None else first.bias[order], shape)


def _grown(first: Grow, second: Convolve) -> nn.Module | None:
    """Return a transposed convolution for repetition and convolution: each repeated value is multiplied once."""
    factors = tuple(int(factor) for factor in first.factors)
    whole = all(side % factor == 0 for side, factor in zip(first.large, factors, strict=True))  # nothing is cut off
    if not whole or any(step != 1 for step in second.geometry["stride"]):
        return None
    kernel, padding = second.weight.shape[2:], second.geometry["padding"]
    weight = _smeared(second.weight.transpose(0, 1).flip(2, 3), factors)
    outer = tuple(k - 1 - p for k, p in zip(kernel, padding, strict=True))
    if min(outer) < 0:
        return None
    return ConvolveTransposed(weight, second.bias, stride=factors, padding=outer, output_padding=(0, 0))


def _pooled(first: Convolve, second: nn.AvgPool2d) -> nn.Module | None:
    """Return one convolution for convolution and mean, where the map's sides turn out to be even."""
    factors = cast(tuple[int, ...], second.kernel_size)
    if second.stride != factors or second.padding not in (0, (0, 0)) or any(s != 1 for s in first.geometry["stride"]):
        return None
    weight = _smeared(first.weight, factors) / (factors[0] * factors[1])
    return ConvolvePooled(weight, first.bias, (first, second), stride=factors, padding=first.geometry["padding"])


def _smeared(weight: Tensor, factors: tuple[int, ...]) -> Tensor:
    """Return the sum of a kernel (..., kh, kw) at as many places as the factors say, along both axes."""
    rows, columns = factors
    return sum(
        (pad(weight, (j, columns - 1 - j, i, rows - 1 - i)) for i in range(rows) for j in range(columns)),
        start=torch.zeros((), dtype=weight.dtype),
    )


def _normalised(layer: Affine | Convolve, norm: Batch) -> nn.Module:
    """Return the layer with the normalisation in its weights."""
    gain, shift = gain_and_shift(norm)
    if isinstance(layer, Spread):  # each pixel of a channel has its own row
        gain, shift = (value.repeat(len(layer.weight) // len(value)) for value in (gain, shift))
    axis = 1 if isinstance(layer, ConvolveTransposed) else 0
    weight = layer.weight * gain.view([-1 if i == axis else 1 for i in range(layer.weight.ndim)])
    layer.weight, layer.bias = weight, shift if layer.bias is None else layer.bias * gain + shift
    return layer


def gain_and_shift(norm: Batch) -> tuple[Tensor, Tensor]:
    """Return what a batch normalisation multiplies channels with, (c,), and what it then adds, (c,), in float64."""
    mean, variance = cast(Tensor, norm.running_mean), cast(Tensor, norm.running_var)  # kept: the layer is plain
    gain = (variance.double() + norm.eps).rsqrt()
    gain = gain if norm.weight is None else gain * norm.weight.double()
    shift = -mean.double() * gain
    return gain, shift if norm.bias is None else shift + norm.bias.double()
