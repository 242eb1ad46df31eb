"""Build detectors and parts from settings; every value is checked against the field that it sets."""

import inspect
from abc import ABC
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import numpy as np

from oddgan import networks
from oddgan._core.errors import InputError
from oddgan._core.names import resolve
from oddgan._core.parts import arguments, is_part, learned_fields
from oddgan.base import Detector
from oddgan.detectors import classes, load
from oddgan.inputs.device import usable_device
from oddgan.options import FitSpec, UsageError, merge, read_settings
from oddgan.options.assignments import Settings
from oddgan.storage import known_parts
from oddgan.tasks.published import published_as

T = TypeVar("T")
_NUMBERS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}


def build_detector(cls: type[T], settings: Settings) -> T:
    """Build a detector from settings.

    Parameters
    ----------
    cls : the detector's class.
    settings : values by parameter; a part is its name, or a table with its `type` and its fields. A table without a
        type changes the default part.

    Raises
    ------
    UsageError
        If a parameter is unknown, or a value is not of its kind or range.
    """
    return _construct(cls, settings, {}, "")


def build_part(base: type, settings: Settings) -> Any:
    """Build a part, e.g. a threshold.

    Parameters
    ----------
    base : the kind of part.
    settings : its `type` and its fields, as in `build_detector`.
    """
    return _part(settings, base, "", None)


def takes(cls: type) -> dict[str, Any]:
    """The type of each value that a class can be given as text."""
    signature, hints = inspect.signature(cls), get_type_hints(cast(Any, cls).__init__)
    named = {n: hints[n] for n, p in signature.parameters.items() if p.kind is not inspect.Parameter.VAR_KEYWORD}
    filled = learned_fields(cls)
    return {n: hint for n, hint in named.items() if n not in filled and np.ndarray not in (hint, *get_args(hint))}


def choices(base: type | tuple[type, ...]) -> Mapping[str, Any]:
    """The parts of a kind, or of several, by name, or the detectors: classes, and published networks as instances."""
    if base is Detector:
        return classes()
    found: dict[str, Any] = {
        name: cls
        for name, cls in known_parts().items()
        if issubclass(cls, base) and not inspect.isabstract(cls) and ABC not in cls.__bases__
    }
    presets = {name: getattr(networks, name) for name in networks.__all__ if name.isupper()}
    return found | {name: preset for name, preset in presets.items() if isinstance(preset, base)}


def convert(value: Any, hint: Any, name: str, default: Any = None) -> Any:
    """Turn a plain value into what a field takes.

    Parameters
    ----------
    value : a number, text, list, table or part.
    hint : the field's type.
    name : how messages call the field.
    default : what a table without a type changes.

    Raises
    ------
    UsageError
        If it is something else.
    """
    arms = get_args(hint) if get_origin(hint) in {Union, UnionType} else (hint,)
    if value is None and NoneType in arms:
        return None
    parts = tuple(arm for arm in arms if isinstance(arm, type) and arm not in _NUMBERS and choices(arm))
    if len(parts) > 1:  # told apart by the name that is given
        arms = (*(arm for arm in arms if arm not in parts), parts)
    problem = None
    for arm in (arm for arm in arms if arm is not NoneType):
        try:
            return _convert(value, arm, name, default)
        except UsageError as error:
            problem = problem or error
    raise problem or UsageError(f"{name} can't be set.")


def _convert(value: Any, hint: Any, name: str, default: Any) -> Any:
    origin = get_origin(hint)
    if hint is Any:
        return value
    if origin is Literal:
        if value not in get_args(hint):
            raise UsageError(f"{name} is {value!r}: choose {' or '.join(map(repr, get_args(hint)))}.")
        return value
    if origin is tuple:
        return _tuple(value, get_args(hint), name)
    if hint in _NUMBERS:
        return _plain(value, hint, name)
    if choices(hint):
        return _part(value, hint, name, default)
    raise UsageError(f"{name} can't be set by a text: use Python.")


