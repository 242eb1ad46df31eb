"""Types of hyperparameters: each value, and each field of a part, is compared with its annotation before a fit."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, get_args, get_origin

from sklearn.base import BaseEstimator

from oddgan._core.annotations import fits, plain, text_of
from oddgan._core.errors import InputError
from oddgan._core.part_text import part_text
from oddgan._core.parts import chosen, defaults, is_part, signature_of
from oddgan._core.text import shown
from oddgan.similarities import Similarity


def check_types(estimator: BaseEstimator) -> dict[str, Any]:
    """Refuse hyperparameters of another type than their annotation; numpy's numbers and lists will do.

    Returns those that are not the class's defaults.

    Raises
    ------
    InputError
        The message names the first one by its path, such as `optimiser__lr`, with a value that is right.
    """
    cls = type(estimator)
    given = not_defaults(cls, {name: getattr(estimator, name) for name in estimator._get_param_names()})
    check_fields(cls.__name__, "", cls, given)
    return given


def check_fields(who: str, path: str, owner: type, values: Mapping[str, Any]) -> None:
    """Refuse values of another type than the annotations of their fields.

    Parameters
    ----------
    who : the estimator that the values belong to, for messages.
    path : the name of the part that has the fields, with double underscores; empty for the estimator itself.
    owner : the class of the part.
    values : the values by field.
    """
    _check_fields(_Path(who, path), owner, values)


def not_defaults(cls: type, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of constructor arguments, by name, that are not the very objects that a class has as defaults."""
    usual = defaults(cls)
    return {name: value for name, value in values.items() if name not in usual or value is not usual[name]}


def check_type(who: str, name: str, value: object, wanted: Any) -> None:
    """Refuse an argument of another type than `wanted`, or with a field of a wrong type in it.

    Raises
    ------
    InputError
        The message says what was given and what is expected.
    """
    _check(_Path(who, name), value, wanted, None)


class _Path(NamedTuple):
    """Where a value stands.

    Parameters
    ----------
    who : the estimator or method that has it.
    name : its name with double underscores.
    """

    who: str
    name: str = ""

    def down(self, name: str) -> "_Path":
        """One level further down."""
        return _Path(self.who, f"{self.name}__{name}" if self.name else name)


def _check_fields(path: _Path, owner: type, values: Mapping[str, Any]) -> None:
    try:
        takes, others, _ = signature_of(owner)
    except (NameError, TypeError):  # a class of the user's, with annotations that can't be resolved
        takes, others = {}, None
    usual = defaults(owner)
    for name, value in not_defaults(owner, values).items():
        _check(path.down(name), value, takes.get(name, Any if others is None else others), usual.get(name))


def _check(path: _Path, value: object, wanted: Any, usual: object) -> None:
    if _is_measure(value, wanted):
        return
    if not fits(plain(value), wanted) and not (isinstance(value, str) and _has_choices(wanted)):
        example = "" if usual in (None, ()) else f", e.g. {path.name}={_text(usual)}"
        instead = f"{value.__name__}(), not the class" if isinstance(value, type) and _would_fit(value, wanted) else ""
        raise InputError(
            f"{path.who} got {path.name}={_text(value)}, but takes {instead or text_of(wanted) + example}."
        )
    if is_part(value) and not isinstance(value, BaseEstimator):
        _check_fields(path, type(value), chosen(value))
    elif isinstance(value, tuple | list):
        for i, item in enumerate(value):
            _check(path.down(str(i)), item, Any, None)


def _is_measure(value: object, wanted: Any) -> bool:
    """Whether a function takes the place of a similarity, as any that compares two batches may."""
    return Similarity in (wanted, *get_args(wanted)) and callable(value) and not isinstance(value, type)


def _has_choices(wanted: Any) -> bool:
    """Whether some texts would do; the owner of the value knows which, and says so."""
    return Literal in (get_origin(wanted), *map(get_origin, get_args(wanted)))


def _would_fit(value: type, wanted: Any) -> bool:
    """Whether an instance of this class would do."""
    return isinstance(wanted, type) and issubclass(value, wanted)


def _text(value: object) -> str:
    """A value as a message shows it: a part with what is no default."""
    if not is_part(value) or isinstance(value, BaseEstimator):
        return shown(value)
    return part_text(value, shown)
