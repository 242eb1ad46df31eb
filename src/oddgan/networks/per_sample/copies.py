"""Copies of a generator with separate weights for each group of rows, which move by the rows' own losses."""

import copy
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from oddgan.networks.blocks.layers import plain
from oddgan.networks.per_sample.layers import Layer, Norm, Other, Pending, Weighted
from oddgan.networks.per_sample.weights import Rule

NORM = (nn.BatchNorm1d, nn.BatchNorm2d, nn.GroupNorm)
CONVOLUTION = (nn.Conv1d, nn.Conv2d, nn.ConvTranspose1d, nn.ConvTranspose2d)


class Private:
    """A copy of a generator in which every group of rows has its own parameters θ.

    Calling it maps z (groups · members, m) to samples with each group's θ. Taking the gradient of a loss of the samples
    in z notes the gradient in every θ too; `step` then moves them, and `reset` takes all groups back to the generator's
    own θ. The rows of a group are neighbours. A gradient may be taken again after a reset, if its graph was kept.

    Matrices are used as matrix products over patches, so that a gradient in θ is a product of two factors, and all
    groups share one product with the generator's own θ. Linear layers, convolutions, transposed convolutions, batch
    norm (with its running statistics) and group norm are computed this way, and anything without parameters as it is.
    Other modules with parameters go through `torch.func.vmap`.

    Parameters
    ----------
    module : the generator, which is left as it is; its copy is in evaluation mode.
    rule : how θ moves.
    members : rows of a group, at least 1.
    """

    def __init__(self, module: nn.Module, rule: Rule, members: int = 1) -> None:
        self.members, self.pending = members, Pending()
        root = nn.Sequential(copy.deepcopy(module)).eval().requires_grad_(requires_grad=False)
        self.layers = list(_replace(root, rule, members, self.pending))
        self.module = root

    def __call__(self, z: Tensor) -> Tensor:
        """Map z (groups · members, m) to samples (groups · members, ...), differentiable in z."""
        y: Tensor = self.module(z)
        return y

    def reset(self) -> None:
        """Give every group the generator's own θ."""
        self.pending.clear()
        for layer in self.layers:
            layer.reset()

    def bytes(self, z: Tensor) -> int:
        """The memory that one row takes, about; z (1, m) is any latent point."""
        with torch.no_grad():
            self(z.expand(self.members, -1))
        return 1 + sum(layer.bytes() for layer in self.layers) // self.members

    @torch.no_grad()
    def step(self) -> None:
        """Move every θ by the gradients noted since the last step."""
        for move, factors in self.pending:
            move(*factors)
        self.pending.clear()


def private(module: nn.Module, rule: Rule, members: int = 1) -> Private:
    """Return a copy of a generator with parameters of their own for every group of `members` rows."""
    return Private(module, rule, members)


def _replace(module: nn.Module, rule: Rule, members: int, pending: Pending) -> Iterator[Layer]:
    """Put private layers in the place of all that have parameters, and return them."""
    for name, child in module.named_children():
        kind = _kind(child)
        if kind is None:
            yield from _replace(child, rule, members, pending)
        else:
            layer = kind(child, rule, members, pending)
            setattr(module, name, layer)
            yield layer


def _kind(module: nn.Module) -> type[Layer] | None:
    """The private layer that serves a module, or None for one without parameters of its own."""
    own = {name for name, _ in module.named_parameters(recurse=False)}
    if type(module) is nn.Linear or (type(module) in CONVOLUTION and plain(module)):
        return Weighted
    if type(module) in NORM and own == {"weight", "bias"} and getattr(module, "running_mean", True) is not None:
        return Norm
    return Other if own or hasattr(module, "parametrizations") else None
