"""SHA-256 digests of the files of a model, so that a bit that has changed since is noticed.

They tell damage and edits by hand, not forgery: whoever can change a file can write its digest anew.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from oddgan._core.damage import brief
from oddgan._core.errors import ModelError

KEY = "digest"


def digests(folder: Path, head: Mapping[str, Any], name: str, others: list[str]) -> dict[str, str]:
    """The digest of each file of a model, by name.

    Parameters
    ----------
    folder : where the files lie.
    head : the content of the JSON file; its digests do not count, nor does how it is laid out.
    name : the name of the JSON file.
    others : the names of the other files, relative to the folder.
    """
    content = json.dumps({k: v for k, v in head.items() if k != KEY}, sort_keys=True, separators=(",", ":"))
    return {name: hashlib.sha256(content.encode()).hexdigest()} | {other: _of_file(folder / other) for other in others}


def check_digests(folder: Path, head: Mapping[str, Any], name: str, others: list[str]) -> None:
    """Refuse a model whose files are not those that were saved.

    Parameters
    ----------
    folder, head, name, others : as in `digests`.

    Raises
    ------
    ModelError
        The message names the file that has changed.
    """
    noted = head.get(KEY)
    if not isinstance(noted, dict):
        raise ModelError(f"{folder / name} lacks the digests of the model's files: {_ADVICE}.")
    for file, digest in digests(folder, head, name, others).items():
        if noted.get(file) != digest:
            raise changed(folder / file)


def changed(path: Path) -> ModelError:
    """The error of a file that is not the one that was saved."""
    return ModelError(f"{path} is damaged or has changed since the model was saved: {_ADVICE}.")


_ADVICE = (
    "copy the whole folder again, or, if you have edited it yourself, load it with trust_changes=True (--trust-changes)"
)


def _of_file(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(f"{path} can't be read: {brief(error)}.") from error
