"""Fit a detector to a source; write the model and a run folder."""

import dataclasses
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np

from oddgan._core.files import new_folder, numbered_folder, writing
from oddgan._core.notices import collected
from oddgan.base import Detector
from oddgan.data import Dataset, is_anomaly, read, select_normal
from oddgan.evaluate import DataInfo, RunInfo, Seconds, write_snapshots
from oddgan.families import NeuralDetector, training_time
from oddgan.options import FitSpec, UsageError
from oddgan.tasks.models import Memory, Model, map_scale, model_to_continue, open_model, row_marks
from oddgan.tasks.resume import checkpoint_folder, checkpoints_of, resumable
from oddgan.tasks.runs import Scored, run_folder, run_info, write_run
from oddgan.tasks.settings import detector_of
from oddgan.thresholds import Conformal, Quantile, Threshold
from oddgan.training import Callback, Checkpoints, EventLog, Monitor

WORTH_SAYING = 5.0  # seconds of training
SHOWN = 1000  # rows of each class that the report of a fit shows, at most


@dataclass(frozen=True)
class FitResult:
    """A trained detector and where it is.

    Parameters
    ----------
    detector : the detector itself.
    model : the model's folder.
    run : the run folder.
    info : the record of the run.
    """

    detector: Detector
    model: Path
    run: Path
    info: RunInfo


@dataclass(frozen=True)
class _Given:
    """The source in two parts: what is trained on, and labelled anomalies that are left out."""

    normal: Dataset
    anomalous: Dataset | None


def fit(spec: FitSpec, *, callbacks: Sequence[Callback] = (), tell: Callable[[str], object] | None = None) -> FitResult:
    """Train a detector on the normal rows of a source; write the model and a run folder, whole or not at all.

    The run shows the held-out normals (without them, training rows) and the labelled anomalies that training left out.

    Parameters
    ----------
    spec : what to do.
    callbacks : watch training, e.g. `ProgressBar()`.
    tell : is told how long training will take, before it begins.

    Raises
    ------
    UsageError
        If a name, a parameter or an option is wrong.
    InputError
        If the data can't be used, or the model exists without `force`.
    TrainingError
        If a loss is not finite.
    """
    target = spec.out or (spec.onto if spec.force else None)
    with resumable(spec), ExitStack() as held:
        if target is not None:  # from before anything is read until the checkpoints are gone
            held.enter_context(writing(target, force=spec.force))
        return _fit(spec, target, callbacks, tell)


def _fit(
    spec: FitSpec, target: Path | None, callbacks: Sequence[Callback], tell: Callable[[str], object] | None
) -> FitResult:
    model = None if spec.onto is None else model_to_continue(spec)
    detector = detector_of(spec) if model is None else model.detector
    run = run_folder(spec.runs, type(detector).card.name, spec.source, spec.name)
    checkpoints = checkpoints_of(spec)
    watching = [*callbacks, *([] if checkpoints is None else [checkpoints])]
    with collected() as notes, ExitStack() as outputs:
        given = _read(spec, model)
        notes.add(_check(detector, given))
        notes.add(_timed(detector, given, spec, tell) if model is None else [])
        # Entered first, so that the run is complete before the model takes its name.
        place = outputs.enter_context(new_folder(target, force=spec.force)) if target else None
        folder, run = outputs.enter_context(numbered_folder(run))
        started = time.perf_counter()
        monitor = _train_logged(detector, given, spec, watching, folder)
        notes.add([] if model is None else [str(detector.changes_)])
        fitted = time.perf_counter()
        scored = _shown(detector, given)
        seconds = Seconds(fit=fitted - started, score=time.perf_counter() - fitted)
        info = run_info(spec, detector, _data_info(spec, detector, given, scored), seconds, notes=notes.told())
        detector.reading_ = _remembered(detector, given, info, model).to_store()
        detector.save(place or folder / "model", force=place is not None)
        write_run(folder, info, detector, scored)
        if monitor is not None and monitor.snapshots is not None:
            write_snapshots(folder / "samples.npz", monitor.snapshots)
    if checkpoints is not None:
        checkpoints.remove()
    return FitResult(detector, target or run / "model", run, info)


def _timed(detector: Detector, given: _Given, spec: FitSpec, tell: Callable[[str], object] | None) -> list[str]:
    """Say how long training will take, and turn the minutes that it may take into steps."""
    if spec.minutes is not None and not isinstance(detector, NeuralDetector):
        raise UsageError(f"--minutes limits training steps, but {type(detector).__name__} is not trained by steps.")
    told = tell is not None or spec.minutes is not None
    if not isinstance(detector, NeuralDetector) or not told or spec.generator is not None:
        return []
    found = training_time(detector, given.normal.x)
    if spec.minutes is None:
        if tell is not None and found.seconds >= WORTH_SAYING:
            tell(str(found))
        return []
    lengths = found.within(spec.minutes)
    detector.set_params(**lengths)
    settings = " ".join(f"--set {name}={steps}" for name, steps in lengths.items())
    return [f"About {spec.minutes:g} minutes of training were asked for, which is {settings} on this machine."]


