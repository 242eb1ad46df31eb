"""Image files, opened as PNG, JPEG or TIFF and nothing else: Pillow knows formats that start other programs."""

import contextlib
import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from oddgan._core.paths import why_unreadable

_FORMATS = ("PNG", "JPEG", "TIFF")
_MOST_PAGES = 100  # counted
_STDERR = 2  # the file descriptor that libraries in C write to


@contextlib.contextmanager
def opened(file: Path) -> Iterator[Image.Image]:
    """Open an image file.

    Parameters
    ----------
    file : the file; what it holds counts, not its suffix.

    Raises
    ------
    ValueError
        If it is a pipe or a device, no image of these formats, or claims more pixels than Pillow takes.
    """
    reason = why_unreadable(file)
    if reason is not None:
        raise ValueError(reason)
    try:
        with warnings.catch_warnings(), Image.open(file, formats=_FORMATS) as image:
            warnings.filterwarnings("error", message="Truncated")  # Pillow goes on with what it has
            yield image
    except UnidentifiedImageError as error:
        raise ValueError("it is damaged or no PNG, JPEG or TIFF image") from error
    except Image.DecompressionBombError as error:
        raise ValueError("it claims more than 178 million pixels") from error


def load(image: Image.Image) -> None:
    """Read the pixels of an open image; what the TIFF library prints about damage is dropped, the error stays."""
    if image.format != "TIFF":
        image.load()
        return
    sys.stderr.flush()
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):  # a program may run without a standard error
            kept = os.dup(_STDERR)
            stack.callback(os.close, kept)
            nowhere = os.open(os.devnull, os.O_WRONLY)
            stack.callback(os.close, nowhere)
            os.dup2(nowhere, _STDERR)
            stack.callback(os.dup2, kept, _STDERR)
        image.load()


def count_pages(image: Image.Image) -> int:
    """How many pages or frames an image has, counted up to 100; the first one stays open.

    A list of pages that leads on and on is not followed to its end.
    """
    if image.format != "TIFF":
        return int(getattr(image, "n_frames", 1))
    for page in range(1, _MOST_PAGES):
        try:
            image.seek(page)
        except EOFError:
            image.seek(0)
            return page
    return _MOST_PAGES
