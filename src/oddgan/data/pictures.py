"""Image files, opened as PNG, JPEG or TIFF and nothing else: Pillow knows formats that start other programs."""

import contextlib
import warnings
from collections.abc import Iterator
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from oddgan._core.paths import why_unreadable

_FORMATS = ("PNG", "JPEG", "TIFF")
_MOST_PAGES = 100  # counted


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