def assist(spec: FitSpec) -> None:
    """Take part in a fit that the first of several workers leads: read, train, write nothing.

    Parameters
    ----------
    spec : the same as the first worker's.
    """
    model = None if spec.onto is None else model_to_continue(spec)
    kept: list[Callback] = []
    if spec.out is not None and (spec.resume or spec.checkpoint_every is not None):
        kept = [Checkpoints(checkpoint_folder(spec.out))]  # the first reads and writes them
    with collected():
        detector = detector_of(spec) if model is None else model.detector
        _train(detector, _read(spec, model), spec, kept)


def _train_logged(
    detector: Detector, given: _Given, spec: FitSpec, callbacks: Sequence[Callback], folder: Path
) -> Monitor | None:
    """Train, and leave a log in the run's folder; return what watched for failures, if anything did."""
    log = EventLog(folder / "events.jsonl")
    private = getattr(detector, "privacy", None) is not None  # a monitor writes down what rows look like
    monitor = Monitor(log=log) if spec.monitor and not private else None
    _train(detector, given, spec, [*callbacks, log] if monitor is None else [*callbacks, log, monitor])
    return monitor


def _train(detector: Detector, given: _Given, spec: FitSpec, callbacks: Sequence[Callback]) -> None:
    if spec.onto is None:
        detector.fit(given.normal.x, callbacks=callbacks)
    else:
        cast(NeuralDetector, detector).partial_fit(given.normal.x, epochs=spec.epochs, callbacks=callbacks)


def _remembered(detector: Detector, given: _Given, info: RunInfo, model: Model | None) -> Memory:
    scale = map_scale(detector, given.normal.x) if given.normal.kind == "image" else None
    memory = Memory(given.normal.reading, info.data.n_train, scale, _trained(detector, given.normal))
    return memory if model is None or model.memory is None else model.memory.joined(memory)


def _read(spec: FitSpec, model: Model | None) -> _Given:
    if spec.generator is not None:
        model = open_model(spec.generator, spec.device, trust_changes=spec.trust_changes)
    like = None if model is None or model.memory is None else model.memory.reading
    data = read(spec.source, spec.options, like=like, default_split="train")
    normal, dropped = select_normal(data, spec.options.normal)
    if not dropped or data.y is None:
        return _Given(normal, None)
    return _Given(normal, data.take(np.flatnonzero(is_anomaly(data.y, spec.options.normal))))


def _check(detector: Detector, given: _Given) -> list[str]:
    """Say before training what would fail after it; return what the user should know."""
    kinds, n = type(detector).card.kinds, len(given.normal)
    if given.normal.kind not in kinds:
        raise UsageError(
            f"{type(detector).__name__} takes {' and '.join(kinds)} data, but these are {given.normal.kind} data."
        )
    held_out = detector.calibration > 0
    rule: Threshold = detector.threshold or (Conformal() if held_out else Quantile())
    n_scores = round(detector.calibration * n) if held_out else min(n, detector.calibration_size)
    if n_scores:
        rule(np.arange(n_scores, dtype=np.float64), detector.contamination)
    notes = list(given.normal.notes)
    if isinstance(rule, Conformal) and n_scores and 1 / (n_scores + 1) > detector.contamination + 1e-9:
        notes.append(
            f"{n_scores} held-out rows are too few to flag only {100 * detector.contamination:g} % of normals: the "
            f"largest of their scores is the threshold, which flags up to {100 / (n_scores + 1):.3g} %; give more "
            "rows, or hold more of them out with --calibration."
        )
    if given.anomalous is not None:
        notes.append(f"{len(given.anomalous)} rows with other labels than the normal one were left out of training.")
    return notes


def _shown(detector: Detector, given: _Given) -> Scored:
    """The rows that set the threshold, and labelled anomalies: held-out normals and anomalies were never trained on."""
    rng = np.random.default_rng(0)
    chosen = _some(np.arange(len(detector.calibration_rows_)), rng)
    parts, labels = [given.normal.take(detector.calibration_rows_[chosen])], [False]
    scores = [detector.scores_of_calibration()[chosen]]  # scored in `fit` already, which takes long where it searches
    if given.anomalous is not None:
        parts.append(given.anomalous.take(_some(np.arange(len(given.anomalous)), rng)))
        scores.append(detector.anomaly_score(parts[-1].x))
        labels.append(True)
    data = dataclasses.replace(
        parts[0], x=np.concatenate([p.x for p in parts]), y=None, ids=np.concatenate([p.ids for p in parts])
    )
    label = np.repeat(labels, [len(p) for p in parts])
    return Scored(data, np.concatenate(scores), label if given.normal.y is not None else None)


def _trained(detector: Detector, normal: Dataset) -> np.ndarray:
    """Marks of the rows that were trained on."""
    marks = row_marks(normal)
    return np.sort(np.delete(marks, detector.calibration_rows_) if detector.held_out_ else marks)


def _some(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return rows if len(rows) <= SHOWN else np.sort(rng.choice(rows, SHOWN, replace=False))


def _data_info(spec: FitSpec, detector: Detector, given: _Given, scored: Scored) -> DataInfo:
    held_out = len(detector.calibration_scores_) if detector.held_out_ else 0
    return DataInfo(
        source=spec.source,
        kind=given.normal.kind,
        shape=detector.shape_,
        n_train=len(given.normal) - held_out,
        n_calibration=held_out,
        n_test=len(scored.data),
        dropped=0 if given.anomalous is None else len(given.anomalous),
        normal=spec.options.normal,
        columns=given.normal.columns,
    )
