"""How long a fit takes: measured on the first steps of each phase, before it begins."""

import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone

from oddgan._core.errors import InputError
from oddgan._core.notices import collected
from oddgan.base.fitting import Fitting
from oddgan.families.neural import NeuralDetector
from oddgan.inputs.rows import take
from oddgan.training import Callback, State, seeded
from oddgan.training.batches import count
from oddgan.training.length import default_lengths

TRIED = 6  # updates of the slowest player in each phase, of which the first is not counted
_LEFT_OUT = {"budget_ms", "selection"}  # what a fit does beside training


@dataclass(frozen=True)
class PhaseTime:
    """How long one phase of a fit takes.

    Parameters
    ----------
    name : the phase.
    steps : updates of its slowest player.
    seconds : for each of them.
    """

    name: str
    steps: int
    seconds: float


@dataclass(frozen=True)
class TrainingTime:
    """How long the training of a fit takes on this machine, scoring of the calibration rows aside.

    Parameters
    ----------
    phases : its phases.
    lengths : the steps of each part of the training by the parameter that sets them, where none are given.
    """

    phases: tuple[PhaseTime, ...]
    lengths: dict[str, int]

    @property
    def steps(self) -> int:
        """Steps over all phases."""
        return sum(phase.steps for phase in self.phases)

    @property
    def seconds(self) -> float:
        """Seconds over all phases."""
        return sum(phase.steps * phase.seconds for phase in self.phases)

    def within(self, minutes: float) -> dict[str, int]:
        """The parameters with which training takes so many minutes: all phases are cut or stretched alike.

        Parameters
        ----------
        minutes : above 0.

        Raises
        ------
        InputError
            If the time does not pay for one step, or the detector says by itself how long to train.
        """
        if not self.phases:
            raise InputError("Nothing is trained here that minutes could limit.")
        if not self.lengths:
            raise InputError("Give minutes, or steps or epochs, not both: one of these says how long to train already.")
        if not 0 < minutes < math.inf:
            raise InputError(f"minutes must be a finite number above 0, not {minutes!r}.")
        share = 60 * minutes / self.seconds
        if share * max(self.lengths.values()) < 1:
            raise InputError(f"{minutes:g} minutes are too short for one training step: all take {self.seconds:.3g} s.")
        return {name: max(1, int(steps * share)) for name, steps in self.lengths.items()}

    def __str__(self) -> str:
        """The time in words."""
        seconds = self.seconds
        amount = f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
        return f"{self.steps} training steps take about {amount} on this machine."


class _Trial(Callback):
    """Stops each phase after a few steps, and notes what they took.

    Parameters
    ----------
    batches : of a pass over all rows.
    """

    def __init__(self, batches: int) -> None:
        self.batches, self.phases = batches, list[PhaseTime]()
        self._times: list[float] = []

    def phase_started(self, state: State) -> None:
        self._times = [time.perf_counter()]

    def iteration_ended(self, state: State) -> None:
        if (state.clock.iteration + 1) % state.phase.slowest == 0:
            self._times.append(time.perf_counter())

    def stops(self, state: State) -> bool:
        return len(self._times) > TRIED

    def phase_ended(self, state: State) -> None:
        taken = np.diff(self._times)
        taken = taken[1:] if len(taken) > 1 else taken
        if state.phase.players and len(taken):
            steps = max(1, state.phase.total(self.batches) // state.phase.slowest)
            self.phases.append(PhaseTime(state.phase.name, steps, float(np.median(taken))))


def training_time(detector: NeuralDetector, X: Any) -> TrainingTime:
    """Measure how long a fit will train, by a few steps of each phase of a copy; the detector stays as it is.

    Parameters
    ----------
    detector : unfitted.
    X : the rows that it is to be fitted to, (n, ...), as for `fit`.

    Raises
    ------
    InputError
        If the rows or a hyperparameter can't be used.
    """
    known = detector.get_params(deep=False)
    copy = clone(detector).set_params(random_state=0, **dict.fromkeys(_LEFT_OUT & known.keys()))
    with collected():
        rows = copy._training_rows(X)
        trial = _Trial(count(round((1 - copy.calibration) * len(rows)), copy.batch_size))
        some = take(rows, np.arange(min(len(rows), 4 * copy.batch_size)))
        copy.scaling_ = copy._fit_scaling(some)
        copy._check()
        with seeded(0, copy._device):
            copy._learn(some, Fitting([trial]))
    return TrainingTime(tuple(trial.phases), default_lengths(copy))
