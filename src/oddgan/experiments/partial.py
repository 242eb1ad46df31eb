"""Scores on their way: finished rows in a file beside the one that they will be, so that a run can be gone on with."""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np

from oddgan._core.errors import InputError
from oddgan._core.files import new_file, plain_errors, unfinished
from oddgan.data import Dataset
from oddgan.evaluate import ScoreTable

_FORMAT = 1


@dataclass(frozen=True)
class Origin:
    """What scores come from: two runs with an equal origin give equal scores.

    Parameters
    ----------
    model : fingerprint of the model's files.
    data : fingerprint of the rows as read, with their names.
    rows : number of rows.
    block : rows that are scored, and written, at once.
    """

    model: str
    data: str
    rows: int
    block: int

    @classmethod
    def of(cls, model: Path, data: Dataset, block: int) -> Self:
        """Take the fingerprints."""
        return cls(_fingerprint_model(model), _fingerprint_data(data), len(data), block)


@dataclass(frozen=True)
class Partial:
    """A file of scores that grows: a line of JSON on where they come from, then a line a row.

    Parameters
    ----------
    out : the table that it will become; the file has the same name and ".part".
    """

    out: Path
    path: Path = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", unfinished(self.out))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Remove the file if all went well, and its rows are where they belong, or if there are none."""
        if kind is None or (self.path.exists() and len(self._lines()) < 2):
            self.path.unlink(missing_ok=True)
        elif kind is KeyboardInterrupt and self.path.exists():
            raise KeyboardInterrupt(f"Interrupted: finished rows are kept in {self.path}; --resume goes on with them.")

    def begin(self, origin: Origin, *, force: bool) -> np.ndarray:
        """Begin the file; there are no scores (0,) yet.

        Raises
        ------
        InputError
            If an interrupted run has left one, without `force`.
        """
        if self.path.exists() and not force:
            rows = len(self._lines()) - 1
            raise InputError(
                f"{self.path} holds {rows} rows of an interrupted run: go on with --resume, or start anew with --force."
            )
        self._write([_head(origin)])
        return np.empty(0)

    def go_on(self, origin: Origin) -> np.ndarray:
        """Return the scores of finished blocks (n,), 0 or more; what is half-written goes.

        Raises
        ------
        InputError
            If the file comes from another model or other data, or is damaged.
        """
        lines = self._lines() if self.path.exists() else []
        if not lines:
            return self.begin(origin, force=True)
        self._check(lines[0], origin)
        scores = [self._score(number, line) for number, line in enumerate(lines[1:])]
        kept = len(scores) if len(scores) == origin.rows else len(scores) // origin.block * origin.block
        self._write(lines[: 1 + kept])
        return np.array(scores[:kept])

    def append(self, table: ScoreTable, first: int) -> None:
        """Add finished rows, of which the first has the number `first`."""
        columns = {name: values.tolist() for name, values in table.columns().items() if name != "row"}
        rows = zip(*columns.values(), strict=True)
        lines = [_line({"row": first + i} | dict(zip(columns, row, strict=True))) for i, row in enumerate(rows)]
        with plain_errors(self.path), self.path.open("ab") as file:
            file.write(b"".join(lines))

    def _lines(self) -> list[bytes]:
        """Whole lines; a last one without an end was cut short."""
        with self.path.open("rb") as file:
            return [line for line in file if line.endswith(b"\n")]

    def _write(self, lines: list[bytes]) -> None:
        with new_file(self.path, force=True) as temporary:
            temporary.write_bytes(b"".join(lines))

    def _check(self, line: bytes, origin: Origin) -> None:
        try:
            found = json.loads(line)
            model, data, rows, block, known = (found[k] for k in ("model", "data", "rows", "block", "format"))
        except (ValueError, KeyError, TypeError) as error:
            raise self._damaged(1) from error
        theirs = Origin(model, data, rows, block)
        if known == _FORMAT and theirs == origin:
            return
        what = "another model" if model != origin.model else "other data" if data != origin.data else "another version"
        raise InputError(
            f"{self.path} was begun with {what}: give what it was begun with, or start anew with --force instead of "
            "--resume."
        )

    def _score(self, number: int, line: bytes) -> float:
        try:
            row = json.loads(line)
            score = float(row["anomaly_score"])
        except (ValueError, KeyError, TypeError) as error:
            raise self._damaged(number + 2) from error
        if row.get("row") != number:
            raise self._damaged(number + 2)
        return score

    def _damaged(self, line: int) -> InputError:
        return InputError(f"{self.path} is damaged in line {line}: start anew with --force instead of --resume.")


def _head(origin: Origin) -> bytes:
    return _line({"unfinished": "scores", "format": _FORMAT} | vars(origin))


def _line(values: dict[str, Any]) -> bytes:
    return f"{json.dumps(values, ensure_ascii=False)}\n".encode()


def _fingerprint_model(folder: Path) -> str:
    found = hashlib.sha256()
    for path in sorted(p for p in folder.iterdir() if p.is_file()):
        found.update(f"{path.name}\0".encode())
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
