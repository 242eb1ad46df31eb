"""Parts: small frozen objects that are passed as arguments and can be written as JSON.

A part is a frozen dataclass. What it was given goes into JSON; numpy arrays among its fields (what it has fitted)
go into a table of arrays beside it. A part whose constructor differs from its fields offers `arguments()`.
"""

import dataclasses
from collections.abc import Mapping, MutableMapping
from typing import Any, Protocol, cast, runtime_checkable

import numpy as np

from oddgan._core.errors import InputError, ModelError
from oddgan._core.names import resolve


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


def to_spec(value: Any, arrays: MutableMapping[str, np.ndarray], key: str) -> Any:
    """Turn a value into JSON; arrays in it go into `arrays` under names that start with `key`."""
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
    """Build the value that `to_spec` wrote. Classes come from `known` and from nowhere else.

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
        if spec["array"] not in arrays:
            raise ModelError(f"The model lacks the array {spec['array']!r}: its files do not belong together.")
        return arrays[spec["array"]]
    if "type" not in spec:
        return {k: from_spec(v, known, arrays) for k, v in spec.items()}
    return build(spec["type"], {k: from_spec(v, known, arrays) for k, v in spec.items() if k != "type"}, known)


def build(name: str, given: Mapping[str, Any], known: Mapping[str, type]) -> Any:
    """Build the part called `name` from keyword arguments, with an error that lists what it takes."""
    try:
        kind = known[resolve(name, known, "part")]
    except InputError as error:
        raise ModelError(str(error)) from error
    try:
        return kind(**given)
    except TypeError as error:
        takes = ", ".join(f.name for f in dataclasses.fields(kind)) if dataclasses.is_dataclass(kind) else "nothing"
        raise ModelError(f"{kind.__name__} can't be built from {sorted(given)}: it takes {takes}.") from error
