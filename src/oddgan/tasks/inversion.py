"""Change how a stored model inverts its generator, i.e. searches latent codes."""

import dataclasses
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

import numpy as np

from oddgan._core.errors import InputError
from oddgan._core.files import writing
from oddgan._core.names import resolve
from oddgan._core.notices import Notes, collected
from oddgan._core.part_text import typed_text
from oddgan._core.parts import to_spec
from oddgan._core.text import texts_if
from oddgan.base import Detector
from oddgan.data import Dataset, select_normal
from oddgan.detectors import methods
from oddgan.evaluate import CompositionInfo, ThresholdInfo
from oddgan.families import SearchDetector
from oddgan.options import InversionSpec, UsageError
from oddgan.tasks.methods import Parameter, field_rows
from oddgan.tasks.models import Model, among, check_target, composition_info, map_scale, open_model, threshold_info
from oddgan.tasks.settings import convert
from oddgan.thresholds import Conformal, Fixed, Quantile


@dataclass(frozen=True)
class InversionState:
    """How a model finds latent points, and what it calls anomalous then.

    Parameters
    ----------
    text : the inversion in words.
    inversion : the same as plain values, by field.
    budgeted : whether its steps are those that a budget paid for, rather than its own.
    threshold : the model's cut.
    flagged : the share of the normal rows given whose scores are above the cut, in [0, 1]; None if none were given.
    """

    text: str
    inversion: dict[str, Any]
    budgeted: bool
    threshold: ThresholdInfo
    flagged: float | None


@dataclass(frozen=True)
class InversionResult:
    """A model's inversion before and after.

    Parameters
    ----------
    before, after : the two inversions; equal if nothing was asked for.
    fields : what can be set of the one that the model has now.
    rows : the normal rows that the threshold was taken from; 0 if nothing was asked for.
    composition : how components become the score.
    model : the folder of the changed model; None if nothing was written.
    notes : what the user should know.
    """

    before: InversionState
    after: InversionState
    fields: tuple[Parameter, ...]
    rows: int
    composition: CompositionInfo
    model: Path | None
    notes: tuple[str, ...]


def change_inversion(spec: InversionSpec) -> InversionResult:
    """Find a model's latent points in another way, and set its threshold anew; nothing is trained again.

    Without settings the inversion is only shown. Of the rows, anomalous ones and those that the model was trained
    on are left out; a model that held no rows out takes those that it was trained on, if there are no others.

    Raises
    ------
    UsageError
        If the model has no inversion, a part of it is not known or a field is wrong, rows are missing or not needed, or
        the model would be changed in place without `force`.
    InputError
        If the data can't be used, or the model exists without `force`.
    """
    _check(spec)
    target = spec.out or spec.model
    with collected() as notes, ExitStack() as held:
        if spec.source is not None:  # from before the model is read, so that no other change is lost
            held.enter_context(writing(target, force=spec.force))
        model = open_model(spec.model, spec.device, trust_changes=spec.trust_changes)
        detector = _searching(model.detector)
        if spec.source is None:
            return _result(detector, state := _state(detector), state, None, notes)
        inversion = _changed(detector, spec.settings["inversion"])
        rows, held_out = _normals(spec.source, spec, model, notes)
        _check_rule(detector, len(rows), held_out=held_out)
        before = _state(detector, detector.anomaly_score(rows.x))
        notes.add(
            texts_if((before.budgeted, "The steps that a budget paid for don't carry over: set others, if need be."))
        )
        detector.set_inversion(inversion, rows.x, held_out=held_out)
        after = _state(detector, detector.calibration_scores_)
        if model.memory is not None and model.memory.map_scale is not None:
            memory = dataclasses.replace(model.memory, map_scale=map_scale(detector, rows.x))
            model = dataclasses.replace(model, memory=memory)
        model.save(target, model.labelled, force=spec.force)
    return _result(detector, before, after, target, notes)


