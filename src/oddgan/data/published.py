"""Published image sets by name: from the cache folder, or downloaded into it."""

import gzip
import math
import struct
import tarfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from oddgan._core.damage import brief
from oddgan._core.errors import InputError
from oddgan._core.memory import allowed, show_size
from oddgan._core.names import canonical, resolve
from oddgan._core.paths import regular_file
from oddgan.data.arrays import read_npz
from oddgan.data.dataset import Raw
from oddgan.data.download import cache_folder, fetch
from oddgan.options import Options, SplitName

_BROKEN = (OSError, EOFError, zlib.error, tarfile.TarError)
_IDX_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_IDX_SPLIT: Mapping[SplitName, str] = {"train": "train", "test": "t10k"}
_CIFAR_TAR = "cifar-10-binary.tar.gz"
_CIFAR_FOLDER = "cifar-10-batches-bin"
_CIFAR_FILES: Mapping[SplitName, tuple[str, ...]] = {
    "train": tuple(f"data_batch_{i}.bin" for i in range(1, 6)),
    "test": ("test_batch.bin",),
}
_CIFAR_SHAPE = (3, 32, 32)
_CIFAR_BYTES = 10_000 * (1 + math.prod(_CIFAR_SHAPE))  # of a batch


@dataclass(frozen=True)
class Published:
    """Where a data set is published.

    Parameters
    ----------
    home : the address that the file names are put behind.
    md5 : file names and their MD5 sums.
    """

    home: str
    md5: Mapping[str, str]


PUBLISHED: dict[str, Published] = {
    # The sums are those that torchvision checks; the mirror is the one that it uses.
    "mnist": Published(
        home="https://ossci-datasets.s3.amazonaws.com/mnist/",
        md5={
            "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
            "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
            "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
            "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
        },
    ),
    # The sums are those of the data set's own README.
    "fashion-mnist": Published(
        home="https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        md5={
            "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
            "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
            "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
            "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
        },
    ),
    # The sum is that of the data set's own page. The binary version: the python one is made of pickles.
    "cifar10": Published(
        home="https://www.cs.toronto.edu/~kriz/", md5={_CIFAR_TAR: "c32a1d4ab5d03f1284b67883e8d87530"}
    ),
}
NAMES = tuple(PUBLISHED)


def is_named(name: str) -> bool:
    """Whether `name` is one of the published sets; case and punctuation don't matter."""
    return canonical(name) in {canonical(known) for known in NAMES}


def load_named(name: str, split: SplitName, folder: Path | None = None) -> Raw:
    """Load one half of MNIST, Fashion-MNIST (1, 28, 28) or CIFAR-10 (3, 32, 32), uint8, labels 0 to 9.

    Parameters
    ----------
    name : mnist, fashion-mnist or cifar10.
    split : train or test.
    folder : where the files are; None looks in the cache folder (ODDGAN_CACHE) and its sub-folder of that name, and
        downloads what is missing into the latter. Accepted are NAME.npz (x_train, y_train, x_test, y_test), IDX files,
        plain or gzip, and CIFAR's binary batches, plain or in their archive.

    Raises
    ------
    InputError
        If the files are not there and can't be downloaded, or are damaged.
    """
    name = resolve(name, NAMES, "data set")
    cache = cache_folder()
    for place in [folder] if folder else [cache / name, cache]:
        found = _find(name, split, place)
        if found is not None:
            return found
    if folder is not None:
        raise InputError(f"{folder} holds no {split} part of {name}; expected {_expected(name)}.")
    for file, md5 in PUBLISHED[name].md5.items():
        if name == "cifar10" or file.startswith(_IDX_SPLIT[split]):
            _download(name, file, md5, cache / name)
    found = _find(name, split, cache / name)
    if found is None:
        raise InputError(f"{cache / name} still lacks the {split} part of {name} after the download.")
    return found


def parse_idx(data: bytes, source: str) -> np.ndarray:
    """Parse the IDX format: two zero bytes, type, number of axes, their lengths, values (n, ...); all big-endian.

    Parameters
    ----------
    data : the bytes of the file.
    source : how messages name it.

    Raises
    ------
    InputError
        If they are something else, or too few or too many.
    """
    axes = data[3] if len(data) >= 4 else 0
    start = 4 + 4 * axes
    if data[:2] != b"\0\0" or len(data) < start or data[2] not in _IDX_TYPES:
        raise InputError(f"{source} is no IDX file, or is cut short.")
    shape = struct.unpack(f">{axes}I", data[4:start])
    kind = np.dtype(_IDX_TYPES[data[2]])
    if len(data) - start != math.prod(shape) * kind.itemsize:
        raise InputError(
            f"{source} has {len(data) - start} bytes of values; shape {shape} takes {math.prod(shape) * kind.itemsize}."
        )
    values = np.frombuffer(data, kind, offset=start).reshape(shape)
    return values.astype(kind.newbyteorder("="))


