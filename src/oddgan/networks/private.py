"""A generator whose parameters are private to each group of rows, and move with the rows' own losses."""

import copy
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from oddgan.networks.columns import TRANSPOSED, Columns, Fold, Unfold
from oddgan.networks.theta import Matrix, Rule, Vector, matrix

Pending = list[tuple[Any, tuple[Tensor, ...]]]
BATCH_NORM = (nn.BatchNorm1d, nn.BatchNorm2d)
CONVOLUTION = (nn.Conv1d, nn.Conv2d, *TRANSPOSED)


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


class _Layer(nn.Module):
    """A layer with private parameters, on the maps of `members` rows for each group."""

    def __init__(self, layer: nn.Module, rule: Rule, members: int, pending: Pending) -> None:
        super().__init__()
        self.layer, self.rule, self.members, self.pending = (layer,), rule, members, pending
        self.moving = rule.theta != "frozen"
        self.vectors: dict[str, Vector] = {}

    def vector(self, name: str) -> Vector | None:
        """The layer's parameter of this name as a private vector."""
        value = getattr(self.layer[0], name)
        if value is not None and name not in self.vectors:
            self.vectors[name] = Vector(value[None, None], self.rule)
        return self.vectors.get(name)

    def note(self, move: Any, *factors: Tensor) -> None:
        """Keep a gradient's factors for the next step."""
        if self.moving:
            self.pending.append((move, factors))

    def bytes(self) -> int:
        """The memory that one group takes after a pass."""
        return sum(4 * v.start.numel() * v.start.element_size() for v in self.vectors.values())

    def reset(self) -> None:
        """Take all groups back to the start."""
        for vector in self.vectors.values():
            vector.reset()


