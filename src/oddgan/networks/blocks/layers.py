"""Layers and weight initialisation shared by all networks; convolutions, pooling and norms by number of axes."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, get_args

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.nn.utils.parametrizations import spectral_norm

from oddgan._core.errors import InputError
from oddgan.networks.base import CodeOutput, Init, Norm, SampleOutput, one_of

Sides = tuple[int, ...]
Layers = list[nn.Module]
Batch = nn.BatchNorm1d | nn.BatchNorm2d
Up = nn.ConvTranspose1d | nn.ConvTranspose2d
Convolution = nn.Conv1d | nn.Conv2d | Up
Weighted = nn.Linear | Convolution

# By number of axes after the channels: 1 for series, 2 for images.
CONV: dict[int, Any] = {1: nn.Conv1d, 2: nn.Conv2d}
CONV_TRANSPOSE: dict[int, Any] = {1: nn.ConvTranspose1d, 2: nn.ConvTranspose2d}
POOL: dict[int, Any] = {1: nn.AvgPool1d, 2: nn.AvgPool2d}
MAX_POOL: dict[int, Any] = {1: nn.MaxPool1d, 2: nn.MaxPool2d}
BATCH_NORM: dict[int, Any] = {0: nn.BatchNorm1d, 1: nn.BatchNorm1d, 2: nn.BatchNorm2d}
GROUP = 16  # channels per group; Wu and He (2018) find 16 as good as their 32 groups, and it suits narrow layers


class Network(nn.Module):
    """A network that remembers its initialisation, so that `reinitialise` can run it again."""

    def __init__(self, init: Init) -> None:
        super().__init__()
        self.init = init

    def settle(self) -> None:
        """Set right what weights just drawn have to agree in; most networks have nothing of the kind."""


class Chain(Network):
    """Layers in a row: encoders and decoders."""

    def __init__(self, layers: list[nn.Module], init: Init) -> None:
        super().__init__(init)
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, ...) to (n, ...)."""
        y: Tensor = self.layers(x)
        return y


class Sphere(nn.Module):
    """Put each code on the sphere of radius √m, near which the standard normal distribution concentrates."""

    def forward(self, z: Tensor) -> Tensor:
        """Map codes (n, m) to codes (n, m) of length √m."""
        return math.sqrt(z.shape[1]) * nn.functional.normalize(z, dim=1)


class FirstChannels(nn.Module):
    """Keep the first channels, or columns: of a decoder that gives mean and log variance, the mean.

    Parameters
    ----------
    count : how many, at least 1.
    """

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, c, ...) to (n, count, ...)."""
        return x[:, : self.count]


class Grow(nn.Module):
    """Repeat each value along the sides that double, then cut off what is too much (at most one row of each)."""

    def __init__(self, small: Sides, large: Sides) -> None:
        super().__init__()
        self.factors = [1.0 if a == b else 2.0 for a, b in zip(small, large, strict=True)]
        self.large = large

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, c, *small) to (n, c, *large)."""
        x = nn.functional.interpolate(x, scale_factor=self.factors, mode="nearest")
        for axis, side in enumerate(self.large, start=2):
            x = x.narrow(axis, 0, side)
        return x


