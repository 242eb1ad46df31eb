"""Give a finished file or folder its name: without replacing, or in one step in the place of the old one."""

import errno
import itertools
import os
from collections.abc import Iterator
from pathlib import Path

from oddgan._core.errors import InputError
from oddgan._core.locks import Lock, remove
from oddgan._core.renames import exchange, rename_new

_NO_SYNC = {errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EROFS, errno.EACCES, errno.EPERM}
_TABLES = {".csv", ".npz", ".parquet", ".json", ".html"}


def publish(temporary: Path, lock: Lock, *, force: bool, durable: bool) -> None:
    """Give a finished file or folder its name; at any moment the name has the old or the new one, whole.

    Parameters
    ----------
    temporary : what is finished, beside the target.
    lock : of the target.
    force : replace an existing target.
    durable : wait until the disk has it.

    Raises
    ------
    InputError
        If another program has made the target meanwhile, without `force`: the error says where the result is.
    """
    target = lock.target
    if durable:
        _sync(temporary)
    if force:
        _replace(temporary, lock)
    else:
        _put_new(temporary, target)
    if durable:
        _sync_one(target.parent)


def numbered(path: Path) -> Iterator[Path]:
    """A name, and the same with -2, -3, ..."""
    yield path
    suffix = path.suffix if path.suffix in _TABLES else ""
    stem = path.name.removesuffix(suffix)
    yield from (path.with_name(f"{stem}-{number}{suffix}") for number in itertools.count(2))


def _put_new(temporary: Path, target: Path) -> None:
    """Rename; if another program has taken the name meanwhile, take the next free one and say so."""
    for name in numbered(target):
        try:
            rename_new(temporary, name)
        except FileExistsError:
            continue
        break
    if name != target:
        raise InputError(f"{target} was made by another program meanwhile: the result is in {name} instead.")


def _replace(temporary: Path, lock: Lock) -> None:
    target = lock.target
    if not temporary.is_dir():
        temporary.replace(target)
    elif not os.path.lexists(target):
        rename_new(temporary, target)
    elif exchange(temporary, target):
        remove(temporary)  # it is the old one now
    else:
        old = lock.temporary(".old")
        target.replace(old)
        try:
            temporary.replace(target)
        except BaseException:
            if not os.path.lexists(target):
                old.replace(target)
            raise
        remove(old)


def _sync(path: Path) -> None:
    """Wait until the disk has a file, or a folder with all that is in it."""
    if path.is_dir() and not path.is_symlink():
        for inner in path.iterdir():
            _sync(inner)
    _sync_one(path)


def _sync_one(path: Path) -> None:
    try:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        if error.errno not in _NO_SYNC:  # some file systems can't, e.g. folders on a network
            raise
