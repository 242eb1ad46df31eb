"""Layers whose weights are separate for each group of rows, with gradients as factors."""

from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from oddgan.networks.blocks.layers import Up
from oddgan.networks.per_sample.patches import Adjoint, Columns
from oddgan.networks.per_sample.weights import Matrix, Rule, Vector, matrix

Pending = list[tuple[Any, tuple[Tensor, ...]]]
"""Gradients that wait for a step: who moves, and the gradient's factors."""


def _apply(function: type[torch.autograd.Function], *inputs: Any) -> Tensor:
    """Call an autograd function, whose `apply` has no types."""
    y: Tensor = cast(Any, function).apply(*inputs)
    return y


class Layer(nn.Module):
    """A layer with separate parameters for each group, on the maps of `members` rows for each group."""

    def __init__(self, layer: nn.Module, rule: Rule, members: int, pending: Pending) -> None:
        super().__init__()
        self.layer, self.rule, self.members, self.pending = (layer,), rule, members, pending
        self.moving = rule.theta != "frozen"
        self.vectors = {
            name: Vector(value[None, None], rule)
            for name, value in layer.named_parameters(recurse=False)
            if value.ndim == 1
        }

    def grouped(self, x: Tensor) -> Tensor:
        """Rows (n, p, c) as one block (groups, members · p, c) for each group."""
        return x.reshape(-1, self.members * x.shape[1], x.shape[2])

    def note(self, move: Any, *factors: Tensor) -> None:
        """Keep a gradient's factors (groups, ...) for the next step."""
        if self.moving:
            self.pending.append((move, factors))

    def bytes(self) -> int:
        """The memory that one group takes after a pass."""
        return sum(4 * v.start.numel() * v.start.element_size() for v in self.vectors.values())

    def reset(self) -> None:
        """Take all groups back to the start."""
        for vector in self.vectors.values():
            vector.reset()


class Weighted(Layer):
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
        layer: Any = self.layer[0]
        if isinstance(layer, nn.Linear):
            y = self._multiply(x.reshape(len(x), -1, x.shape[-1]), layer.weight.T)
            return self._shift(y.to(x.dtype)).view(*x.shape[:-1], -1)
        weight = layer.weight if x.ndim == 4 else layer.weight.unsqueeze(2)  # a series is a map of height 1
        last = (x if x.ndim == 4 else x.unsqueeze(2)).permute(0, 2, 3, 1)
        columns = Columns.of(layer, (last.shape[1], last.shape[2]))
        if isinstance(layer, Up):
            rows = self._multiply(last.flatten(1, 2), weight.permute(0, 2, 3, 1).flatten(1))
            y = _apply(Adjoint, rows, columns.fold, columns.unfold).to(x.dtype)
        else:
            patches = _apply(Adjoint, self._rounded(last), columns.unfold, columns.fold)
            rows = self._multiply(patches, weight.permute(2, 3, 1, 0).flatten(0, 2))
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
        return _apply(_Product, self._rounded(x), self)

    def _shift(self, y: Tensor) -> Tensor:
        return _apply(_Shift, y, self) if "bias" in self.vectors else y


class _Product(torch.autograd.Function):
    """Rows times each group's matrix."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, layer: Weighted) -> Tensor:
        assert layer.matrix is not None  # noqa: S101
        ctx.layer, ctx.shape, grouped = layer, x.shape, layer.grouped(x)
        ctx.save_for_backward(grouped)
        return layer.matrix.product(grouped).view(*x.shape[:2], -1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (x,), layer = ctx.saved_tensors, ctx.layer
        d = gradients[0].reshape(len(x), x.shape[1], -1)
        layer.note(layer.matrix.step, x.detach(), d)
        return layer.matrix.back(d).view(ctx.shape), None


class Norm(Layer):
    """Batch norm with its running statistics, or the gains and shifts of group norm."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, c, ...) to (n, c, ...)."""
        layer = self.layer[0]
        if isinstance(layer, nn.GroupNorm):
            x = nn.functional.group_norm(x, layer.num_groups, eps=layer.eps)
        last = x.movedim(1, -1)
        y = _apply(_Affine, last.reshape(len(x), -1, x.shape[1]), self)
        return y.view(last.shape).movedim(-1, 1)

    def statistics(self) -> tuple[Tensor, Tensor]:
        """Mean and reciprocal deviation (c,) that inputs are normalised by."""
        layer: Any = self.layer[0]
        if isinstance(layer, nn.GroupNorm):
            return torch.zeros_like(layer.weight), torch.ones_like(layer.weight)
        return layer.running_mean, (layer.running_var + layer.eps).rsqrt()


class _Shift(torch.autograd.Function):
    """Rows (n, p, c) plus each group's own bias."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, layer: Layer) -> Tensor:
        ctx.layer = layer
        return (layer.grouped(x) + layer.vectors["bias"].value).view(x.shape)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        layer, d = ctx.layer, gradients[0]
        layer.note(layer.vectors["bias"].step, layer.grouped(d).sum(dim=1, keepdim=True))
        return d, None


class _Affine(torch.autograd.Function):
    """Normalised rows (n, p, c) times each group's own gain, plus its own shift."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, layer: Norm) -> Tensor:
        x, shape = layer.grouped(x), x.shape
        mean, scale = layer.statistics()
        factor = layer.vectors["weight"].value * scale
        ctx.layer = layer
        ctx.save_for_backward(x, factor)
        return torch.addcmul(layer.vectors["bias"].value - mean * factor, x, factor).view(shape)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (x, factor), layer = ctx.saved_tensors, ctx.layer
        d, (mean, scale) = layer.grouped(gradients[0]), layer.statistics()
        sums = d.sum(dim=1, keepdim=True)
        layer.note(layer.vectors["bias"].step, sums)
        layer.note(layer.vectors["weight"].step, ((d * x).sum(dim=1, keepdim=True) - mean * sums) * scale)
        return (d * factor).view(gradients[0].shape), None


class Other(Layer):
    """Any other module, by `torch.func.vmap` over its stacked parameters."""

    def __init__(self, layer: nn.Module, rule: Rule, members: int, pending: Pending) -> None:
        super().__init__(layer, rule, members, pending)
        self.vectors = {name: Vector(value[None], rule) for name, value in layer.named_parameters()}

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, ...) to (n, ...)."""
        return _apply(_Stacked, x, self)

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
    def forward(ctx: Any, x: Tensor, layer: Other) -> Tensor:
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
