"""Atomic writes of files and folders: whole or not at all, by one process at a time."""

import contextlib
import errno
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from oddgan._core.errors import InputError
from oddgan._core.locks import HeldError, Lock, locked, remove, settle, sweep
from oddgan._core.publish import numbered, publish

T = TypeVar("T")
_MARK = ".unfinished"
_READS = 5  # how often a folder is read that other processes replace meanwhile


@contextlib.contextmanager
def writing(path: str | Path, *, force: bool = False) -> Iterator[Lock]:
    """Hold the lock of a file or folder that the block writes, e.g. while its content is computed.

    What killed processes have left in its folder is removed.

    Parameters
    ----------
    path : what is written; its folder is made, and removed if nothing comes to be in it.
    force : whether an existing one may be replaced.

    Raises
    ------
    InputError
        If another process is writing it, it exists without `force`, or the disk is full or not writable.
    """
    target = Path(path)
    with _locked(target, force=force) as lock:
        sweep(target.parent)
        yield lock


@contextlib.contextmanager
def new_file(path: str | Path, *, force: bool = False, durable: bool = True) -> Iterator[Path]:
    """Give a temporary path; on success it becomes `path`, on any error nothing is left.

    Parameters
    ----------
    path : the file to write; its folder is created.
    force : replace an existing file.
    durable : wait until the disk has it, so that it survives a power cut.

    Raises
    ------
    InputError
        If another process is writing it, `path` exists without `force`, or the disk is full or not writable.
    """
    target = Path(path)
    if target.is_dir():
        raise InputError(f"{target} is a folder, but a file is to be written: give another name.")
    with _locked(target, force=force) as lock:
        temporary = lock.temporary(f".part{target.suffix}")
        os.close(os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        try:
            yield temporary
            temporary.chmod(0o644)
            publish(temporary, lock, force=force, durable=durable)
        finally:
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def new_folder(path: str | Path, *, force: bool = False, durable: bool = True) -> Iterator[Path]:
    """Give a temporary folder; on success it becomes `path`, on any error nothing is left.

    Parameters
    ----------
    path : the folder to write; its parents are created.
    force : replace an existing folder.
    durable : wait until the disk has all of it, so that it survives a power cut.

    Raises
    ------
    InputError
        If another process is writing it, `path` exists without `force`, or the disk is full or not writable.
    """
    with _locked(Path(path), force=force) as lock, _folder(lock, force=force, durable=durable) as temporary:
        yield temporary


@contextlib.contextmanager
def numbered_folder(path: Path) -> Iterator[tuple[Path, Path]]:
    """Like `new_folder`, under the first free name of `path`, `path`-2, `path`-3, ...

    What killed processes have left beside it is removed.

    Returns
    -------
    temporary, target : where to write, and what it becomes.

    Raises
    ------
    InputError
        If the disk is full or not writable.
    """
    with plain_errors(path), contextlib.ExitStack() as held:
        sweep(path.parent)
        lock = next(lock for target in numbered(path) if (lock := _free(target, held)) is not None)
        with _folder(lock, force=False, durable=True) as temporary:
            yield temporary, lock.target


def unfinished(path: str | Path) -> Path:
    """The name of a file or folder that is resumed after an interruption: `path` and ".part"."""
    target = Path(path)
    return target.with_name(f"{target.name}.part")


@contextlib.contextmanager
def growing_folder(path: str | Path, *, force: bool = False, resume: bool = False, origin: str = "") -> Iterator[Path]:
    """Give the folder `path`.part; on success it becomes `path`, on any error it stays, to be resumed.

    Parameters
    ----------
    path : the folder to write; its parents are created.
    force : replace an existing folder, and an unfinished one unless it is resumed.
    resume : keep what an interrupted run has left.
    origin : what its files are made from; resuming takes the same.

    Raises
    ------
    InputError
        If another process is writing it, `path` exists without `force`, `path`.part holds other files or those of an
        interrupted run that is not resumed, or the disk is full or not writable.
    """
    target, part = Path(path), unfinished(path)
    with _locked(target, force=force) as lock:
        _begin_part(part, origin, force=force, resume=resume)
        try:
            yield part
            publish(part, lock, force=force, durable=False)
            (target / _MARK).unlink(missing_ok=True)
        finally:
            if part.is_dir() and [p.name for p in part.iterdir()] == [_MARK]:  # nothing came to be
                remove(part)


def read_steadily(path: Path, read: Callable[[Path], T]) -> T:
    """Read a folder that another process may replace meanwhile: all of it is of one version.

    Parameters
    ----------
    path : the folder.
    read : reads it.
    """
    for _ in range(_READS):
        if not path.exists():
            settle(path)  # a replacement that was killed between its two renames
        before = _version(path)
        try:
            found = read(path)
        except Exception:
            if _version(path) == before:
                raise
        else:
            if _version(path) == before:
                return found
    return read(path)


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


@contextlib.contextmanager
def _locked(target: Path, *, force: bool) -> Iterator[Lock]:
    """Hold the lock; an existing target is refused before any work without `force`."""
    with plain_errors(target):
        _refuse_existing(target, force=force)
        with locked(target) as lock:
            _refuse_existing(target, force=force)
            yield lock


@contextlib.contextmanager
def _folder(lock: Lock, *, force: bool, durable: bool) -> Iterator[Path]:
    temporary = lock.temporary(".part")
    temporary.mkdir(mode=0o700)
    try:
        yield temporary
        temporary.chmod(0o755)
        publish(temporary, lock, force=force, durable=durable)
    finally:
        with contextlib.suppress(OSError):
            remove(temporary)


def _free(target: Path, held: contextlib.ExitStack) -> Lock | None:
    """The lock of a name that nobody has taken; None if somebody has."""
    if os.path.lexists(target):
        return None
    with contextlib.ExitStack() as stack:
        try:
            lock = stack.enter_context(locked(target, patience=0.0, again=False))
        except HeldError:
            return None
        if os.path.lexists(target):
            return None
        held.enter_context(stack.pop_all())
        return lock


def _refuse_existing(target: Path, *, force: bool) -> None:
    if os.path.lexists(target) and not force:
        raise InputError(f"{target} exists already: give another name, or --force (force=True) to replace it.")


def _begin_part(part: Path, origin: str, *, force: bool, resume: bool) -> None:
    """Make the folder that grows, or take over what an interrupted run has left."""
    found = {p.name for p in part.iterdir()} if part.is_dir() else set()
    if os.path.lexists(part) and (not part.is_dir() or (found and _MARK not in found)):
        raise InputError(f"{part} is no unfinished result of oddgan: move it elsewhere, or give another name.")
    mark, begun = json.dumps(origin).encode(), bool(found - {_MARK})
    if begun and not resume and not force:
        raise InputError(
            f"{part} holds {len(found) - 1} files of an interrupted run: go on with --resume, or start anew with "
            "--force."
        )
    if begun and resume:
        if (part / _MARK).read_bytes() != mark:
            raise InputError(
                f"{part} was begun with another model or other data: give what it was begun with, or start anew with "
                "--force instead of --resume."
            )
        sweep(part, deep=True)
        return
    remove(part)
    part.mkdir()
    (part / _MARK).write_bytes(mark)


def _version(path: Path) -> tuple[int, int, int] | None:
    """What changes when a folder is replaced; None if it does not exist."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_ctime_ns
