"""Read any source into a data set."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from oddgan._core.errors import InputError
from oddgan.data.arrays import layout, read_npy, read_npz
from oddgan.data.builtin import NAMES as BUILTIN
from oddgan.data.builtin import load_builtin
from oddgan.data.dataset import Dataset, Options, Raw, Reading, SplitName
from oddgan.data.encoding import encode, fill, medians_of
from oddgan.data.folders import SUFFIXES, read_folder
from oddgan.data.images import plain_type, recolour, resize, same_type
from oddgan.data.labels import clean_labels
from oddgan.data.readers import NAMES, is_named, load_named
from oddgan.data.tables import frame_columns, read_csv, read_frame, read_parquet

_PREFIX = "builtin:"
_SHOWN = 5
_FLAGS = {"x": "--x", "y": "--y", "label": "--label", "split": "--split", "skip_bad": "--skip-bad"}
_KINDS = {"table": "a table", "series": "series", "image": "images"}


def read(
    source: str | Path | np.ndarray | Any,
    options: Options | None = None,
    *,
    like: Reading | None = None,
    default_split: SplitName = "train",
) -> Dataset:
    """Read a source.

    Parameters
    ----------
    source : a file (npz, npy, csv, parquet), a folder of images, `builtin:digits`, `builtin:breast-cancer`,
        `builtin:ecg`, `mnist`, `fashion-mnist`, `cifar10`, an array, or a frame of pandas, polars or pyarrow.
    options : what the user says about it.
    like : the reading of a fitted model: the same conversion is applied, and one row is enough.
    default_split : what is read of a source with both splits when the options name none.

    Raises
    ------
    InputError
        If the source can't be used as it is; the message says why and what to do.
    """
    options = _merge(options or Options(), like)
    return _finish(_load(source, options, like, default_split), options, like)


def from_frame(
    frame: Any, label: str | None = None, options: Options | None = None, *, like: Reading | None = None
) -> Dataset:
    """Read a frame.

    Parameters
    ----------
    frame : a frame of pandas, polars or pyarrow.
    label : the column of the labels.
    options : what else the user says about it.
    like : the reading of a fitted model.

    Raises
    ------
    InputError
        As in `read`.
    """
    return read(frame, dataclasses.replace(options or Options(), label=label), like=like)


def check_finite(x: np.ndarray, ids: np.ndarray, source: str = "The data") -> None:
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
    if x.dtype.kind != "f" or np.isfinite(x).all():
        return
    flat = x.reshape(len(x), -1)
    bad = np.flatnonzero(~np.isfinite(flat).all(axis=1))
    nans, infinite = int(np.isnan(flat).sum()), int(np.isinf(flat).sum())
    shown = ", ".join(str(i) for i in ids[bad[:_SHOWN]]) + (", ..." if len(bad) > _SHOWN else "")
    raise InputError(
        f"{source} holds {nans} NaN and {infinite} infinite values in {len(bad)} of {len(x)} rows: {shown}; "
        "repair or remove them" + (", or fill the NaN with --impute median." if x.ndim == 2 else ".")
    )


def _merge(options: Options, like: Reading | None) -> Options:
    if like is None:
        return options
    for name in ("kind", "resize", "colour"):
        wanted, fitted = getattr(options, name), getattr(like, name)
        if wanted is not None and fitted is not None and wanted != fitted:
            raise InputError(f"The model was fitted with {name} {fitted}, not {wanted}: leave --{name} away.")
    if options.impute and not like.impute:
        raise InputError("The model was fitted without --impute, so it has no medians to fill in: fit it anew.")
    return dataclasses.replace(
        options,
        kind=like.kind,
        resize=options.resize or like.resize,
        colour=options.colour or like.colour,
        impute=like.impute,
        normal=like.normal if options.normal is None else options.normal,
    )


def _load(source: Any, options: Options, like: Reading | None, default_split: SplitName) -> Raw:
    if isinstance(source, np.ndarray):
        _only(options, "an array")
        return Raw(source="The array", x=source)
    if not isinstance(source, str | Path):
        if frame_columns(source) is None:
            raise InputError(f"Can't read a {type(source).__name__}; expected a path, a name, an array or a frame.")
        _only(options, "a frame", "label")
        return encode(read_frame(source), options, like)
    if str(source).startswith(_PREFIX):
        _only(options, source, "split")
        return load_builtin(str(source).removeprefix(_PREFIX), options.split or default_split)
    path = Path(source)
    if path.is_dir():
        _only(options, source, "split", "skip_bad")
        return read_folder(path, options, default_split)
    if path.exists():
        return _load_file(path, options, like, default_split)
    if is_named(str(source)):
        _only(options, source, "split")
        return load_named(str(source), options.split or default_split)
    names = ", ".join([*(_PREFIX + name for name in BUILTIN), *NAMES])
    raise InputError(f"There is no file or folder {source}, nor a data set of that name; known sets: {names}.")


def _load_file(path: Path, options: Options, like: Reading | None, default_split: SplitName) -> Raw:
    suffix = path.suffix.lower()
    if suffix == ".npz":
        _only(options, path, "x", "y", "split")
        return read_npz(path, options, like, default_split)
    if suffix == ".npy":
        _only(options, path)
        return read_npy(path)
    if suffix in {".csv", ".tsv", ".parquet"}:
        _only(options, path, "label")
        return encode(read_parquet(path) if suffix == ".parquet" else read_csv(path), options, like)
    if suffix in SUFFIXES:
        raise InputError(f"{path} is a single image; give the folder that it is in.")
    raise InputError(f"{path} is of an unknown type; expected npz, npy, csv, parquet or a folder of images.")


def _only(options: Options, source: object, *allowed: str) -> None:
    for name, flag in _FLAGS.items():
        if name not in allowed and getattr(options, name):
            raise InputError(f"{flag} has no meaning for {source}: leave it away.")


def _finish(raw: Raw, options: Options, like: Reading | None) -> Dataset:
    if raw.kind and options.kind and raw.kind != options.kind:
        raise InputError(f"{raw.source} holds {_KINDS[raw.kind]}; expected {_KINDS[options.kind]}.")
    kind, x = layout(raw.x, options.kind or raw.kind, raw.source)
    _check_rows(x, raw.source, fitting=like is None)
    ids = np.arange(len(x)).astype(np.str_) if raw.ids is None else raw.ids
    encoding = raw.encoding or (like.encoding if like else None)
    reading = Reading(
        kind=kind,
        dtype="",
        x_key=options.x or (like.x_key if like else None),
        y_key=options.y or (like.y_key if like else None),
        label=raw.label or (like.label if like else None),
        split=raw.split,
        resize=options.resize,
        colour=raw.colour or options.colour,
        impute=options.impute,
        encoding=encoding,
        normal=options.normal,
    )
    x, medians, notes = _convert(x, raw, reading, like)
    check_finite(x, ids, raw.source)
    return Dataset(
        x=x,
        y=None if raw.y is None else clean_labels(raw.y, len(x), raw.source),
        ids=ids,
        kind=kind,
        columns=encoding.names if encoding else None,
        notes=raw.notes + notes,
        reading=dataclasses.replace(reading, dtype=str(x.dtype), medians=medians),
    )


def _check_rows(x: np.ndarray, source: str, *, fitting: bool) -> None:
    if len(x) == 0:
        raise InputError(f"{source} is empty: it has no row.")
    if fitting and len(x) == 1:
        raise InputError(f"{source} has one row only; at least 2 are needed to learn from.")


def _convert(
    x: np.ndarray, raw: Raw, reading: Reading, like: Reading | None
) -> tuple[np.ndarray, tuple[float, ...] | None, tuple[str, ...]]:
    if reading.kind == "image":
        return _images(x, raw.source, reading, like), None, ()
    if reading.resize or reading.colour:
        raise InputError(f"{raw.source} holds {_KINDS[reading.kind]}: --resize and --colour are for images.")
    if reading.kind == "series":
        if reading.impute:
            raise InputError(f"{raw.source} holds series: --impute is for tables.")
        return x if x.dtype in (np.float32, np.float64) else x.astype(np.float64), None, ()
    return _table(x.astype(np.float64), raw, reading, like)


def _images(x: np.ndarray, source: str, reading: Reading, like: Reading | None) -> np.ndarray:
    if reading.impute:
        raise InputError(f"{source} holds images: --impute is for tables.")
    x = plain_type(x) if like is None else same_type(x, like.dtype, source)
    x = recolour(x, reading.colour, source)
    return resize(x, reading.resize) if reading.resize else x


def _table(
    x: np.ndarray, raw: Raw, reading: Reading, like: Reading | None
) -> tuple[np.ndarray, tuple[float, ...] | None, tuple[str, ...]]:
    names = reading.encoding.names if reading.encoding else None
    if names and len(names) != x.shape[1]:
        raise InputError(f"{raw.source} has {x.shape[1]} columns; the model expects {len(names)}: {', '.join(names)}.")
    if reading.impute is None:
        return x, None, ()
    medians = like.medians if like and like.medians else medians_of(x, raw.source)
    if len(medians) != x.shape[1]:
        raise InputError(f"{raw.source} has {x.shape[1]} columns; the model was fitted on {len(medians)}.")
    filled, note = fill(x, medians, names)
    return filled, medians, (note,) * bool(note)
