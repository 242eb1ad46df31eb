"""Parameters of methods and parts with default, choices and meaning, as help shows them."""

import inspect
from collections.abc import Iterator
from dataclasses import dataclass, fields
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from oddgan._core.docstrings import parameter_docs
from oddgan._core.part_text import typed_text
from oddgan._core.parts import arguments, is_part
from oddgan.base import Detector
from oddgan.families import NeuralDetector
from oddgan.tasks.settings import choices, takes
from oddgan.training.length import steps_of

_PLAIN = {bool: "true or false", int: "whole number", float: "number", str: "text"}


@dataclass(frozen=True)
class Parameter:
    """A parameter as help shows it.

    Parameters
    ----------
    name, default, meaning : in words.
    takes : what it can be set to.
    own : it is the method's, rather than one that every method has.
    """

    name: str
    default: str
    meaning: str
    takes: str
    own: bool


def default_steps(cls: type[Detector]) -> dict[str, dict[str, int]]:
    """The steps of training by the parameter that sets them, for each kind of data; empty where nothing is trained so.

    Parameters
    ----------
    cls : the method.
    """
    if not issubclass(cls, NeuralDetector):
        return {}
    return {f"{part}steps": steps.by_kind(cls.card.kinds) for part, steps in steps_of(cls).items()}


def parameter_rows(cls: type[Detector]) -> list[Parameter]:
    """The parameters of a method: its own first, then those that every method has."""
    meanings, hints = parameter_docs(cls), takes(cls)
    common = {f.name for base in (Detector, NeuralDetector) for f in fields(base)}
    defaults = {name: p.default for name, p in inspect.signature(cls).parameters.items()}
    rows = [
        Parameter(name, typed_text(defaults[name]), meanings.get(name, ""), _takes(hint), name not in common)
        for name, hint in hints.items()
    ]
    return sorted(rows, key=lambda row: not row.own)


def field_rows(owner: type, name: str, value: Any, of: str = "") -> Iterator[Parameter]:
    """A parameter of a class as it is set now, then the fields of that part, and those of the parts in it.

    Parameters
    ----------
    owner : the class that has the parameter.
    name : the parameter.
    value : what it is set to.
    of : what comes before its name, e.g. "inversion.".
    """
    meaning, hint = parameter_docs(owner).get(name, ""), takes(owner)[name]
    yield Parameter(of + name, typed_text(value), meaning, _takes(hint), own=True)
    if is_part(value):
        given = arguments(value)
        for field in takes(type(value)):
            yield from field_rows(type(value), field, given[field], f"{of}{name}.")


def _takes(hint: Any) -> str:
    arms = get_args(hint) if get_origin(hint) in {Union, UnionType} else (hint,)
    parts = dict.fromkeys(word for arm in arms if _is_kind(arm) for word in choices(arm))
    words = [", ".join(sorted(parts)), *(_word(arm) for arm in arms if not _is_kind(arm))]
    return " or ".join(dict.fromkeys(word for word in words if word))


def _is_kind(hint: Any) -> bool:
    return isinstance(hint, type) and hint is not NoneType and hint not in _PLAIN


def _word(hint: Any) -> str:
    if hint is NoneType:
        return "none"
    if get_origin(hint) is Literal:
        return ", ".join(map(str, get_args(hint)))
    if get_origin(hint) is tuple:
        parts = _takes(get_args(hint)[0])
        return f"{parts} (a list)" if "," in parts else "list"
    return _PLAIN.get(hint, "") if isinstance(hint, type) else ""
