"""Frozen copies of networks that compute the same faster, for scoring and for gradients to the input.

What pays was measured, on one thread of a processor with AVX-512: convolutions on maps that are stored channels-last
(series as images of height 1 too), batch normalisation folded into the layer before it, matrix products where a map
has one pixel, and for a transposed convolution to a few channels a matrix product whose patches are added up where
they overlap (four times faster). Convolutions between many channels are best left to the library.
"""

import copy
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from oddgan.networks.base import Judgement
from oddgan.networks.blocks.autoregressive import Autoregressive, MaskedLinear
from oddgan.networks.blocks.critics import Critic, JointCritic, SeveralCritics
from oddgan.networks.blocks.layers import Batch, Chain, Convolution, Grow, Residual, Sphere, Up, plain
from oddgan.networks.blocks.minibatch import Beside, MinibatchStdDev
from oddgan.networks.blocks.progressive import Growing, PixelNorm
from oddgan.networks.compiled.fusion import gain_and_shift, joined
from oddgan.networks.compiled.layers import (
    Affine,
    Convolve,
    ConvolveOne,
    ConvolveTransposed,
    Frozen,
    Gather,
    OverlapAdd,
    Scale,
)
from oddgan.networks.compiled.precision import at_least_float32

Ending = nn.Tanh | nn.Sigmoid | Sphere
# What runs on series as on images of height 1; residual blocks of these do, too.
Liftable = (
    nn.Conv1d | nn.ConvTranspose1d | Batch | nn.GroupNorm | nn.ReLU | nn.LeakyReLU | Ending | nn.AvgPool1d
    | nn.Flatten | nn.Unflatten | nn.Linear | Grow | PixelNorm | MinibatchStdDev
)  # fmt: skip


def prepare(module: nn.Module, *, dtype: torch.dtype = torch.float32) -> nn.Module:
    """Return a frozen copy of a network that computes the same mapping faster, in evaluation mode.

    It differs from `module` by rounding. It is made for inference and for gradients to the input: none of its weights
    asks for a gradient, and later changes of `module` don't reach it. Layers that it doesn't know stay as they are.
    In batches of one size, a multiple of 64, a row's output doesn't depend on the other rows, to the last bit.

    Parameters
    ----------
    module : a network (n, ...) -> (n, ...), or a critic that returns a Judgement; it is left untouched.
    dtype : what to compute in; inputs are converted to it. With bfloat16 the outputs and the last activation are in
        float32, otherwise outputs are of this type.
    """
    with torch.no_grad():
        body = _network(copy.deepcopy(module).eval()).to(dtype=dtype)  # in training, reading a spectral norm changes it
        for part in body.modules():
            if isinstance(part, Convolve):
                part.weight = _channels_last(part.weight)
    return Prepared(body, dtype).eval().requires_grad_(requires_grad=False)


def _network(module: nn.Module) -> nn.Module:
    if isinstance(module, Autoregressive):
        masked = (layer.masked() if isinstance(layer, MaskedLinear) else layer for layer in module.layers)
        module.layers = nn.Sequential(*masked)
    if isinstance(module, SeveralCritics):
        return SeveralCritics([_network(critic) for critic in module.critics])
    if isinstance(module, Critic | JointCritic) and isinstance(module.head, Beside):
        module.head = module.head.folded()
    if isinstance(module, Critic):
        lower, upper = module.halves()
        return Judge(_row(lower), _row(upper, module.head))
    if isinstance(module, JointCritic):
        module.samples, module.codes, module.head = _row(module.samples), _row(module.codes), _row(module.head)
        return module
    if isinstance(module, Chain | nn.Sequential):
        layers = _flat(module)
        cut = len(layers)
        while cut > 1 and isinstance(layers[cut - 1], Ending):
            cut -= 1
        row = _row(*layers[:cut])
        if isinstance(row[-1], OverlapAdd):
            row[-1].keep_wide = True
        return nn.Sequential(row, Widen(), *layers[cut:])
    return module


def _row(*modules: nn.Module) -> nn.Sequential:
    """Return layers in a row, rebuilt; a row on series runs on images of height 1 in between."""
    layers = _flat(*modules)
    parts = [part for layer in layers for part in _parts(layer)]
    if not any(isinstance(part, nn.Conv1d | nn.ConvTranspose1d) for part in parts):
        return nn.Sequential(*_rebuilt(layers, lift=False))
    if not all(isinstance(part, Liftable) and plain(part) for part in parts):
        return nn.Sequential(*layers)
    return nn.Sequential(Reshape(lift=True), *_rebuilt(layers, lift=True), Reshape(lift=False))


def _flat(*modules: nn.Module) -> list[nn.Module]:
    """Return the layers of chains and sequences; what does nothing when scoring is left out."""
    layers: list[nn.Module] = []
    for module in modules:
        if isinstance(module, Chain):
            layers += _flat(module.layers)
        elif isinstance(module, nn.Sequential):
            layers += _flat(*module)
        elif isinstance(module, Growing) and module.row():
            layers += _flat(*module.row())
        elif not isinstance(module, nn.Dropout | nn.Identity):
            layers.append(module)
    return layers


