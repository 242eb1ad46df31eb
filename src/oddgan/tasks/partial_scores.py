"""Partial scores: finished rows in OUT.part, so that a run can resume."""

import hashlib
import json
import os
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Self

import numpy as np

from oddgan._core.errors import InputError
from oddgan._core.files import new_file, plain_errors, unfinished
from oddgan.data import Dataset
from oddgan.evaluate import ScoreTable

_FORMAT = 2
_TAIL = len(', "digest": "0123456789abcdef"}\n')
_BEGINNING = b'{"unfinished": "scores"'


@dataclass(frozen=True)
class Origin:
    """What scores come from: two runs with an equal origin give equal scores.

    Parameters
    ----------
    model : fingerprint of all of the model's files.
    data : fingerprint of the rows as read, with their names.
    computing : the device and the versions that scores are computed with.
    rows : number of rows.
    block : rows that are scored, and written, at once.
    """

    model: str
    data: str
    computing: str
    rows: int
    block: int

    @classmethod
    def of(cls, model: str, data: Dataset, computing: str, block: int) -> Self:
        """Take the fingerprint of the rows; that of the model is `fingerprint_model` of its folder."""
        return cls(model, _fingerprint_data(data), computing, len(data), block)


@dataclass(frozen=True)
class Partial:
    """A file of scores that grows: a line of JSON on where they come from, then a line a row, with a digest each.

    Whoever uses it holds the lock of the table.

    Parameters
    ----------
    out : the table that it will become; the file has the same name and ".part".
    """

    out: Path
    _head: list[bytes] = field(default_factory=list, init=False)
    path: Path = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", unfinished(self.out))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Remove the file if all went well, and its rows are where they belong, or if there are none."""
        if kind is None or (self.path.exists() and len(self._lines()) < 2):
            self.path.unlink(missing_ok=True)
        elif issubclass(kind or BaseException, KeyboardInterrupt) and self.path.exists():
            raise KeyboardInterrupt(
                f"Interrupted: finished rows are kept in {self.path}; --resume continues with them."
            )

    def begin(self, origin: Origin, *, force: bool) -> np.ndarray:
        """Begin the file; there are no scores (0,) yet.

        Raises
        ------
        InputError
            If an interrupted run has left one, without `force`, or it is a file of another kind.
        """
        self._refuse_foreign()
        if self.path.exists() and not force:
            rows = len(self._lines()) - 1
            raise InputError(
                f"{self.path} holds {rows} rows of an interrupted run: go on with --resume, or start anew with --force."
            )
        self._write([_first_line(origin)])
        return np.empty(0)

    def resume(self, origin: Origin) -> np.ndarray:
        """Return the scores of finished blocks (n,), 0 or more; what is half-written goes.

        Raises
        ------
        InputError
            If the file comes from another model or other data, or is damaged.
        """
        lines = self._lines() if self.path.exists() else []
        if not lines:
            return self.begin(origin, force=True)
        self._refuse_foreign()
        self._check(lines[0], origin)
        scores = [self._score(number, line, lines[0]) for number, line in enumerate(lines[1:])]
        kept = len(scores) if len(scores) == origin.rows else len(scores) // origin.block * origin.block
        self._write(lines[: 1 + kept])
        return np.array(scores[:kept])

    def append(self, table: ScoreTable, first: int) -> None:
        """Add finished rows, of which the first has the number `first`."""
        columns = {name: values.tolist() for name, values in table.columns().items() if name != "row"}
        rows = zip(*columns.values(), strict=True)
        lines = [_line({"row": first + i} | dict(zip(columns, row, strict=True))) for i, row in enumerate(rows)]
        with plain_errors(self.path), self.path.open("ab") as file:
            file.write(b"".join(_with_digest(line[: -len("}\n")], self._head[0]) for line in lines))

    def _lines(self) -> list[bytes]:
        """Whole lines; a last one without an end was cut short."""
        with self.path.open("rb") as file:
            return [line for line in file if line.endswith(b"\n")]

    def _write(self, lines: list[bytes]) -> None:
        self._head[:] = lines[:1]
        with new_file(self.path, force=True, durable=False) as temporary:
            temporary.write_bytes(b"".join(lines))

    def _refuse_foreign(self) -> None:
        """Refuse a file that is not an unfinished table, e.g. a download of the same name."""
        if not self.path.exists():
            return
        with plain_errors(self.path), self.path.open("rb") as file:
            beginning = file.read(len(_BEGINNING))
        if beginning and not _BEGINNING.startswith(beginning):
            raise InputError(f"{self.path} is no unfinished table of scores: move it elsewhere or remove it.")

    def _check(self, line: bytes, origin: Origin) -> None:
        try:
            found = json.loads(line)
            known = found["format"]
            theirs = Origin(**{f.name: found[f.name] for f in fields(Origin)}) if known == _FORMAT else None
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise self._damaged(1) from error
        if theirs == origin:
            return
        what = "another version of oddgan"
        if theirs is not None:
            words = {"model": "another model", "data": "other data", "computing": "another device or other versions"}
            what = next((text for name, text in words.items() if getattr(theirs, name) != getattr(origin, name)), what)
        raise InputError(
            f"{self.path} was begun with {what}: give what it was begun with, or start anew with --force instead of "
            "--resume."
        )

    def _score(self, number: int, line: bytes, head: bytes) -> float:
        try:
            row = json.loads(line)
            place, score = row["row"], float(row["anomaly_score"])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise self._damaged(number + 2) from error
        if place != number or line != _with_digest(line[:-_TAIL], head):
            raise self._damaged(number + 2)
        return score

    def _damaged(self, line: int) -> InputError:
        return InputError(f"{self.path} is damaged in line {line}: start anew with --force instead of --resume.")


def _first_line(origin: Origin) -> bytes:
    return _line({"unfinished": "scores", "format": _FORMAT} | vars(origin))


def _line(values: dict[str, Any]) -> bytes:
    return f"{json.dumps(values, ensure_ascii=False)}\n".encode()


def _with_digest(row: bytes, head: bytes) -> bytes:
    """The line of a row, `{"row": 0, ...` without its end, with a digest over itself and where it comes from."""
    return row + f', "digest": "{hashlib.sha256(head + row).hexdigest()[:16]}"}}\n'.encode()


def fingerprint_model(folder: Path) -> str:
    """A digest over all files of a model's folder, at any depth, with their names; "" if there is no folder."""
    found = hashlib.sha256()
    for place, folders, names in os.walk(folder, followlinks=True):
        folders.sort()
        for path in (Path(place, name) for name in sorted(names)):
            found.update(os.fsencode(path.relative_to(folder)) + b"\0")
            if path.is_file():
                with path.open("rb") as file:
                    found.update(hashlib.file_digest(file, "sha256").digest())
    return found.hexdigest()


def _fingerprint_data(data: Dataset) -> str:
    found = hashlib.sha256(f"{data.x.shape}{data.x.dtype.str}".encode())
    for i, name in enumerate(data.ids):
        found.update(f"{chr(0) * bool(i)}{name}".encode())
    for row in data.x:
        found.update(row.tobytes())
    return found.hexdigest()
