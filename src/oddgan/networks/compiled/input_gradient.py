"""Input gradients of critics as a chain of layers, for gradient penalties; logits of two batches in one pass."""

from collections.abc import Callable, Iterator
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, conv_transpose2d, leaky_relu, linear

from oddgan.networks.base import Judgement
from oddgan.networks.blocks.critics import Critic
from oddgan.networks.blocks.layers import Residual, plain
from oddgan.networks.compiled.layers import OverlapAdd, overlap_add
from oddgan.networks.compiled.precision import HalfPrecision

Back = Callable[[Tensor], Tensor]
Convolution = nn.Conv1d | nn.Conv2d
KINDS: tuple[Any, ...] = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.ReLU, nn.LeakyReLU, nn.Flatten, nn.Dropout)
# Layers that neither mix samples nor draw nor remember anything.
ALONE = {
    HalfPrecision, Critic, Residual, nn.Sequential, nn.Identity, nn.Linear, nn.Conv1d, nn.Conv2d, nn.GroupNorm,
    nn.LayerNorm, nn.ReLU, nn.LeakyReLU, nn.Sigmoid, nn.Tanh, nn.Flatten, nn.Unflatten, nn.AvgPool1d, nn.AvgPool2d,
    nn.MaxPool1d, nn.MaxPool2d,
}  # fmt: skip


class Listener:
    """A forward hook that observes a critic's outputs and changes nothing, so that fast paths stay open.

    A pass over real and generated samples together is heard once, the real ones first.

    Parameters
    ----------
    hear : called with each judgement.
    """

    def __init__(self, hear: Callable[[Judgement], None]) -> None:
        self.hear = hear

    def __call__(self, module: nn.Module, inputs: object, output: object) -> None:
        """Pass a judgement on."""
        if isinstance(output, Judgement):
            self.hear(output)


class Logits:
    r"""A critic as a function from samples to logits, which also knows its slope.

    A critic D made of linear layers, convolutions and (leaky) ReLU is linear around each sample, so that

    .. math:: \nabla_x D(x) = W_1^\top m_1 W_2^\top m_2 \cdots W_L^\top

    with m the slopes of the activations at x, which a pass without a graph gives. Written so, a penalty on the slope
    needs one ordinary backward pass, where differentiating a gradient takes about twice the work. It is exact: m is
    constant wherever D has a slope at all.

    Parameters
    ----------
    critic : returns a judgement with logits (n,).
    """

    def __init__(self, critic: nn.Module) -> None:
        self.critic = critic

    def __call__(self, x: Tensor) -> Tensor:
        """Return the logits (n,) of samples (n, ...)."""
        return cast(Tensor, self.critic(x).logit)

    def both(self, real: Tensor, fake: Tensor) -> tuple[Judgement, Judgement]:
        """Return what the critic says of real samples (n, ...) and of generated ones (k, ...).

        They take one pass together where two differ by rounding only: not with batch norm, dropout or spectral norm,
        whose statistics, draws and power iterations belong to a pass.
        """
        if not all(type(part) in ALONE and not _hooked(part) for part in self.critic.modules()):
            return self.critic(real), self.critic(fake)
        logit, features, _ = self.critic(torch.cat([real, fake]))
        n = len(real)
        return Judgement(logit[:n], features[:n]), Judgement(logit[n:], features[n:])

    def slope(self, x: Tensor) -> Tensor | None:
        """Return each logit's gradient in its own sample, (n, ...), as a graph of the weights alone.

        None if the critic is not of this kind: it has other layers (norms, dropout that is switched on), several
        inputs, or hooks. Spectral norm is fine: the normalised weight is read once, as a forward pass does.
        """
        half = isinstance(self.critic, HalfPrecision)
        layers = _layers(self.critic.network if isinstance(self.critic, HalfPrecision) else self.critic)
        if layers is None:
            return None
        with torch.enable_grad(), torch.autocast(x.device.type, enabled=False):
            return _chain(layers, x.detach().to(torch.bfloat16 if half else x.dtype)).to(x.dtype)


def _layers(critic: nn.Module) -> list[nn.Module] | None:
    """Return a critic's layers in a row, or None if one of them is not known."""
    if not isinstance(critic, Critic) or type(critic).forward is not Critic.forward:
        return None
    layers = [*_flat(critic.trunk), *_flat(critic.head)]
    return layers if all(map(_known, layers)) and not _hooked(critic) else None


