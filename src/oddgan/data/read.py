"""Read any source into a data set; `FORMATS` lists the kinds of files."""

import dataclasses
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from oddgan._core.arrays import plain_array
from oddgan._core.damage import brief
from oddgan._core.errors import InputError
from oddgan._core.names import canonical
from oddgan._core.paths import check_name, regular_file, walk
from oddgan.data.arrays import read_npy, read_npz
from oddgan.data.builtin import NAMES as BUILTIN
from oddgan.data.builtin import ecg_cut, ecg_protocol, load_builtin
from oddgan.data.convert import finish
from oddgan.data.csv_files import load_csv
from oddgan.data.dataset import Dataset, Raw, Reading
from oddgan.data.ecg import mitbih_folder
from oddgan.data.ecg.mitbih import NAME as MITBIH
from oddgan.data.ecg.records import record_paths
from oddgan.data.ecg.source import read_recordings, with_known_labels
from oddgan.data.encoding import encode
from oddgan.data.folders import SUFFIXES, read_folder
from oddgan.data.frames import frame_columns, read_frame
from oddgan.data.parquet import load_parquet
from oddgan.data.published import NAMES, is_named, load_named
from oddgan.data.tables import selected
from oddgan.options import Options, SplitName
from oddgan.options.fields import fields_of

_PREFIX = "builtin:"
Reader = Callable[[Path, Options, Reading | None, SplitName], Raw]
"""From a file, the user's options, the reading of a fitted model, and the half that is read by default."""


class Format(NamedTuple):
    """A kind of file.

    Parameters
    ----------
    suffixes : of its files, in lower case.
    options : those that apply to it, beside `_ALWAYS`.
    read : its reader.
    """

    suffixes: tuple[str, ...]
    options: tuple[str, ...]
    read: Reader


_OF_TABLES = ("label", "drop", "keep", "categorical")
FORMATS = (
    Format((".npz",), ("x", "y", "split"), read_npz),
    Format((".npy",), ("mapped",), read_npy),
    Format((".csv", ".tsv"), ("mapped", *_OF_TABLES), load_csv),
    Format((".parquet",), ("mapped", *_OF_TABLES), load_parquet),
)
_ALWAYS = ("normal", "kind", "resize", "colour", "impute", "max_memory")


def read(
    source: str | Path | np.ndarray | Any,
    options: Options | None = None,
    *,
    like: Reading | None = None,
    default_split: SplitName = "train",
    finite: bool = True,
    labelled: bool = True,
) -> Dataset:
    """Read a source.

    Parameters
    ----------
    source : a file (npz, npy, csv, parquet), a folder of images, a folder of WFDB records or one of these,
        `builtin:digits`, `builtin:breast-cancer`, `builtin:ecg`, `mnist`, `fashion-mnist`, `cifar10`, `mitbih`, an
        array (n, ...), or a frame of pandas, polars or pyarrow.
    options : what the user says about it.
    like : the reading of a fitted model: the same conversion is applied, and one row is enough.
    default_split : what is read of a source with both splits when the options name none.
    finite : whether values that are no finite numbers are refused.
    labelled : whether rows are left out, with a note, that have no label while others have one; scoring needs none.

    Raises
    ------
    InputError
        If the source can't be used as it is; the message says why and what to do.
    """
    options = _merge(options or Options(), like)
    # Tables are told that missing values will be filled; `finish` then goes by what the user said.
    loading = options if finite else dataclasses.replace(options, impute="median")
    shown = source if isinstance(source, str | Path) else "The data"
    try:
        data = finish(_load(source, loading, like, default_split), options, like, finite=finite)
    except OSError as error:
        raise InputError(f"{shown} can't be read: {brief(error)}.") from error
    except MemoryError as error:
        raise InputError(f"{shown} can't be read: the memory of this machine is too small for it.") from error
    return with_known_labels(data) if labelled and data.reading.ecg is not None else data


def from_arrays(
    x: np.ndarray, y: np.ndarray | None = None, options: Options | None = None, *, like: Reading | None = None
) -> Dataset:
    """Read an array of samples with its labels.

    Parameters
    ----------
    x : the samples, (n, d), (n, c, t), (n, h, w), (n, c, h, w) or (n, h, w, c).
    y : the labels, (n,).
    options : what the user says about them.
    like : the reading of a fitted model.

    Raises
    ------
    InputError
        As in `read`.
    """
    options = _merge(options or Options(), like)
    _only(options, "an array")
    return finish(Raw(source="The array", x=plain_array(x, "The array"), y=y), options, like)


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


