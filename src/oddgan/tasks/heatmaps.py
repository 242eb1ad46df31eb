"""Heatmaps: scored images with their anomaly maps laid over them."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from oddgan._core.errors import InputError
from oddgan._core.files import new_file
from oddgan.base import Detector
from oddgan.data import Dataset
from oddgan.data.folders import SUFFIXES
from oddgan.tasks.models import Model

Draw = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.uint8]]
"""An image (c, h, w) and its heat (h, w), both in 0..1, to pixels (h, w, 3)."""


def map_scale(model: Model, data: Dataset) -> float:
    """The map value that is drawn as fully hot: the model's own, so that no picture depends on the others."""
    if data.kind != "image":
        raise InputError(f"Heatmaps are drawn over images, but these are {data.kind} data: remove --heatmaps.")
    if not hasattr(model.detector, "anomaly_map"):
        raise InputError(f"{type(model.detector).__name__} has no anomaly maps: remove --heatmaps.")
    if model.memory is None or model.memory.map_scale is None:
        raise InputError("The model knows no scale for its maps: fit it by `oddgan fit` to draw heatmaps.")
    return model.memory.map_scale or 1.0


def draw_heatmaps(folder: Path, model: Model, data: Dataset, draw: Draw) -> None:
    """Draw one picture a row into a folder; pictures that are there already stay.

    Parameters
    ----------
    folder : where to; a picture has the name of its row, and ".png" behind it unless that ends it.
    model : the model, which has maps and their scale.
    data : images.
    draw : draws an image with its heat.
    """
    detector, scale = model.detector, map_scale(model, data)
    for rows, targets in _missing(folder, data, detector.slots):
        x = data.x[rows]
        for target, image, heat in zip(targets, _shades(detector, x), detector.anomaly_map(x), strict=True):
            if target.exists():  # made since: some file systems do not tell upper case from lower case
                raise InputError(f"{target} is the heatmap of another row already: rename one of the two images.")
            with new_file(target, force=True, durable=False) as temporary:
                Image.fromarray(draw(image, np.clip(heat / scale, 0, 1))).save(temporary)


def picture_name(row: str) -> str:
    """The name of a row's picture; two image files never share one, whatever their names.

    >>> picture_name("a/x.png"), picture_name("a/x.jpg"), picture_name("a/x.jpg.png")
    ('a/x.png', 'a/x.jpg.png', 'a/x.jpg.png.png')
    """
    path = PurePosixPath(row)
    taken = path.suffix.lower() != ".png" or PurePosixPath(path.stem).suffix.lower() in SUFFIXES
    return f"{row}.png" if taken else row


def _missing(folder: Path, data: Dataset, slots: int) -> Iterator[tuple[list[int], list[Path]]]:
    """Rows without a picture and where their pictures belong, as many at once as make a pass."""
    names = [picture_name(name) for name in data.ids.tolist()]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise InputError(f"{len(twice)} names stand for several rows, e.g. {twice[0]}: no heatmap may replace another.")
    left = [(row, folder / name) for row, name in enumerate(names) if not (folder / name).exists()]
    for start in range(0, len(left), slots):
        rows, targets = zip(*left[start : start + slots], strict=True)
        yield list(rows), list(targets)


def _shades(detector: Detector, x: np.ndarray) -> np.ndarray:
    """Images (n, c, h, w) on a scale of 0..1 that is the same for all: the range of the training data, if known."""
    if detector.scaling_.range is not None:
        low, high = detector.scaling_.range
        return np.clip((detector.scaling_(x).astype(np.float64) - low) / (high - low), 0, 1)
    top = np.iinfo(x.dtype).max if x.dtype.kind in "iu" else 1.0
    return np.clip(x.astype(np.float64) / top, 0, 1)
