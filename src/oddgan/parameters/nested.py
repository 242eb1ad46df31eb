"""Parameters of a detector and of the parts in it, by scikit-learn's names with double underscores."""

import inspect
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple

from sklearn.base import BaseEstimator, clone

from oddgan._core.errors import InputError
from oddgan._core.parts import arguments, chosen, is_part
from oddgan.parameters.types import check_fields

_SIGN = "__"


def nested_parameters(estimator: BaseEstimator, *, deep: bool) -> dict[str, Any]:
    """The parameters of an estimator by name; `deep` adds the fields of parts in them, e.g. `optimiser__lr`."""
    own = {name: getattr(estimator, name) for name in estimator._get_param_names()}
    return own | _below(own) if deep else own


def updated_parameters(estimator: BaseEstimator, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of an estimator with changes to them, or to the fields of parts in them.

    Raises
    ------
    InputError
        If there is no such parameter, or a part refuses a value.
    """
    own = nested_parameters(estimator, deep=False)
    return _updated(own, changes, _Place(type(estimator).__name__, estimator))


class _Place(NamedTuple):
    """Where a parameter belongs, for messages.

    Parameters
    ----------
    estimator : the name of the class whose parameters are set.
    owner : what has the parameter.
    path : what comes before the parameter's name.
    """

    estimator: str
    owner: object
    path: str = ""

    def of(self, owner: object, name: str) -> "_Place":
        """One level further down."""
        return _Place(self.estimator, owner, f"{self.path}{name}{_SIGN}")

    def refusal(self, key: str, known: Mapping[str, Any]) -> InputError:
        """The error for a key whose first name is not known here."""
        name, sign, rest = key.partition(_SIGN)
        what = f"Invalid parameter {self.path + key!r} for estimator {self.estimator}"
        if not known:
            outer = self.path.removesuffix(_SIGN)
            return InputError(f"{what}: {outer} is {self.owner!r}, which has no fields, so set {outer} as a whole.")
        kind = f"{outer} (a tuple)" if (outer := self._tuple()) else type(self.owner).__name__
        close = get_close_matches(name, known, n=1)
        hint = f"; did you mean {self.path + close[0] + sign + rest!r}?" if close else "."
        return InputError(f"{what}: {kind} has {', '.join(sorted(known))}{hint}")

    def _tuple(self) -> str:
        return self.path.removesuffix(_SIGN) if isinstance(self.owner, tuple | list) else ""


def _children(value: object) -> dict[str, Any]:
    """What can be set in a value, by name; the parts or detectors in a tuple are named by their place."""
    if isinstance(value, type):
        return {}
    if isinstance(value, BaseEstimator):
        found: dict[str, Any] = value.get_params(deep=False)
        return found
    if is_part(value):
        return chosen(value)
    if isinstance(value, tuple | list) and any(is_part(v) or isinstance(v, BaseEstimator) for v in value):
        return {str(i): v for i, v in enumerate(value)}
    return {}


def _below(values: Mapping[str, Any]) -> dict[str, Any]:
    """All that can be set in these values, on every level."""
    found = dict[str, Any]()
    for name, value in values.items():
        children = _children(value)
        found |= {f"{name}{_SIGN}{key}": child for key, child in (children | _below(children)).items()}
    return found


def _updated(
    values: Mapping[str, Any], changes: Mapping[str, Any], place: _Place, *, free: bool = False
) -> dict[str, Any]:
    """The values with changes to them or in them; `free` allows new names."""
    whole, inside = {}, dict[str, dict[str, Any]]()
    for key, value in changes.items():
        name, sign, rest = key.partition(_SIGN)
        if name not in values and (sign or not free):
            raise place.refusal(key, values)
        if sign:
            inside.setdefault(name, {})[rest] = value
        else:
            whole[name] = value
    updated = {**values, **whole}
    return updated | {
        name: _changed(updated[name], below, place.of(updated[name], name)) for name, below in inside.items()
    }


def _changed(value: Any, changes: Mapping[str, Any], place: _Place) -> Any:
    """A copy of a part, a detector or a tuple of them with changes in it."""
    children = _children(value)
    if isinstance(value, BaseEstimator) and children:
        return clone(value).set_params(**changes)
    free = is_part(value) and any(p.kind is p.VAR_KEYWORD for p in inspect.signature(type(value)).parameters.values())
    updated = _updated(children, changes, place, free=free)
    if isinstance(value, tuple | list):
        return type(value)(updated.values())
    try:
        return type(value)(**(arguments(value) | updated))
    except InputError:
        raise
    except (TypeError, ValueError, AttributeError):
        check_fields(place.estimator, place.path.removesuffix(_SIGN), type(value), updated)
        raise
