"""Exceptions of oddgan. Each says what was given, what is expected and what to do, in one sentence."""

import re

_BREAKS = re.compile(r"\s*[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+\s*")
_LONG = re.compile(r"\S{401,}")


def printable(text: str) -> str:
    r"""Put a text on one line that can be printed: line breaks become spaces, control characters escapes.

    Words of more than 400 characters are cut to 100.

    >>> printable("damaged:\n  byte 7, \x1b[31m")
    'damaged: byte 7, \\x1b[31m'
    """
    joined = _LONG.sub(lambda word: f"{word[0][:100]}...", _BREAKS.sub(" ", text)).strip()
    if joined.isprintable():
        return joined
    return "".join(c if c.isprintable() or c.isspace() else ascii(c)[1:-1] for c in joined)


class OddganError(Exception):
    """Base of every error that oddgan raises on purpose; its text is one line, whatever it quotes.

    Parameters
    ----------
    text : what is wrong.
    """

    def __init__(self, text: str = "") -> None:
        super().__init__(printable(text))


class InputError(OddganError, ValueError):
    """Data or an argument that can't be used as given."""


class ModelError(OddganError, ValueError):
    """A stored model that can't be loaded."""


class TrainingError(OddganError, RuntimeError):
    """Training that can't go on, e.g. after a loss that is not finite."""


class MissingExtraError(OddganError, ImportError):
    """An optional dependency that is not installed."""
