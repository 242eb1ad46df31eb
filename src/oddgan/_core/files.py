"""Files that are written whole or not at all: another name first, then a rename."""

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
    with plain_errors(target):
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
    with plain_errors(target):
        _refuse_existing(target, force=force)
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent))
        try:
            yield temporary
            temporary.chmod(0o755)
            _put(temporary, target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def unfinished(path: str | Path) -> Path:
    """The name under which a file or folder grows that can be gone on with: `path` and ".part"."""
    target = Path(path)
    return target.with_name(f"{target.name}.part")


@contextlib.contextmanager
def growing_folder(path: str | Path, *, force: bool = False, resume: bool = False) -> Iterator[Path]:
    """Give the folder `path`.part; on success it becomes `path`, on any error it stays, to be gone on with.

    Parameters
    ----------
    path : the folder to write; its parents are created.
    force : replace an existing folder.
    resume : keep what an earlier try has left.

    Raises
    ------
    InputError
        If `path` exists without `force`, or the disk is full or not writable.
    """
    target, part = Path(path), unfinished(path)
    with plain_errors(target):
        _refuse_existing(target, force=force)
        if part.exists() and not resume:
            shutil.rmtree(part)
        part.mkdir(parents=True, exist_ok=True)
        try:
            yield part
            _put(part, target)
        finally:
            with contextlib.suppress(OSError):
                part.rmdir()  # if nothing came to be


def _put(temporary: Path, target: Path) -> None:
    """Give a folder its name, in the place of one that has it."""
    if target.exists():
        old = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".old", dir=target.parent))
        target.replace(old / target.name)
        temporary.replace(target)
        shutil.rmtree(old)
    else:
        temporary.replace(target)


def _refuse_existing(target: Path, *, force: bool) -> None:
    if target.exists() and not force:
        raise InputError(f"{target} exists already: give another name, or --force (force=True) to replace it.")


@contextlib.contextmanager
def plain_errors(target: Path) -> Iterator[None]:
    """Turn a full disk or a place that can't be written to into one sentence."""
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
