"""The folder that a run writes."""

import json
import os
import platform
import re
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

import numpy as np

from oddgan._core.part_text import typed_text
from oddgan.base import Detector
from oddgan.data import Dataset
from oddgan.evaluate import (
    DataInfo,
    RunInfo,
    ScoreTable,
    Seconds,
    write_items,
    write_run_info,
    write_scores,
)
from oddgan.tasks.items import Projection, items_of
from oddgan.tasks.models import composition_info, method_info, parameters, threshold_info, versions


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
    detector: Detector,
    kind: Literal["fit", "evaluate"],
    data: DataInfo,
    *,
    name: str,
    command: tuple[str, ...],
    seconds: Seconds,
) -> RunInfo:
    """The record of a run, without what follows from its scores."""
    return RunInfo(
        kind=kind,
        name=name,
        created=datetime.now().astimezone(),
        command=command,
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
