"""Callbacks that observe training: progress bar and event log."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from torch import Tensor

from oddgan._core.files import plain_errors
from oddgan.training.state import EpochRecord, State


@dataclass(frozen=True)
class Subject:
    """What a callback may ask of the detector whose networks are trained.

    Parameters
    ----------
    rows : gives up to n training rows (n, ...) as network input, evenly spaced.
    draw : draws n samples (n, ...) as network input, with the networks in the mode they are in and from torch's global
        generator; None where the method has no samples.
    restore : network input (n, ...) on the scale of the data.
    """

    rows: Callable[[int], Tensor]
    draw: Callable[[int], Tensor] | None
    restore: Callable[[np.ndarray], np.ndarray]


class Callback:
    """Observes training; every method may be overridden and does nothing here."""

    def fit_started(self, method: str, rows: int) -> None:
        """Training of `method` begins on `rows` rows."""

    def watch(self, subject: Subject) -> None:
        """The networks are built; `subject` answers until training ends."""

    def resumed(self, records: Sequence[EpochRecord]) -> None:
        """Epochs that an earlier run has trained; told before `phase_started`, or instead of it for a whole phase."""

    def phase_started(self, state: State) -> None:
        """A phase begins, or goes on from `state.clock`."""

    def gradients_ready(self, state: State, player: str) -> None:
        """The gradients of a player are there; its weights have not moved yet."""

    def iteration_ended(self, state: State) -> None:
        """A step has been taken."""

    def stops(self, state: State) -> bool:
        """Whether the phase is to end after the step that has been taken; asked once a step, of every worker."""
        return False

    def epoch_ended(self, state: State, record: EpochRecord) -> None:
        """A pass over the data has ended."""

    def phase_ended(self, state: State) -> None:
        """A phase has ended; its moving average, if any, is in place."""

    def fit_ended(self, seconds: float) -> None:
        """Training has ended; always called, also after an error."""


class ProgressBar(Callback):
    """A bar in the terminal: phase, step or epoch, losses, time left.

    Parameters
    ----------
    console : where to draw; standard error by default.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._losses = ""

    def fit_started(self, method: str, rows: int) -> None:
        """Open the bar."""
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[losses]}"),
            TimeRemainingColumn(),
        )
        self._bar = Progress(*columns, console=self._console, transient=not self._console.is_terminal)
        self._bar.start()

    def phase_started(self, state: State) -> None:
        """Open a line for the phase."""
        if self._bar is not None:
            done = state.clock.iteration
            task = self._bar.add_task(state.phase.name, total=state.total, completed=done, losses="")
            self._task, self._losses = task, ""

    def iteration_ended(self, state: State) -> None:
        """Advance by a step."""
        if self._bar is not None and self._task is not None:
            each = state.phase.slowest
            by_steps = f"{(state.clock.iteration + 1) // each}/{state.total // each}"
            by_epochs = f"{state.clock.epoch + 1}/{state.phase.epochs}"
            text = f"{state.phase.name} {by_epochs if state.phase.steps is None else by_steps}"
            self._bar.update(self._task, advance=1, description=text, losses=self._losses)

    def epoch_ended(self, state: State, record: EpochRecord) -> None:
        """Show the epoch's mean losses."""
        self._losses = "  ".join(f"{player} {loss:.4g}" for player, loss in record.losses.items())
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, losses=self._losses)

    def fit_ended(self, seconds: float) -> None:
        """Close the bar."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


class EventLog(Callback):
    """Write what happens to a file, one JSON object a line, so that it can be followed and parsed.

    Parameters
    ----------
    path : the file; it is written anew, its folder is created.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._file: TextIO | None = None
        self._started = 0.0

    def write(self, event: str, **fields: object) -> None:
        """Write one event; nothing while the file is closed.

        Parameters
        ----------
        event : its name.
        fields : what JSON can hold.
        """
        if self._file is not None:
            self._file.write(json.dumps({"event": event, "time": round(time.time(), 3), **fields}) + "\n")
            self._file.flush()

    def fit_started(self, method: str, rows: int) -> None:
        """Open the file."""
        with plain_errors(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file, self._started = self.path.open("w", encoding="utf-8"), time.perf_counter()
        self.write("fit_started", method=method, rows=rows)

    def resumed(self, records: Sequence[EpochRecord]) -> None:
        """Note what was trained before; of the time it took only the epochs' own seconds are known."""
        for record in records:
            self.write("epoch", **asdict(record) | {"resumed": True})

    def phase_started(self, state: State) -> None:
        """Note the phase."""
        self.write("phase_started", phase=state.phase.name, phase_index=state.index, epochs=state.phase.epochs)

    def epoch_ended(self, state: State, record: EpochRecord) -> None:
        """Note the epoch, with the seconds since the start."""
        self.write("epoch", **asdict(record) | {"seconds": round(time.perf_counter() - self._started, 3)})

    def fit_ended(self, seconds: float) -> None:
        """Close the file."""
        self.write("fit_ended", seconds=round(seconds, 3))
        if self._file is not None:
            self._file.close()
            self._file = None
