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

from oddgan.networks.backbones.autoregressive import Autoregressive, MaskedLinear
from oddgan.networks.backbones.growing import Growing, PixelNorm
from oddgan.networks.backbones.resnet import Grow, Residual
from oddgan.networks.blocks.critics import Critic, JointCritic
from oddgan.networks.blocks.joining import Batch, Convolution, Up, gain_and_shift, joined, plain
from oddgan.networks.blocks.layers import Chain, Sphere
from oddgan.networks.blocks.minibatch import Beside, MinibatchStdDev
from oddgan.networks.blocks.several import SeveralCritics
from oddgan.networks.compiled import fast, glue

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
            if isinstance(part, fast.Convolve):
                part.weight = _channels_last(part.weight)
    return glue.Prepared(body, dtype).eval().requires_grad_(requires_grad=False)


def _network(module: nn.Module) -> nn.Module:
    if isinstance(module, Autoregressive):
        module.layers = nn.Sequential(*(_masked_once(layer) for layer in module.layers))
    if isinstance(module, SeveralCritics):
        return SeveralCritics([_network(critic) for critic in module.critics])
    if isinstance(module, Critic | JointCritic) and isinstance(module.head, Beside):
        module.head = module.head.folded()
    if isinstance(module, Critic):
        lower, upper = module.halves()
        return glue.Judge(_row(lower), _row(upper, module.head))
    if isinstance(module, JointCritic):
        return glue.JudgeJointly(_row(module.samples), _row(module.codes), module.activation, _row(module.head))
    if isinstance(module, Chain | nn.Sequential):
        layers = _flat(module)
        cut = len(layers)
        while cut > 1 and isinstance(layers[cut - 1], Ending):
            cut -= 1
        row = _row(*layers[:cut])
        if isinstance(row[-1], fast.OverlapAdd):
            row[-1].keep_wide = True
        return nn.Sequential(row, glue.Widen(), *layers[cut:])
    return module


def _masked_once(layer: nn.Module) -> nn.Module:
    return layer.masked() if isinstance(layer, MaskedLinear) else layer


def _row(*modules: nn.Module) -> nn.Sequential:
    """Return layers in a row, rebuilt; a row on series runs on images of height 1 in between."""
    layers = _flat(*modules)
    parts = [part for layer in layers for part in _parts(layer)]
    if not any(isinstance(part, nn.Conv1d | nn.ConvTranspose1d) for part in parts):
        return nn.Sequential(*_rebuilt(layers, lift=False))
    if not all(isinstance(part, Liftable) and plain(part) for part in parts):
        return nn.Sequential(*layers)
    return nn.Sequential(glue.Reshape(lift=True), *_rebuilt(layers, lift=True), glue.Reshape(lift=False))


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
        return fast.Affine(*_double(layer))
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


def _convolution(layer: Convolution, *, lift: bool) -> fast.Convolve:
    neutral = {"stride": 1, "padding": 0} | ({"output_padding": 0} if isinstance(layer, Up) else {})
    geometry = {name: (value,) * lift + tuple(getattr(layer, name)) for name, value in neutral.items()}
    weight, bias = _double(layer)
    kind = fast.ConvolveTransposed if isinstance(layer, Up) else fast.Convolve
    return kind(weight.unsqueeze(2) if lift else weight, bias, **geometry)


def _settled(layer: nn.Module, before: nn.Module | None) -> nn.Module:
    """Return what serves best now that nothing more can be joined."""
    if isinstance(layer, fast.Affine | fast.Gather):
        layer.fill_up()
    elif isinstance(layer, nn.ReLU | nn.LeakyReLU):
        layer.inplace = isinstance(before, fast.Frozen)
    elif isinstance(layer, Batch) and plain(layer):
        return fast.Scale(*gain_and_shift(layer))
    elif isinstance(layer, fast.ConvolveTransposed) and fast.OverlapAdd.pays(layer.weight):
        return fast.OverlapAdd(layer.weight, layer.bias, **layer.geometry)
    elif type(layer) is fast.Convolve and fast.ConvolveOne.pays(layer.weight):
        return fast.ConvolveOne(layer.weight, layer.bias, **layer.geometry)
    return layer


def _double(layer: nn.Linear | Convolution) -> tuple[Tensor, Tensor | None]:
    """Return weight and bias in float64; a weight with spectral norm as it stands."""
    return layer.weight.detach().double(), None if layer.bias is None else layer.bias.detach().double()


def _channels_last(weight: Tensor) -> Tensor:
    """Return the weight with strides that say channels-last even where there is one channel."""
    return torch.empty_like(weight, memory_format=torch.channels_last).copy_(weight)
