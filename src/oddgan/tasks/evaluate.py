"""Evaluate a stored model on labelled rows and write a run folder."""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from oddgan._core.errors import InputError
from oddgan._core.files import numbered_folder
from oddgan._core.notices import Notes, collected
from oddgan.data import Dataset
from oddgan.evaluate import DataInfo, RunInfo, Seconds, ThresholdInfo
from oddgan.evaluate import evaluate as measure
from oddgan.options import EvaluateSpec
from oddgan.tasks.models import Model, among, labels_of, open_model, threshold_info
from oddgan.tasks.runs import Scored, run_folder, run_info, write_history, write_run
from oddgan.tasks.score import Watch, scored


@dataclass(frozen=True)
class EvaluateResult:
    """What a detector is worth on labelled rows.

    Parameters
    ----------
    run : the run folder.
    info : its record; the metrics are in it.
    """

    run: Path
    info: RunInfo


def evaluate(spec: EvaluateSpec, *, watch: Watch | None = None) -> EvaluateResult:
    """Score labelled rows, measure the scores, and write a run folder, whole or not at all.

    Of normal rows alone the false-alarm rate is measured, and of anomalies alone the share that is flagged.

    Parameters
    ----------
    spec : what to do.
    watch : told how far the scoring is.

    Raises
    ------
    InputError
        If the data can't be used, have no labels or none that the model has not learned from.
    ModelError
        If the model can't be loaded.
    """
    with collected() as notes:
        model = open_model(spec.model, spec.device, trust_changes=spec.trust_changes)
        data = model.read(spec.source, spec.options)
        notes.add(data.notes)
        label = labels_of(data, "sort images into normal/ and other folders, or use `oddgan score`")
        fresh = _fresh(model, data, notes)
        data, label = data.take(fresh), label[fresh]
        notes.add(_one_class(label, threshold_info(model.detector)))
        started = time.perf_counter()
        scores = scored(model.detector, data.x, watch)
        seconds = Seconds(score=time.perf_counter() - started)
        metrics = measure(scores, label, model.detector.threshold_)
        run = run_folder(spec.runs, type(model.detector).card.name, spec.source, spec.name)
        found = _data_info(spec, model, data, int((~fresh).sum()))
        info = run_info(spec, model.detector, found, seconds, notes=notes.told(), metrics=metrics)
        with numbered_folder(run) as (folder, run):
            write_history(folder / "events.jsonl", model.detector)
            write_run(folder, info, model.detector, Scored(data, scores, label), spec.projection)
    return EvaluateResult(run, info)


def _fresh(model: Model, data: Dataset, notes: Notes) -> np.ndarray:
    """Which rows (n,) can be measured on: not those whose labels the model has learned from."""
    seen = among(data, None if model.memory is None else model.memory.labelled)
    if seen.all():
        raise InputError(
            f"The model's score or threshold was chosen with the labels of all these {len(data)} rows, so they can't "
            "measure it: give others, or compose it anew with a part of them, e.g. --share 0.5."
        )
    if seen.any():
        notes.add(
            [f"{int(seen.sum())} rows were left out: the model's score or threshold was chosen with their labels."]
        )
    return ~seen


def _one_class(label: np.ndarray, threshold: ThresholdInfo) -> list[str]:
    """What is measured of rows of one class, and what was asked for."""
    if not label.any():
        of = {"held-out normals": "normals", "training rows": "training rows"}.get(threshold.source)
        asked = "" if of is None or threshold.rate is None else f" ({100 * threshold.rate:g} % of {of} was asked for)"
        return [
            f"All {len(label)} rows are normal: the false-alarm rate is measured{asked}, but nothing that takes "
            "anomalies, such as AUROC."
        ]
    if label.all():
        return [
            f"All {len(label)} rows are anomalies: recall, the share that is flagged, is measured, but nothing that "
            "takes normals, such as AUROC; if some are normal, name their label with --normal."
        ]
    return []


def _data_info(spec: EvaluateSpec, model: Model, data: Dataset, dropped: int) -> DataInfo:
    detector = model.detector
    return DataInfo(
        source=spec.source,
        kind=data.kind,
        shape=detector.shape_,
        n_train=0 if model.memory is None else model.memory.n_train,
        n_calibration=len(detector.calibration_scores_) if detector.held_out_ else 0,
        n_test=len(data),
        dropped=dropped,
        normal=data.reading.normal,
        columns=data.columns,
    )
