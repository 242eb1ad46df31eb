"""The run folder: what `fit`, `evaluate` and `score` write and what a report reads.

=================  =====================================================================================
``run.json``       `RunInfo`: method, parameters, data, threshold, metrics, times, environment
``events.jsonl``   one JSON object a line; lines with ``"event": "epoch"`` are `Epoch`, others are ignored
``scores.csv``     `ScoreTable`; also ``scores.npz`` or ``scores.parquet``
``items.npz``      `Items`
=================  =====================================================================================

Only ``run.json`` must be there.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, FiniteFloat, JsonValue, ValidationError

from oddgan._core.errors import InputError
from oddgan._core.files import new_file
from oddgan.evaluate.items import Items, read_items
from oddgan.evaluate.metrics import Metric
from oddgan.evaluate.scores_table import SUFFIXES, ScoreTable, read_scores

RUN_SCHEMA = 1
_NOT_ONE = "is not a run folder: give one that `oddgan fit`, `score` or `evaluate` wrote"


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MethodInfo(_Model):
    """Where a method comes from.

    Parameters
    ----------
    name : the detector's class name.
    title, authors, year, link : of the paper; None for a method without one.
    deviations : from the paper, each with its reason.
    """

    name: str
    title: str | None = None
    authors: str | None = None
    year: int | None = None
    link: str | None = None
    deviations: tuple[str, ...] = ()


class DataInfo(_Model):
    """What the detector was given.

    Parameters
    ----------
    source : a file, folder or built-in name.
    kind : decides how items are shown.
    shape : of one sample: (d,), (c, t) or (c, h, w).
    n_train, n_calibration, n_test : rows trained on, held out for the threshold, and scored.
    dropped : rows left out, e.g. labelled anomalies in training data.
    normal : the label that counts as normal; None without one.
    notes : what a reader should know, e.g. constant columns.
    columns : names of a table's features, or of a series' channels.
    """

    source: str
    kind: Literal["image", "series", "table"]
    shape: tuple[int, ...]
    n_train: int = 0
    n_calibration: int = 0
    n_test: int = 0
    dropped: int = 0
    normal: str | int | None = None
    notes: tuple[str, ...] = ()
    columns: tuple[str, ...] | None = None


class ThresholdInfo(_Model):
    """Where the cut comes from.

    Parameters
    ----------
    value : flagged is score > value.
    rule : the threshold part in words, e.g. "Quantile".
    rate : the false-alarm rate (held-out normals) or share of flagged rows (training rows) that was asked for, in
        (0, 1); None for a rule without one.
    source : which scores set it.
    n : how many scores set it.
    """

    value: FiniteFloat
    rule: str
    rate: float | None = None
    source: Literal["held-out normals", "training rows", "given"]
    n: int = 0


class Seconds(_Model):
    """Wall-clock times; None for what was not done.

    Parameters
    ----------
    fit, score : seconds.
    """

    fit: float | None = None
    score: float | None = None


class RunInfo(_Model):
    """What ``run.json`` holds, beside ``"schema": 1``.

    Parameters
    ----------
    kind : the command that wrote it.
    name : of the run.
    created : when, with its time zone.
    command : the command line, in words.
    method, data, threshold, seconds : see their classes.
    parameters : the detector's hyperparameters; parts are objects with a "type".
    components : names of the score's parts.
    metrics : from `evaluate`, None without labels.
    environment : versions and machine, e.g. python, torch, oddgan, platform, cores.
    notes : what a reader should know.
    """

    kind: Literal["fit", "evaluate", "score"]
    name: str
    created: datetime
    command: tuple[str, ...] = ()
    method: MethodInfo
    parameters: Mapping[str, JsonValue] = {}
    data: DataInfo
    threshold: ThresholdInfo
    components: tuple[str, ...] = ()
    metrics: Mapping[str, Metric] | None = None
    seconds: Seconds = Seconds()
    environment: Mapping[str, str | int | None] = {}
    notes: tuple[str, ...] = ()


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
    """

    folder: Path
    info: RunInfo
    epochs: tuple[Epoch, ...]
    scores: ScoreTable | None
    items: Items | None


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
    return Run(place, info, _read_epochs(place / "events.jsonl"), scores, items)


def _read_info(path: Path) -> RunInfo:
    if not path.is_file():
        raise InputError(f"{path.parent} {_NOT_ONE} (it has no run.json).")
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
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


def _read_epochs(path: Path) -> tuple[Epoch, ...]:
    """Read the epochs; a last line without its end is a run that was stopped while writing, and is left out."""
    if not path.exists():
        return ()
    complete = path.read_text(encoding="utf-8").split("\n")[:-1]
    epochs = []
    for number, line in enumerate(complete, start=1):
        if not line.strip():
            continue
        try:
            event = json.loads(line)
            if event["event"] == "epoch":
                epochs.append(Epoch.of(event))
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path}, line {number}, is not an event: {error!r}.") from error
    return tuple(epochs)


def _number(value: JsonValue) -> float:
    if value is None:
        return math.nan
    if isinstance(value, int | float):
        return float(value)
    raise TypeError(f"{value!r} is not a number")
