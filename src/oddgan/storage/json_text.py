"""JSON from files that may come from strangers: bounded in size and nesting, all numbers finite."""

import json
import math
from typing import Any

LARGEST = 16 * 2**20
ITEMS = 2_000_000
DEEPEST = 40
_WHOLE = 2**64


def parse(data: bytes, largest: int = LARGEST) -> Any:
    """The value of JSON text.

    Parameters
    ----------
    data : the text in UTF-8.
    largest : at most how many bytes it may have.

    Raises
    ------
    ValueError
        If it is no JSON in UTF-8, is larger or nested deeper than a model needs, or holds numbers that are not finite.
    """
    if len(data) > largest or sum(map(data.count, (b",", b"[", b"{"))) > ITEMS:
        raise ValueError(f"it has {len(data)} bytes, more values than a model needs")
    try:
        value = json.loads(data.decode("utf-8"), parse_constant=_refused, parse_float=_float, parse_int=_int)
    except RecursionError:
        raise ValueError(f"it is nested deeper than {DEEPEST} levels") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"it is empty or no JSON at line {error.lineno}, column {error.colno}") from None
    level, below = 0, [value]
    while below:
        if level > DEEPEST:
            raise ValueError(f"it is nested deeper than {DEEPEST} levels")
        level += 1
        below = [
            item
            for parent in below
            if isinstance(parent, dict | list)
            for item in (parent.values() if isinstance(parent, dict) else parent)
            if isinstance(item, dict | list)
        ]
    return value


def _float(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _refused(text)


def _int(text: str) -> int:
    value = int(text) if len(text) < 25 else _WHOLE
    return value if abs(value) < _WHOLE else int(_refused(text))


def _refused(text: str) -> float:
    raise ValueError(f"it holds the number {text[:20]}, which is not finite or too large")
