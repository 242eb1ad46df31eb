"""The state of a phase of training, which callbacks, engines and checkpoints may read."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter

import torch
from torch import Tensor, nn

from oddgan._core.errors import TrainingError
from oddgan.training.ema import Ema
from oddgan.training.protocol import Clock, Phase
from oddgan.training.seeds import Randomness, device_of
from oddgan.training.selection import Selector


@dataclass(frozen=True)
class EpochRecord:
    """One epoch of one phase.

    Parameters
    ----------
    phase, phase_index : the phase and its number, from 0.
    epoch, epochs : the number of the epoch that ended, from 1, and how many the phase has.
    losses : the mean loss of each player.
    seconds : how long the epoch took.
    criterion : the held-out criterion, lower is better; None where it was not computed.
    chosen : whether the phase ended with the weights of this epoch because of that.
    updates : updates in this epoch of the player that learns most rarely; None in records of earlier versions.
    """

    phase: str
    phase_index: int
    epoch: int
    epochs: int
    losses: dict[str, float]
    seconds: float
    criterion: float | None = None
    chosen: bool = False
    updates: int | None = None


@dataclass
class State:
    """What the loop holds while a phase runs.

    Parameters
    ----------
    phase : what is trained.
    index : its number, from 0.
    networks : all networks by name.
    batch_size : rows of a step, at most.
    batches : steps of one pass over the data.
    parameters : the weights of each player.
    optimisers : torch's optimiser of each player.
    ema : the moving average of the weights, if any.
    selector : what chooses among the epochs, if anything.
    clock : that of the step at hand.
    order : where the random generators stood when the pass over the data began.
    drawn : where the generators are to go on from after a resumption.
    pending : losses () that were not read yet, with player and step.
    sums, counts : of each player's losses in this epoch.
    records : the epochs so far.
    """

    phase: Phase
    index: int
    networks: nn.ModuleDict
    batch_size: int
    batches: int
    parameters: dict[str, list[nn.Parameter]]
    optimisers: dict[str, torch.optim.Optimizer]
    ema: Ema | None
    selector: Selector | None
    clock: Clock
    order: Randomness
    drawn: Randomness | None = None
    pending: list[tuple[str, int, Tensor]] = field(default_factory=list)
    sums: dict[str, float] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    records: list[EpochRecord] = field(default_factory=list)

    @property
    def device(self) -> torch.device:
        """Where training runs."""
        return device_of(self.networks)

    @property
    def total(self) -> int:
        """Steps of the phase."""
        return self.phase.total(self.batches)

    def clock_at(self, iteration: int, epoch: int) -> Clock:
        """The clock of a step, given its number and the passes before it."""
        return replace(self.clock, iteration=iteration, epoch=epoch)

    def record(self, losses: dict[str, float], seconds: float, criterion: float | None) -> EpochRecord:
        """The record of the epoch that the clock is in, which is over."""
        first, end, slowest = self.clock.epoch * self.batches, self.clock.iteration + 1, self.phase.slowest
        record = EpochRecord(
            phase=self.phase.name,
            phase_index=self.index,
            epoch=self.clock.epoch + 1,
            epochs=self.phase.epochs,
            losses=losses,
            seconds=seconds,
            criterion=criterion,
            updates=end // slowest - first // slowest,
        )
        self.records.append(record)
        return record

    def read_losses(self) -> None:
        """Add up the losses that are waiting; stop at the first that is not finite."""
        for player, iteration, loss in self.pending:
            value = float(loss)
            if not torch.isfinite(loss):
                raise TrainingError(
                    f"The loss of {player!r} became {value} in phase {self.phase.name!r} at step {iteration} "
                    f"(epoch {self.clock.epoch + 1} of {self.phase.epochs}): try a smaller learning rate "
                    "(optimiser.lr), a gradient penalty or spectral norm, and look for extreme values in the data."
                )
            self.sums[player] = self.sums.get(player, 0.0) + value
            self.counts[player] = self.counts.get(player, 0) + 1
        self.pending.clear()


def fewest_updates(history: Sequence[EpochRecord]) -> tuple[int, str]:
    """The least updates that the slowest player of a phase took, and in words in which phase, if there are several.

    Parameters
    ----------
    history : the records of a fit; without any, nobody took an update.
    """
    updates = Counter[int]()
    for record in history:
        updates[record.phase_index] += record.updates or 0
    names = {record.phase_index: record.phase for record in history}
    index, fewest = min(updates.items(), key=itemgetter(1), default=(0, 0))
    return fewest, f" of its phase {names[index]!r}" if len(updates) > 1 else ""