def _check(spec: InversionSpec) -> None:
    changes, strange = bool(spec.settings), sorted(spec.settings.keys() - {"inversion"})
    if strange:
        raise UsageError(f"inversion sets no {', '.join(strange)}: write --set inversion.{strange[0]}=VALUE.")
    if not changes and (spec.source is not None or spec.out is not None or spec.force):
        raise UsageError("There is nothing to change: say what, e.g. --set inversion.restriction=Projected.")
    if changes and spec.source is None:
        raise UsageError("Scores change with the inversion: name normal rows after the model, for the threshold.")
    check_target(spec, changes=changes)


def _searching(detector: Detector) -> SearchDetector:
    if isinstance(detector, SearchDetector):
        return detector
    known = ", ".join(sorted(name for name, cls in methods().items() if issubclass(cls, SearchDetector)))
    raise UsageError(f"{type(detector).__name__} inverts no generator: give a model of a method that does ({known}).")


def _changed(detector: SearchDetector, given: Any) -> Any:
    """The model's own inversion with what is given, or another that its method takes."""
    hint = get_type_hints(type(detector))["inversion"]
    known, kind = {arm.__name__: arm for arm in get_args(hint) or (hint,)}, type(detector.inversion)
    settings = given if isinstance(given, Mapping) else {"type": given}
    if "type" in settings:
        try:
            kind = known[resolve(str(settings["type"]), known, "inversion")]
        except InputError as error:
            raise UsageError(str(error)) from error
    return convert(settings, kind, "inversion", detector.inversion)


def _normals(source: str, spec: InversionSpec, model: Model, notes: Notes) -> tuple[Dataset, bool]:
    """Normal rows that the threshold can be taken from, and whether they were held out of training."""
    data, held_out = model.read(source, spec.options, half="train"), model.detector.held_out_
    normal, dropped = select_normal(data, data.reading.normal)
    left_out = texts_if((dropped, f"{dropped} rows with other labels than the normal one were left out."))
    notes.add([*data.notes, *left_out])
    if model.memory is None:
        notes.add(["The model was not made by `oddgan fit`: take care that it was not trained on these rows."])
        return normal, held_out
    trained = among(normal, model.memory.trained)
    if not trained.all():
        notes.add(texts_if((trained.any(), f"{trained.sum()} rows were left out: the model was trained on them.")))
        return normal.take(np.flatnonzero(~trained)), True
    if held_out:
        raise InputError(
            f"The model was trained on all these {len(normal)} normal rows, so their scores are too low for a "
            "threshold: give others, e.g. the data of its fit, of which it held some out."
        )
    notes.add(["The threshold is taken from rows that the model was trained on: more new ones will be above it."])
    few = np.random.default_rng(0).permutation(len(normal))[: model.detector.calibration_size]
    return normal.take(np.sort(few)), False


def _check_rule(detector: Detector, n: int, *, held_out: bool) -> None:
    """Refuse too few rows before a long search."""
    default = Conformal() if held_out else Quantile()
    rule = default if isinstance(detector.threshold_rule_, Fixed) else detector.threshold_rule_
    rule(np.arange(n, dtype=np.float64), detector.rate_)


def _state(detector: SearchDetector, scores: np.ndarray | None = None) -> InversionState:
    budgeted = getattr(detector, "budgeted_", None)
    inversion = detector.inversion if budgeted is None else budgeted
    return InversionState(
        text=typed_text(inversion),
        inversion=to_spec(inversion, {}, "inversion"),
        budgeted=budgeted is not None,
        threshold=threshold_info(detector),
        flagged=None if scores is None else float((scores > detector.threshold_).mean()),
    )


def _result(
    detector: SearchDetector, before: InversionState, after: InversionState, model: Path | None, notes: Notes
) -> InversionResult:
    return InversionResult(
        before=before,
        after=after,
        fields=tuple(field_rows(type(detector), "inversion", detector.inversion)),
        rows=0 if model is None else len(detector.calibration_scores_),
        composition=composition_info(detector.composition_),
        model=model,
        notes=notes.told(),
    )
