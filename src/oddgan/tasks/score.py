"""Score new rows with a stored model."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
import torch

from oddgan._core.errors import InputError
from oddgan._core.files import growing_folder, new_folder, read_steadily, unfinished, writing
from oddgan._core.memmap import Samples, rows_at_once
from oddgan._core.notices import collected
from oddgan._core.text import texts_if
from oddgan.base import Detector, Progress
from oddgan.base.scoring import full_pass
from oddgan.data import Dataset
from oddgan.evaluate import (
    CompositionInfo,
    Contributor,
    ScoreTable,
    ThresholdInfo,
    check_suffix,
    read_scores,
    write_scores,
)
from oddgan.families.search import TOGETHER
from oddgan.options import ScoreSpec, UsageError
from oddgan.tasks.heatmaps import Draw, draw_heatmaps, map_scale
from oddgan.tasks.models import Model, composition_info, open_model, require_absent, threshold_info, versions
from oddgan.tasks.partial_scores import Origin, Partial, fingerprint_model
from oddgan.tasks.runs import Scored, score_table

TOP = 3
"""How many columns or channels are named for a row, at most."""
Watch = Callable[[Progress, int], None]
"""Told how far scoring is, and the number of all rows."""


@dataclass(frozen=True)
class ScoreResult:
    """Scores of new rows.

    Parameters
    ----------
    table : one line a row.
    threshold : the model's cut.
    composition : how its components become the score.
    notes : what the user should know.
    """

    table: ScoreTable
    threshold: ThresholdInfo
    composition: CompositionInfo
    notes: tuple[str, ...]

    @classmethod
    def of(cls, table: ScoreTable, detector: Detector, notes: tuple[str, ...]) -> Self:
        """Put scores beside what the detector says of them."""
        return cls(table, threshold_info(detector), composition_info(detector.composition_), notes)


def score(spec: ScoreSpec, *, watch: Watch | None = None, draw: Draw | None = None) -> ScoreResult:
    """Score rows; labels among them are ignored.

    With a table to write, finished rows go to a file beside it as they come. Its name ends in .part, and it is what
    `resume` continues after an interruption.

    Parameters
    ----------
    spec : what to do.
    watch : told how far it is.
    draw : draws a heatmap; needed if the spec asks for some.

    Raises
    ------
    UsageError
        If there is nothing to resume, for want of a table to write.
    InputError
        If the data can't be used, an output exists without `force`, or what an interrupted run has left is of another
        model or other data.
    ModelError
        If the model can't be loaded.
    """
    with ExitStack() as held:
        for path in (spec.out, spec.heatmaps):
            if path is not None:
                held.enter_context(writing(path, force=True))  # what may be replaced is known under the lock only
        state = _State.of(spec)
        if state.finished and spec.out is not None:
            note = f"{spec.out} is finished already: there is nothing to resume."
            table = read_scores(spec.out)
            if spec.explain:
                check_explained(table, spec.out)
            return ScoreResult.of(table, open_model(spec.model, trust_changes=spec.trust_changes).detector, (note,))
        return _score(spec, state, watch, draw)


def _score(spec: ScoreSpec, state: "_State", watch: Watch | None, draw: Draw | None) -> ScoreResult:
    with collected() as notes, ExitStack() as outputs:
        mark, model = read_steadily(spec.model, lambda folder: _fingerprint_and_model(folder, spec))
        data = model.read(spec.source, spec.options, labelled=False)
        notes.add(data.notes)
        if spec.heatmaps is not None:
            map_scale(model, data)  # refused before anything is computed
        if spec.explain:
            check_explainable(data)
        rows, origin, partial, before = _Rows(model.detector, data, watch), None, None, np.empty(0)
        if spec.out is not None:
            origin = Origin.of(mark, data, _computing(spec.device), rows.block)
            partial = outputs.enter_context(Partial(spec.out))
            before = partial.resume(origin) if spec.resume else partial.begin(origin, force=spec.force)
            notes.add(
                texts_if((state.begun, f"{len(before)} of {len(data)} rows were scored before the interruption."))
            )
        # Entered after the table, so that pictures have their place before the rows that are done are forgotten.
        pictures = None if spec.heatmaps is None else outputs.enter_context(state.folder(spec.heatmaps, origin))
        scores = scored(model.detector, data.x, watch) if partial is None else rows.score(partial, before)
        table = score_table(model.detector, Scored(data, scores))
        if spec.explain:
            table = replace(table, top=top_contributors(model.detector, data))
        if pictures is not None and draw is not None:
            draw_heatmaps(pictures, model, data, draw)
        if spec.out is not None:
            write_scores(spec.out, table, force=state.replace)
    return ScoreResult.of(table, model.detector, notes.told())


def _fingerprint_and_model(folder: Path, spec: ScoreSpec) -> tuple[str, Model]:
    """The model, and a fingerprint of its files where a table is written, which a resumed run compares."""
    mark = "" if spec.out is None else fingerprint_model(folder)
    return mark, open_model(folder, spec.device, trust_changes=spec.trust_changes)


def _computing(device: str | None) -> str:
    """The device and the versions that scores are computed with."""
    chosen = torch.get_default_device() if device is None else torch.device(device)
    return json.dumps({"device": str(chosen)} | versions())


def scored(detector: Detector, x: Samples, watch: Watch | None) -> np.ndarray:
    """Scores (n,) of rows (n, ...), with reports on how far it is."""
    if watch is None:
        return detector.anomaly_score(x)
    return detector.anomaly_score(x, report=lambda done: watch(done, len(x)))


@dataclass(frozen=True)
class _State:
    """What is there before a run.

    Parameters
    ----------
    begun : there is an interrupted run, to be resumed.
    resume : what an interrupted run has left is kept.
    finished : the run to be resumed has ended.
    replace : outputs that exist may be replaced.
    """

    begun: bool
    resume: bool
    finished: bool
    replace: bool

    @classmethod
    def of(cls, spec: ScoreSpec) -> "_State":
        """Look, and refuse what can't be done before anything is computed."""
        if spec.resume and spec.out is None:
            raise UsageError("--resume continues what lies beside --out FILE: give the --out of the interrupted run.")
        if spec.out is not None:
            check_suffix(spec.out)
            if spec.out.is_dir():
                raise InputError(f"{spec.out} is a folder, but a file is to be written: give another name.")
        asked = [path for path in (spec.out, spec.heatmaps) if path is not None]
        begun = spec.resume and spec.out is not None and unfinished(spec.out).exists()
        finished = spec.resume and not (begun or spec.force) and all(path.exists() for path in asked)
        # An interrupted run was allowed to replace what it would have replaced.
        replace = spec.force or begun
        for path in asked:
            require_absent(path, force=replace or finished)
        return cls(begun, spec.resume, finished, replace)

    def folder(self, path: Path, origin: Origin | None) -> AbstractContextManager[Path]:
        """Open a folder of pictures; with a table beside it, it is kept when it is half done."""
        if origin is None:
            return new_folder(path, force=self.replace, durable=False)
        return growing_folder(path, force=self.replace, resume=self.resume, origin=json.dumps(asdict(origin)))


