"""Texts of messages: values shortened, and sentences by condition."""

LONGEST = 60


def shown(value: object) -> str:
    """A value as a message shows it: one line, and only its beginning where it is long."""
    text = " ".join(repr(value).split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def texts_if(*choices: tuple[object, str]) -> list[str]:
    """The texts whose condition holds.

    Parameters
    ----------
    choices : pairs of a condition, by its truth, and a text.
    """
    return [text for condition, text in choices if condition]
