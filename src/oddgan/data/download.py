"""Download a file into the cache: whole, checked, or not at all."""

import hashlib
import http.client
import os
import shutil
import urllib.request
from pathlib import Path
from typing import Literal

from oddgan._core.errors import InputError
from oddgan._core.files import new_file, plain_errors
from oddgan._core.locks import locked

_SECONDS = 30
_PATIENCE = 600.0  # seconds that the download of another process is waited for


def cache_folder() -> Path:
    """Where data sets are kept: ODDGAN_CACHE, or ~/.cache/oddgan."""
    return Path(os.environ.get("ODDGAN_CACHE") or "~/.cache/oddgan").expanduser()


def fetch(url: str, path: Path, digest: str, algorithm: Literal["md5", "sha256"] = "md5") -> Path:
    """Download `url` to `path` if it is not there yet, and return `path`.

    Parameters
    ----------
    url : where the file is published.
    path : where it is kept.
    digest : the published sum; it guards against damage, and MD5 not against malice.
    algorithm : what the sum is, md5 or sha256.

    Raises
    ------
    InputError
        If there is no connection, or what arrives is not the published file.
    """
    if path.exists():
        return path
    with plain_errors(path), locked(path, patience=_PATIENCE):  # another process may be downloading it
        return path if path.exists() else _download(url, path, digest, algorithm)


def _download(url: str, path: Path, digest: str, algorithm: Literal["md5", "sha256"]) -> Path:
    with new_file(path) as temporary:
        try:
            with urllib.request.build_opener().open(url, timeout=_SECONDS) as response, temporary.open("wb") as file:
                shutil.copyfileobj(response, file)
        except (OSError, http.client.HTTPException) as error:
            raise InputError(
                f"{url} can't be downloaded ({error}): download it elsewhere and put it into {path.parent}."
            ) from error
        with temporary.open("rb") as file:
            found = hashlib.file_digest(file, lambda: hashlib.new(algorithm, usedforsecurity=False)).hexdigest()
        if found != digest:
            kind = algorithm.upper()
            raise InputError(
                f"{url} gave a file of {kind} sum {found}; expected {digest}: it was damaged or has changed."
            )
    return path
