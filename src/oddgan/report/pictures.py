"""Images and heatmaps as PNG data URIs."""

import base64
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

LARGEST = 256  # pixels; larger pictures are scaled down, to keep the page small
# Nine colours that rise evenly in lightness, after matplotlib's "inferno" (CC0).
_STOPS = np.array(
    [
        (0, 0, 4),
        (31, 12, 72),
        (85, 15, 109),
        (136, 34, 106),
        (186, 54, 85),
        (227, 89, 51),
        (249, 140, 10),
        (249, 201, 50),
        (252, 255, 164),
    ],
    dtype=np.float64,
)
Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]


def colours(values: Floats) -> Floats:
    """Colours (..., 3) in 0..255 of values in 0..1, dark to light; NaN counts as 0."""
    at = np.clip(np.nan_to_num(values), 0, 1) * (len(_STOPS) - 1)
    return np.stack([np.interp(at, np.arange(len(_STOPS)), _STOPS[:, i]) for i in range(3)], axis=-1)


def rescale(values: NDArray[Any], low: float, high: float) -> Floats:
    """Values (...) to 0..1; NaN to 0."""
    return np.clip((np.nan_to_num(values.astype(np.float64), nan=low) - low) / ((high - low) or 1.0), 0, 1)


def picture(x: Floats) -> Bytes:
    """An image (c, h, w) in 0..1 as pixels (h, w, 3); other than three channels are averaged to grey."""
    channels = x if len(x) == 3 else np.repeat(x.mean(axis=0, keepdims=True), 3, axis=0)
    return np.asarray(np.round(255 * channels.transpose(1, 2, 0)), dtype=np.uint8)


def overlay(x: Floats, heat: Floats) -> Bytes:
    """Lay heat (h, w) in 0..1 over an image (c, h, w) in 0..1: the hotter, the less of the image shows."""
    grey = np.repeat(255 * x.mean(axis=0)[..., None], 3, axis=-1)
    share = 0.9 * heat[..., None]
    return np.asarray(np.round((1 - share) * grey + share * colours(heat)), dtype=np.uint8)


def png(pixels: Bytes) -> str:
    """Pixels (h, w, 3) as the URI of a PNG file."""
    image = Image.fromarray(pixels)
    if max(image.size) > LARGEST:
        image.thumbnail((LARGEST, LARGEST), Image.Resampling.BOX)
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def colour_bar() -> str:
    """The colours from least to most anomalous, as a strip."""
    return png(np.round(colours(np.linspace(0, 1, 128)[None, :])).astype(np.uint8))