class Residual(nn.Module):
    """The sum of a main path and a shortcut."""

    def __init__(self, main: list[nn.Module], shortcut: list[nn.Module]) -> None:
        super().__init__()
        self.main = nn.Sequential(*main)
        self.shortcut = nn.Sequential(*shortcut)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, c, ...) to (n, c', ...)."""
        y: Tensor = self.main(x) + self.shortcut(x)
        return y


class Equalised(nn.Module):
    r"""Scale a weight whenever it is used, so that a step of Adam is as large relative to it in every layer.

    .. math:: w = \sqrt{2 / \text{fan in}} \; v, \quad v \sim N(0, 1)

    Karras, Aila, Laine, Lehtinen: Progressive Growing of GANs, 2018, section 4.1.
    """

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.scale = math.sqrt(2 / weight[0].numel())

    def forward(self, weight: Tensor) -> Tensor:
        """Map the weight that is trained, (out, ...), to that which is used."""
        return self.scale * weight


M = TypeVar("M", bound=Network)


def normalisation(kind: Norm, channels: int, axes: int, *, affine: bool = True) -> list[nn.Module]:
    """Return the layer that normalises (n, channels, *axes), or nothing.

    "layer" takes mean and variance of each sample over channels and axes, with a gain and a shift per channel, as
    WGAN-GP's reference code does; "group" does so for groups of 16 channels (one group where that can't be). Gain and
    shift are left out without `affine`.
    """
    one_of(get_args(Norm), norm=kind)
    if kind == "none":
        return []
    if kind == "batch":
        return [BATCH_NORM[axes](channels, affine=affine)]
    groups = channels // GROUP if kind == "group" and channels % GROUP == 0 else 1
    return [nn.GroupNorm(groups, channels, affine=affine)]


def shrink(large: Sides, small: Sides) -> nn.Module:
    """Return the layer that averages pairs along the sides that halve; an odd one out stays as it is."""
    factors = tuple(1 if a == b else 2 for a, b in zip(large, small, strict=True))
    pool: nn.Module = POOL[len(large)](factors, ceil_mode=True, count_include_pad=False)
    return pool


def code_output(kind: CodeOutput) -> list[nn.Module]:
    """Return the layer that gives codes their range."""
    one_of(get_args(CodeOutput), output=kind)
    layers: dict[CodeOutput, list[nn.Module]] = {
        "linear": [],
        "tanh": [nn.Tanh()],
        "sigmoid": [nn.Sigmoid()],
        "sphere": [Sphere()],
    }
    return layers[kind]


def sample_output(kind: SampleOutput) -> list[nn.Module]:
    """Return the layer that gives samples their range."""
    one_of(get_args(SampleOutput), output=kind)
    layers: dict[SampleOutput, list[nn.Module]] = {"linear": [], "tanh": [nn.Tanh()], "sigmoid": [nn.Sigmoid()]}
    return layers[kind]


def plain(layer: nn.Module) -> bool:
    """Whether a layer is of the common kind: no groups, no dilation, zeros as padding; statistics that are kept."""
    if isinstance(layer, Batch):
        return layer.running_mean is not None
    if isinstance(layer, Convolution):
        common = layer.groups == 1 and layer.padding_mode == "zeros" and not isinstance(layer.padding, str)
        return common and all(step == 1 for step in layer.dilation)
    return True


def finish(network: M, *, spectral: bool = False) -> M:
    """Initialise a network just put together, then normalise its weights if asked to."""
    weighted = [layer for layer in network.modules() if isinstance(layer, Weighted)]
    for layer in weighted:
        if network.init == "equalised" and not _is_equalised(layer):
            parametrize.register_parametrization(layer, "weight", Equalised(layer.weight))
    _initialise(network)
    if spectral:
        for layer in weighted:
            spectral_norm(layer)
    return network


@torch.no_grad()
def reinitialise(module: nn.Module) -> None:
    """Start the networks in `module` afresh, in place, with the initialisation they were built with.

    Parameters and buffers stay the same tensors, so optimisers keep hold of them. Draws from torch's global
    generator. GANomaly and BeatGAN treat a collapsed critic this way.

    Raises
    ------
    InputError
        If no network in `module` was built by a backbone.
    """
    networks = [m for m in module.modules() if isinstance(m, Network)]
    if not networks:
        raise InputError("Only networks that a backbone has built can be initialised again.")
    for network in networks:
        _initialise(network)


@torch.no_grad()
@contextmanager
def at_rest(*networks: nn.Module) -> Iterator[None]:
    """Put networks into evaluation mode for a while; each of their parts is as it was after the block."""
    modes = [(module, module.training) for network in networks for module in network.modules()]
    for network in networks:
        network.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


def _initialise(network: Network) -> None:
    for layer in network.modules():
        if isinstance(layer, Weighted):
            _draw(layer, network.init)
        elif isinstance(layer, Batch):
            layer.reset_parameters()
            if layer.affine and network.init in ("dcgan", "xavier"):
                nn.init.normal_(layer.weight, 1.0, 0.02)
        elif isinstance(layer, nn.GroupNorm):
            layer.reset_parameters()
    network.settle()


def _is_equalised(layer: nn.Module) -> bool:
    """Whether the layer's weight is scaled when it is used, whatever network the layer has come to."""
    chain = getattr(layer, "parametrizations", {})
    return "weight" in chain and any(isinstance(part, Equalised) for part in chain["weight"])


def _draw(layer: Weighted, init: Init) -> None:
    """Draw weights, set biases to 0; "default" is torch's own uniform rule for both."""
    parameters = dict(layer.named_parameters())
    normed = "parametrizations.weight.original" in parameters
    weight = parameters["parametrizations.weight.original" if normed else "weight"]
    bound = 0.0
    if _is_equalised(layer):
        nn.init.normal_(weight)
    elif init == "dcgan":
        nn.init.normal_(weight, 0.0, 0.02)
    elif init == "xavier":
        nn.init.xavier_normal_(weight)
    elif init == "he":
        nn.init.kaiming_normal_(weight, nonlinearity="relu")
    else:
        nn.init.kaiming_uniform_(weight, a=math.sqrt(5))
        bound = 1 / math.sqrt(weight[0].numel())
    if "bias" in parameters:
        nn.init.uniform_(parameters["bias"], -bound, bound)
    if normed:
        _follow(layer)


def _follow(layer: Weighted) -> None:
    """Let spectral norm's power iteration catch up with new weights: one step per reading in training mode."""
    mode = layer.training
    layer.train()
    for _ in range(15):  # as many as torch takes when it is set up
        _ = layer.weight
    layer.train(mode)
