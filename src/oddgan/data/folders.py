"""Folders of images: `normal/` (or `good/`) and anything else beside it, or no sub-folders at all."""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from PIL import ImageOps

from oddgan._core.damage import told
from oddgan._core.errors import InputError
from oddgan._core.memmap import Spool
from oddgan._core.memory import afford, allowed
from oddgan._core.paths import odd_name, walk
from oddgan.data.arrays import choose_split
from oddgan.data.dataset import Raw
from oddgan.data.images import resize
from oddgan.data.pictures import check_size, count_pages, load, lost, opened
from oddgan.options import Colour, Options, SplitName

T = TypeVar("T")
SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff")
_GREY_8 = ("1", "L", "LA")
_GREY_16 = ("I;16", "I;16B", "I;16L", "I")
_ORIENTATION = 0x0112  # the EXIF tag; values from 5 on exchange height and width
_SHOWN = 5
_Bad = dict[Path, InputError]  # each says its file and what is wrong with it
_Read = tuple[np.ndarray | None, list[Path], _Bad]


class _Header(NamedTuple):
    mode: str
    height: int
    width: int
    lost: str | None


def read_folder(folder: Path, options: Options, default_split: SplitName) -> Raw:
    """Read every PNG, JPEG and TIFF image of a folder, in natural order of their names.

    Sub-folders are classes, and their names the labels; a folder without any has no labels. A folder whose
    sub-folders are `train` and `test` (and `ground_truth`, which is passed over) holds two such folders.

    Parameters
    ----------
    folder : the folder; hidden files are passed over.
    options : its resize, colour, split, skip_bad, mapped and max_memory apply.
    default_split : the split that is read when the options name none.

    Raises
    ------
    InputError
        If there are no images, some can't be read, their sizes or bit depths differ, or they take too much memory.
    """
    root, split = _root(folder, options, default_split)
    files, others = _list_files(root)
    bad: _Bad = {}
    headers = dict(_each(root, files, lambda file: _header(root, file, options.max_memory), bad))
    colour = options.colour or _natural_colour(headers.values())
    if options.resize is None:
        _refuse_mixed_sizes(root, headers.values())
    _refuse_mixed_depths(root, headers.values(), colour)
    if not options.mapped:
        _afford(root, headers, colour, options)
    x, read, broken = (_spooled if options.mapped else _stacked)(
        root, headers, lambda file: _decode(file, colour, options.resize)
    )
    notes = _notes(root, bad | broken, others, skip_bad=options.skip_bad)
    notes += _conversions(root, [headers[file] for file in read], colour)
    if x is None:
        reasons = f" ({notes[-1].rstrip('.')})" if bad or broken else ""
        raise InputError(f"{root} holds no readable image; expected {', '.join(SUFFIXES)} files{reasons}.")
    ids = np.array([_name(root, file) for file in read])
    y = _labels(root, read)
    return Raw(source=str(root), x=x, y=y, ids=ids, kind="image", split=split, colour=colour, notes=notes)


