"""What a loaded detector has learned, checked against itself before anything is computed with it."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from oddgan._core.errors import ModelError
from oddgan.inputs.validation import check_common, check_kind, check_pass
from oddgan.training import many

if TYPE_CHECKING:
    from oddgan.base.detector import Detector


def check_state(detector: "Detector") -> None:
    """Refuse a detector whose fitted values do not fit each other, before its networks or estimators are built.

    Raises
    ------
    ModelError, InputError
        If a value is out of its range, or shapes do not belong together.
    """
    shape = detector.shape_
    if not 1 <= len(shape) <= 3 or not all(1 <= n < 2**31 for n in shape):
        raise ModelError(f"shape_ is {shape}, but must be the shape of a sample: one to three sizes above 0.")
    if not 0 <= detector.rate_ <= 1:
        raise ModelError(f"rate_ is {detector.rate_}, but must be in [0, 1].")
    _check_columns(detector)
    detector.scaling_.check(shape)
    check_common(detector)
    check_kind(detector)
    check_pass(detector)
    if not many():  # what can't be trained by several workers can still be scored by them
        detector._check()
    budgeted, own = getattr(detector, "budgeted_", None), getattr(detector, "inversion", None)
    if budgeted is not None and type(budgeted) is not type(own):
        raise ModelError("budgeted_ is not of the kind of inversion.")
    similar: dict[str, Any] = getattr(detector, "similarities_", {})
    if any(type(value) is not type(getattr(detector, name, None)) for name, value in similar.items()):
        raise ModelError("similarities_ are not of the kinds that the parameters say.")


def check_calibration(detector: "Detector") -> None:
    """Refuse calibration scores that are none, and a composition that can't be applied to the components stored.

    Raises
    ------
    ModelError, InputError
        If lengths do not fit, or scores are not finite.
    """
    scores, components = detector.calibration_scores_, detector.calibration_components_
    n = len(scores) if scores.ndim == 1 else 0
    if n == 0 or scores.dtype != np.float64 or (np.diff(scores) < 0).any():
        raise ModelError(f"calibration_scores_ has shape {scores.shape}, but must hold numbers in ascending order.")
    for name, values in components.items():
        if values.shape != (n,) or values.dtype != np.float64:
            raise ModelError(f"the component {name!r:.40} of the {n} calibration rows has shape {values.shape}.")
    try:
        composed = detector._composed(detector._calibrated())
    except (IndexError, RuntimeError, TypeError, ValueError) as error:  # arrays of other shapes than it has learned
        who = type(detector.composition_).__name__
        raise ModelError(f"composition_, a {who}, does not fit the components of the calibration rows.") from error
    if composed.shape != (n,) or not np.isfinite(composed).all():
        raise ModelError("composition_ makes no finite scores of the components of the calibration rows.")


def _check_columns(detector: "Detector") -> None:
    shape = detector.shape_
    n, names = getattr(detector, "n_features_in_", None), getattr(detector, "feature_names_in_", None)
    if (n is not None or names is not None) and (len(shape) != 1 or n != shape[0]):
        raise ModelError(f"n_features_in_ is {n}, but samples have the shape {shape}.")
    if names is not None and len(set(names)) != math.prod(shape):
        raise ModelError(f"feature_names_in_ must be {shape[0]} different names.")
