"""Score new rows with a stored model."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from oddgan._core.errors import InputError
from oddgan._core.files import new_folder
from oddgan.base import Detector
from oddgan.data import Dataset
from oddgan.evaluate import ScoreTable, check_suffix, write_scores
from oddgan.experiments.models import Model, open_model, require_absent
from oddgan.experiments.notices import collected
from oddgan.experiments.runs import Scored, score_table
from oddgan.experiments.specs import ScoreSpec

Progress = Callable[[int, int], None]
"""Told how many of all rows are done."""
Draw = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.uint8]]
"""An image (c, h, w) and its heat (h, w), both in 0..1, to pixels (h, w, 3)."""


@dataclass(frozen=True)
class ScoreResult:
    """Scores of new rows.

    Parameters
    ----------
    table : one line a row.
    threshold : the model's cut.
    notes : what the user should know.
    """

    table: ScoreTable
    threshold: float
    notes: tuple[str, ...]


def score(spec: ScoreSpec, *, progress: Progress | None = None, draw: Draw | None = None) -> ScoreResult:
    """Score rows; labels among them are ignored.

    Parameters
    ----------
    spec : what to do.
    progress : told how far it is.
    draw : draws a heatmap; needed if the spec asks for some.

    Raises
    ------
    InputError
        If the data can't be used, or an output exists without `force`.
    ModelError
        If the model can't be loaded.
    """
    if spec.out is not None:
        check_suffix(spec.out)
        require_absent(spec.out, force=spec.force)
    with collected() as notes, ExitStack() as outputs:
        model = open_model(spec.model, spec.device)
        data = model.read(spec.source, spec.options)
        notes.add(data.notes)
        scale = 1.0
        if spec.heatmaps is not None:
            scale = _scale(model, data)
            folder = outputs.enter_context(new_folder(spec.heatmaps, force=spec.force))
        scores = scored(model.detector, data.x, progress)
        if spec.heatmaps is not None and draw is not None:
            _draw_all(folder, model.detector, data, lambda x, heat: draw(x, np.clip(heat / scale, 0, 1)))
        table = score_table(model.detector, Scored(data, scores))
        if spec.out is not None:
            write_scores(spec.out, table, force=spec.force)
    return ScoreResult(table, model.detector.threshold_, notes.told())


def scored(detector: Detector, x: np.ndarray, progress: Progress | None) -> np.ndarray:
    """Scores (n,) of rows (n, ...), with reports on how far it is."""
    if progress is None:
        return detector.anomaly_score(x)
    return detector.anomaly_score(x, report=lambda at: progress(at.rows, len(x)))


def _scale(model: Model, data: Dataset) -> float:
    """The map value that is drawn as fully hot: the model's own, so that no picture depends on the others."""
    if data.kind != "image":
        raise InputError(f"Heatmaps are drawn over images, but these are {data.kind} data: leave --heatmaps away.")
    if not hasattr(model.detector, "anomaly_map"):
        raise InputError(f"{type(model.detector).__name__} has no anomaly maps: leave --heatmaps away.")
    if model.memory is None or model.memory.map_scale is None:
        raise InputError("The model knows no scale for its maps: fit it by `oddgan fit` to draw heatmaps.")
    return model.memory.map_scale or 1.0


def _draw_all(folder: Path, detector: Detector, data: Dataset, draw: Draw) -> None:
    for start in range(0, len(data), detector.slots):
        x = data.x[start : start + detector.slots]
        ids = data.ids[start : start + detector.slots]
        for name, image, heat in zip(ids, _shades(detector, x), detector.anomaly_map(x), strict=True):
            target = folder / (name if name.lower().endswith(".png") else f"{name}.png")
            target.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(draw(image, heat)).save(target)


def _shades(detector: Detector, x: np.ndarray) -> np.ndarray:
    """Images (n, c, h, w) on a scale of 0..1 that is the same for all: the range of the training data, if known."""
    if detector.scaling_.range is not None:
        low, high = detector.scaling_.range
        return np.clip((detector.scaling_(x).astype(np.float64) - low) / (high - low), 0, 1)
    top = np.iinfo(x.dtype).max if x.dtype.kind in "iu" else 1.0
    return np.clip(x.astype(np.float64) / top, 0, 1)
