"""Parts: small frozen objects that are passed as arguments and can be written as JSON.

A part is a frozen dataclass. What it was given goes into JSON; numpy arrays among its fields (what it has fitted)
go into a table of arrays beside it. A part whose constructor differs from its fields offers `arguments()`.
"""

import dataclasses
import inspect
from collections.abc import Mapping, MutableMapping
from functools import cache
from typing import Any, Protocol, cast, get_type_hints, runtime_checkable

import numpy as np

from oddgan._core.annotations import fits, text_of
from oddgan._core.docstrings import parameter_docs
from oddgan._core.errors import InputError, ModelError
from oddgan._core.names import resolve
from oddgan._core.text import LONGEST, shown

_LEARNED = "learned: "


@runtime_checkable
class Part(Protocol):
    """A part with a constructor of its own."""

    def arguments(self) -> dict[str, Any]:
        """The keyword arguments that build an equal part."""
        ...


def is_part(value: object) -> bool:
    """Whether `value` is a part (an instance, not a class)."""
    return dataclasses.is_dataclass(value) and not isinstance(value, type)


def arguments(part: object) -> dict[str, Any]:
    """The keyword arguments that build an equal part."""
    if isinstance(part, Part):
        return part.arguments()
    return {f.name: getattr(part, f.name) for f in dataclasses.fields(cast(Any, part)) if f.init}


@cache
def learned_fields(cls: type) -> frozenset[str]:
    """The fields that a part fills in when it is fitted, by the first word of what its docstring says of them."""
    return frozenset(name for name, text in parameter_docs(cls).items() if text.startswith(_LEARNED))


def chosen(part: object) -> dict[str, Any]:
    """The keyword arguments of a part that a user chooses: all but those that it learns."""
    cls: type = type(part)
    learned = learned_fields(cls)
    return {name: value for name, value in arguments(part).items() if name not in learned}


@cache
def defaults(cls: type) -> Mapping[str, Any]:
    """The default of each constructor argument that has one; what a factory makes is made."""
    signature = inspect.signature(cls).parameters.values()
    found = {p.name: p.default for p in signature if p.default is not inspect.Parameter.empty}
    fields = dataclasses.fields(cls) if dataclasses.is_dataclass(cls) else ()
    factories = {f.name: f.default_factory for f in fields if callable(f.default_factory)}
    return found | {name: factory() for name, factory in factories.items() if name in found}


def to_spec(value: Any, arrays: MutableMapping[str, np.ndarray], key: str) -> Any:
    """Turn a value into JSON; arrays (...) in it go into `arrays` under names that start with `key`."""
    if is_part(value):
        items = {k: to_spec(v, arrays, f"{key}.{k}") for k, v in arguments(value).items()}
        return {"type": type(value).__name__} | items
    if isinstance(value, np.ndarray):
        arrays[key] = value
        return {"array": key}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, tuple | list):
        return [to_spec(v, arrays, f"{key}.{i}") for i, v in enumerate(value)]
    if isinstance(value, Mapping):
        return {str(k): to_spec(v, arrays, f"{key}.{k}") for k, v in value.items()}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise InputError(f"{key} is {value!r}, which can't be stored: use numbers, text, tuples, or oddgan's own parts.")


def from_spec(spec: Any, known: Mapping[str, type], arrays: Mapping[str, np.ndarray]) -> Any:
    """Build the value that `to_spec` wrote, with its arrays (...). Classes come from `known` and from nowhere else.

    Raises
    ------
    ModelError
        If a type is unknown, an array is missing, or an argument does not fit its class.
    """
    if isinstance(spec, list):
        return tuple(from_spec(v, known, arrays) for v in spec)
    if not isinstance(spec, dict):
        return spec
    if spec.keys() == {"array"}:
        if not isinstance(spec["array"], str) or spec["array"] not in arrays:
            raise ModelError(f"The model lacks the array {shown(spec['array'])}: its files do not belong together.")
        return arrays[spec["array"]]
    if "type" not in spec:
        return {k: from_spec(v, known, arrays) for k, v in spec.items()}
    return build(spec["type"], {k: from_spec(v, known, arrays) for k, v in spec.items() if k != "type"}, known)


def build(name: str, given: Mapping[str, Any], known: Mapping[str, type]) -> Any:
    """Build the part called `name` from keyword arguments, with an error that lists what it takes."""
    if not isinstance(name, str) or len(name) > LONGEST:
        raise ModelError(f"type is {shown(name)}, but must be the name of a part.")
    try:
        kind = known[resolve(name, known, "part")]
    except InputError as error:
        raise ModelError(f"{error} If it is yours, name its class in classes=(...,).") from error
    if inspect.isabstract(kind):
        raise ModelError(f"{kind.__name__} is only the base of other parts: name one of those.")
    given = current_names(kind, given)
    check_arguments(kind, given)
    return kind(**given)


def current_names(kind: type, given: Mapping[str, Any]) -> dict[str, Any]:
    """Keyword arguments with today's names, where a class tells by `renamed` what earlier versions called them."""
    renamed: Mapping[str, str] = getattr(kind, "renamed", {})
    old = {name for name, today in renamed.items() if today not in given}
    return {renamed[name] if name in old else name: value for name, value in given.items()}


def check_arguments(kind: type, given: object) -> None:
    """Refuse keyword arguments that a class does not take, lacks, or has another type for.

    Raises
    ------
    ModelError
        The message names the first one that is wrong, or lists those that it takes.
    """
    takes, others, needed = signature_of(kind)
    if not isinstance(given, Mapping):
        raise ModelError(f"{kind.__name__} can't be built from {shown(given)}: it takes {', '.join(takes)}.")
    if needed - given.keys() or (others is None and given.keys() - takes.keys()):
        listed = ", ".join(takes) or "nothing"
        raise ModelError(f"{kind.__name__} can't be built from {shown(sorted(given))}: it takes {listed}.")
    for name, value in given.items():
        wanted = takes.get(name, others)
        if not fits(value, wanted):
            raise ModelError(f"{kind.__name__} got {name}={shown(value)}, but takes {text_of(wanted)}.")


@cache
def signature_of(kind: type) -> tuple[dict[str, Any], Any, set[str]]:
    """The annotations of a constructor's arguments, that of any further ones or None, and the names without default."""
    own = "__init__" in vars(kind) and issubclass(kind, Part)  # else it is the dataclass's, with strings as annotations
    hints = get_type_hints(vars(kind)["__init__"] if own else kind)
    parameters = inspect.signature(kind).parameters.values()
    takes = {p.name: hints.get(p.name, Any) for p in parameters if p.kind is not p.VAR_KEYWORD}
    others = next((hints.get(p.name, Any) for p in parameters if p.kind is p.VAR_KEYWORD), None)
    return takes, others, {p.name for p in parameters if p.name in takes and p.default is p.empty}
