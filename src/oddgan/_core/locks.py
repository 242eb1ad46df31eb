"""Locks: one process at a time writes a file or folder; the next one removes what a killed one has left.

The lock of `folder/name` is the file `folder/.name.oddgan.lock`. Its first line says who holds it; each further line
names a temporary file or folder beside the target, written down before it is made. The system releases the lock when
the process ends, however it ends. A lock file that nobody holds therefore tells what its process has left behind.
"""

import contextlib
import errno
import json
import os
import re
import secrets
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from oddgan._core.errors import InputError
from oddgan._core.renames import rename_new

try:
    import fcntl
except ImportError:  # Windows
    _flock = None
else:
    _flock = fcntl.flock
    _EXCLUSIVE, _RELEASE = fcntl.LOCK_EX | fcntl.LOCK_NB, fcntl.LOCK_UN

_SUFFIX = ".oddgan.lock"
_PATIENCE = 1.0  # seconds that a lock is waited for: others hold it so long only to clean up
_PAUSE = 0.02
_UNSUPPORTED = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL}


class HeldError(InputError):
    """Another process is writing the file or folder."""


@dataclass
class Lock:
    """A lock that this process holds.

    Parameters
    ----------
    target : the file or folder that is written.
    path : the lock file.
    handle : the open lock file.
    """

    target: Path
    path: Path
    handle: int
    owner: tuple[int, int] = field(default_factory=lambda: (os.getpid(), threading.get_ident()))
    uses: int = 1
    made: list[Path] = field(default_factory=list)

    def temporary(self, suffix: str) -> Path:
        """Choose a free name beside the target and write it down, so that a killed process's file is recognised.

        Parameters
        ----------
        suffix : the end of the name, ".old" or one that begins with ".part".
        """
        name = f".{self.target.name}.{secrets.token_hex(4)}{suffix}"
        self._append({"name": name})
        self.made.append(self.target.with_name(name))
        return self.made[-1]

    def clean(self) -> None:
        """Remove what a killed process has left, and write down who holds the lock now."""
        left = [name for line in _lines(self.handle)[1:] if _is_ours(name := str(line.get("name")), self.target.name)]
        for name in sorted(left, key=lambda name: not name.endswith(".old")):
            path = self.target.with_name(name)
            if name.endswith(".old") and os.path.lexists(path) and not os.path.lexists(self.target):
                rename_new(path, self.target)  # killed between the two renames of a replacement
            remove(path)
        os.ftruncate(self.handle, 0)
        os.lseek(self.handle, 0, os.SEEK_SET)
        now = datetime.now().astimezone().isoformat(timespec="seconds")
        self._append({"host": socket.gethostname(), "pid": self.owner[0], "since": now})

    def release(self) -> None:
        """Remove the lock file, unless something that it names is left, then let the lock go."""
        if os.getpid() != self.owner[0]:  # a forked copy has no lock
            return
        with contextlib.suppress(FileNotFoundError):
            left = any(os.path.lexists(path) for path in self.made)
            if not left and os.path.samestat(os.fstat(self.handle), self.path.lstat()):
                self.path.unlink()
        os.close(self.handle)

    def _append(self, values: dict[str, object]) -> None:
        os.write(self.handle, f"{json.dumps(values)}\n".encode())


_held: dict[Path, Lock] = {}
_guard = threading.Lock()


@contextlib.contextmanager
def locked(target: Path, *, patience: float = _PATIENCE, again: bool = True) -> Iterator[Lock]:
    """Hold the lock of a file or folder for the block; its folder is made if need be.

    Parameters
    ----------
    target : what is written.
    patience : seconds to wait for another process, >= 0.
    again : share the lock if this thread holds it already.

    Raises
    ------
    HeldError
        If another process, or another thread, holds the lock.
    """
    if target.name in {"", ".."}:
        raise InputError(f"{target} can't be written: give the name of a file or folder.")
    made = [folder for folder in target.parents if not folder.exists()]
    key = target.parent.resolve() / target.name
    with _guard:
        lock = _held.get(key)
        if lock is not None and again and lock.owner == (os.getpid(), threading.get_ident()):
            lock.uses += 1
        else:
            lock = None
    if lock is None:
        lock = _wait(target, patience)
        _held[key] = lock
    try:
        yield lock
    finally:
        lock.uses -= 1
        if not lock.uses:
            _held.pop(key, None)
            lock.release()
            with contextlib.suppress(OSError):
                for folder in made:  # where nothing came to be
                    folder.rmdir()