def _plain(value: Any, hint: type, name: str) -> Any:
    if type(value) is hint:
        return value
    if hint is float and type(value) is int:
        return float(value)
    raise UsageError(f"{name} takes {_NUMBERS[hint]}, but is {value!r}.")


def _tuple(value: Any, hints: tuple[Any, ...], name: str) -> tuple[Any, ...]:
    parts = sorted(choices(hints[0])) if hints and isinstance(hints[0], type) else []
    if parts and isinstance(value, str) and set(value) & set("{}=\"'"):
        raise UsageError(
            f"{name} can't be read as a list: {value!r}. Beside tables names need quotes, e.g. "
            f'["{parts[0]}", {{type="{parts[1]}"}}].'
        )
    if isinstance(value, str) and (parts or hints[:1] == (str,)):
        value = [word.strip() for word in value.strip("[]").split(",")]  # names may come without their quotes
    if parts and isinstance(value, Mapping):
        value = [value]
    if not isinstance(value, list | tuple):
        example = f"[{', '.join(parts[:2])}]" if parts else "[0.5, 0.9]"
        raise UsageError(f"{name} takes a list, e.g. {example}, but is {value!r}.")
    each = (hints[0],) * len(value) if hints[1:] == (Ellipsis,) else hints
    if len(value) != len(each):
        raise UsageError(f"{name} takes a list of {len(each)} values, but has {len(value)}.")
    return tuple(convert(v, hint, f"{name}[{i}]") for i, (v, hint) in enumerate(zip(value, each, strict=True)))


def _part(value: Any, base: type | tuple[type, ...], name: str, default: Any) -> Any:
    known = choices(base)
    if isinstance(value, str):
        value = {"type": value}
    if not isinstance(value, Mapping):
        raise UsageError(f"{name} takes a part, but is {value!r}: choose {', '.join(sorted(known))}.")
    given = {k: v for k, v in value.items() if k != "type"}
    start = default
    if "type" in value:
        start = known[_resolve(str(value["type"]), known, name)]
    elif not is_part(default):
        raise UsageError(f"{name} is none by default: choose --set {name}=TYPE from {', '.join(sorted(known))}.")
    if is_part(start):
        return _construct(type(start), given, arguments(start), name)
    return _construct(start, given, {}, name)


def _resolve(text: str, known: Iterable[str], kind: str) -> str:
    try:
        return resolve(text, known, kind)
    except InputError as error:
        raise UsageError(str(error)) from error


def _construct(cls: type[T], given: Settings, start: Settings, name: str) -> T:
    """Build `cls` from the values in `start` and, over them, converted ones in `given`."""
    parameters, hints = inspect.signature(cls).parameters, takes(cls)
    free = [get_type_hints(cast(Any, cls).__init__)[n] for n, p in parameters.items() if p.kind is p.VAR_KEYWORD]
    values: dict[str, Any] = dict(start)
    for key, value in given.items():
        full = f"{name}.{key}" if name else key
        if key not in hints and not free:
            raise UsageError(_unknown(cls, key, list(hints)))
        default = start.get(key, parameters[key].default if key in hints else None)
        values[key] = convert(value, hints.get(key, free[0] if free else Any), full, default)
    missing = [n for n in hints if parameters[n].default is inspect.Parameter.empty and n not in values]
    if missing:
        first = f"{name}.{missing[0]}" if name else missing[0]
        example = next(iter(choices(hints[missing[0]])), 1) if isinstance(hints[missing[0]], type) else 1
        raise UsageError(f"{cls.__name__} needs {', '.join(missing)}, e.g. --set {first}={example}.")
    try:
        return cls(**values)
    except ValueError as error:
        raise UsageError(str(error)) from error


