"""Checks of the arguments of parts: each refuses a wrong value in one sentence that names the part and the value."""

import math

from oddgan._core.errors import InputError


def known(part: object, choices: tuple[str, ...], **named: str) -> None:
    """Raise InputError unless each named value is one of the choices."""
    listed = " or ".join(f'"{choice}"' for choice in choices)
    for name, value in named.items():
        _demand(part, name, value, listed, ok=value in choices)


def finite(part: object, **named: float) -> None:
    """Raise InputError unless each named value is finite."""
    for name, value in named.items():
        _demand(part, name, value, "a finite number", ok=math.isfinite(value))


def positive(part: object, **named: float) -> None:
    """Raise InputError unless each named value is finite and above 0."""
    for name, value in named.items():
        _demand(part, name, value, "a finite number above 0", ok=0 < value < math.inf)


def share(part: object, **named: float) -> None:
    """Raise InputError unless each named value is in [0, 1)."""
    for name, value in named.items():
        _demand(part, name, value, "a number of at least 0 and below 1", ok=0 <= value < 1)


def _demand(part: object, name: str, value: object, wanted: str, *, ok: bool) -> None:
    if not ok:
        raise InputError(f"{type(part).__name__} got {name}={value!r}: give {wanted}.")
