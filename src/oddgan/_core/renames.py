"""Atomic renames: one that never replaces anything, and one that exchanges two names."""

import ctypes
import errno
import os
from pathlib import Path

_NEW, _EXCHANGE = 1, 2  # flags of Linux's renameat2
_HERE = -100  # AT_FDCWD: relative paths start at the working directory
_UNSUPPORTED = {errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EXDEV, errno.EPERM}


def rename_new(source: Path, target: Path) -> None:
    """Rename a file or folder; an existing target is never replaced.

    Parameters
    ----------
    source : what to rename.
    target : its new name, in the same file system.

    Raises
    ------
    FileExistsError
        If the target exists.
    """
    if _renameat2(source, target, _NEW):
        return
    if source.is_dir():
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
        source.rename(target)  # refused by the system if a folder with files has appeared meanwhile
        return
    try:
        target.hardlink_to(source)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from None
        source.rename(target)
    else:
        source.unlink()


def exchange(one: Path, other: Path) -> bool:
    """Exchange two names in one step, so that both exist at any moment.

    Returns
    -------
    bool
        False if the system can't: nothing has happened then.
    """
    return _renameat2(one, other, _EXCHANGE)


def _renameat2(source: Path, target: Path, flag: int) -> bool:
    """Call Linux's renameat2; False where the system or the file system lacks it."""
    try:
        function = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    if function(_HERE, os.fsencode(source), _HERE, os.fsencode(target), ctypes.c_uint(flag)) == 0:
        return True
    number = ctypes.get_errno()
    if number in _UNSUPPORTED:
        return False
    raise OSError(number, os.strerror(number), str(source), None, str(target))
