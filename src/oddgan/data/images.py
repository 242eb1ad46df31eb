"""Arrays of images: size, colour, and the types that a model has seen."""

import numpy as np
from PIL import Image

from oddgan._core.errors import InputError
from oddgan._core.memmap import Samples
from oddgan.options import Colour

# Luma of ITU-R 601 in 16-bit fractions, the weights that Pillow uses: files and arrays turn grey in the same way.
_LUMA = (19595, 38470, 7471)


def resize(x: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize each channel by antialiased linear interpolation; the type stays.

    Parameters
    ----------
    x : images (n, c, h, w), or one image (c, h, w).
    size : new height and width.
    """
    if x.shape[-2:] == size:
        return x
    planes = x.reshape(-1, *x.shape[-2:])
    resized = np.stack([_resize_plane(plane, size) for plane in planes]) if len(planes) else np.empty((0, *size))
    return resized.reshape(*x.shape[:-2], *size).astype(x.dtype)


def recolour(x: np.ndarray, colour: Colour | None, source: str) -> np.ndarray:
    """Give images one channel (grey: 0.299 R + 0.587 G + 0.114 B) or three (rgb); None keeps them.

    Parameters
    ----------
    x : images (n, c, h, w) with 1, 3 or 4 channels; a fourth one (transparency) is left out.
    colour : grey, rgb or None.
    source : how messages name the data.

    Raises
    ------
    InputError
        If the images have another number of channels.
    """
    channels = x.shape[1]
    if colour is None or channels == {"grey": 1, "rgb": 3}[colour]:
        return x
    if channels not in {1, 3, 4}:
        raise InputError(f"{source} has images of {channels} channels; only 1, 3 or 4 can be turned into {colour}.")
    if channels == 1:
        return np.repeat(x, 3, axis=1)
    return x[:, :3] if colour == "rgb" else _grey(x[:, :3])


def plain_type(x: Samples) -> Samples:
    """Images (n, c, h, w) as uint8, uint16 or floats: other integers take the smallest of the three that holds them.

    Parameters
    ----------
    x : images of any real type.
    """
    if x.dtype in (np.uint8, np.uint16, np.float32, np.float64):
        return x
    for narrow in (np.uint8, np.uint16):
        if x.dtype.kind in "iu" and x.min() >= 0 and x.max() <= np.iinfo(narrow).max:
            return x.astype(narrow)
    return x.astype(np.float64)


def same_type(x: Samples, dtype: str, source: str) -> Samples:
    """Images (n, c, h, w) in the type that the model was fitted on: otherwise another range would pass unnoticed.

    Parameters
    ----------
    x : images, of any type.
    dtype : the type in the model's reading.
    source : how messages name the data.

    Raises
    ------
    InputError
        If the values can't be had in that type without a change of their meaning.
    """
    wanted = np.dtype(dtype)
    if x.dtype == wanted or (x.dtype.kind == wanted.kind == "f"):
        return x
    wide = x.dtype.kind in "iu" and x.dtype not in (np.uint8, np.uint16)
    if wide and wanted.kind == "u" and x.min() >= 0 and x.max() <= np.iinfo(wanted).max:
        return x.astype(wanted)
    raise InputError(
        f"{source} holds images of type {x.dtype}, but the model was fitted on {wanted}: give raw images of that type."
    )


def _grey(x: np.ndarray) -> np.ndarray:
    if x.dtype.kind == "f":
        return np.tensordot(x, np.divide(_LUMA, 65536), axes=(1, 0))[:, None].astype(x.dtype)
    total = np.tensordot(x.astype(np.int64), np.array(_LUMA), axes=(1, 0))[:, None]
    return np.asarray((total + 32768) >> 16).astype(x.dtype)


def _resize_plane(plane: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    exact = plane if plane.dtype == np.uint8 else plane.astype(np.float32)
    resized = np.asarray(Image.fromarray(exact).resize(size[::-1], Image.Resampling.BILINEAR))
    return np.rint(resized) if plane.dtype.kind in "iu" else resized
