"""Convolutions as matrix products: patches of a map laid out as rows, and rows of patches added up to a map."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor
from torch.nn import functional

from oddgan.networks.blocks.layers import Convolution, Up

Pair = tuple[int, int]

# With so few channels the runs of memory that belong together are too short for sums of slices.
FEW_CHANNELS = 4


@dataclass(frozen=True)
class Columns:
    """Patches of a large map (n, H, W, c), one for each position of a small one: rows (n, h·w, kh·kw·c).

    `unfold` reads the patches, `fold`, its adjoint, adds them up. Series are maps of height 1.

    Parameters
    ----------
    small : sides h, w of the map of positions.
    large : sides H, W of the map that patches are cut from.
    kernel : sides of a patch.
    stride : distance of neighbouring patches along both sides.
    padding : how far the first patch reaches out of the map.
    """

    small: Pair
    large: Pair
    kernel: Pair
    stride: Pair
    padding: Pair

    @classmethod
    def of(cls, layer: Convolution, sides: Pair) -> Self:
        """Return the patches of a convolution or a transposed one whose input has these sides."""
        kernel, stride, padding = _pair(layer.kernel_size, 1), _pair(layer.stride, 1), _pair(layer.padding, 0)
        axes = range(2)
        if isinstance(layer, Up):
            spare = _pair(layer.output_padding, 0)
            large = [(sides[i] - 1) * stride[i] - 2 * padding[i] + kernel[i] + spare[i] for i in axes]
            return cls(sides, (large[0], large[1]), kernel, stride, padding)
        small = [(sides[i] + 2 * padding[i] - kernel[i]) // stride[i] + 1 for i in axes]
        return cls((small[0], small[1]), sides, kernel, stride, padding)

    @property
    def _whole(self) -> bool:
        """Whether there is one patch, which is the map."""
        return self.small == (1, 1) and self.kernel == self.large and self.padding == (0, 0)

    @property
    def _points(self) -> bool:
        """Whether patches are single pixels, each of its own position."""
        return self.small == self.large and self.kernel == (1, 1) and self.padding == (0, 0)

    def unfold(self, x: Tensor) -> Tensor:
        """Return patches (n, h·w, kh·kw·c) of maps x (n, H, W, c)."""
        n, channels = len(x), x.shape[-1]
        size = self.kernel[0] * self.kernel[1] * channels
        if self._whole or self._points:
            return x.reshape(n, -1, size)
        below, right = (
            max((h - 1) * s + k - p - side, 0)
            for h, s, k, p, side in zip(self.small, self.stride, self.kernel, self.padding, self.large, strict=True)
        )
        x = functional.pad(x, (0, 0, self.padding[1], right, self.padding[0], below))
        patches = x.unfold(1, self.kernel[0], self.stride[0]).unfold(2, self.kernel[1], self.stride[1])
        patches = patches[:, : self.small[0], : self.small[1]]
        return patches.permute(0, 1, 2, 4, 5, 3).reshape(n, self.small[0] * self.small[1], size)

    def fold(self, rows: Tensor) -> Tensor:
        """Return maps (n, H, W, c) that are the sums of patches, rows (n, h·w, kh·kw·c)."""
        n, (kh, kw) = len(rows), self.kernel
        if self._whole or self._points:
            return rows.reshape(n, *self.large, -1)
        patches = rows.view(n, *self.small, kh, kw, -1)
        if patches.shape[-1] <= FEW_CHANNELS:
            planes = patches.permute(0, 5, 3, 4, 1, 2).reshape(n, -1, self.small[0] * self.small[1])
            planes = planes.float() if planes.dtype == torch.bfloat16 else planes  # there is no other kernel
            y = functional.fold(planes, self.large, self.kernel, padding=self.padding, stride=self.stride)
            return y.to(rows.dtype).permute(0, 2, 3, 1)
        # (n, h, w, kh, kw, c) -> (n, H, w, kw, c) -> (n, H, W, c)
        return self._add(self._add(patches, axis=0), axis=1)

    def _add(self, x: Tensor, axis: int) -> Tensor:
        """Add up along one axis: of x (n, ..., h, w?, k, ...) position i's entry j goes to i · stride + j - padding.

        Places are counted in blocks of `stride`: all entries of one j go to the same place of neighbouring blocks, so
        that whole slices are added.
        """
        size, stride, padding = self.large[axis], self.stride[axis], self.padding[axis]
        blocks, count = -(-size // stride), self.small[axis]
        shape = (len(x), blocks, stride, *x.shape[2:3], *x.shape[4:]) if axis == 0 else (*x.shape[:2], blocks, stride)
        at, entry = (1, 3) if axis == 0 else (2, 3)
        y = x.new_empty(shape if axis == 0 else (*shape, x.shape[-1]))
        written = set[int]()
        # An entry that covers all blocks comes first: it is copied, and the place needs no zeros before.
        for j in sorted(range(self.kernel[axis]), key=lambda j: abs((j - padding) // stride)):
            shift, place = divmod(j - padding, stride)
            start, stop = max(shift, 0), min(shift + count, blocks)
            target, source = y.select(at + 1, place), x.select(entry, j)
            if place not in written and stop - start < blocks:
                target.zero_()
            if stop > start:
                into, some = target.narrow(at, start, stop - start), source.narrow(at, start - shift, stop - start)
                into.add_(some) if place in written else into.copy_(some)
            written.add(place)
        for place in set(range(stride)) - written:
            y.select(at + 1, place).zero_()
        return y.flatten(at, at + 1).narrow(at, 0, size)


def _pair(value: Any, fill: int) -> Pair:
    """Return both sides' numbers; a series has height 1."""
    return (value[0], value[1]) if len(value) == 2 else (fill, value[0])


class Adjoint(torch.autograd.Function):
    """A linear map of tensors whose gradient is another linear map: `Columns.unfold` with `fold`, or the reverse."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, there: Callable[[Tensor], Tensor], back: Callable[[Tensor], Tensor]) -> Tensor:
        """Map x (n, ...) to (n, ...)."""
        ctx.back = back
        return there(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        """Map the gradient in the result, (n, ...), to that in x, (n, ...)."""
        return ctx.back(gradients[0]), None, None