def _merge(options: Options, like: Reading | None) -> Options:
    if like is None:
        return options
    for name in ("kind", "resize", "colour"):
        wanted, fitted = getattr(options, name), getattr(like, name)
        if wanted is not None and fitted is not None and wanted != fitted:
            raise InputError(f"The model was fitted with {name} {fitted}, not {wanted}: remove --{name}.")
    if options.impute and not like.impute:
        raise InputError("The model was fitted without --impute, so it has no medians to fill in: fit it anew.")
    # Beats may be found in another way in records that nobody annotated.
    if options.ecg and like.ecg:
        _same_cut(dataclasses.asdict(options.ecg), dataclasses.asdict(like.ecg))
    return dataclasses.replace(
        options,
        kind=like.kind,
        resize=options.resize or like.resize,
        colour=options.colour or like.colour,
        impute=like.impute,
        normal=like.normal if options.normal is None else options.normal,
    )


def _same_cut(given: dict[str, Any], fitted: dict[str, Any]) -> None:
    others = [f"{name}={value}" for name, value in fitted.items() if name != "peaks" and given[name] != value]
    if others:
        raise InputError(
            f"The model was fitted on beats that were cut in another way: remove --ecg, or add {', '.join(others)} to "
            "it."
        )


def _load(source: Any, options: Options, like: Reading | None, default_split: SplitName) -> Raw:
    if isinstance(source, np.ndarray):
        _only(options, "an array")
        return Raw(source="The array", x=plain_array(source, "The array"))
    if not isinstance(source, str | Path):
        if frame_columns(source) is None:
            raise InputError(f"Can't read a {type(source).__name__}; expected a path, a name, an array or a frame.")
        _only(options, "a frame", *_OF_TABLES)
        return encode(read_frame(source, select=partial(selected, options=options, like=like)), options, like)
    if str(source).startswith(_PREFIX):
        name = str(source).removeprefix(_PREFIX)
        cut = ecg_cut(name, options.ecg, like)
        _only(options, source, "split", *(["ecg", "protocol"] if cut else []))
        half = options.split or default_split
        return load_builtin(name, half, cut, ecg_protocol(options.protocol, like)) if cut else load_builtin(name, half)
    check_name(source)
    if not str(source):
        raise InputError("The name of the data is empty; expected a file, a folder or the name of a data set.")
    return _load_path(Path(source), options, like, default_split)


def _load_path(path: Path, options: Options, like: Reading | None, default_split: SplitName) -> Raw:
    """Read what lies at a path; where nothing does, it may be the name of a published set."""
    source = str(path)
    if _holds_records(path):
        _only(options, source, "split", "ecg", "protocol", "skip_bad")
        return read_recordings(path, options, like, default_split)
    if path.is_dir():
        _only(options, source, "split", "skip_bad", "mapped")
        return read_folder(path, options, default_split)
    if path.exists() or path.is_symlink():
        return _load_file(regular_file(path), options, like, default_split)
    if is_named(source):
        _only(options, source, "split")
        return load_named(source, options.split or default_split)
    if canonical(source) == MITBIH:
        _only(options, source, "split", "ecg", "protocol")
        return read_recordings(mitbih_folder(), options, like, default_split)
    names = ", ".join([*(_PREFIX + name for name in BUILTIN), *NAMES, MITBIH])
    raise InputError(f"There is no file or folder {source}, nor a data set of that name; known sets: {names}.")


def _holds_records(path: Path) -> bool:
    """Whether a path is a record or a folder of records, which may lie in sub-folders."""
    records = record_paths(path)
    if not records or not path.is_dir() or any(record.parent == path for record in records):
        return bool(records)
    images = sum(file.suffix.lower() in SUFFIXES for file in walk(path))
    if images:
        raise InputError(
            f"{path} holds {images} images and {len(records)} WFDB records in sub-folders: give a folder of one kind."
        )
    return True


def _load_file(path: Path, options: Options, like: Reading | None, default_split: SplitName) -> Raw:
    suffix = path.suffix.lower()
    for kind in FORMATS:
        if suffix in kind.suffixes:
            _only(options, path, *kind.options)
            return kind.read(path, options, like, default_split)
    if suffix in SUFFIXES:
        raise InputError(f"{path} is a single image; give the folder that it is in.")
    known = ", ".join(kind.suffixes[0].removeprefix(".") for kind in FORMATS)
    raise InputError(f"{path} is of an unknown type; expected {known}, a folder of images or WFDB records.")


def _only(options: Options, source: object, *allowed: str) -> None:
    """Refuse options that say nothing about a source, beside those that apply to all."""
    for field in fields_of(Options):
        if field.name not in (*allowed, *_ALWAYS) and getattr(options, field.name):
            raise InputError(f"--{field.option} does not apply to {source}: remove it.")
