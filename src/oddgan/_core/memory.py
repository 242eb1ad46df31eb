"""Memory limits: what the user allows, else a share of what the machine has."""

import contextlib
import importlib
import os
import re
import sys
from pathlib import Path

from oddgan._core.errors import InputError

_SHARE = 0.75  # of the machine's memory
_ALWAYS = 256 * 2**20  # bytes that any file may expand to
# Tables and pictures shrink to a hundredth at most when they are compressed; what shrinks more is empty, or a trap.
_EXPANSION = 200
_GROUPS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
_UNITS = {"": 1, "b": 1} | {f"{p}{s}": b**i for s, b in (("b", 1000), ("ib", 1024)) for i, p in enumerate("kmgt", 1)}


def parse_size(text: str) -> int:
    """Read a number of bytes.

    >>> parse_size("4GB"), parse_size("1.5 MiB")
    (4000000000, 1572864)

    Raises
    ------
    InputError
        If it is none, or zero.
    """
    match = re.fullmatch(r"([0-9]{1,15}(?:\.[0-9]{1,6})?) ?([a-z]*)", text.strip().lower())
    if match is None or match[2] not in _UNITS or float(match[1]) * _UNITS[match[2]] < 1:
        raise InputError(f"{text!r} is no amount of memory; expected e.g. 500MB, 4GB or 8GiB.")
    return int(float(match[1]) * _UNITS[match[2]])


def show_size(size: float) -> str:
    """A number of bytes in words.

    >>> show_size(4_000_000_000)
    '4 GB'
    """
    power = 0
    while size >= 1000 and power < 4:
        size, power = size / 1000, power + 1
    return f"{size:.3g} {('bytes', 'kB', 'MB', 'GB', 'TB')[power]}"


def allowed(stored: int, given: int | None = None) -> int:
    """How many bytes may be held of a source.

    Parameters
    ----------
    stored : the bytes that it takes where it lies; compressed data may expand to 200 times as many, or 256 MiB.
    given : what the user allows, which holds instead.
    """
    return given or min(int(_SHARE * machine_memory()), max(_ALWAYS, _EXPANSION * stored))


def afford(source: object, needed: float, stored: int, given: int | None = None) -> None:
    """Refuse data that would take too much memory, before they take it.

    Parameters
    ----------
    source : how the message names the data.
    needed : the bytes that it would take in memory.
    stored, given : as in `allowed`.

    Raises
    ------
    InputError
        If more is needed than is allowed.
    """
    limit = allowed(stored, given)
    if needed > limit:
        raise InputError(
            f"{source} takes {show_size(stored)} as it is stored and {show_size(needed)} in memory, but "
            f"{show_size(limit)} are allowed: allow more with --max-memory, if the data are meant to be so large."
        )


def machine_memory() -> int:
    """The bytes that this process may have: of the machine, its container or the process's own limit."""
    found = [sys.maxsize]
    with contextlib.suppress(AttributeError, ValueError, OSError):
        found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    for name in _GROUPS:
        with contextlib.suppress(ValueError, OSError):  # there is no such group, or it has no limit
            found.append(int(Path(name).read_text(encoding="ascii")))
    with contextlib.suppress(ImportError):  # Windows has no such limits
        resource = importlib.import_module("resource")
        soft, _ = resource.getrlimit(resource.RLIMIT_AS)
        found += [soft] if soft != resource.RLIM_INFINITY else []
    return min(found)
