"""Frozen layers for inference on a CPU, maps stored channels-last; a series is an image of height 1."""

import math
from functools import cache
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, conv_transpose2d, fold, linear, pad, unfold

from oddgan.networks.blocks.layers import Sides
from oddgan.networks.compiled.precision import at_least_float32

# Matrix products with as many rows and columns as this give a row the same bits wherever it stands in the batch.
WIDE = 16


class Frozen(nn.Module):
    """A layer whose weight and bias are constants."""

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
    """A convolution.

    In inference mode it runs on a copy of the weight in the library's own order, made when it is first needed; the
    library would otherwise reorder the weight in every call, which is most of the work in small batches.
    """

    packed: Tensor | None = None

    def __init__(self, weight: Tensor, bias: Tensor | None, **geometry: Any) -> None:
        super().__init__(weight, bias)
        self.geometry = geometry

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, c, h, w) to (n, k, h', w')."""
        if not self._packs(x):
            return conv2d(x, self.weight, self.bias, **self.geometry)
        stride, padding = self.geometry["stride"], self.geometry["padding"]
        if self.packed is None:
            weight = self.weight.to_mkldnn()
            self.packed = torch.ops.aten.mkldnn_reorder_conv2d_weight(weight, padding, stride)
        return cast(
            Tensor,
            torch.ops.mkldnn._convolution_pointwise(
                x, self.packed, self.bias, padding, stride, (1, 1), 1, "none", [], ""
            ),
        )

    def _packs(self, x: Tensor) -> bool:
        return (
            torch.is_inference_mode_enabled()  # the packed operation knows no derivatives
            and min(self.weight.shape[:2]) >= WIDE
            and x.device.type == "cpu"
            and packable(x.dtype)
            and x.is_contiguous(memory_format=torch.channels_last)
        )

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"packed": None}  # an opaque tensor can't be copied


class ConvolveTransposed(Convolve):
    """A transposed convolution."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, c, h, w) to (n, k, h', w')."""
        if not self._packs(x):
            return conv_transpose2d(x, self.weight, self.bias, **self.geometry)
        stride, padding, spare = (self.geometry[name] for name in ("stride", "padding", "output_padding"))
        if self.packed is None:
            self.packed = torch.ops.mkldnn._reorder_convolution_transpose_weight(
                self.weight.contiguous(), padding, spare, stride
            )
        return cast(
            Tensor,
            torch.ops.mkldnn._convolution_transpose_pointwise(
                x, self.packed, self.bias, padding, spare, stride, (1, 1), 1, "none", [], ""
            ),
        )


class ConvolvePooled(Convolve):
    """A convolution and a mean over blocks, in one; where the sides are no multiple of the blocks', one by one.

    Parameters
    ----------
    apart : the two layers.
    """

    def __init__(
        self, weight: Tensor, bias: Tensor | None, apart: tuple[nn.Module, nn.Module], **geometry: Any
    ) -> None:
        super().__init__(weight, bias, **geometry)
        self.apart = nn.Sequential(*apart)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, c, h, w) to (n, k, h', w')."""
        if any(side % step for side, step in zip(x.shape[2:], self.geometry["stride"], strict=True)):
            return cast(Tensor, self.apart(x))
        return super().forward(x)


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
        stride, padding, spare = (self.geometry[name] for name in ("stride", "padding", "output_padding"))
        size = tuple(
            (a - 1) * s + k - 2 * p + o
            for a, s, k, p, o in zip(x.shape[2:], stride, self.kernel, padding, spare, strict=True)
        )
        y = overlap_add(x, self.weight, size, self.kernel, stride, padding)
        y = y if self.bias is None else y + self.bias
        return y if self.keep_wide else y.to(x.dtype)


def overlap_add(x: Tensor, weight: Tensor, size: Sides, kernel: Sides, stride: Sides, padding: Sides) -> Tensor:
    """Return a transposed convolution of x (n, c, h, w) to maps (n, k, *size), in float32 at least.

    The weight is (c, k·kh·kw).
    """
    n, c = x.shape[:2]
    patches = (x.permute(0, 2, 3, 1).reshape(n, -1, c) @ weight).transpose(1, 2)
    return fold(at_least_float32(patches), size, kernel, padding=padding, stride=stride)


class Scale(Frozen):
    """Batch normalisation that nothing could take up: a gain and a shift for each channel."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, c, ...) to (n, c, ...)."""
        shape = (1, -1) + (1,) * (x.ndim - 2)
        bias = torch.zeros_like(self.weight) if self.bias is None else self.bias
        return torch.addcmul(bias.view(shape), x, self.weight.view(shape))


@cache
def packable(dtype: torch.dtype) -> bool:
    """Whether convolutions of this type have weights in an order of the library's own, on this machine."""
    library: Any = torch.backends.mkldnn
    if not library.is_available() or not hasattr(torch.ops.mkldnn, "_convolution_pointwise"):
        return False
    return dtype == torch.float32 or (dtype == torch.bfloat16 and torch.ops.mkldnn._is_mkldnn_bf16_supported())


def _spare(size: int) -> int:
    """Return how many zeros a side of a matrix lacks; one row or column alone is a plain sum, and safe."""
    return WIDE - size if 1 < size < WIDE else 0