def parse_cifar(data: bytes, source: str) -> tuple[np.ndarray, np.ndarray]:
    """Parse CIFAR-10's binary format: a label byte, then 1024 red, 1024 green and 1024 blue bytes.

    Parameters
    ----------
    data : the bytes of one or several batches.
    source : how messages name them.

    Returns
    -------
    the images (n, 3, 32, 32) and the labels (n,).

    Raises
    ------
    InputError
        If there is no whole number of images, or a label above 9.
    """
    size = 1 + math.prod(_CIFAR_SHAPE)
    if not data or len(data) % size:
        raise InputError(f"{source} has {len(data)} bytes, no whole number of images of {size} bytes: it is cut short.")
    rows = np.frombuffer(data, np.uint8).reshape(-1, size)
    if rows[:, 0].max() > 9:
        raise InputError(f"{source} has the label {rows[:, 0].max()}; expected 0 to 9: it is no CIFAR-10 batch.")
    return rows[:, 1:].reshape(-1, *_CIFAR_SHAPE), rows[:, 0]


def _find(name: str, split: SplitName, place: Path) -> Raw | None:
    for spelling in (name, name.replace("-", "_"), name.replace("-", "")):
        path = place / f"{spelling}.npz"
        if path.exists():
            return read_npz(path, Options(split=split), None, split)
    return _find_cifar(split, place) if name == "cifar10" else _find_idx(name, split, place)


def _find_idx(name: str, split: SplitName, place: Path) -> Raw | None:
    stems = [f"{_IDX_SPLIT[split]}-{part}" for part in ("images-idx3-ubyte", "labels-idx1-ubyte")]
    paths = [next((p for p in (place / stem, place / f"{stem}.gz") if p.exists()), None) for stem in stems]
    arrays = [parse_idx(_bytes(path), str(path)) for path in paths if path is not None]
    return Raw(name, arrays[0], arrays[1], kind="image", split=split) if len(arrays) == 2 else None


def _find_cifar(split: SplitName, place: Path) -> Raw | None:
    for folder in (place, place / _CIFAR_FOLDER):
        paths = [folder / file for file in _CIFAR_FILES[split]]
        if all(path.exists() for path in paths):
            parsed = [parse_cifar(_bytes(path), str(path)) for path in paths]
            x, y = (np.concatenate(arrays) for arrays in zip(*parsed, strict=True))
            return Raw("cifar10", x, y, kind="image", split=split)
    archive = place / _CIFAR_TAR
    if not archive.exists():
        return None
    x, y = parse_cifar(_archived(archive, _CIFAR_FILES[split]), str(archive))
    return Raw("cifar10", x, y, kind="image", split=split)


def _bytes(path: Path) -> bytes:
    try:
        if regular_file(path).suffix != ".gz":
            return path.read_bytes()
        limit = allowed(path.stat().st_size)
        with gzip.open(path) as file:
            data = file.read(limit + 1)
    except _BROKEN as error:
        raise InputError(f"{path} can't be read: it is damaged or cut short ({brief(error)}).") from error
    if len(data) > limit:
        raise InputError(f"{path} expands to more than {show_size(limit)}: it is no part of a published data set.")
    return data


def _archived(archive: Path, files: tuple[str, ...]) -> bytes:
    try:
        with tarfile.open(regular_file(archive)) as tar:
            members = [tar.extractfile(f"{_CIFAR_FOLDER}/{file}") for file in files]
            return b"".join(member.read(_CIFAR_BYTES + 1) for member in members if member is not None)
    except (*_BROKEN, KeyError) as error:
        raise InputError(f"{archive} can't be read: it is damaged or cut short ({brief(error)}).") from error


def _download(name: str, file: str, md5: str, place: Path) -> None:
    try:
        fetch(PUBLISHED[name].home + file, place / file, md5)
    except InputError as error:
        raise InputError(f"{name} is not in the cache ({place}): {error} Accepted are {_expected(name)}.") from error


def _expected(name: str) -> str:
    published = ", ".join(PUBLISHED[name].md5)
    return f"{name}.npz with x_train, y_train, x_test and y_test, or {published}"
