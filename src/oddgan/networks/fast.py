"""The layers of prepared networks: frozen, maps stored channels-last. A series is an image of height 1."""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, conv_transpose2d, fold, linear, pad, unfold

from oddgan.networks.base import Judgement

Sides = tuple[int, ...]

# Matrix products with as many rows and columns as this give a row the same bits wherever it stands in the batch.
WIDE = 16


class Frozen(nn.Module):
    """A layer with a weight and a bias that nobody trains."""

    weight: Tensor
    bias: Tensor | None

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__()
        self.register_buffer("weight", weight)
        self.register_buffer("bias", bias)


class Affine(Frozen):
    """A linear layer.

    Products with 2 to 11 columns round a row by its place in the batch (seen in MKL). Narrow sides are therefore
    filled up with zeros.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__(weight, bias)
        self.rows, self.spare = len(weight), 0

    def fill_up(self) -> None:
        """Fill up narrow sides, once the weight is final."""
        below = _spare(len(self.weight))
        self.spare = _spare(self.weight.shape[1])
        self.weight = pad(self.weight, (0, self.spare, 0, below))
        self.bias = None if self.bias is None else pad(self.bias, (0, below))

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, d) to (n, k)."""
        y = linear(pad(x, (0, self.spare)) if self.spare else x, self.weight, self.bias)
        return y if y.shape[1] == self.rows else y[:, : self.rows]


class Spread(Affine):
    """A linear layer from codes to a map, whose weight (h·w·c, m) has the order in which maps are stored."""

    def __init__(self, weight: Tensor, bias: Tensor | None, shape: Sides) -> None:
        super().__init__(weight, bias)
        self.shape = shape

    def forward(self, z: Tensor) -> Tensor:
        """Map codes (n, m), or maps (n, m, 1, 1), to maps (n, c, h, w)."""
        c, h, w = self.shape
        return super().forward(z.flatten(1)).reshape(-1, h, w, c).permute(0, 3, 1, 2)


class Convolve(Frozen):
    """A convolution, or a transposed one."""

    def __init__(self, weight: Tensor, bias: Tensor | None, **geometry: Any) -> None:
        super().__init__(weight, bias)
        self.geometry = geometry

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, c, h, w) to (n, k, h', w')."""
        return conv2d(x, self.weight, self.bias, **self.geometry)


class ConvolveTransposed(Convolve):
    """A transposed convolution."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, c, h, w) to (n, k, h', w')."""
        return conv_transpose2d(x, self.weight, self.bias, **self.geometry)


