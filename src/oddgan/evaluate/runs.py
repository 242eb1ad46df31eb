"""The run folder: what `fit`, `evaluate` and `score` write and what a report reads.

=================  =====================================================================================
``run.json``       `RunInfo`: method, parameters, data, composition, threshold, metrics, times, environment
``events.jsonl``   one JSON object a line; lines with ``"event": "epoch"`` are `Epoch`, ``"monitor"`` are `Watched`,
                   ``"alarm"`` are `Alarm`, others are ignored
``scores.csv``     `ScoreTable`; also ``scores.npz`` or ``scores.parquet``
``items.npz``      `Items`
``samples.npz``    `Snapshots`
=================  =====================================================================================

Only ``run.json`` must be there.
"""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
from pydantic import JsonValue, ValidationError

from oddgan._core.errors import InputError
from oddgan._core.files import new_file
from oddgan._core.monitoring import Alarm, Snapshots, Watched
from oddgan._core.paths import regular_file
from oddgan.evaluate.infos import RunInfo
from oddgan.evaluate.items import Items, read_items
from oddgan.evaluate.scores_table import SUFFIXES, ScoreTable, read_npz, read_scores

RUN_SCHEMA = 1
_NOT_ONE = "is not a run folder: give one that `oddgan fit`, `score` or `evaluate` wrote"


@dataclass(frozen=True)
class Epoch:
    """One line of training progress.

    Parameters
    ----------
    phase, phase_index : which phase of training, from 0.
    epoch, epochs : the number of the epoch that ended, from 1, and how many the phase has.
    losses : player -> mean loss.
    seconds : since the start.
    """

    phase: str
    phase_index: int
    epoch: int
    epochs: int
    losses: Mapping[str, float]
    seconds: float

    @classmethod
    def of(cls, event: Mapping[str, JsonValue]) -> Self:
        """Build it from a line of ``events.jsonl``; a missing loss (null) becomes NaN."""
        losses = event["losses"]
        if not isinstance(losses, Mapping):
            raise TypeError("losses is not an object")
        return cls(
            phase=str(event["phase"]),
            phase_index=int(_number(event["phase_index"])),
            epoch=int(_number(event["epoch"])),
            epochs=int(_number(event["epochs"])),
            losses={player: _number(loss) for player, loss in losses.items()},
            seconds=_number(event["seconds"]),
        )


@dataclass(frozen=True)
class Run:
    """A run folder in memory.

    Parameters
    ----------
    folder : where it is.
    info : ``run.json``.
    epochs : the training curve, empty where nothing was trained.
    scores, items : None where the run has none.
    watched, alarms : what the training monitor saw and said; empty without one.
    snapshots : samples over time; None where the run has none.
    """

    folder: Path
    info: RunInfo
    epochs: tuple[Epoch, ...]
    scores: ScoreTable | None
    items: Items | None
    watched: tuple[Watched, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    snapshots: Snapshots | None = None


def write_run_info(folder: str | Path, info: RunInfo, *, force: bool = False) -> None:
    """Write ``run.json`` into the folder, whole or not at all."""
    document = {"schema": RUN_SCHEMA} | info.model_dump(mode="json")
    with new_file(Path(folder) / "run.json", force=force) as temporary:
        temporary.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read_run(folder: str | Path) -> Run:
    """Read a run folder.

    Raises
    ------
    InputError
        If it is not a run folder, was written by a newer version, or one of its files is cut short.
    """
    place = Path(folder)
    info = _read_info(place / "run.json")
    tables = [place / f"scores{suffix}" for suffix in SUFFIXES if (place / f"scores{suffix}").exists()]
    items = read_items(place / "items.npz") if (place / "items.npz").exists() else None
    if items is not None:
        items.check_kind(info.data.kind)
    scores = read_scores(tables[0]) if tables else None
    events = _read_events(place / "events.jsonl")
    snapshots = read_snapshots(place / "samples.npz") if (place / "samples.npz").exists() else None
    return Run(place, info, events.epochs, scores, items, events.watched, events.alarms, snapshots)


def _read_info(path: Path) -> RunInfo:
    if not path.is_file():
        raise InputError(f"{path.parent} {_NOT_ONE} (it has no run.json).")
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path} can't be read: {error}; the run may have been interrupted.") from error
    schema = document.pop("schema", None) if isinstance(document, dict) else None
    if isinstance(schema, int) and schema > RUN_SCHEMA:
        raise InputError(f"{path} has the schema {schema}, this oddgan reads {RUN_SCHEMA}: install a newer oddgan.")
    if schema != RUN_SCHEMA:
        raise InputError(f"{path.parent} {_NOT_ONE} (run.json has the schema {schema}).")
    try:
        return RunInfo.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(f"{path}: {'.'.join(str(p) for p in first['loc'])}: {first['msg']}.") from error


class _Events(NamedTuple):
    epochs: tuple[Epoch, ...] = ()
    watched: tuple[Watched, ...] = ()
    alarms: tuple[Alarm, ...] = ()


def _read_events(path: Path) -> _Events:
    """Read the events; a last line without its end is a run that was stopped while writing, and is left out."""
    if not path.exists():
        return _Events()
    complete = regular_file(path).read_text(encoding="utf-8").split("\n")[:-1]
    found: dict[str, list[Any]] = {name: [] for name in _EVENTS}
    for number, line in enumerate(complete, start=1):
        if not line.strip():
            continue
        try:
            event = json.loads(line)
            if event["event"] in _EVENTS:
                found[event["event"]].append(_EVENTS[event["event"]](event))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{path}, line {number}, is not an event: {error!r}.") from error
    return _Events(*map(tuple, found.values()))


def write_snapshots(path: str | Path, snapshots: Snapshots, *, force: bool = False) -> None:
    """Write samples over time as .npz, without pickles."""
    with new_file(path, force=force) as temporary:
        np.savez_compressed(temporary, allow_pickle=False, **vars(snapshots))


def read_snapshots(path: str | Path) -> Snapshots:
    """Read what `write_snapshots` wrote.

    Raises
    ------
    InputError
        If the file is missing, cut short, or lacks an array.
    """
    arrays = read_npz(Path(path))
    missing = {field.name for field in fields(Snapshots)} - arrays.keys()
    if missing:
        raise InputError(f"{path} lacks the arrays {sorted(missing)}: it does not hold samples over time.")
    return Snapshots(**{field.name: arrays[field.name] for field in fields(Snapshots)})


def _number(value: JsonValue) -> float:
    if value is None:
        return math.nan
    if isinstance(value, int | float):
        return float(value)
    raise TypeError(f"{value!r} is not a number")


_EVENTS: Mapping[str, Callable[[Any], Any]] = {"epoch": Epoch.of, "monitor": Watched.of, "alarm": Alarm.of}