class _Rows:
    """Rows that are scored block by block, so that finished ones can be written.

    Where the blocks end depends on nothing but the model, so that a run that was interrupted gives the same scores.

    Parameters
    ----------
    detector : what scores.
    data : the rows.
    watch : told how far it is.
    """

    def __init__(self, detector: Detector, data: Dataset, watch: Watch | None) -> None:
        self._detector, self._data, self._watch = detector, data, watch
        # A kill costs a block at most; a search takes so many rows together, and smaller blocks would slow it down.
        self.block = TOGETHER * (full_pass(detector.slots) if detector.scoring == "exact" else detector.slots)

    def score(self, partial: Partial, before: np.ndarray) -> np.ndarray:
        """Return the scores (n,) of all rows; those of new ones go to the file, too.

        Parameters
        ----------
        partial : where finished rows go.
        before : the scores that it holds already.
        """
        parts, tally = [before], _Tally(len(before), len(self._data), self._watch)
        for start in range(len(before), len(self._data), self.block):
            rows = np.arange(start, min(start + self.block, len(self._data)))
            data = self._data.take(rows)
            parts.append(self._detector.anomaly_score(data.x, report=tally.report))
            partial.append(score_table(self._detector, Scored(data, parts[-1])), first=start)
            tally.close()
        return np.concatenate(parts)


class _Tally:
    """Progress within blocks as progress over all rows; the means are over rows of this run."""

    def __init__(self, before: int, total: int, watch: Watch | None) -> None:
        self._before, self._total, self._watch = before, total, watch
        self._done = self._now = Progress(0, None, None)
        self.report(self._now)

    def report(self, block: Progress) -> None:
        self._now = Progress(
            self._done.rows + block.rows, *(self._mean(block, name) for name in ("steps", "converged"))
        )
        if self._watch is not None:
            self._watch(self._now._replace(rows=self._before + self._now.rows), self._total)

    def close(self) -> None:
        self._done = self._now

    def _mean(self, block: Progress, name: str) -> float | None:
        parts = [(p.rows, getattr(p, name)) for p in (self._done, block) if p.rows and getattr(p, name) is not None]
        rows = sum(n for n, _ in parts)
        return sum(n * value for n, value in parts) / rows if rows else None


def check_explainable(data: Dataset) -> None:
    """Refuse data whose rows have neither columns nor channels, before anything is computed.

    Raises
    ------
    InputError
        If it is of images.
    """
    if data.kind == "image":
        raise InputError(
            "--explain names columns of tables or channels of series, but these are images: use --heatmaps."
        )


def check_explained(table: ScoreTable, path: object) -> None:
    """Refuse a finished table that names no contributions, where they are asked for.

    Raises
    ------
    InputError
        If it was written without them.
    """
    if not table.top:
        raise InputError(f"{path} is finished, but was written without --explain: start anew with --force.")


def top_contributors(detector: Detector, data: Dataset) -> tuple[Contributor, ...]:
    """The columns or channels that contribute most to each row's score, in falling order, see `Detector.explain`.

    Parameters
    ----------
    detector : fitted.
    data : a table or series; of equal contributions the first column comes first.
    """
    k = data.x.shape[1]
    names = np.array(column_names(data))
    block, order, values = rows_at_once(data.x.shape), [np.empty((0, min(TOP, k)), int)], [np.empty((0, min(TOP, k)))]
    for start in range(0, len(data), block):
        rows = np.arange(start, min(start + block, len(data)))
        found = detector.explain(data.take(rows).x).contributions
        if found is None:
            raise InputError(f"{type(detector).__name__} tells no contributions of {data.kind} data.")
        order.append(np.argsort(-found, axis=1, kind="stable")[:, :TOP])
        values.append(np.take_along_axis(found, order[-1], axis=1))
    top, contribution = np.concatenate(order), np.concatenate(values)
    return tuple(Contributor(names[top[:, j]], contribution[:, j]) for j in range(top.shape[1]))


def column_names(data: Dataset) -> tuple[str, ...]:
    """The names of columns or channels, or their numbers from 0 where they have none."""
    kind, k = "channel" if data.kind == "series" else "column", data.x.shape[1]
    if data.columns is not None and len(data.columns) == k:
        return data.columns
    return tuple(f"{kind} {i}" for i in range(k))