class ConvolveOne(Convolve):
    """A convolution from one channel; where a gradient goes back to it, a matrix product.

    The library's gradient of this layer is slow, and leaves the next one two layouts to deal with.
    """

    @staticmethod
    def pays(weight: Tensor) -> bool:
        """Whether a convolution (k, c, kh, kw) should be of this kind."""
        outer, inner, *kernel = weight.shape
        return inner == 1 and min(kernel) > 1 and min(outer, math.prod(kernel)) >= WIDE

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, 1, h, w) to (n, k, h', w')."""
        if not x.requires_grad:
            return super().forward(x)
        kernel, padding, stride = self.weight.shape[2:], self.geometry["padding"], self.geometry["stride"]
        sides = [(a + 2 * p - k) // s + 1 for a, k, p, s in zip(x.shape[2:], kernel, padding, stride, strict=True)]
        patches = unfold(x, kernel, padding=padding, stride=stride).transpose(1, 2).flatten(0, 1)
        return linear(patches, self.weight.flatten(1), self.bias).view(len(x), *sides, -1).permute(0, 3, 1, 2)


class Gather(Convolve):
    """A convolution, then one axis; where the kernel is as large as the map, that is a matrix product.

    Few outputs are filled up as in `Affine`.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None, **geometry: Any) -> None:
        super().__init__(weight, bias, **geometry)
        self.rows = len(weight)

    def fill_up(self) -> None:
        """Fill up few outputs, once the weight is final."""
        below = _spare(self.rows)
        self.weight = pad(self.weight, (0, 0, 0, 0, 0, 0, 0, below))
        self.bias = None if self.bias is None else pad(self.bias, (0, below))

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, c, h, w) to (n, k)."""
        if x.shape[2:] != self.weight.shape[2:]:
            return super().forward(x)[:, : self.rows].flatten(1)
        weight = self.weight.permute(0, 2, 3, 1).flatten(1)
        return linear(x.permute(0, 2, 3, 1).flatten(1), weight, self.bias)[:, : self.rows]


class OverlapAdd(Frozen):
    """A transposed convolution to few channels: a matrix product to patches, added up where they overlap.

    The weight is (c, k·kh·kw). Patches are added in float32 at least; a last layer keeps that for its result.
    """

    FEW = 4
    keep_wide = False

    @classmethod
    def pays(cls, weight: Tensor) -> bool:
        """Whether a transposed convolution (c, k, kh, kw) should be of this kind."""
        inner, outer, *kernel = weight.shape
        return outer <= cls.FEW and min(kernel) > 1 and min(inner, math.prod(kernel)) >= WIDE

    def __init__(self, weight: Tensor, bias: Tensor | None, **geometry: Any) -> None:
        super().__init__(weight.flatten(1), None if bias is None else bias.view(1, -1, 1, 1))
        self.kernel, self.geometry = weight.shape[2:], geometry

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, c, h, w) to (n, k, h', w')."""
        n, c, *sides = x.shape
        patches = (x.permute(0, 2, 3, 1).reshape(n, -1, c) @ self.weight).transpose(1, 2)
        stride, padding, spare = (self.geometry[name] for name in ("stride", "padding", "output_padding"))
        size = tuple(
            (a - 1) * s + k - 2 * p + o
            for a, s, k, p, o in zip(sides, stride, self.kernel, padding, spare, strict=True)
        )
        patches = patches.float() if patches.dtype == torch.bfloat16 else patches
        y = fold(patches, size, self.kernel, padding=padding, stride=stride)
        y = y if self.bias is None else y + self.bias
        return y if self.keep_wide else y.to(x.dtype)


class Scale(Frozen):
    """Batch normalisation that nothing could take up: a gain and a shift for each channel."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, c, ...) to (n, c, ...)."""
        shape = (1, -1) + (1,) * (x.ndim - 2)
        bias = torch.zeros_like(self.weight) if self.bias is None else self.bias
        return torch.addcmul(bias.view(shape), x, self.weight.view(shape))


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
    """Go on in float32."""

    def forward(self, x: Tensor) -> Tensor:
        """Map any values to the same in float32 or wider."""
        return x.float() if x.dtype == torch.bfloat16 else x


class Judge(nn.Module):
    """A critic: trunk, whose result is the features, and head."""

    def __init__(self, trunk: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.trunk, self.head = trunk, head

    def forward(self, x: Tensor, *others: Tensor) -> Judgement:
        """Judge inputs (n, ...): logit (n,), features (n, ...)."""
        features = self.trunk(torch.cat([x, *others], 1) if others else x)
        return Judgement(self.head(features).flatten(), features)


class JudgeJointly(nn.Module):
    """A critic of samples with codes."""

    def __init__(self, samples: nn.Module, codes: nn.Module, activation: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.samples, self.codes, self.activation, self.head = samples, codes, activation, head

    def forward(self, x: Tensor, *others: Tensor) -> Judgement:
        """Judge samples (n, c, ...) with codes (n, m): logit (n,), features (n, k)."""
        samples = torch.cat([x, *(y for y in others if y.ndim == x.ndim)], 1)
        codes = torch.cat([z for z in others if z.ndim != x.ndim], 1)
        features = self.activation(self.samples(samples) + self.codes(codes))
        return Judgement(self.head(features).flatten(), features)


def _spare(size: int) -> int:
    """Return how many zeros a side of a matrix lacks; one row or column alone is a plain sum, and safe."""
    return WIDE - size if 1 < size < WIDE else 0
