"""Files that are written whole or not at all: a temporary name first, then a rename."""

import contextlib
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from oddgan._core.errors import InputError


@contextlib.contextmanager
def new_file(path: str | Path, *, force: bool = False) -> Iterator[Path]:
    """Give a temporary path; on success it becomes `path`, on any error nothing is left.

    Parameters
    ----------
    path : the file to write; its folder is created.
    force : replace an existing file.

    Raises
    ------
    InputError
        If `path` exists without `force`, or the disk is full or not writable.
    """
    target = Path(path)
    with _plain_errors(target):
        _refuse_existing(target, force=force)
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=f".part{target.suffix}", dir=target.parent)
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            temporary.chmod(0o644)
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def new_folder(path: str | Path, *, force: bool = False) -> Iterator[Path]:
    """Give a temporary folder; on success it becomes `path`, on any error nothing is left.

    Parameters
    ----------
    path : the folder to write; its parents are created.
    force : replace an existing folder.

    Raises
    ------
    InputError
        If `path` exists without `force`, or the disk is full or not writable.
    """
    target = Path(path)
    with _plain_errors(target):
        _refuse_existing(target, force=force)
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent))
        try:
            yield temporary
            temporary.chmod(0o755)
            if target.exists():
                old = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".old", dir=target.parent))
                target.replace(old / target.name)
                temporary.replace(target)
                shutil.rmtree(old)
            else:
                temporary.replace(target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def _refuse_existing(target: Path, *, force: bool) -> None:
    if target.exists() and not force:
        raise InputError(f"{target} exists already: give another name, or --force (force=True) to replace it.")


@contextlib.contextmanager
def _plain_errors(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise InputError(f"No space left on the disk for {target}: free some, or write elsewhere.") from error
        if error.errno in {errno.EACCES, errno.EROFS, errno.EPERM}:
            raise InputError(f"{target} can't be written: no permission there; choose another place.") from error
        if error.errno in {errno.ENOTDIR, errno.EEXIST}:
            raise InputError(f"{target} can't be written: a folder on its way is a file.") from error
        raise
