"""Open image files as PNG, JPEG or TIFF and nothing else: Pillow knows formats that start other programs."""

import contextlib
import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from oddgan._core.memory import show_size
from oddgan._core.paths import why_unreadable

_FORMATS = ("PNG", "JPEG", "TIFF")
# Values that a byte of a file stands for at most: zlib expands 1032 times, a block of JPEG takes a bit, LZW does more.
_MOST_A_BYTE = {"PNG": 1100, "JPEG": 1100, "MPO": 1100, "TIFF": 3000}
_SLACK = 2**16
_ONE_BYTE = ("1", "L", "P", "LA")
_EIGHT_BITS = ("RGB", "RGBA", "RGBX", "LA", "CMYK")
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


def check_size(image: Image.Image, stored: int, limit: int) -> None:
    """Refuse an image that claims more pixels than its file can hold, or than may be held.

    Parameters
    ----------
    image : an open image.
    stored : bytes of its file.
    limit : bytes that its pixels may take.

    Raises
    ------
    ValueError
        If it is too large.
    """
    width, height = image.size
    values = width * height * len(image.getbands())
    if image.mode != "1" and values > _MOST_A_BYTE[image.format or "TIFF"] * stored + _SLACK:
        raise ValueError(f"it claims {width} x {height} pixels, more than {stored} bytes can hold")
    needed = values if image.mode in _ONE_BYTE else 4 * width * height
    if needed > limit:
        raise ValueError(f"its {width} x {height} pixels take {show_size(needed)}: allow that with --max-memory")


def lost(image: Image.Image) -> str | None:
    """What of an open image is not read, in words: transparency, or half the bits of 16 bit colours."""
    if any(";16" in str(tile.args) for tile in getattr(image, "tile", ())) and image.mode in _EIGHT_BITS:
        return "the lower 8 of the 16 bits of each colour, which only grey images keep"
    return "transparency" if "A" in image.mode or "transparency" in image.info else None


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
