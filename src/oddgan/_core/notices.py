"""What the user should know, as warnings that can be told from others and collected."""

import sys
import warnings

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
