"""Checks of a detector: its hyperparameters before a fit, and what it has learned after loading."""

import math
from typing import Any, Protocol

import numpy as np

from oddgan._core.card import Card, kind_of
from oddgan._core.errors import InputError, ModelError
from oddgan.base.calibration import Calibration
from oddgan.inputs.device import usable_device
from oddgan.parameters.limits import check_sizes
from oddgan.parameters.types import check_types
from oddgan.scaling import Scaling
from oddgan.scores import Composition

# Rows and values of one pass: "exact" scoring fills a pass up, so that also a single row takes that much memory.
MOST_ROWS, MOST_VALUES = 2**17, 2**27


class Settings(Protocol):
    """The hyperparameters that every detector has, with its shape and card."""

    @property
    def card(self) -> Card: ...  # noqa: D102

    shape_: tuple[int, ...]
    composition: Composition
    contamination: float
    calibration: float
    calibration_size: int
    scoring: Any
    slots: int
    device: str | None


class Fitted(Settings, Protocol):
    """A detector with what it has learned."""

    scaling_: Scaling
    calibration_: Calibration


def check_settings(detector: Settings) -> None:
    """Refuse hyperparameters of a wrong type, and values of the common ones that make no sense.

    Raises
    ------
    InputError
        The message names the first one.
    """
    given = check_types(detector)
    usable_device(detector.device)
    if detector.composition.needs_labels:
        name = type(detector.composition).__name__
        raise InputError(
            f"{name} learns from labels, which fit does not look at: fit without it, then call "
            f"detector.compose({name}(), X_val, y_val)."
        )
    if not 0 < detector.contamination <= 0.5:
        raise InputError(f"contamination must be in (0, 0.5], but is {detector.contamination}.")
    if not 0 <= detector.calibration < 1:
        raise InputError(f"calibration is a share of the rows in [0, 1), but is {detector.calibration}.")
    if detector.calibration_size < 1 or detector.slots < 1:
        raise InputError(
            f"calibration_size and slots must be at least 1, but are {detector.calibration_size} and {detector.slots}."
        )
    if detector.scoring not in {"exact", "fast"}:
        raise InputError(f"scoring must be 'exact' or 'fast', but is {detector.scoring!r}.")
    check_sizes(type(detector).__name__, given)


def check_shape(detector: Settings) -> None:
    """Refuse rows of a kind that the method's card does not name, and passes that would fill the memory.

    Raises
    ------
    InputError
        If `slots` rows of this shape are too many for one pass; the default number always fits.
    """
    kinds, kind = detector.card.kinds, kind_of(detector.shape_)
    if kind not in kinds:
        raise InputError(f"{type(detector).__name__} takes {' and '.join(kinds)} data, but these are {kind} data.")
    values = math.prod(detector.shape_)
    most = max(type(detector).slots, min(MOST_ROWS, MOST_VALUES // values))
    if detector.slots > most:
        raise InputError(
            f"slots is {detector.slots}, but rows of {values} values are scored in passes of at most {most}: lower it."
        )


def check_loaded(detector: Fitted) -> None:
    """Refuse a loaded detector whose values do not fit each other, before its networks or estimators are built.

    Raises
    ------
    ModelError, InputError
        If a value is out of its range, or shapes do not belong together.
    """
    shape = detector.shape_
    if not 1 <= len(shape) <= 3 or not all(1 <= n < 2**31 for n in shape):
        raise ModelError(f"shape_ is {shape}, but must be the shape of a sample: one to three sizes above 0.")
    if not 0 <= detector.calibration_.rate <= 1:
        raise ModelError(f"rate_ is {detector.calibration_.rate}, but must be in [0, 1].")
    _check_columns(detector)
    detector.scaling_.check(shape)
    check_settings(detector)
    check_shape(detector)
    budgeted, own = getattr(detector, "budgeted_", None), getattr(detector, "inversion", None)
    if budgeted is not None and type(budgeted) is not type(own):
        raise ModelError("budgeted_ is not of the kind of inversion.")
    similar: dict[str, Any] = getattr(detector, "similarities_", {})
    if any(type(value) is not type(getattr(detector, name, None)) for name, value in similar.items()):
        raise ModelError("similarities_ are not of the kinds that the parameters say.")


def check_calibration(known: Calibration) -> None:
    """Refuse calibration scores that are none, and a composition that can't be applied to the components stored.

    Raises
    ------
    ModelError, InputError
        If lengths do not fit, or scores are not finite.
    """
    scores = known.scores
    n = len(scores) if scores.ndim == 1 else 0
    if n == 0 or scores.dtype != np.float64 or (np.diff(scores) < 0).any():
        raise ModelError(f"calibration_scores_ has shape {scores.shape}, but must hold numbers in ascending order.")
    for name, values in known.components.items():
        if values.shape != (n,) or values.dtype != np.float64:
            raise ModelError(f"the component {name!r:.40} of the {n} calibration rows has shape {values.shape}.")
    try:
        composed = known.score(known.all_components)
    except (IndexError, RuntimeError, TypeError, ValueError) as error:  # arrays of other shapes than it has learned
        who = type(known.composition).__name__
        raise ModelError(f"composition_, a {who}, does not fit the components of the calibration rows.") from error
    if composed.shape != (n,) or not np.isfinite(composed).all():
        raise ModelError("composition_ makes no finite scores of the components of the calibration rows.")


def _check_columns(detector: Settings) -> None:
    shape = detector.shape_
    n, names = getattr(detector, "n_features_in_", None), getattr(detector, "feature_names_in_", None)
    if (n is not None or names is not None) and (len(shape) != 1 or n != shape[0]):
        raise ModelError(f"n_features_in_ is {n}, but samples have the shape {shape}.")
    if names is not None and len(set(names)) != math.prod(shape):
        raise ModelError(f"feature_names_in_ must be {shape[0]} different names.")
