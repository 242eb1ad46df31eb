"""The check that every parameter has an effect: changed, it changes something that can be seen."""

import inspect
import itertools
import types
from collections.abc import Iterable, Iterator
from dataclasses import fields
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from oddgan._core.errors import OddganError
from oddgan._core.parts import arguments, is_part
from oddgan.families import NeuralDetector
from oddgan.storage import known_parts
from oddgan.testing.checks import check
from oddgan.testing.subject import Subject, differences, normals, observe

# Parameters that must not change what is seen on this machine.
UNSEEN = frozenset({"device", "scoring", "slots"})


def visible_parameters(subject: Subject) -> Iterable[str]:
    """The parameters that must have an effect.

    A detector without an adversarial game refuses stabilisers, and one without networks may draw nothing random.
    """
    names = {f.name for f in fields(subject.cls)} - UNSEEN
    names -= set() if issubclass(subject.cls, NeuralDetector) else {"random_state"}
    names -= set() if "objective" in names else {"stabilisers"}
    return [f.name for f in fields(subject.cls) if f.name in names]


@check(visible_parameters)
def parameter_has_an_effect(subject: Subject, name: str) -> None:
    """Another value of the parameter gives another detector, in at least one bit that can be seen."""
    X, new = normals(subject.kind, 24), normals(subject.kind, 9, seed=1)
    beside, tried = dict(subject.beside.get(name, {})), []
    value = getattr(subject.make(), name)
    passes = name.removesuffix("steps") + "epochs"
    instead = {passes: None} if name.endswith("steps") and hasattr(subject.make(), passes) else {}
    plain = observe(subject.make(slots=7, **beside).fit(X), new) if beside else subject.seen(subject.kind)
    for other in itertools.islice(changed(value, get_type_hints(subject.cls)[name]), 40):
        try:
            seen = observe(subject.make(slots=7, **beside | instead | {name: other}).fit(X), new)
        except OddganError:
            continue
        if differences(plain, seen):
            return
        tried.append(other)
    raise AssertionError(f"{name} = {value!r}: {tried} change nothing.")


def changed(value: Any, hint: Any) -> Iterator[Any]:
    """Other values that a parameter may take, nearest first."""
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield from (value + 1, max(1, value // 2), 2, 5)
    elif isinstance(value, float):
        yield from (value + 0.1, value * 2, value / 2, value + 10)
    elif isinstance(value, tuple):
        for i, item in enumerate(value):
            yield from ((*value[:i], other, *value[i + 1 :]) for other in changed(item, None))
    elif is_part(value):
        yield from _changed_parts(value)
    yield from (other for other in _by_hint(hint) if type(other) is not type(value) or other != value)


def _changed_parts(part: Any) -> Iterator[Any]:
    given = arguments(part)
    hints = {k: v for k, v in get_type_hints(type(part)).items() if k in given}
    for name, value in given.items():
        for other in changed(value, hints.get(name)):
            try:
                yield type(part)(**given | {name: other})
            except (OddganError, TypeError):
                continue


def _by_hint(hint: Any) -> Iterator[Any]:
    if get_origin(hint) in (Union, types.UnionType):
        for option in get_args(hint):
            yield from _by_hint(option)
    elif get_origin(hint) is Literal:
        yield from get_args(hint)
    elif get_origin(hint) is tuple and get_args(hint)[1:] == (Ellipsis,):
        yield from ((one,) for one in _by_hint(get_args(hint)[0]))
    elif hint is int:
        yield from (1, 2, 3)
    elif hint is float:
        yield from (0.25, 0.5, 20.0)
    elif isinstance(hint, type) and hint.__module__.startswith("oddgan"):
        yield from _parts_of(hint)


def _parts_of(kind: type) -> Iterator[Any]:
    for cls in known_parts().values():
        if issubclass(cls, kind) and not inspect.isabstract(cls):
            try:
                yield cls()
            except TypeError:  # it has no defaults
                continue
