"""Change how a stored model combines components into its score."""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from oddgan._core.errors import InputError
from oddgan._core.files import writing
from oddgan._core.notices import Notes, collected
from oddgan.base import Detector
from oddgan.data import Dataset, Options
from oddgan.evaluate import CompositionInfo, ThresholdInfo
from oddgan.options import ComposeSpec, UsageError
from oddgan.scores import Composition
from oddgan.tasks.models import (
    Model,
    among,
    check_target,
    composition_info,
    labels_of,
    open_model,
    row_marks,
    threshold_info,
)
from oddgan.tasks.settings import convert


@dataclass(frozen=True)
class Labelled:
    """Labelled rows that a model learns from.

    Parameters
    ----------
    data : the rows.
    label : (n,) True for anomalies, both values present.
    """

    data: Dataset
    label: np.ndarray


@dataclass(frozen=True)
class ComposeResult:
    """A model's composition before and after.

    Parameters
    ----------
    before, after : the two compositions; equal if nothing was asked for.
    threshold : the model's cut.
    components : the names of all components that the model has.
    labelled, anomalous : how many labelled rows were learned from, and how many of them were anomalous.
    model : the folder of the changed model; None if nothing was written.
    notes : what the user should know.
    """

    before: CompositionInfo
    after: CompositionInfo
    threshold: ThresholdInfo
    components: tuple[str, ...]
    labelled: int
    anomalous: int
    model: Path | None
    notes: tuple[str, ...]


def compose(spec: ComposeSpec) -> ComposeResult:
    """Compose a model's score anew, and set its threshold anew; nothing is trained again.

    Without settings and without `tune` the composition is only shown. Labelled rows that the model was trained on
    are left out, and the model remembers those that it learned from, so that `evaluate` leaves them out.

    Raises
    ------
    UsageError
        If the composition is not known or a field of it is wrong, labelled rows are missing or not needed, or the model
        would be changed in place without `force`.
    InputError
        If the data can't be used, a component is unknown, or the model exists without `force`.
    """
    changes = bool(spec.settings) or spec.tune is not None
    _check(spec, changes=changes)
    target = spec.out or spec.model
    with collected() as notes, ExitStack() as held:
        if changes:  # from before the model is read, so that no other change is lost
            held.enter_context(writing(target, force=spec.force))
        model = open_model(spec.model, spec.device, trust_changes=spec.trust_changes)
        detector = model.detector
        before = composition_info(detector.composition_)
        if not changes:
            return _result(detector, before, None, None, notes)
        composition = _composition(detector, spec)
        _check_source(spec, composition)
        labelled = None if spec.source is None else _labelled(spec, spec.source, model, notes)
        _apply(detector, composition, labelled, spec)
        model.save(target, _seen(model, composition, labelled), force=spec.force)
    return _result(detector, before, labelled, target, notes)


def _check(spec: ComposeSpec, *, changes: bool) -> None:
    strange = sorted(spec.settings.keys() - {"composition"})
    if strange:
        raise UsageError(f"compose sets no {', '.join(strange)}: give --set composition=NAME, or its fields.")
    if spec.source is None and (spec.options != Options() or spec.share is not None):
        raise UsageError("How labelled rows are read is given, but no rows: name the data after the model.")
    if spec.source is not None and not changes:
        raise UsageError(f"{spec.source} is not used: give --set composition=NAME, or --tune to choose the threshold.")
    check_target(spec, changes=changes)


def _composition(detector: Detector, spec: ComposeSpec) -> Composition | None:
    if "composition" not in spec.settings:
        return None
    made: Composition = convert(spec.settings["composition"], Composition, "composition", detector.composition_)
    return made


def _check_source(spec: ComposeSpec, composition: Composition | None) -> None:
    learns = composition is not None and composition.needs_labels
    name = type(composition).__name__
    if spec.source is None and learns:
        raise UsageError(f"{name} learns from labels: name data with labels after the model.")
    if spec.source is None and spec.tune is not None:
        raise UsageError("--tune chooses the threshold by labels: name data with labels after the model.")
    if spec.source is not None and not learns and spec.tune is None:
        raise UsageError(f"{name} looks at no labels: remove {spec.source}, or let --tune choose the threshold.")


def _labelled(spec: ComposeSpec, source: str, model: Model, notes: Notes) -> Labelled:
    """Rows with labels that the model was not trained on, as many as asked for."""
    data = model.read(source, spec.options)
    notes.add(data.notes)
    label = labels_of(data, "or choose a composition that needs none")
    if model.memory is None:
        notes.add(["The model was not made by `oddgan fit`: evaluate it on other rows than these yourself."])
    rows = ~among(data, None if model.memory is None else model.memory.trained)
    if not rows.all():
        notes.add([f"{int((~rows).sum())} rows were left out: the model was trained on them."])
    chosen = _drawn(np.flatnonzero(rows), label, 1.0 if spec.share is None else spec.share)
    found = Labelled(data.take(chosen), label[chosen])
    if found.label.all() or not found.label.any():
        kind = "anomalous" if len(found.label) and found.label.all() else "normal"
        raise InputError(
            f"Labels of both kinds are needed, but the {len(found.label)} rows to learn from are {kind}: give others "
            "(--split chooses the half of a source that has two), or say with --normal which label is normal."
        )
    return found


def _drawn(rows: np.ndarray, label: np.ndarray, share: float) -> np.ndarray:
    """A share of the rows of each class, at random but always the same."""
    rng = np.random.default_rng(0)
    groups = [rng.permutation(rows[label[rows] == value]) for value in (False, True)]
    return np.sort(np.concatenate([group[: round(share * len(group))] for group in groups]))


def _apply(detector: Detector, composition: Composition | None, labelled: Labelled | None, spec: ComposeSpec) -> None:
    found = label = None
    if labelled is not None:  # one pass for the composition and the threshold
        wanted = () if composition is None else composition.uses or "all"
        found, label = detector.score_components(labelled.data.x, extra=wanted), labelled.label.astype(int)
    if composition is not None:
        learns = composition.needs_labels
        detector.compose(composition, found if learns else None, label if learns else None)
    if spec.tune is not None:
        detector.tune_threshold(found, label, metric=spec.tune)


def _seen(model: Model, composition: Composition | None, labelled: Labelled | None) -> np.ndarray | None:
    """Marks of the rows whose labels have a part in the changed model."""
    kept = model.memory.labelled if model.memory is not None and composition is None else None
    new = None if labelled is None else row_marks(labelled.data)
    given = [marks for marks in (kept, new) if marks is not None]
    return np.unique(np.concatenate(given)) if given else None


def _result(
    detector: Detector, before: CompositionInfo, labelled: Labelled | None, model: Path | None, notes: Notes
) -> ComposeResult:
    return ComposeResult(
        before=before,
        after=composition_info(detector.composition_),
        threshold=threshold_info(detector),
        components=tuple(sorted(detector.component_names_)),
        labelled=0 if labelled is None else len(labelled.label),
        anomalous=0 if labelled is None else int(labelled.label.sum()),
        model=model,
        notes=notes.told(),
    )
