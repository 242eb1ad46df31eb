"""Parameters of a detector and of the parts in it, by scikit-learn's names with double underscores."""

import inspect
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple, Self

from sklearn.base import BaseEstimator, clone

from oddgan._core.errors import InputError
from oddgan._core.parts import arguments, chosen, is_part
from oddgan.parameters.types import check_fields

_SIGN = "__"


class NestedParameters(BaseEstimator):
    """An estimator whose `get_params` and `set_params` reach into its parts, e.g. `optimiser__lr`."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters by name.

        Parameters
        ----------
        deep : with the fields of parts, such as `optimiser__lr` or `backbone__table__hidden`, and with the parameters
            of detectors in a tuple by their place, such as `detectors__0__n_neighbors`.
        """
        own = {name: getattr(self, name) for name in self._get_param_names()}
        return own | _below(own) if deep else own

    def set_params(self, **params: Any) -> Self:
        """Set parameters, or fields of parts; either all of them or, after an error, none.

        Parts are replaced by changed copies. Of a part and its fields in one call, the part is set first.

        Parameters
        ----------
        params : values by the names that `get_params` gives.

        Raises
        ------
        InputError
            If there is no such parameter, or a part refuses a value.
        """
        for name, value in _updated(self.get_params(deep=False), params, _Place(type(self).__name__, self)).items():
            setattr(self, name, value)
        return self

    def _get_params_html(self, deep: bool = True, *more: Any, **options: Any) -> Any:
        """What scikit-learn shows in notebooks: without the fields of parts, which it would mark as set by the user."""
        del deep
        return super()._get_params_html(False, *more, **options)


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
