"""Run folders: records, scores, and what a report shows of rows: a gallery, and a map of the latent space."""

import json
import os
import platform
import re
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from oddgan._core.lazy import LazyModule
from oddgan._core.part_text import typed_text
from oddgan.base import Detector
from oddgan.data import Dataset
from oddgan.evaluate import (
    DataInfo,
    Items,
    LatentMap,
    Metric,
    RunInfo,
    ScoreTable,
    Seconds,
    class_groups,
    gallery_groups,
    write_items,
    write_run_info,
    write_scores,
)
from oddgan.families import SearchDetector
from oddgan.options import EvaluateSpec, FitSpec, Projection
from oddgan.tasks.models import composition_info, method_info, parameters, threshold_info, versions

manifold = LazyModule("sklearn.manifold")
_POINTS = 1000  # of a map, at most
_NEIGHBOURS = 30.0  # t-SNE's perplexity


@dataclass(frozen=True)
class Scored:
    """Rows that a run shows, and what the detector made of them.

    Parameters
    ----------
    data : the rows.
    scores : (n,) higher = more anomalous.
    label : (n,) True for labelled anomalies, or None.
    """

    data: Dataset
    scores: np.ndarray
    label: np.ndarray | None = None


def score_table(detector: Detector, scored: Scored) -> ScoreTable:
    """The table of scores, with flags and conformal p-values."""
    return ScoreTable(
        row=np.arange(len(scored.data)),
        id=scored.data.ids,
        anomaly_score=scored.scores,
        is_anomaly=scored.scores > detector.threshold_,
        p_value=detector.p_values(scored.scores),
        label=scored.label,
    )


def run_folder(runs: Path, method: str, source: str, name: str | None) -> Path:
    """The name of a run's folder: time, method, and source or the user's own name.

    `numbered_folder` makes it, with a number behind it if another run began in the same second.
    """
    words = (name or f"{method} {Path(source.removeprefix('builtin:')).stem}").lower().replace("β", "beta")
    stem = f"{datetime.now().astimezone():%Y-%m-%d-%H%M%S}-{re.sub(r'[^a-z0-9]+', '-', words).strip('-')}"
    return runs / stem


def run_info(
    spec: FitSpec | EvaluateSpec,
    detector: Detector,
    data: DataInfo,
    seconds: Seconds,
    *,
    notes: tuple[str, ...],
    metrics: dict[str, Metric] | None = None,
) -> RunInfo:
    """The record of a run."""
    return RunInfo(
        kind="fit" if isinstance(spec, FitSpec) else "evaluate",
        name=spec.name or f"{type(detector).card.name} on {spec.source}",
        created=datetime.now().astimezone(),
        command=spec.command,
        method=method_info(detector),
        parameters=parameters(detector),
        settings={name: typed_text(value) for name, value in detector.get_params(deep=False).items()},
        data=data,
        threshold=threshold_info(detector),
        composition=composition_info(detector.composition_),
        semi_supervised=detector.semi_supervised_,
        components=detector.composition_.uses,
        seconds=seconds,
        environment=versions() | {"platform": platform.platform(), "cores": os.cpu_count()},
        notes=notes,
        metrics=metrics,
    )


def write_run(folder: Path, info: RunInfo, detector: Detector, scored: Scored, projection: Projection = "pca") -> None:
    """Write the record, the scores, and the items that the report shows, with a map of the latent space."""
    write_run_info(folder, info)
    if len(scored.data):
        write_scores(folder / "scores.csv", score_table(detector, scored))
        write_items(folder / "items.npz", items_of(detector, scored, projection))


def write_history(path: Path, detector: Detector) -> None:
    """Write the training curve that the model keeps, in the form of the events of its training."""
    seconds, lines = 0.0, []
    for record in getattr(detector, "history_", []):
        seconds += record.seconds
        lines.append(json.dumps({"event": "epoch"} | asdict(record) | {"seconds": round(seconds, 3)}) + "\n")
    if lines:
        path.write_text("".join(lines), encoding="utf-8")


def items_of(detector: Detector, scored: Scored, projection: Projection) -> Items:
    """Choose rows for the gallery, draw them, and lay the latent space out.

    Parameters
    ----------
    detector : fitted.
    scored : all rows.
    projection : how codes of more than two dimensions become a map.
    """
    groups = gallery_groups(scored.scores, detector.threshold_)
    label = class_names(scored)
    if label is not None and scored.data.kind == "series":
        groups |= class_groups(scored.scores, label)
    rows = np.concatenate(list(groups.values()))
    x = scored.data.x[rows]
    if scored.data.kind == "image":
        x = x.astype(np.float32)  # a report shades floats by their range: bytes from 0 to 16 would all be black
    found = detector.explain(x) if hasattr(detector, "reconstruct") or scored.data.kind != "image" else None
    drawn = None if found is None or found.reconstruction is None else found.reconstruction.astype(np.float32)
    flat = getattr(detector, "latent_dim", None) == 2 and hasattr(detector, "trace")
    return Items(
        row=rows,
        x=x,
        score=scored.scores[rows],
        reconstruction=drawn,
        map=None if found is None else found.map,
        contributions=found.contributions if found is not None and scored.data.kind == "series" else None,
        way=detector.trace(x).astype(np.float32) if flat else None,
        group=np.repeat(list(groups), [len(chosen) for chosen in groups.values()]),
        label=None if label is None else label[rows],
        latent=_latent_map(detector, scored, label, projection),
    )


def class_names(scored: Scored) -> NDArray[np.str_] | None:
    """The class (n,) of each row in words: the data's own names, the labels, or normal and anomaly for two labels."""
    y, names = scored.data.y, scored.data.classes
    if y is None or scored.label is None:
        return None
    if names is not None:
        return np.asarray(np.array(names)[y])
    if len(np.unique(y)) > 2:
        return np.asarray(y.astype(np.str_))
    return np.where(scored.label, "anomaly", "normal")


def _latent_map(
    detector: Detector, scored: Scored, label: NDArray[np.str_] | None, projection: Projection
) -> LatentMap | None:
    """A map of up to a thousand rows, evenly spaced; None without an encoder, as a search for each would take long."""
    if not hasattr(detector, "encode") or isinstance(detector, SearchDetector):
        return None
    finite = np.flatnonzero(np.isfinite(scored.scores))
    rows = finite[np.unique(np.linspace(0, len(finite) - 1, min(_POINTS, len(finite))).astype(int))]
    codes = detector.encode(scored.data.x[rows]) if len(rows) > 3 else np.zeros((0, 0))
    if codes.ndim != 2 or codes.shape[1] < 2 or not np.isfinite(codes).all():
        return None
    kind, at = _projected(codes, projection)
    names = None if label is None else label[rows]
    return LatentMap(kind, at.astype(np.float32), scored.scores[rows], names)


def _projected(codes: NDArray[np.float64], projection: Projection) -> tuple[str, NDArray[np.float64]]:
    if codes.shape[1] == 2:
        return "the two coordinates", codes
    if projection == "tsne":
        perplexity = min(_NEIGHBOURS, (len(codes) - 1) / 3)
        return "t-SNE", manifold.TSNE(perplexity=perplexity, init="pca", random_state=0).fit_transform(codes)
    centred = codes - codes.mean(axis=0)
    _, lengths, axes = np.linalg.svd(centred, full_matrices=False)
    share = float((lengths[:2] ** 2).sum() / ((lengths**2).sum() or 1.0))
    return f"PCA, {100 * share:.0f} % of the variance", centred @ axes[:2].T
