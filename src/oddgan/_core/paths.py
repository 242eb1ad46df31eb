"""Checks of paths before they are opened: pipes, devices and links in circles are never read."""

import os
import stat
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from oddgan._core.errors import InputError

_KINDS = (
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISDIR, "a folder"),
)


def regular_file(path: str | Path) -> Path:
    """Return the path of a file that may be opened: opening a pipe waits forever, and a device never ends.

    Raises
    ------
    InputError
        If there is no file, it can't be looked at, or it is a pipe, a device, a socket or a folder.
    """
    check_name(path)
    reason = why_unreadable(Path(path))
    if reason is not None:
        raise InputError(f"{path} can't be read: {reason}; expected a file.")
    return Path(path)


def why_unreadable(path: Path) -> str | None:
    """Why a path is no file that may be opened, in words; None if it is one."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return "it is a link to a file that is not there" if path.is_symlink() else "there is no such file"
    except (OSError, ValueError) as error:
        return f"{getattr(error, 'strerror', None) or error}".lower()
    if stat.S_ISREG(mode):
        return None
    return "it is " + next((name for is_kind, name in _KINDS if is_kind(mode)), "no plain file")


def odd_name(name: str) -> str | None:
    r"""What is wrong with a name that can't be written into a table of scores or a report; None if nothing is.

    >>> odd_name("a\nb.png")
    'a line break or control character'
    """
    kinds = {unicodedata.category(c) for c in name}
    if "Cs" in kinds:  # how Python shows bytes that it can't decode
        return "bytes that are no UTF-8"
    return "a line break or control character" if kinds & {"Cc", "Zl", "Zp"} else None


def check_name(path: str | Path) -> None:
    """Refuse a path that can't be written into a table of scores, a message or a report.

    Raises
    ------
    InputError
        If it holds line breaks, control characters or bytes that are no UTF-8.
    """
    wrong = odd_name(str(path))
    if wrong is not None:
        raise InputError(f"The name {str(path)!a} holds {wrong}: rename it.")


def walk(folder: Path) -> Iterator[Path]:
    """Everything in a folder and its sub-folders but folders and what is hidden; links to folders are followed.

    Parameters
    ----------
    folder : a folder.

    Raises
    ------
    InputError
        If a folder can't be listed, or is found under two names, as where links lead in a circle.
    """
    seen: dict[tuple[int, int], Path] = {}
    waiting = [folder]
    while waiting:
        place = waiting.pop()
        status = place.stat()
        twin = seen.setdefault((status.st_dev, status.st_ino), place)
        if twin is not place:
            raise InputError(f"{place} and {twin} are one folder: remove the link, so that no file is read twice.")
        with os.scandir(place) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                path = place / entry.name
                if _is_folder(entry):
                    waiting.append(path)
                else:
                    yield path


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False
