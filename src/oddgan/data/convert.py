"""Convert what a source gave into a data set: layout, types, missing values, checks."""

import dataclasses

import numpy as np

from oddgan._core.errors import InputError, printable
from oddgan._core.memmap import Mapped, Samples, on_disk, pieces
from oddgan._core.memory import afford
from oddgan.data.arrays import doubts, layout
from oddgan.data.dataset import Dataset, Raw, Reading
from oddgan.data.encoding import fill, medians_of
from oddgan.data.images import plain_type, recolour, resize, same_type
from oddgan.data.labels import clean_labels, is_anomaly
from oddgan.data.tables import some
from oddgan.options import Kind, Options

_KINDS = {"table": "a table", "series": "series", "image": "images"}
_SHOWN = 5


def finish(raw: Raw, options: Options, like: Reading | None, *, finite: bool = True) -> Dataset:
    """Turn what a source gave into a data set.

    Parameters
    ----------
    raw : what the source gave.
    options : the user's, with the model's where the user said nothing.
    like : the reading of a fitted model, or None when fitting.
    finite : whether values that are no finite numbers are refused.

    Raises
    ------
    InputError
        If the data has the wrong kind or shape, too few rows, labels of the wrong length, or values that are no
        finite numbers.
    """
    if raw.kind and options.kind and raw.kind != options.kind:
        raise InputError(f"{raw.source} holds {_KINDS[raw.kind]}; expected {_KINDS[options.kind]}.")
    kind, array = layout(raw.x, options.kind or raw.kind, raw.source)
    x: Samples = Mapped(array) if on_disk(array) else array
    _check_rows(x, raw.source, fitting=like is None)
    _check_options(options, kind, raw.source)
    ids = np.arange(len(x)).astype(f"U{len(str(len(x)))}") if raw.ids is None else raw.ids
    y = None if raw.y is None else clean_labels(raw.y, len(x), raw.source)
    encoding = raw.encoding if like is None or like.encoding is None else like.encoding
    columns = encoding.names if encoding else None
    guessed = like is None and kind == "series" and not (options.kind or raw.kind)
    medians, notes = None, (*raw.notes, *(doubts(raw.x, raw.source) if guessed else ()))
    if kind == "image":
        x = _images(x, raw.source, options, like)
    elif x.dtype not in (np.float32, np.float64) or kind == "table":
        if not isinstance(x, Mapped):
            afford(raw.source, 8 * x.size, x.nbytes, options.max_memory)
        x = x.astype(np.float64)
    if kind == "table":
        _check_width(x, raw.source, columns)
        medians = _medians(x, y, dataclasses.replace(raw, encoding=encoding), options, like)
        x, filled = (x, ()) if medians is None else fill(x, medians, columns)
        notes += filled
    if finite:
        check_finite(x, ids, raw.source)
    reading = dataclasses.replace(_reading(raw, options, like, kind, x), medians=medians, encoding=encoding)
    notes = tuple(map(printable, notes))
    return Dataset(x=x, y=y, ids=ids, kind=kind, columns=columns, notes=notes, reading=reading, classes=raw.classes)


def check_finite(x: Samples, ids: np.ndarray, source: str = "The data") -> None:
    """Refuse values that are no finite numbers.

    Parameters
    ----------
    x : (n, ...) numbers.
    ids : (n,) names of the rows, for the message.
    source : how the message names the data.

    Raises
    ------
    InputError
        If some are NaN or infinite; the message says how many rows and which.
    """
    if x.dtype.kind != "f" or not len(x):
        return
    flat = (piece.reshape(len(piece), -1) for piece in pieces(x))
    counts = np.concatenate([np.stack([np.isnan(p).sum(axis=1), np.isinf(p).sum(axis=1)]) for p in flat], axis=1)
    bad, (nans, infinite) = np.flatnonzero(counts.any(axis=0)), counts.sum(axis=1)
    if not len(bad):
        return
    shown = ", ".join(str(i) for i in ids[bad[:_SHOWN]]) + (", ..." if len(bad) > _SHOWN else "")
    raise InputError(
        f"{source} holds {nans} NaN and {infinite} infinite values in {len(bad)} of {len(x)} rows: {shown}; "
        "repair or remove them" + (", or fill the NaN with --impute median." if x.ndim == 2 else ".")
    )


def _check_rows(x: Samples, source: str, *, fitting: bool) -> None:
    if len(x) == 0:
        raise InputError(f"{source} is empty: it has no row.")
    if fitting and len(x) == 1:
        raise InputError(f"{source} has one row only; at least 2 are needed to learn from.")


def _check_options(options: Options, kind: Kind, source: str) -> None:
    if kind != "image" and (options.resize or options.colour):
        raise InputError(f"{source} holds {_KINDS[kind]}; --resize and --colour are for images.")
    if kind != "table" and options.impute:
        raise InputError(f"{source} holds {_KINDS[kind]}; --impute is for tables.")


def _check_width(x: Samples, source: str, columns: tuple[str, ...] | None) -> None:
    if columns is not None and len(columns) != x.shape[1]:
        raise InputError(f"{source} has {x.shape[1]} columns; the model expects {len(columns)}: {some(columns)}.")


def _reading(raw: Raw, options: Options, like: Reading | None, kind: Kind, x: Samples) -> Reading:
    return Reading(
        kind=kind,
        dtype=str(x.dtype),
        x_key=options.x or (like.x_key if like else None),
        y_key=options.y or (like.y_key if like else None),
        label=raw.label or (like.label if like else None),
        drop=_once(raw.drop, like.drop if like else ()),
        keep=raw.keep or (like.keep if like else ()),
        split=raw.split,
        resize=options.resize,
        colour=raw.colour or options.colour,
        impute=options.impute,
        normal=options.normal,
        ecg=raw.ecg or (like.ecg if like else None),
        protocol=raw.protocol or (like.protocol if like else None),
    )


def _once(*groups: tuple[str, ...]) -> tuple[str, ...]:
    """All names of some groups, each once."""
    return tuple(dict.fromkeys(name for group in groups for name in group))


def _images(x: Samples, source: str, options: Options, like: Reading | None) -> Samples:
    x = plain_type(x) if like is None else same_type(x, like.dtype, source)

    def convert(rows: np.ndarray) -> np.ndarray:
        rows = recolour(rows, options.colour, source)
        return resize(rows, options.resize) if options.resize else rows

    return x.map(convert) if isinstance(x, Mapped) else convert(x)


def _medians(
    x: Samples, y: np.ndarray | None, raw: Raw, options: Options, like: Reading | None
) -> tuple[float, ...] | None:
    if options.impute is None:
        return None
    if like is None or like.medians is None:
        normal = np.ones(len(x), dtype=bool) if y is None else ~is_anomaly(y, options.normal)
        names = raw.encoding.names if raw.encoding else None
        return medians_of(x, normal if normal.any() else ~normal, raw.source, names)
    if len(like.medians) != x.shape[1]:
        raise InputError(f"{raw.source} has {x.shape[1]} columns; the model was fitted on {len(like.medians)}.")
    return like.medians
