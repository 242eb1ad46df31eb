"""Errors that other packages raise on damaged files, turned into one sentence."""

import contextlib
import warnings
from collections.abc import Iterator

from oddgan._core.errors import InputError, OddganError, printable

_LONGEST = 160  # characters of another package's message


@contextlib.contextmanager
def told(what: str) -> Iterator[None]:
    """Turn whatever the block raises into an `InputError`: decoders promise no kind of error for damaged files.

    Parameters
    ----------
    what : the message, without its full stop; what the decoder says follows in brackets.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is wrong ends in an error, and hints are for programmers
            yield
    except OddganError:
        raise
    except MemoryError as error:
        raise InputError(f"{what} (it takes more memory than there is).") from error
    except Exception as error:
        raise InputError(f"{what} ({brief(error)}).") from error


def brief(error: Exception) -> str:
    """What an error says, on one line, without its full stop; the kind of error if it says nothing."""
    text = printable(str(error)).rstrip(". ")
    return f"{text[:_LONGEST]}..." if len(text) > _LONGEST else text or type(error).__name__
