"""Notices: what the user should know, as warnings; collects notices to show at the end."""

import contextlib
import sys
import warnings
from collections.abc import Iterable, Iterator

from oddgan._core.errors import printable


class Notice(UserWarning):
    """Something that was dealt with and that the user should know."""


def notice(text: str) -> None:
    """Tell the user, once for each place in the code; of several workers, the first speaks."""
    if _speaks():
        warnings.warn(printable(text), Notice, stacklevel=3)


def _speaks() -> bool:
    workers = sys.modules.get("torch.distributed")  # without it, there are none
    return workers is None or not workers.is_available() or not workers.is_initialized() or workers.get_rank() == 0


class Notes:
    """Sentences for the user: those given, and the notices of the block.

    Parameters
    ----------
    caught : the warnings of the block so far.
    """

    def __init__(self, caught: list[warnings.WarningMessage]) -> None:
        self._caught = caught
        self._given: list[str] = []

    def add(self, texts: Iterable[str]) -> None:
        """Add sentences."""
        self._given += texts

    def told(self) -> tuple[str, ...]:
        """Every sentence so far, each once."""
        notices = [str(w.message) for w in self._caught if issubclass(w.category, Notice)]
        return tuple(dict.fromkeys([*self._given, *notices]))


@contextlib.contextmanager
def collected() -> Iterator[Notes]:
    """Collect the notices of the block; other warnings are passed on when it ends."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", Notice)
        yield Notes(caught)
    for w in caught:
        if not issubclass(w.category, Notice):
            warnings.warn_explicit(w.message, w.category, w.filename, w.lineno)
