"""The detector that a spec describes."""

from typing import Any

from oddgan._core.errors import InputError
from oddgan._core.names import resolve
from oddgan.base import Detector
from oddgan.detectors import classes
from oddgan.inputs.device import usable_device
from oddgan.options import FitSpec, UsageError, merge, read_settings
from oddgan.tasks.settings import build_detector
from oddgan.tasks.threshold import rule_name

HELD_OUT = 0.2


def method_class(name: str) -> type[Detector]:
    """The detector of that name; case and punctuation don't matter.

    Raises
    ------
    UsageError
        If there is none; the message lists all.
    """
    known = classes()
    try:
        return known[resolve(name, known, "method")]
    except InputError as error:
        raise UsageError(str(error)) from error


def detector_of(spec: FitSpec) -> Detector:
    """The detector that a spec describes, not fitted yet."""
    detector = build_detector(method_class(spec.method), _settings(spec))
    usable_device(detector.device)  # before data is read
    if detector.composition.needs_labels:
        name = type(detector.composition).__name__
        raise UsageError(
            f"{name} learns from labels, which a fit does not look at: fit without it, then run "
            f"oddgan compose MODEL DATA --set composition={name}."
        )
    return detector


def _settings(spec: FitSpec) -> dict[str, Any]:
    given = {
        "contamination": spec.rate,
        "calibration": spec.calibration,
        "random_state": spec.seed,
        "device": spec.device,
    }
    chosen = {name: value for name, value in given.items() if value is not None}
    from_file = {} if spec.method_file is None else read_settings(spec.method_file)
    settings = {"calibration": HELD_OUT, "random_state": 0} | merge(from_file, spec.settings) | chosen
    if spec.threshold is not None:
        fields = settings.get("threshold")
        own = fields if isinstance(fields, dict) and "type" not in fields else {}
        settings["threshold"] = {"type": rule_name(spec.threshold)} | own
    return settings
