"""Names that people type: case and punctuation do not matter."""

import difflib
from collections.abc import Iterable

from oddgan._core.errors import InputError


def canonical(name: str) -> str:
    """Reduce a name to its letters and digits in lower case.

    >>> canonical("f-AnoGAN")
    'fanogan'
    """
    return "".join(c for c in name.casefold() if c.isalnum())


def resolve(name: str, known: Iterable[str], kind: str) -> str:
    """Return the known name that `name` means.

    >>> resolve("f-anogan", ["AnoGAN", "FAnoGAN"], "method")
    'FAnoGAN'

    Raises
    ------
    InputError
        If none matches; the message suggests the closest and lists all.
    """
    table = {canonical(k): k for k in known}
    found = table.get(canonical(name))
    if found is None:
        close = difflib.get_close_matches(canonical(name), table, n=1)
        hint = f" Did you mean {table[close[0]]}?" if close else ""
        raise InputError(f"Unknown {kind} {name!r}.{hint} Known: {', '.join(sorted(table.values()))}.")
    return found
