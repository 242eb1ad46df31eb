"""The settings of papers and their released code, which `published.toml` holds."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from oddgan._core.errors import InputError
from oddgan._core.names import resolve
from oddgan.base import Detector
from oddgan.options import UsageError

FILE = Path(__file__).with_suffix(".toml")


@dataclass(frozen=True)
class Published:
    """How a paper or its released code sets a detector.

    Parameters
    ----------
    settings : plain values by parameter; a part is its name, or a table with its `type` and its fields.
    source : where they were read; "from memory" where they were not.
    """

    settings: Mapping[str, Any]
    source: str


@cache
def _all() -> Mapping[str, Mapping[str, Published]]:
    found = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return {name: {key: _one(dict(table)) for key, table in tables.items()} for name, tables in found.items()}


def _one(table: dict[str, Any]) -> Published:
    source = table.pop("source")
    return Published(table, source)


def published(cls: type[Detector]) -> Mapping[str, Published]:
    """The published settings of a detector by name, e.g. of a data set; none for classes that extend it.

    Parameters
    ----------
    cls : the detector.
    """
    return _all().get(cls.__name__, {})


def published_as(cls: type[Detector], name: str) -> Published:
    """The published settings of a detector that have this name; case and punctuation don't matter.

    Parameters
    ----------
    cls : the detector.
    name : the data set, or what else tells them apart.

    Raises
    ------
    UsageError
        If there are none of that name; the message lists those that there are.
    """
    known = published(cls)
    if not known:
        raise UsageError(f"No published settings of {cls.__name__} are known: leave --published out.")
    try:
        return known[resolve(name, known, f"published settings of {cls.__name__}")]
    except InputError as error:
        raise UsageError(str(error)) from error
