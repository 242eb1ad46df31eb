"""What `detector.json` may hold: every key with its type."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from oddgan._core.annotations import fits, text_of
from oddgan._core.errors import ModelError
from oddgan._core.text import shown
from oddgan.parameters.limits import MOST_MEMBERS, check_numbers
from oddgan.scaling import Scaling
from oddgan.scores import Composition
from oddgan.similarities import Similarity
from oddgan.thresholds import Threshold
from oddgan.training import Spent

DEEPEST = 8
_KEYS: dict[str, type] = {
    "format": int, "class": str, "parameters": dict, "fitted": dict, "history": list, "estimators": dict,
    "members": int, "card": dict, "versions": dict, "digest": dict,
}  # fmt: skip
_NEEDED = ("class", "parameters", "fitted", "history")
ALWAYS: dict[str, Any] = {
    "shape_": tuple[int, ...],
    "offset_": float,
    "held_out_": bool,
    "rate_": float,
    "threshold_rule_": Threshold,
    "scaling_": Scaling,
    "composition_": Composition,
    "threshold_tuned_": bool,
    "calibration_scores_": np.ndarray,
    "calibration_components_": dict[str, np.ndarray],
}
"""The fitted attributes that every model has, with their types."""
FITTED: dict[str, Any] = ALWAYS | {
    "n_features_in_": int,
    "feature_names_in_": tuple[str, ...],
    "reading_": dict[str, Any],
    "budgeted_": Any,
    "similarities_": dict[str, Similarity],
    "privacy_": Spent,
    "selection_labelled_": bool,
    "value_range_": tuple[str, float, float, bool],
    "learned_": dict[str, np.ndarray],
    "given_generator_": bool,
}
"""The fitted attributes that are stored as JSON, parts included; arrays among them lie with the tensors."""


def check_head(head: Any) -> None:
    """Refuse a head with keys that are missing, unknown or of another type, or with numbers beyond all use.

    Raises
    ------
    ModelError
        The message names the key.
    """
    missing = [key for key in _NEEDED if key not in head]
    strange = sorted(head.keys() - _KEYS.keys())
    if missing or strange:
        what = f"lacks {', '.join(missing)}" if missing else f"has the unknown key {shown(strange[0])}"
        raise ModelError(f"it {what}.")
    for key, value in head.items():
        if not isinstance(value, _KEYS[key]) or isinstance(value, bool):
            raise ModelError(f"{key} is {shown(value)}, but must be a {_KEYS[key].__name__}.")
    if not 0 <= head.get("members", 0) <= MOST_MEMBERS:
        raise ModelError(f"members is {head['members']}, but must be a number from 0 to {MOST_MEMBERS}.")
    for key, values in (("history", head["history"]), ("estimators", head.get("estimators", {}).values())):
        if not all(isinstance(value, dict) for value in values):
            raise ModelError(f"{key} must hold names and values, but is {shown(head[key])}.")
    for key in ("parameters", "fitted"):
        check_numbers(head[key])


def check_fitted_types(fitted: Mapping[str, Any]) -> None:
    """Refuse fitted values that are missing, unknown or of another type.

    Raises
    ------
    ModelError
        The message names the first one that is wrong.
    """
    missing, strange = [k for k in ALWAYS if k not in fitted], sorted(fitted.keys() - FITTED.keys())
    if missing or strange:
        raise ModelError(f"it lacks {', '.join(missing)}." if missing else f"it has unknown {shown(strange[0])}.")
    for name, value in fitted.items():
        if not fits(value, FITTED[name]):
            raise ModelError(f"{name} is {shown(value)}, but must be {text_of(FITTED[name])}.")
