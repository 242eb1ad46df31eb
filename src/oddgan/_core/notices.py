"""What the user should know, as warnings that can be told from others and collected."""

import warnings


class Notice(UserWarning):
    """Something that was dealt with and that the user should know."""


def notice(text: str) -> None:
    """Tell the user, once for each place in the code."""
    warnings.warn(text, Notice, stacklevel=3)
