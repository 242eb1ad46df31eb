"""Change the threshold of a stored model."""

from dataclasses import dataclass
from pathlib import Path

from oddgan._core.files import writing
from oddgan.evaluate import CompositionInfo, ThresholdInfo
from oddgan.options import ThresholdSpec, UsageError
from oddgan.tasks.models import composition_info, open_model, require_absent, threshold_info
from oddgan.tasks.settings import build_part, rule_name
from oddgan.thresholds import Threshold


@dataclass(frozen=True)
class ThresholdResult:
    """A model's threshold before and after.

    Parameters
    ----------
    before, after : the two thresholds; equal if nothing was asked for.
    composition : how components become the scores that it cuts.
    model : the folder of the changed model; None if nothing was written.
    """

    before: ThresholdInfo
    after: ThresholdInfo
    composition: CompositionInfo
    model: Path | None


def change_threshold(spec: ThresholdSpec) -> ThresholdResult:
    """Set a model's threshold from the calibration scores that it keeps; nothing is trained again.

    Without a rule, its fields or a rate the threshold is only shown.

    Raises
    ------
    UsageError
        If the rule or its fields are wrong, or the model would be changed in place without `force`.
    InputError
        If the rule can't be used with the model's scores, or the model exists without `force`.
    """
    changes = spec.rule is not None or spec.rate is not None or bool(spec.settings)
    if changes and spec.out is None and not spec.force:
        raise UsageError(f"This changes {spec.model}: give --out FOLDER, or --force to change it in place.")
    if spec.out is not None:
        require_absent(spec.out, force=spec.force)
    if not changes:
        detector = open_model(spec.model, trust_changes=spec.trust_changes).detector
        before, composition = threshold_info(detector), composition_info(detector.composition_)
        return ThresholdResult(before, before, composition, None)
    target = spec.out or spec.model
    with writing(target, force=spec.force):  # from before the model is read, so that no other change is lost
        return _changed(spec, target)


def _changed(spec: ThresholdSpec, target: Path) -> ThresholdResult:
    model = open_model(spec.model, trust_changes=spec.trust_changes)
    detector = model.detector
    before, composition = threshold_info(detector), composition_info(detector.composition_)
    rule: Threshold = detector.threshold_rule_
    if spec.rule is not None or spec.settings:
        name = rule_name(spec.rule) if spec.rule is not None else type(rule).__name__
        rule = build_part(Threshold, {"type": name, **spec.settings})
    detector.set_threshold(rule, rate=detector.rate_ if spec.rate is None else spec.rate)
    model.save(target, model.labelled, force=spec.force)
    return ThresholdResult(before, threshold_info(detector), composition, target)
