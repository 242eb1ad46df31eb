"""Damage to data files: bytes, words of texts, and other things in a file's place."""

import os
import re
from pathlib import Path

import numpy as np

EXTREME = (b"\xff" * 4, b"\x00" * 4, b"\xff\xff\xff\x7f", b"\x00\x00\x00\x80", b"\x7f\xff\xff\xff", b"\xff" * 8)
WORDS = ("nan", "inf", "-1", "0", "9" * 20, "1e308", "1e-320", "x" * 5000, "../a", "/etc/passwd", "\u2028", "\u6f22")
WORDS += ("", "212", "-999999999", '"', "\0", "a/2", "3.5", "True")
TEXTS = (".csv", ".tsv", ".hea")


def flip(data: bytearray, at: int, rng: np.random.Generator) -> None:
    for _ in range(int(rng.integers(1, 9))):
        data[min(len(data) - 1, at + int(rng.integers(16)))] ^= 1 << int(rng.integers(8))


def cut(data: bytearray, at: int, _: np.random.Generator) -> None:
    del data[at:]


def insert(data: bytearray, at: int, rng: np.random.Generator) -> None:
    data[at:at] = rng.bytes(int(rng.integers(1, 64)))


def remove(data: bytearray, at: int, rng: np.random.Generator) -> None:
    del data[at : at + int(rng.integers(1, 64))]


def repeat(data: bytearray, at: int, rng: np.random.Generator) -> None:
    data[at:at] = data[at : at + int(rng.integers(1, 64))] * int(rng.integers(1, 2000))


def zero(data: bytearray, at: int, rng: np.random.Generator) -> None:
    size = min(len(data) - at, int(rng.integers(1, 64)))
    data[at : at + size] = bytes(size)


def extreme(data: bytearray, at: int, rng: np.random.Generator) -> None:
    value = EXTREME[rng.integers(len(EXTREME))]
    data[at : at + len(value)] = value


def append(data: bytearray, _: int, rng: np.random.Generator) -> None:
    data += rng.bytes(int(rng.integers(1, 64)))


def word(data: bytearray, _: int, rng: np.random.Generator) -> None:
    """Put a strange word in the place of one between two separators."""
    parts = re.split(rb"([ ,\t\n/()]+)", bytes(data))
    parts[2 * int(rng.integers((len(parts) + 1) // 2))] = WORDS[rng.integers(len(WORDS))].encode()
    data[:] = b"".join(parts)


BYTES = (flip, cut, insert, remove, repeat, zero, extreme, append)


def pipe(path: Path) -> None:
    os.mkfifo(path)


def circle(path: Path) -> None:
    path.symlink_to(path.name)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def folder(path: Path) -> None:
    path.mkdir()


def eps(path: Path) -> None:
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n%%EOF\n")


def empty(path: Path) -> None:
    path.touch()


def other_name(path: Path) -> None:
    path.with_name(f"line\nbreak{path.suffix}").touch()


def nothing(path: Path) -> None:
    """Leave its place empty."""


PLACES = (pipe, circle, device, folder, eps, empty, other_name, nothing)


def mutate(place: Path, rng: np.random.Generator) -> str:
    """Damage one file of a folder; return what was done."""
    files = sorted(path for path in place.rglob("*") if path.is_file())
    path = files[rng.integers(len(files))]
    if rng.random() < 0.08:
        put = PLACES[rng.integers(len(PLACES))]
        path.unlink()
        put(path)
        return f"{put.__name__} in place of {path.name}"
    data = bytearray(path.read_bytes())
    change = word if path.suffix in TEXTS and rng.random() < 0.7 else BYTES[rng.integers(len(BYTES))]
    # Headers are short, and worth more.
    at = int(rng.integers(min(128, len(data)) if rng.random() < 0.3 else len(data)))
    change(data, at, rng)
    path.write_bytes(data)
    return f"{change.__name__} at {at} of {path.name}"