def _flat(module: nn.Module) -> Iterator[nn.Module]:
    if type(module) is nn.Sequential:
        for layer in module:
            yield from _flat(layer)
    elif type(module) is not nn.Identity:
        yield module


def _known(layer: nn.Module) -> bool:
    """Whether a layer is one of `KINDS` and does what its class says; parametrised weights are fine."""
    kind = next((kind for kind in KINDS if isinstance(layer, kind)), None)
    if kind is None or type(layer).forward is not kind.forward or _hooked(layer) or not plain(layer):
        return False
    if isinstance(layer, nn.Flatten):
        return (layer.start_dim, layer.end_dim) == (1, -1)
    if isinstance(layer, nn.LeakyReLU):
        return layer.negative_slope >= 0
    return not (isinstance(layer, nn.Dropout) and layer.training and layer.p > 0)


def _hooked(module: nn.Module) -> bool:
    """Whether something else than the layers may happen in a pass; what only listens does not count."""
    others = (module._forward_pre_hooks, module._backward_hooks, module._backward_pre_hooks)
    return any(others) or not all(isinstance(hook, Listener) for hook in module._forward_hooks.values())


def _chain(layers: list[nn.Module], x: Tensor) -> Tensor:
    ways, y = [], x
    for layer in layers:
        y, back = _step(layer, y)
        ways.append(back)
    slope = torch.ones((1, 1), dtype=x.dtype, device=x.device)  # the first layers back are the same for all samples
    for back in reversed(ways):
        slope = back(slope)
    return slope.expand(x.shape)


def _step(layer: nn.Module, x: Tensor) -> tuple[Tensor, Back]:
    """Return what a layer makes of x, without a graph, and the way from a gradient of that to one of x."""
    if isinstance(layer, nn.Linear):
        weight, bias = _weights(layer, x.dtype)
        return linear(x, weight.detach(), bias), lambda v: v @ weight
    if isinstance(layer, nn.Conv1d | nn.Conv2d):
        return _convolution(layer, x)
    if isinstance(layer, nn.ReLU | nn.LeakyReLU):
        factor = layer.negative_slope if isinstance(layer, nn.LeakyReLU) else 0.0
        y = leaky_relu(x, factor)  # positive where x is
        slope_at = torch.ops.aten.leaky_relu_backward
        return y, lambda v: cast(Tensor, slope_at(v.to(y.dtype).expand(y.shape), y, factor, self_is_result=False))
    if isinstance(layer, nn.Flatten):
        return x.flatten(1), lambda v: v.reshape(len(v), *x.shape[1:])
    return x, lambda v: v  # dropout that does nothing


def _convolution(layer: Convolution, x: Tensor) -> tuple[Tensor, Back]:
    """A series is an image of height 1."""
    series = isinstance(layer, nn.Conv1d)
    weight, bias = _weights(layer, x.dtype)
    weight, x = (weight.unsqueeze(2), x.unsqueeze(2)) if series else (weight, x)
    stride = (1, *layer.stride) if series else cast(tuple[int, int], tuple(layer.stride))
    padding = cast(tuple[int, int], (0, *layer.padding) if series else tuple(layer.padding))
    y = conv2d(x, weight.detach(), bias, stride, padding)
    size, kernel = tuple(x.shape[2:]), tuple(weight.shape[2:])
    spare = [
        a - ((b - 1) * s - 2 * p + k) for a, b, s, p, k in zip(size, y.shape[2:], stride, padding, kernel, strict=True)
    ]

    def back(v: Tensor) -> Tensor:
        v = v.unsqueeze(2) if series else v
        if OverlapAdd.pays(weight):
            v = overlap_add(v, weight.flatten(1), size, kernel, stride, padding)
        else:
            v = conv_transpose2d(v, weight, None, stride, padding, spare)
        return v.squeeze(2) if series else v

    return y.squeeze(2) if series else y, back


def _weights(layer: nn.Linear | Convolution, dtype: torch.dtype) -> tuple[Tensor, Tensor | None]:
    return layer.weight.to(dtype), None if layer.bias is None else layer.bias.detach().to(dtype)