def _unknown(cls: type, key: str, known: list[str]) -> str:
    close = get_close_matches(key, known, n=1)
    hint = f" Did you mean {close[0]}?" if close else ""
    listed = f"It takes {', '.join(known)}." if known else "It takes none."
    kind = "parameter" if issubclass(cls, Detector) else "field"
    return f"{cls.__name__} has no {kind} {key!r}.{hint} {listed}"


HELD_OUT = 0.2


def method_class(name: str) -> type[Detector]:
    """The detector of that name; case and punctuation don't matter.

    Raises
    ------
    UsageError
        If there is none; the message lists all.
    """
    known = classes()
    try:
        return known[resolve(name, known, "method")]
    except InputError as error:
        raise UsageError(str(error)) from error


def detector_of(spec: FitSpec) -> Detector:
    """The detector that a spec describes, not fitted yet."""
    detector = build_detector(method_class(spec.method), _settings(spec))
    usable_device(detector.device)  # before data is read
    if spec.generator is not None:
        detector = _around(detector, spec)
    if detector.composition.needs_labels:
        name = type(detector.composition).__name__
        raise UsageError(
            f"{name} learns from labels, which a fit does not look at: fit without it, then run "
            f"oddgan compose MODEL DATA --set composition={name}."
        )
    return detector


def _around(detector: Detector, spec: FitSpec) -> Detector:
    """The detector with the generator of a stored model."""
    if not hasattr(detector, "with_generator"):
        takers = ", ".join(name for name, cls in classes().items() if hasattr(cls, "with_generator"))
        raise UsageError(f"--generator is for methods that search a given one ({takers}), not {spec.method}.")
    given = load(cast(Path, spec.generator), device=spec.device, trust_changes=spec.trust_changes)
    found: Detector = detector.with_generator(given)
    return found


def published_settings(method: str, name: str) -> dict[str, Any]:
    """What a paper or its released code sets, for the detector's constructor: `EGBAD(**published_settings(...))`.

    Parameters
    ----------
    method : the detector.
    name : the data set, or what else tells the settings apart; case and punctuation don't matter.

    Raises
    ------
    UsageError
        If there are none of that name; the message lists those that there are.
    """
    cls = method_class(method)
    plain = published_as(cls, name).settings
    detector = build_detector(cls, plain)
    return {key: getattr(detector, key) for key in plain}


def _settings(spec: FitSpec) -> dict[str, Any]:
    given = {
        "contamination": spec.rate,
        "calibration": spec.calibration,
        "random_state": spec.seed,
        "device": spec.device,
    }
    chosen = {name: value for name, value in given.items() if value is not None}
    from_file = {} if spec.method_file is None else read_settings(spec.method_file)
    asked = merge(from_file, spec.settings)
    if spec.published is not None:
        found = published_as(method_class(spec.method), spec.published).settings
        # Steps that are asked for take the place of the passes that were published.
        replaced = {f"{name.removesuffix('steps')}epochs" for name in asked if name.endswith("steps")}
        asked = merge({name: value for name, value in found.items() if name not in replaced}, asked)
    settings = {"calibration": HELD_OUT, "random_state": 0} | asked | chosen
    if spec.threshold is not None:
        fields = settings.get("threshold")
        own = fields if isinstance(fields, dict) and "type" not in fields else {}
        settings["threshold"] = {"type": rule_name(spec.threshold)} | own
    return settings


RULES = {
    "quantile": "Quantile",
    "conformal": "Conformal",
    "mean-sigma": "MeanSigma",
    "evt": "GeneralisedPareto",
    "fixed": "Fixed",
}


def rule_name(text: str) -> str:
    """The class name of a rule: quantile, conformal, mean-sigma, evt, fixed, or the class name itself.

    Raises
    ------
    UsageError
        If there is no such rule.
    """
    try:
        return RULES[resolve(text, RULES, "threshold rule")]
    except InputError as error:
        if text in RULES.values():
            return text
        raise UsageError(str(error)) from error