class _Weighted(_Layer):
    """A linear layer or a convolution."""

    matrix: Matrix | None = None
    rows = 0

    def bytes(self) -> int:
        """The memory that one group takes after a pass."""
        return super().bytes() + (0 if self.matrix is None else self.matrix.bytes(self.rows))

    def reset(self) -> None:
        """Take all groups back to the start."""
        super().reset()
        if self.matrix is not None:
            self.matrix.reset()

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, ...) to (n, ...)."""
        layer = self.layer[0]
        if isinstance(layer, nn.Linear):
            y = self._multiply(x.reshape(len(x), -1, x.shape[-1]), layer.weight.T)
            return self._shift(y.to(x.dtype)).view(*x.shape[:-1], -1)
        weight = layer.weight if x.ndim == 4 else layer.weight.unsqueeze(2)  # a series is a map of height 1
        last = (x if x.ndim == 4 else x.unsqueeze(2)).permute(0, 2, 3, 1)
        columns = Columns.of(layer, (last.shape[1], last.shape[2]))
        if isinstance(layer, TRANSPOSED):
            rows = self._multiply(last.flatten(1, 2), weight.permute(0, 2, 3, 1).flatten(1))
            y = Fold.apply(rows, columns).to(x.dtype)
        else:
            rows = self._multiply(Unfold.apply(self._rounded(last), columns), weight.permute(2, 3, 1, 0).flatten(0, 2))
            y = rows.view(len(x), *columns.small, -1).to(x.dtype)
        y = self._shift(y.flatten(1, 2)).view(y.shape).permute(0, 3, 1, 2)
        return y if x.ndim == 4 else y.squeeze(2)

    def _rounded(self, x: Tensor) -> Tensor:
        """Inputs at the precision of the products. Maps are rounded rather than their patches, which are larger."""
        return x.to(torch.bfloat16) if self.rule.precision == "bf16" else x

    def _multiply(self, x: Tensor, weight: Tensor) -> Tensor:
        if self.matrix is None:
            self.rows = self.members * x.shape[1]
            self.matrix = matrix(weight.contiguous(), self.rule, self.rows)
        y: Tensor = _Product.apply(self._rounded(x), self)
        return y

    def _shift(self, y: Tensor) -> Tensor:
        if self.vector("bias") is None:
            return y
        shifted: Tensor = _Affine.apply(y, self)
        return shifted


class _Product(torch.autograd.Function):
    """Rows times each group's matrix."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, layer: _Weighted) -> Tensor:
        assert layer.matrix is not None  # noqa: S101
        grouped = x.reshape(-1, layer.members * x.shape[1], x.shape[2])
        ctx.layer, ctx.shape = layer, x.shape
        ctx.save_for_backward(grouped)
        return layer.matrix.product(grouped).view(*x.shape[:2], -1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (x,), layer = ctx.saved_tensors, ctx.layer
        d = gradients[0].reshape(len(x), x.shape[1], -1)
        layer.note(layer.matrix.step, x.detach(), d)
        return layer.matrix.back(d).view(ctx.shape), None


class _Norm(_Layer):
    """Batch norm with its running statistics, or the gains and shifts of group norm."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, c, ...) to (n, c, ...)."""
        layer = self.layer[0]
        if isinstance(layer, nn.GroupNorm):
            x = nn.functional.group_norm(x, layer.num_groups, eps=layer.eps)
        last = x.movedim(1, -1)
        y: Tensor = _Affine.apply(last.reshape(len(x), -1, x.shape[1]), self)
        return y.view(last.shape).movedim(-1, 1)

    def statistics(self) -> tuple[Tensor | float, Tensor | float]:
        """Mean and reciprocal deviation that inputs are normalised by."""
        layer = self.layer[0]
        if isinstance(layer, nn.GroupNorm):
            return 0.0, 1.0
        return layer.running_mean, (layer.running_var + layer.eps).rsqrt()


class _Affine(torch.autograd.Function):
    """x · gain + shift with each group's own gain and shift, on rows (n, p, c)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, layer: _Layer) -> Tensor:
        ctx.layer = layer
        grouped = x.reshape(-1, layer.members * x.shape[1], x.shape[2])
        shift = layer.vector("bias")
        if not isinstance(layer, _Norm):
            return (grouped + shift.value).view(x.shape)
        gain, (mean, scale) = layer.vector("weight"), layer.statistics()
        factor = scale if gain is None else gain.value * scale
        ctx.save_for_backward(grouped, factor)
        offset = -mean * factor if shift is None else shift.value - mean * factor
        return torch.addcmul(offset, grouped, factor).view(x.shape)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        d, layer = gradients[0], ctx.layer
        grouped = d.reshape(-1, layer.members * d.shape[1], d.shape[2])
        gain, shift = (layer.vectors.get(name) for name in ("weight", "bias"))
        sums = grouped.sum(dim=1, keepdim=True)
        if shift is not None:
            layer.note(shift.step, sums)
        if not isinstance(layer, _Norm):
            return d, None
        x, factor = ctx.saved_tensors
        if gain is not None:
            mean, scale = layer.statistics()
            layer.note(gain.step, ((grouped * x).sum(dim=1, keepdim=True) - mean * sums) * scale)
        return (grouped * factor).view(d.shape), None


class _Other(_Layer):
    """Any module, through its stacked parameters."""

    def __init__(self, layer: nn.Module, rule: Rule, members: int, pending: Pending) -> None:
        super().__init__(layer, rule, members, pending)
        self.vectors = {name: Vector(value[None], rule) for name, value in layer.named_parameters()}

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, ...) to (n, ...)."""
        y: Tensor = _Stacked.apply(x, self)
        return y

    def run(self, stacked: list[Tensor], x: Tensor) -> Tensor:
        """Map (groups, members, ...) with parameters (groups, ...)."""

        def one(values: list[Tensor], rows: Tensor) -> Tensor:
            y: Tensor = functional_call(self.layer[0], dict(zip(self.vectors, values, strict=True)), (rows,))
            return y

        y: Tensor = vmap(one)(stacked, x)
        return y

    def values(self, groups: int) -> list[Tensor]:
        """Each parameter, (groups, ...)."""
        return [v.value.expand(groups, *v.value.shape[1:]).detach() for v in self.vectors.values()]


class _Stacked(torch.autograd.Function):
    """A module that every group calls with its own parameters; computed again for the gradient."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, layer: _Other) -> Tensor:
        grouped = x.reshape(-1, layer.members, *x.shape[1:])
        ctx.layer, ctx.shape = layer, x.shape
        ctx.save_for_backward(grouped)
        return layer.run(layer.values(len(grouped)), grouped).flatten(0, 1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (x,), layer = ctx.saved_tensors, ctx.layer
        with torch.enable_grad():
            inputs = [v.requires_grad_() for v in (x.detach(), *layer.values(len(x)))]
            y = layer.run(inputs[1:], inputs[0]).flatten(0, 1)
            of_x, *of_values = torch.autograd.grad(y, inputs, gradients[0])
        for vector, gradient in zip(layer.vectors.values(), of_values, strict=True):
            layer.note(vector.step, gradient)
        return of_x.reshape(ctx.shape), None


def _replace(module: nn.Module, rule: Rule, members: int, pending: Pending) -> Iterator[_Layer]:
    """Put private layers in the place of all that have parameters, and return them."""
    for name, child in module.named_children():
        kind = _kind(child)
        if kind is None:
            yield from _replace(child, rule, members, pending)
        else:
            layer = kind(child, rule, members, pending)
            setattr(module, name, layer)
            yield layer


def _kind(module: nn.Module) -> type[_Layer] | None:
    """The private layer that serves a module, or None for one without parameters of its own."""
    if type(module) is nn.Linear or (type(module) in CONVOLUTION and _plain(module)):
        return _Weighted
    if type(module) is nn.GroupNorm or (type(module) in BATCH_NORM and module.running_mean is not None):
        return _Norm if module.affine else None
    own = any(True for _ in module.parameters(recurse=False)) or hasattr(module, "parametrizations")
    return _Other if own else None


def _plain(layer: nn.Module) -> bool:
    """Whether a convolution is dense, without dilation, and padded by a number of zeros."""
    return (
        set(layer.dilation) == {1} and layer.groups == 1 and layer.padding_mode == "zeros"
        and not isinstance(layer.padding, str)
    )
