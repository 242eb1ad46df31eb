"""Safe reading of npy files and npz archives: headers are compared with the bytes that are there before any is read.

Nothing is allocated beyond what a file can hold, and no Python objects are loaded.
"""

import ast
import math
import warnings
import zipfile
from pathlib import Path
from typing import IO, Self

import numpy as np

from oddgan._core.damage import told
from oddgan._core.errors import InputError
from oddgan._core.memory import afford
from oddgan._core.paths import regular_file

_MAGIC = b"\x93NUMPY"
_LONGEST_HEADER = 10_000  # characters, numpy's own limit
_MOST_AXES = 32
_DEFLATED_TO = 1 / 1032  # the least share of its size that zlib brings anything to
_ENTRY = 30  # bytes of a member's local header, without its name


class Header:
    """What an npy header says.

    Parameters
    ----------
    shape : lengths of the axes.
    fortran : whether the first axis runs fastest.
    dtype : type of the values, without Python objects.
    size : bytes of the header itself.
    """

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype, size: int, *, fortran: bool) -> None:
        self.shape, self.dtype, self.size, self.fortran = shape, dtype, size, fortran

    @property
    def nbytes(self) -> int:
        """Bytes of the values."""
        return math.prod(self.shape) * self.dtype.itemsize

    @classmethod
    def read(cls, stream: IO[bytes], source: str, *, records: bool = False) -> Self:
        """Read the header at the start of a stream.

        Parameters
        ----------
        stream : is read up to the first value.
        source : how messages name the array.
        records : whether values of several fields are read, too.

        Raises
        ------
        InputError
            If there is no such header, it is too long, or it names types that are no plain ones.
        """
        start = stream.read(8)
        width = {1: 2, 2: 4, 3: 4}.get(start[6] if len(start) == 8 else 0)
        if start[:6] != _MAGIC or width is None:
            raise damaged(source, "it does not begin as an npy file does")
        length = int.from_bytes(stream.read(width), "little")
        if length > _LONGEST_HEADER:
            raise damaged(source, f"its header claims {length} characters; up to {_LONGEST_HEADER} are expected")
        text = stream.read(length).decode("latin-1" if width == 2 else "utf-8", errors="replace")
        shape, dtype, fortran = _parse(text, source, records=records)
        return cls(shape, dtype, 8 + width + length, fortran=fortran)

    def check(self, there: int, source: str) -> None:
        """Refuse a file that holds more or fewer bytes of values than this header claims.

        Parameters
        ----------
        there : bytes of values that the file holds.
        source : how messages name the array.
        """
        if there != self.nbytes:
            raise damaged(source, f"its header claims {self.nbytes} bytes of values, it holds {there}")

    def array(self, values: bytes | bytearray, source: str) -> np.ndarray:
        """Return the array (...) of these bytes, without a copy, or refuse them if they are more or fewer than claimed.

        Parameters
        ----------
        values : the bytes behind the header.
        source : how messages name the array.
        """
        self.check(len(values), source)
        found = np.frombuffer(values, self.dtype) if self.dtype.itemsize else np.zeros(0, self.dtype)
        return found.reshape(self.shape, order="F" if self.fortran else "C")


def damaged(source: str, reason: str) -> InputError:
    """The error of a file that can't be read."""
    kind = Path(source.partition(", array ")[0]).suffix
    return InputError(f"{source} can't be read: it is damaged, cut short or no {kind} file ({reason}).")


def check_npy(path: Path) -> Header:
    """Read and check the header of an npy file.

    Raises
    ------
    InputError
        If it claims more or less than the file holds, or the file holds Python objects.
    """
    with regular_file(path).open("rb") as stream:
        head = stream.peek(4)[:4] if hasattr(stream, "peek") else b""
        if head[:4] == b"PK\x03\x04":
            raise InputError(f"{path} is an npz file by its content: rename it to {path.with_suffix('.npz').name}.")
        header = Header.read(stream, str(path))
    header.check(path.stat().st_size - header.size, str(path))
    return header


