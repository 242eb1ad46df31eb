"""Download a file into the cache: whole, checked, or not at all."""

import hashlib
import http.client
import os
import shutil
import urllib.request
from pathlib import Path

from oddgan._core.errors import InputError
from oddgan._core.files import new_file

_SECONDS = 30


def cache_folder() -> Path:
    """Where data sets are kept: ODDGAN_CACHE, or ~/.cache/oddgan."""
    return Path(os.environ.get("ODDGAN_CACHE") or "~/.cache/oddgan").expanduser()


def fetch(url: str, path: Path, md5: str) -> Path:
    """Download `url` to `path` if it is not there yet, and return `path`.

    Parameters
    ----------
    url : where the file is published.
    path : where it is kept.
    md5 : the published sum; it guards against damage, not against malice.

    Raises
    ------
    InputError
        If there is no connection, or what arrives is not the published file.
    """
    if path.exists():
        return path
    with new_file(path) as temporary:
        try:
            with urllib.request.build_opener().open(url, timeout=_SECONDS) as response, temporary.open("wb") as file:
                shutil.copyfileobj(response, file)
        except (OSError, http.client.HTTPException) as error:
            raise InputError(
                f"{url} can't be downloaded ({error}): download it elsewhere and put it into {path.parent}."
            ) from error
        with temporary.open("rb") as file:
            found = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
        if found != md5:
            raise InputError(f"{url} gave a file of MD5 sum {found}; expected {md5}: it was damaged or has changed.")
    return path