def _parts(layer: nn.Module) -> list[nn.Module]:
    """Return the layers inside a residual block, or the layer."""
    if isinstance(layer, Residual):
        return [part for inner in _flat(layer.main, layer.shortcut) for part in _parts(inner)]
    return [layer]


def _rebuilt(layers: Sequence[nn.Module], *, lift: bool) -> list[nn.Module]:
    """Return faster layers for these, which may be fewer: each is joined with those before it where that can be."""
    result: list[nn.Module] = []
    for layer in layers:
        new = _translated(layer, lift=lift)
        while result and (one := joined(result[-1], new)) is not None:
            result.pop()
            new = one
        result.append(new)
    return [_settled(layer, before) for before, layer in zip([None, *result], result, strict=False)]


def _translated(layer: nn.Module, *, lift: bool) -> nn.Module:
    """Return one layer alone, with its weights in float64, for images even where it was for series."""
    if isinstance(layer, Residual):
        main, shortcut = (_rebuilt(_flat(way), lift=lift) for way in (layer.main, layer.shortcut))
        return Residual(main, shortcut)
    if isinstance(layer, nn.Linear):
        return Affine(*_double(layer))
    if isinstance(layer, Convolution) and plain(layer):
        return _convolution(layer, lift=lift)
    if lift and isinstance(layer, nn.AvgPool1d):
        (kernel,), (stride,), (padding,) = (
            cast(tuple[int], v) for v in (layer.kernel_size, layer.stride, layer.padding)
        )
        return nn.AvgPool2d((1, kernel), (1, stride), (0, padding), layer.ceil_mode, layer.count_include_pad)
    if lift and isinstance(layer, nn.Unflatten):
        channels, *sides = layer.unflattened_size
        layer.unflattened_size = (channels, 1, *sides)
    elif lift and isinstance(layer, Grow):
        layer.factors, layer.large = [1.0, *layer.factors], (1, *layer.large)
    return layer


def _convolution(layer: Convolution, *, lift: bool) -> Convolve:
    neutral = {"stride": 1, "padding": 0} | ({"output_padding": 0} if isinstance(layer, Up) else {})
    geometry = {name: (value,) * lift + tuple(getattr(layer, name)) for name, value in neutral.items()}
    weight, bias = _double(layer)
    kind = ConvolveTransposed if isinstance(layer, Up) else Convolve
    return kind(weight.unsqueeze(2) if lift else weight, bias, **geometry)


def _settled(layer: nn.Module, before: nn.Module | None) -> nn.Module:
    """Return what serves best now that nothing more can be joined."""
    if isinstance(layer, Affine | Gather):
        layer.fill_up()
    elif isinstance(layer, nn.ReLU | nn.LeakyReLU):
        layer.inplace = isinstance(before, Frozen)
    elif isinstance(layer, Batch) and plain(layer):
        return Scale(*gain_and_shift(layer))
    elif isinstance(layer, ConvolveTransposed) and OverlapAdd.pays(layer.weight):
        return OverlapAdd(layer.weight, layer.bias, **layer.geometry)
    elif type(layer) is Convolve and ConvolveOne.pays(layer.weight):
        return ConvolveOne(layer.weight, layer.bias, **layer.geometry)
    return layer


def _double(layer: nn.Linear | Convolution) -> tuple[Tensor, Tensor | None]:
    """Return weight and bias in float64; a weight with spectral norm as it stands."""
    return layer.weight.detach().double(), None if layer.bias is None else layer.bias.detach().double()


def _channels_last(weight: Tensor) -> Tensor:
    """Return the weight with strides that say channels-last even where there is one channel."""
    return torch.empty_like(weight, memory_format=torch.channels_last).copy_(weight)


class Prepared(nn.Module):
    """The network that `prepare` returns: conversions of precision around the rebuilt layers."""

    def __init__(self, body: nn.Module, dtype: torch.dtype) -> None:
        super().__init__()
        self.body, self.dtype = body, dtype
        self.result = torch.float32 if dtype == torch.bfloat16 else dtype

    def forward(self, *inputs: Tensor) -> Tensor | Judgement:
        """Map inputs (n, ...) as the original does."""
        y = self.body(*(x.to(self.dtype) for x in inputs))
        if isinstance(y, Judgement):
            return Judgement(y.logit.to(self.result), y.features.to(self.result))
        result: Tensor = y.to(self.result)
        return result


class Reshape(nn.Module):
    """Add the axis that makes an image of a series, or take it away."""

    def __init__(self, *, lift: bool) -> None:
        super().__init__()
        self.lift = lift

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, c, t) to (n, c, 1, t), or back; codes pass."""
        if x.ndim == 2:
            return x
        return x.unsqueeze(2) if self.lift else x.squeeze(2)


class Widen(nn.Module):
    """Cast bfloat16 to float32."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, ...) to the same values in float32 or wider."""
        return at_least_float32(x)


class Judge(nn.Module):
    """A critic: the layers up to the features, and those from there to the logit."""

    def __init__(self, lower: nn.Module, upper: nn.Module) -> None:
        super().__init__()
        self.lower, self.upper = lower, upper

    def forward(self, x: Tensor, *others: Tensor) -> Judgement:
        """Judge inputs (n, ...): logit (n,), features (n, ...)."""
        features = self.lower(torch.cat([x, *others], 1) if others else x)
        return Judgement(self.upper(features).flatten(), features)