def sweep(folder: Path, *, deep: bool = False) -> None:
    """Remove what killed processes have left in a folder; what a live one writes, and foreign files, stay.

    Parameters
    ----------
    folder : where to look.
    deep : look into its subfolders, too.
    """
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in list(entries):
            if entry.name.endswith(_SUFFIX) and entry.name.startswith(".") and entry.is_file(follow_symlinks=False):
                settle(Path(folder, entry.name[1 : -len(_SUFFIX)]))
            elif deep and entry.is_dir(follow_symlinks=False):
                sweep(Path(folder, entry.name), deep=True)


def settle(target: Path) -> None:
    """If a killed process was writing this file or folder: put it in order."""
    with contextlib.suppress(OSError):
        path, lock = lock_file(target), None
        handle = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
        try:
            if _take(handle, path):
                lock = Lock(target, path, handle)
                lock.clean()
                path.unlink(missing_ok=True)
        finally:
            os.close(handle)


def lock_file(target: Path) -> Path:
    """The lock file of a file or folder."""
    return target.with_name(f".{target.name}{_SUFFIX}")


def remove(path: Path) -> None:
    """Remove a file, a link, or a folder with all that is in it; nothing if there is none."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _wait(target: Path, patience: float) -> Lock:
    """Take the lock as soon as it is free."""
    path, end = lock_file(target), time.monotonic() + patience
    while True:
        target.parent.mkdir(parents=True, exist_ok=True)
        found = _try(target, path)
        if found is not None:
            return found
        if time.monotonic() >= end and os.path.lexists(path):
            raise _busy(target, path)
        if time.monotonic() >= end + _PATIENCE:  # nobody holds it, and still it can't be made, e.g. in /proc
            raise InputError(f"{target} can't be written: {target.parent} takes no new files; give another folder.")
        time.sleep(_PAUSE)


def _try(target: Path, path: Path) -> Lock | None:
    """Take the lock; None if another process has it."""
    flags, made = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0), True
    try:
        handle = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o644)
    except FileExistsError:
        made = False
        try:
            handle = os.open(path, flags)
        except FileNotFoundError:  # released in between
            return None
    except FileNotFoundError:  # the folder was removed in between
        return None
    lock = None
    try:
        if _take(handle, path, made=made):
            lock = Lock(target, path, handle)
            lock.clean()
    except BaseException:
        if made and lock is not None:
            path.unlink(missing_ok=True)
        os.close(handle)
        raise
    if lock is None:
        os.close(handle)
    return lock


def _take(handle: int, path: Path, *, made: bool = False) -> bool:
    """Lock an open file; where the system has no locks, whoever has made the file has the lock."""
    try:
        if _flock is None:
            return made
        _flock(handle, _EXCLUSIVE)
        return os.path.samestat(os.fstat(handle), path.lstat())  # else another has released it in between
    except (BlockingIOError, FileNotFoundError):
        return False
    except OSError as error:
        if error.errno in _UNSUPPORTED:
            return made
        raise


def _busy(target: Path, path: Path) -> HeldError:
    """Say who holds a lock."""
    who, more = "another process", ""
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_RDWR)
        try:
            holder = next(iter(_lines(handle)), {})
            if {"pid", "host", "since"} <= holder.keys():
                who = f"process {holder['pid']} on {holder['host']} since {str(holder['since'])[:19].replace('T', ' ')}"
            if not _has_locks(handle):
                more = f"; if it has ended, remove {path}"
        finally:
            os.close(handle)
    return HeldError(f"{target} is being written by {who}: wait until it ends, or give another name{more}.")


def _has_locks(handle: int) -> bool:
    """Whether the file system knows locks that end with their process."""
    try:
        return _flock is not None and _flock(handle, _RELEASE) is None
    except OSError:
        return False


def _lines(handle: int) -> list[dict[str, object]]:
    """What a lock file holds; lines that were cut short are left out."""
    os.lseek(handle, 0, os.SEEK_SET)
    found = []
    for line in os.read(handle, 2**20).splitlines():
        with contextlib.suppress(ValueError):
            found.append(json.loads(line))
    return [line for line in found if isinstance(line, dict)]


def _is_ours(name: str, target: str) -> bool:
    """Whether a temporary file of this target can have this name."""
    suffix = re.escape(Path(target).suffix)
    return re.fullmatch(rf"\.{re.escape(target)}\.[0-9a-f]{{8}}\.(old|part({suffix})?)", name) is not None


def _forget() -> None:
    """A forked process holds no locks: the descriptors that it has would keep them alive."""
    for lock in _held.values():
        with contextlib.suppress(OSError):
            os.close(lock.handle)
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
