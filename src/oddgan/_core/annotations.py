"""Type checks at run time: whether a value fits an annotation such as `float | None`."""

import re
from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Any, Literal, Union, cast, get_args, get_origin

import numpy as np

_MODULES = re.compile(r"<class '|'>|\b(?:\w+\.)+(?=\w)")


def fits(value: object, annotation: Any) -> bool:
    """Whether a value is of an annotated type; whole numbers are numbers, truth values are not."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        return any(fits(value, one) for one in arguments)
    if origin is Literal:
        return any(type(value) is type(one) and value == one for one in arguments)
    if origin is tuple:
        return isinstance(value, tuple) and _items_fit(value, arguments)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return isinstance(value, Mapping) and all(
            fits(k, arguments[0]) and fits(v, arguments[1]) for k, v in value.items()
        )
    return _is_a(value, annotation)


def text_of(annotation: Any) -> str:
    """An annotation as a message shows it, e.g. `float | None`."""
    return _MODULES.sub("", str(annotation))


def plain(value: object) -> object:
    """A value with Python's types: numpy's scalars as numbers, lists as tuples."""
    if isinstance(value, np.generic):
        return cast(object, value.item())
    return tuple(map(plain, value)) if isinstance(value, tuple | list) else value


def _items_fit(value: tuple[object, ...], arguments: tuple[Any, ...]) -> bool:
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return all(fits(item, arguments[0]) for item in value)
    return len(value) == len(arguments) and all(map(fits, value, arguments))


def _is_a(value: object, kind: Any) -> bool:
    """Whether a value is of a plain class."""
    if kind is Any:
        return True
    if kind is None or kind is NoneType:
        return value is None
    if kind in (int, float):
        wanted = int if kind is int else (int, float)
        return isinstance(value, wanted) and not isinstance(value, bool)
    if kind is np.ndarray:
        return isinstance(value, np.ndarray) and value.dtype.kind in "biuf"
    return isinstance(kind, type) and isinstance(value, kind)
