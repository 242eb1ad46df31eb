"""Parameters as texts: `name=value` of the command line, and TOML files, become nested settings."""

import json
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from oddgan._core.errors import InputError
from oddgan._core.paths import regular_file
from oddgan.options.fields import UsageError

Settings = Mapping[str, Any]
_WORDS = {"none": None, "true": True, "false": False}


def parse_assignments(texts: Iterable[str]) -> dict[str, Any]:
    """Turn `name=value` texts into nested settings.

    >>> parse_assignments(["prior.low=-2", "prior=Uniform", "latent_dim=64"])
    {'prior': {'type': 'Uniform', 'low': -2}, 'latent_dim': 64}

    Parameters
    ----------
    texts : a dot leads into a part. Values are JSON or TOML; what is neither is text.

    Raises
    ------
    UsageError
        If one is no assignment.
    """
    pairs = []
    for text in texts:
        name, sign, value = text.partition("=")
        path = name.strip().replace("-", "_").split(".")
        if not sign or not all(word.isidentifier() for word in path):
            raise UsageError(
                f"{text!r} sets nothing: expected name=value, e.g. --set latent_dim=64 or --set prior.low=-1."
            )
        pairs.append((path, parse_value(value)))
    settings: dict[str, Any] = {}
    for path, value in sorted(pairs, key=lambda pair: len(pair[0])):  # a part's type comes before its fields
        nested = value
        for word in reversed(path):
            nested = {word: nested}
        settings = merge(settings, nested)
    return settings


def parse_value(text: str) -> Any:
    """Read a value as JSON or TOML, else as text.

    >>> [parse_value(text) for text in ("64", "1e-3", "[0.5, 0.9]", "none", "izi_f")]
    [64, 0.001, [0.5, 0.9], None, 'izi_f']
    """
    if text.strip().casefold() in _WORDS:
        return _WORDS[text.strip().casefold()]
    try:
        return json.loads(text)
    except ValueError:
        pass
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except ValueError:
        return text


def read_settings(path: str | Path) -> dict[str, Any]:
    """Read settings from a TOML file: keys are parameters, tables are parts, whose `type` names them.

    Raises
    ------
    UsageError
        If the file is not there or is not TOML.
    """
    try:
        return tomllib.loads(regular_file(path).read_text(encoding="utf-8"))
    except InputError as error:
        raise UsageError(str(error)) from error
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{path} can't be read as TOML: {error}.") from error


def merge(base: Settings, over: Settings) -> dict[str, Any]:
    """Lay settings over others. A table without a type changes the part below it, everything else replaces it.

    >>> merge({"prior": {"type": "Uniform", "low": -2}}, {"prior": {"high": 2}})
    {'prior': {'type': 'Uniform', 'low': -2, 'high': 2}}
    """
    merged = dict(base)
    for name, value in over.items():
        below = merged.get(name)
        if isinstance(value, Mapping) and "type" not in value and isinstance(below, Mapping | str):
            merged[name] = merge({"type": below} if isinstance(below, str) else below, value)
        else:
            merged[name] = value
    return merged
