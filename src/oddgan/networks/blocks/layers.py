"""What all networks share: layers by number of axes, normalisation, output ranges, initialisation, spectral norm."""

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

# By number of axes after the channels: 1 for series, 2 for images.
CONV: dict[int, Any] = {1: nn.Conv1d, 2: nn.Conv2d}
CONV_TRANSPOSE: dict[int, Any] = {1: nn.ConvTranspose1d, 2: nn.ConvTranspose2d}
POOL: dict[int, Any] = {1: nn.AvgPool1d, 2: nn.AvgPool2d}
MAX_POOL: dict[int, Any] = {1: nn.MaxPool1d, 2: nn.MaxPool2d}
BATCH_NORM: dict[int, Any] = {0: nn.BatchNorm1d, 1: nn.BatchNorm1d, 2: nn.BatchNorm2d}
Weighted = nn.Linear | nn.Conv1d | nn.Conv2d | nn.ConvTranspose1d | nn.ConvTranspose2d
GROUP = 16  # channels per group; Wu and He (2018) find 16 as good as their 32 groups, and it suits narrow layers


class Network(nn.Module):
    """A network that remembers its initialisation, so that `reinitialise` can run it again."""

    def __init__(self, init: Init) -> None:
        super().__init__()
        self.init = init


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


class Equalised(nn.Module):
    r"""Scale a weight whenever it is used, so that a step of Adam is as large relative to it in every layer.

    .. math:: w = \sqrt{2 / \text{fan in}} \; v, \quad v \sim N(0, 1)

    Karras, Aila, Laine, Lehtinen: Progressive Growing of GANs, 2018, section 4.1.
    """

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.scale = math.sqrt(2 / weight[0].numel())

    def forward(self, weight: Tensor) -> Tensor:
        """Map what is trained to what is used."""
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
        elif isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            layer.reset_parameters()
            if layer.affine and network.init in ("dcgan", "xavier"):
                nn.init.normal_(layer.weight, 1.0, 0.02)
        elif isinstance(layer, nn.GroupNorm):
            layer.reset_parameters()


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
