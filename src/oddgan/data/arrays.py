"""Arrays and files of arrays: keys, splits, and the layout by kind."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from oddgan._core.arrays import plain_array
from oddgan._core.damage import told
from oddgan._core.errors import InputError
from oddgan._core.memory import afford
from oddgan._core.npy import Archive, check_npy
from oddgan.data.dataset import Raw, Reading
from oddgan.options import Kind, Options, SplitName

_AXES: Mapping[Kind, str] = {
    "table": "(n, d)",
    "series": "(n, c, t), or (n, t) for one channel",
    "image": "(n, h, w), (n, c, h, w) or (n, h, w, c)",
}
_CHANNELS = (1, 3, 4)
_COLOURS = (3, 4)
LARGE = 64 * 2**20  # bytes of an npy file from which on it is not read at once
_SMALLEST_SIDE = 8


class _Keys(NamedTuple):
    x: str
    y: str | None
    split: SplitName | None = None
    guessed: bool = False


def read_npy(path: Path, options: Options, *_: object) -> Raw:
    """Read one array from an npy file; a large one is mapped into memory, where its rows are read when needed.

    Raises
    ------
    InputError
        If the file is damaged or holds Python objects.
    """
    header = check_npy(path)
    large = options.mapped or path.stat().st_size >= LARGE
    if not large:
        afford(path, header.nbytes, path.stat().st_size, options.max_memory)
    with told(f"{path} can't be read: it is damaged, cut short or no .npy file"):
        x = np.load(path, mmap_mode="r" if large and header.nbytes else None, allow_pickle=False)
    return Raw(source=str(path), x=x)


def read_npz(path: Path, options: Options, like: Reading | None, default_split: SplitName) -> Raw:
    """Read the data, and labels if there are any, from an npz file.

    Raises
    ------
    InputError
        If the file is damaged, holds Python objects or expands to more than is allowed, or the keys are not there.
    """
    with Archive(path, options.max_memory) as file:
        keys = _choose_keys(path, file.keys, options, like, default_split)
        x, y = file.read(keys.x), None if keys.y is None else file.read(keys.y)
    notes = (f"The data is the array {keys.x!r} of {path.name}.",) if keys.guessed else ()
    return Raw(source=str(path), x=x, y=y, split=keys.split, notes=notes)


def choose_split(source: str, there: Collection[SplitName], wanted: SplitName | None, default: SplitName) -> SplitName:
    """The half to read of a source that holds the halves `there`.

    Raises
    ------
    InputError
        If the user wants a half that is not there.
    """
    if wanted is not None and wanted not in there:
        raise InputError(f"{source} has no {wanted} part; it has {' and '.join(there) or 'no parts'}.")
    if wanted is not None:
        return wanted
    return default if default in there else next(iter(there))


def layout(x: np.ndarray, kind: Kind | None, source: str) -> tuple[Kind, np.ndarray]:
    """Bring an array into the layout of its kind: (n, d), (n, c, t) or (n, c, h, w).

    Parameters
    ----------
    x : the array. Without a kind: two axes are a table; four are images; three are grey images (n, h, w) if the
        values are unsigned 8 or 16 bit integers and both sides have at least 8 pixels, otherwise series (n, c, t).
        Images with channels last are turned: those whose last axis has 1, 3 or 4 entries while axis 1 has another
        number of them. If both have 3 or 4 they are refused.
    kind : what the user or the model says it is; then (n, t) is also a series and (n, h, w) also images.
    source : how messages name the data.

    Raises
    ------
    InputError
        If the array's axes or values don't fit.
    """
    x = numeric(x, source)
    kind = kind or _guess_kind(x, source)
    if kind == "series" and x.ndim == 2:
        x = x[:, None]
    if kind == "image" and x.ndim == 3:
        x = x[:, None]
    if x.ndim != {"table": 2, "series": 3, "image": 4}[kind]:
        raise InputError(f"{source} has shape {x.shape}; expected {_AXES[kind]} for kind {kind}.")
    if kind == "image" and x.shape[3] in _COLOURS and x.shape[1] in _COLOURS:
        raise InputError(
            f"{source} has shape {x.shape}, whose channels may be first or last; expected (n, channels, height, width) "
            f"with more than {max(_CHANNELS)} columns: resize the images, or give the array to fit in Python."
        )
    if kind == "image" and x.shape[3] in _CHANNELS and x.shape[1] not in _CHANNELS:
        x = np.moveaxis(x, 3, 1)
    if 0 in x.shape[1:]:
        raise InputError(f"{source} has samples of shape {x.shape[1:]}, which hold nothing.")
    return kind, x


def doubts(x: np.ndarray, source: str) -> tuple[str, ...]:
    """What the user should know of an array that is read as series for want of a kind.

    Parameters
    ----------
    x : the array (n, ...) as it is given.
    source : how messages name it.
    """
    if x.ndim != 3 or x.shape[1] != x.shape[2] or x.shape[1] < _SMALLEST_SIDE:
        return ()
    return (
        f"{source} has shape {x.shape} and is read as series of {x.shape[1]} channels; grey images are read with "
        "--kind image.",
    )


def numeric(x: np.ndarray, source: str) -> np.ndarray:
    """Return the array (n, ...) itself if it holds real numbers; truth values become 0 and 1, masked entries NaN.

    Raises
    ------
    InputError
        If it holds texts, objects or complex numbers.
    """
    x = plain_array(x, source) if isinstance(x, np.ma.MaskedArray) else np.asarray(x)
    if x.dtype.kind not in "biuf":
        raise InputError(f"{source} holds values of type {x.dtype}; expected real numbers.")
    return x.view(np.uint8) if x.dtype.kind == "b" else x


def _guess_kind(x: np.ndarray, source: str) -> Kind:
    if x.ndim not in {2, 3, 4}:
        known = "; ".join(f"{kind} {axes}" for kind, axes in _AXES.items())
        raise InputError(f"{source} has shape {x.shape}; expected {known}.")
    grey = x.ndim == 3 and x.dtype in (np.uint8, np.uint16) and min(x.shape[1:]) >= _SMALLEST_SIDE
    return "table" if x.ndim == 2 else "image" if x.ndim == 4 or grey else "series"


def _choose_keys(
    path: Path, keys: list[str], options: Options, like: Reading | None, default_split: SplitName
) -> _Keys:
    known = options.x or (like.x_key if like and like.x_key in keys else None)
    named_y = options.y or (like.y_key if like and like.y_key in keys else None)
    for key in (options.x, options.y):
        if key is not None and key not in keys:
            raise InputError(f"{path} has no array {key!r}; it has {', '.join(keys) or 'none'}.")
    plain = known or next((k for k in ("x", "X") if k in keys), None)
    there: list[SplitName] = [s for s in ("train", "test") if f"x_{s}" in keys or f"X_{s}" in keys]
    if plain is None and there:
        split = choose_split(str(path), there, options.split, default_split)
        x = next(k for k in (f"x_{split}", f"X_{split}") if k in keys)
        return _Keys(x, named_y or (f"y_{split}" if f"y_{split}" in keys else None), split)
    if options.split:
        reason = f"--x {options.x} says which array to read" if options.x else "it has no x_train or x_test"
        raise InputError(f"{path} can't be split by --split {options.split}: {reason}.")
    if plain is None and len(keys) != 1:
        expected = "x, X, x_train or x_test"
        raise InputError(f"{path} has the arrays {', '.join(keys) or 'none'}; expected {expected}: name one with --x.")
    return _Keys(plain or keys[0], named_y or ("y" if "y" in keys and plain else None), guessed=plain is None)
