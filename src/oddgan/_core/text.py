"""Values in messages, shortened."""

LONGEST = 60


def shown(value: object) -> str:
    """A value as a message shows it: one line, and only its beginning where it is long."""
    text = " ".join(repr(value).split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
