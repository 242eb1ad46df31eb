"""Change the threshold of a stored model."""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from oddgan._core.files import writing
from oddgan.evaluate import CompositionInfo, ThresholdInfo
from oddgan.options import ThresholdSpec
from oddgan.tasks.models import check_target, composition_info, open_model, threshold_info
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
    check_target(spec, changes=changes)
    target = spec.out or spec.model
    with ExitStack() as held:
        if changes:  # from before the model is read, so that no other change is lost
            held.enter_context(writing(target, force=spec.force))
        model = open_model(spec.model, trust_changes=spec.trust_changes)
        detector = model.detector
        before, composition = threshold_info(detector), composition_info(detector.composition_)
        if not changes:
            return ThresholdResult(before, before, composition, None)
        rule: Threshold = detector.threshold_rule_
        if spec.rule is not None or spec.settings:
            name = rule_name(spec.rule) if spec.rule is not None else type(rule).__name__
            rule = build_part(Threshold, {"type": name, **spec.settings})
        detector.set_threshold(rule, rate=detector.rate_ if spec.rate is None else spec.rate)
        model.save(target, model.labelled, force=spec.force)
    return ThresholdResult(before, threshold_info(detector), composition, target)