class Archive:
    """The arrays of an npz file, each read when it is asked for.

    Parameters
    ----------
    path : the file.
    max_memory : bytes that an array may take; None goes by the size of the file.

    Raises
    ------
    InputError
        If it is no zip archive, or one with encrypted, overlapping or repeated members, or of another compression than
        numpy's.
    """

    def __init__(self, path: Path, max_memory: int | None = None) -> None:
        self._path, self._max_memory = path, max_memory
        with regular_file(path).open("rb") as stream:
            if stream.read(6) == _MAGIC:
                raise InputError(f"{path} is an npy file by its content: rename it to {path.with_suffix('.npy').name}.")
        with told(f"{path} can't be read: it is damaged, cut short or no .npz file"):
            self._zip = zipfile.ZipFile(path)
        try:
            self._members = self._check()
        except InputError:
            self._zip.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    @property
    def keys(self) -> list[str]:
        """Names of the arrays, in the file's order."""
        return list(self._members)

    def read(self, key: str) -> np.ndarray:
        """Read one array, (...).

        Raises
        ------
        InputError
            If it is damaged, holds Python objects or would take too much memory.
        """
        source, member = f"{self._path}, array {key!a},", self._members[key]
        with told(f"{source} can't be read: it is damaged or cut short"), self._zip.open(member) as stream:
            header = Header.read(stream, source)
            header.check(member.file_size - header.size, source)
            afford(source.rstrip(","), header.nbytes, member.compress_size, self._max_memory)
            values = bytearray(header.nbytes)
            start = 0
            while part := stream.read(2**20):
                values[start : start + len(part)] = part
                start += len(part)
        if start != header.nbytes:
            raise damaged(source, f"it holds {start} of {header.nbytes} bytes")
        return header.array(values, source)

    def _check(self) -> dict[str, zipfile.ZipInfo]:
        members: dict[str, zipfile.ZipInfo] = {}
        end = 0
        for member in sorted(self._zip.infolist(), key=lambda member: member.header_offset):
            name, key = str(self._path), member.filename.removesuffix(".npy")
            if member.flag_bits & 1:
                raise damaged(name, f"{key!a} is encrypted")
            if member.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
                raise damaged(name, f"{key!a} is compressed by method {member.compress_type}; numpy uses 0 and 8")
            if key in members:
                raise damaged(name, f"it has several arrays of the name {key!a}")
            least = member.file_size * (_DEFLATED_TO if member.compress_type else 1)
            if member.header_offset < end or member.compress_size < least - 64:
                raise damaged(name, f"{key!a} overlaps with others, or claims more than it can hold")
            end = member.header_offset + _ENTRY + len(member.filename) + member.compress_size
            members[key] = member
        if end > self._path.stat().st_size:
            raise damaged(str(self._path), "its last array ends behind the file")
        return {member.filename.removesuffix(".npy"): member for member in self._zip.infolist()}


def _parse(text: str, source: str, *, records: bool) -> tuple[tuple[int, ...], np.dtype, bool]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd literals are warned of, and refused below
            found = ast.literal_eval(text.strip())
        shape, descr, fortran = (found[name] for name in ("shape", "descr", "fortran_order"))
    except (ValueError, SyntaxError, TypeError, KeyError, IndexError, MemoryError, RecursionError) as error:
        raise damaged(source, "its header is not what numpy writes") from error
    whole = isinstance(shape, tuple) and all(type(n) is int and 0 <= n < 2**63 for n in shape)
    if not whole or len(shape) > _MOST_AXES or not isinstance(fortran, bool):
        raise damaged(source, f"its header has the shape {str(shape)[:60]}")
    if not isinstance(descr, str) and not records:
        raise InputError(f"{source} holds records of several fields; expected plain numbers or texts.")
    try:
        dtype = np.lib.format.descr_to_dtype(descr)
    except (TypeError, ValueError, SyntaxError, LookupError) as error:
        raise damaged(source, f"its header has the type {str(descr)[:60]!a}") from error
    if dtype.hasobject:
        raise InputError(f"{source} holds Python objects, which are never loaded: store numbers or texts.")
    if dtype.kind not in ("biufcSUmMV" if records else "biufcSUmM"):
        raise InputError(f"{source} holds values of type {dtype}; expected plain numbers or texts.")
    return shape, dtype, fortran
