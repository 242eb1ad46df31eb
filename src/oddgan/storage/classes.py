"""The classes that a model may name: oddgan's parts and detectors, and those that a user brings."""

import sys
from collections import ChainMap
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any, NamedTuple, cast

from oddgan import inversion, networks, objectives, priors, scaling, scores, similarities, thresholds, training
from oddgan._core.errors import InputError
from oddgan._core.parts import arguments, is_part


class Known(NamedTuple):
    """The classes that may be loaded, by name.

    Parameters
    ----------
    detectors : may be imported when they are looked up.
    parts : frozen dataclasses.
    """

    detectors: Mapping[str, type]
    parts: Mapping[str, type]

    def named_in(self, head: Mapping[str, Any]) -> Mapping[str, type]:
        """The classes that a model's head may name: also the parts that modules of its detectors define or import.

        The modules of a detector are its own and those of the classes that it builds on.
        """
        named = {head["class"], *_types(head["parameters"])} & self.detectors.keys()
        modules = [
            sys.modules.get(base.__module__) for name in named for base in reversed(self.detectors[name].__mro__)
        ]
        values = [value for module in modules if module is not None for value in vars(module).values()]
        beside = {value.__name__: value for value in values if _is_frozen(value) and not _is_own(value)}
        return ChainMap(dict(self.parts), cast("dict[str, type]", self.detectors), beside)


def known_parts() -> dict[str, type]:
    """The parts that a model file may name, by name: frozen dataclasses, not callbacks or sources of rows."""
    folders = (inversion, networks, objectives, priors, scaling, scores, similarities, thresholds, training)
    found = {name: getattr(folder, name) for folder in folders for name in folder.__all__}
    return {name: value for name, value in found.items() if _is_frozen(value)}


def known_classes(own: Mapping[str, type], others: Sequence[type]) -> Known:
    """Oddgan's classes and further ones.

    Parameters
    ----------
    own : the detectors that need not be named.
    others : a user's detectors and parts.

    Raises
    ------
    InputError
        If one of `others` is neither, or has the name of another class.
    """
    detectors: dict[str, type] = {}
    parts = known_parts()
    for cls in others:
        if not (_is_detector(cls) or _is_frozen(cls)):
            raise InputError(
                f"classes holds {cls!r}, but takes detector classes and parts, which are frozen dataclasses."
            )
        name = cls.__name__
        if any(name in known and known[name] is not cls for known in (own, detectors, parts)):
            raise InputError(f"classes holds {cls.__module__}.{name}, but another class is called {name}: rename it.")
        if _is_detector(cls):
            detectors[name] = cls
        else:
            parts[name] = cls
    return Known(ChainMap(detectors, cast("dict[str, type]", own)), parts)


def check_names(cls: type, values: Mapping[str, Any]) -> None:
    """Refuse to save what would be loaded as something else.

    Parameters
    ----------
    cls : the detector's class.
    values : what is stored of it; parts are anywhere in them.

    Raises
    ------
    InputError
        If the detector has the name of one of oddgan's, or a part that of one of oddgan's parts.
    """
    parts, own = known_parts(), import_module("oddgan.detectors").__all__
    for kind in (cls, *_parts_in(values)):
        name, detector = kind.__name__, _is_detector(kind)
        if not _is_own(kind) and name in (own if detector else parts):
            raise InputError(f"This detector can't be saved: oddgan has another {name}, so call yours something else.")


def _parts_in(value: Any) -> Iterator[type]:
    """The classes of the parts in a value."""
    if is_part(value):
        yield type(value)
        value = arguments(value)
    if isinstance(value, Mapping):
        value = tuple(value.values())
    for item in value if isinstance(value, tuple | list) else ():
        yield from _parts_in(item)


def _types(spec: Any) -> Iterator[str]:
    """The names of classes in a stored value."""
    if isinstance(spec, Mapping) and isinstance(spec.get("type"), str):
        yield spec["type"]
    items = spec.values() if isinstance(spec, Mapping) else spec if isinstance(spec, list) else ()
    for item in items:
        yield from _types(item)


def _is_detector(value: object) -> bool:
    return isinstance(value, type) and hasattr(value, "card")


def _is_own(cls: type) -> bool:
    return cls.__module__.partition(".")[0] == "oddgan"


def _is_frozen(value: object) -> bool:
    made = getattr(value, "__dataclass_params__", None)
    return isinstance(value, type) and made is not None and bool(made.frozen)