def natural(name: str) -> list[tuple[int, str]]:
    """A sorting key that puts `tile2` before `tile10`."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"([0-9]+)", name)]


def _root(folder: Path, options: Options, default_split: SplitName) -> tuple[Path, SplitName | None]:
    inside = {path.name for path in folder.iterdir() if not path.name.startswith(".")}
    there: list[SplitName] = [s for s in ("train", "test") if s in inside]
    if {"train", "test"} <= inside <= {"train", "test", "ground_truth"}:
        split = choose_split(str(folder), there, options.split, default_split)
        return folder / split, split
    if options.split:
        raise InputError(f"{folder} has no sub-folders train and test: remove --split.")
    return folder, None


def _list_files(root: Path) -> tuple[list[Path], int]:
    found = list(walk(root))
    files = [p for p in found if p.suffix.lower() in SUFFIXES]
    return sorted(files, key=lambda p: natural(_name(root, p))), len(found) - len(files)


def _each(root: Path, files: Iterable[Path], function: Callable[[Path], T], bad: _Bad) -> Iterator[tuple[Path, T]]:
    """What a function makes of the files; what is wrong with the others goes into `bad`."""
    for file in files:
        try:
            with told(_name(root, file)):
                made = function(file)
        except InputError as error:
            bad[file] = error
        else:
            yield file, made


def _name(root: Path, file: Path) -> str:
    return file.relative_to(root).as_posix()


def _stacked(root: Path, files: Iterable[Path], decode: Callable[[Path], np.ndarray]) -> _Read:
    """All images (n, c, h, w) in memory."""
    bad: _Bad = {}
    images = dict(_each(root, files, decode, bad))
    return np.stack(list(images.values())) if images else None, list(images), bad


def _spooled(root: Path, files: Iterable[Path], decode: Callable[[Path], np.ndarray]) -> _Read:
    """All images (n, c, h, w) in a temporary file, one in memory at a time."""
    bad: _Bad = {}
    read: list[Path] = []
    with Spool() as spool:
        for file, image in _each(root, files, decode, bad):
            spool.write(image[None])
            read.append(file)
        return spool.mapped() if read else None, read, bad


def _header(root: Path, file: Path, max_memory: int | None) -> _Header:
    wrong = odd_name(_name(root, file))
    if wrong is not None:
        raise ValueError(f"its name holds {wrong}: rename it")
    with opened(file) as image:
        pages = count_pages(image)
        if pages > 1:
            raise ValueError(f"it has {pages} pages")
        if image.mode == "F":
            raise ValueError("its pixels are floats: put such images into an npz file")
        stored = file.stat().st_size
        check_size(image, stored, allowed(stored, max_memory))
        height, width = image.size[::-1]
        left_out = lost(image)  # before the tags of a PNG image are read, which takes its pixels
        turned = image.getexif().get(_ORIENTATION, 1) >= 5
        return _Header(image.mode, *((width, height) if turned else (height, width)), left_out)


def _afford(root: Path, headers: Mapping[Path, _Header], colour: Colour, options: Options) -> None:
    depth = 2 if any(header.mode in _GREY_16 for header in headers.values()) else 1
    pixels = sum(math.prod(options.resize or (header.height, header.width)) for header in headers.values())
    stored = sum(file.stat().st_size for file in headers)
    # All images are held twice while they are stacked.
    afford(root, 2 * pixels * depth * (1 if colour == "grey" else 3), stored, options.max_memory)


def _natural_colour(headers: Iterable[_Header]) -> Colour:
    return "grey" if all(header.mode in _GREY_8 + _GREY_16 for header in headers) else "rgb"


def _refuse_mixed_sizes(root: Path, headers: Iterable[_Header]) -> None:
    sizes = Counter(f"{header.height}x{header.width}" for header in headers)
    if len(sizes) > 1:
        shown = ", ".join(f"{size} ({count} files)" for size, count in sizes.most_common(_SHOWN))
        more = f" and {len(sizes) - _SHOWN} more" if len(sizes) > _SHOWN else ""
        raise InputError(
            f"{root} holds images of {len(sizes)} sizes, height x width: {shown}{more}; one size is expected: "
            "choose it with --resize, e.g. --resize 64."
        )


def _refuse_mixed_depths(root: Path, headers: Iterable[_Header], colour: Colour) -> None:
    deep = Counter(header.mode in _GREY_16 for header in headers)
    if len(deep) > 1:
        raise InputError(
            f"{root} holds {deep[True]} images of 16 bits and {deep[False]} of 8 bits, read as {colour}: "
            "convert them to one depth."
        )


def _decode(file: Path, colour: Colour, size: tuple[int, int] | None) -> np.ndarray:
    with opened(file) as found:
        load(found)
        image = ImageOps.exif_transpose(found)
        if image.mode in _GREY_16:
            x = np.asarray(image)[None]
            if x.min() < 0 or x.max() > np.iinfo(np.uint16).max:
                raise ValueError("its pixels exceed 16 bits")
            x = np.repeat(x.astype(np.uint16), 1 if colour == "grey" else 3, axis=0)
        elif colour == "grey":
            x = np.asarray(image.convert("L"))[None]
        else:
            x = np.moveaxis(np.asarray(image.convert("RGB")), 2, 0)
    return x if size is None else resize(x, size)


def _notes(root: Path, bad: _Bad, others: int, *, skip_bad: bool) -> tuple[str, ...]:
    notes = [f"{others} files of {root} were left out: they are not PNG, JPEG or TIFF."] if others else []
    if bad:
        named = [str(error).rstrip(".") for error in list(bad.values())[:_SHOWN]]
        more = f" and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
        which = f"{len(bad)} image{'s' * (len(bad) > 1)} of {root} can't be read: {', '.join(named)}{more}"
        if not skip_bad:
            raise InputError(f"{which}; repair or remove them, or leave them out with --skip-bad.")
        notes.append(f"{which}; left out.")
    return tuple(notes)


def _conversions(root: Path, headers: Sequence[_Header], colour: Colour) -> tuple[str, ...]:
    """What reading made of images that are not as the others, or left out of them."""
    grey = sum(header.mode in _GREY_8 + _GREY_16 for header in headers)
    notes = [f"{grey} of {len(headers)} images of {root} are grey, the others in colour: all were read as {colour}."]
    left_out = Counter(header.lost for header in headers if header.lost)
    return (
        *notes * (0 < grey < len(headers)),
        *(f"{count} of {len(headers)} images of {root} were read without {what}." for what, count in left_out.items()),
    )


def _labels(root: Path, files: list[Path]) -> np.ndarray | None:
    parts = [file.relative_to(root).parts for file in files]
    loose = [part[0] for part in parts if len(part) == 1]
    if len(loose) == len(parts):
        return None
    if loose:
        raise InputError(
            f"{root} holds {len(loose)} images beside its sub-folders, e.g. {loose[0]}: put every image into the "
            "sub-folder of its class, or all into one folder."
        )
    return np.array([part[0] for part in parts])
