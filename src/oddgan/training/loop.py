"""The loop: every loss that a step yields updates its player, and nobody else."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from oddgan._core.errors import TrainingError
from oddgan.training.batches import Source, count
from oddgan.training.callbacks import Callback, EpochRecord
from oddgan.training.ema import Ema
from oddgan.training.engine import Engine
from oddgan.training.protocol import Clock, Phase, Update

# On an accelerator reading a loss waits for the device, so losses are looked at in groups.
_LOOK_EVERY = 50


@dataclass(frozen=True)
class Plan:
    """How a phase is trained.

    Parameters
    ----------
    batch_size : rows of a step, >= 2.
    index : the phase's number, from 0.
    callbacks : what watches.
    engine : how an update is computed.
    """

    batch_size: int = 64
    index: int = 0
    callbacks: Sequence[Callback] = ()
    engine: Engine = field(default_factory=Engine)


@dataclass
class State:
    """What the loop holds while a phase runs; callbacks may read it."""

    phase: Phase
    plan: Plan
    networks: nn.ModuleDict
    batches: int
    parameters: dict[str, list[nn.Parameter]]
    optimisers: dict[str, torch.optim.Optimizer]
    ema: Ema | None
    clock: Clock
    pending: list[tuple[str, int, Tensor]] = field(default_factory=list)
    sums: dict[str, float] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def index(self) -> int:
        """The phase's number, from 0."""
        return self.plan.index


def run(phase: Phase, networks: nn.ModuleDict, source: Source, plan: Plan) -> list[EpochRecord]:
    """Train one phase and return one record an epoch.

    Parameters
    ----------
    phase : what to train.
    networks : all networks by name; those of no player are frozen and in evaluation mode.
    source : the rows.
    plan : in which steps, how, and watched by whom.

    Raises
    ------
    TrainingError
        If a loss is not finite or names a player that the phase does not have.
    """
    state = _prepare(phase, networks, count(len(source), plan.batch_size), plan)
    plan.engine.prepare(state)
    records = []
    for callback in plan.callbacks:
        callback.phase_started(state)
    for epoch in range(phase.epochs):
        started = time.perf_counter()
        state.sums, state.counts = {}, {}
        for i, x in enumerate(source.epoch(plan.batch_size)):
            state.clock = Clock(epoch * state.batches + i, epoch, phase.epochs, state.batches)
            _iterate(state, x)
            for callback in plan.callbacks:
                callback.iteration_ended(state)
        _look(state)
        losses = {player: total / state.counts[player] for player, total in state.sums.items()}
        records.append(
            EpochRecord(phase.name, plan.index, epoch + 1, phase.epochs, losses, time.perf_counter() - started)
        )
        for callback in plan.callbacks:
            callback.epoch_ended(state, records[-1])
    if state.ema is not None:
        state.ema.apply()
    for callback in plan.callbacks:
        callback.phase_ended(state)
    return records


def _prepare(phase: Phase, networks: nn.ModuleDict, batches: int, plan: Plan) -> State:
    trained = {name for player in phase.players.values() for name in player.networks}
    for name, network in networks.items():
        network.train(name in trained).requires_grad_(name in trained)
    parameters = {
        p: [w for n in player.networks for w in networks[n].parameters()] for p, player in phase.players.items()
    }
    optimisers = {p: player.optimiser(parameters[p]) for p, player in phase.players.items()}
    ema = None
    if phase.ema is not None:
        ema = Ema((w for n in sorted(trained) for w in networks[n].parameters()), phase.ema)
    return State(phase, plan, networks, batches, parameters, optimisers, ema, Clock(0, 0, phase.epochs, batches))


def _iterate(state: State, x: Tensor) -> None:
    updates = state.phase.step(x, state.clock)
    while True:
        with state.plan.engine.around():
            update = next(updates, None)
        if update is None:
            break
        _apply(state, update, updates)
    if state.ema is not None:
        state.ema.step()
    if x.device.type == "cpu" or len(state.pending) >= _LOOK_EVERY:
        _look(state)


def _apply(state: State, update: Update, updates: Iterator[Update]) -> None:
    player = state.phase.players.get(update.player)
    if player is None:
        raise TrainingError(
            f"The step of phase {state.phase.name!r} yields an update of {update.player!r}, "
            f"but the phase's players are {', '.join(state.phase.players)}."
        )
    optimiser = state.optimisers[update.player]
    player.optimiser.set_rate(optimiser, state.clock.progress)
    optimiser.zero_grad(set_to_none=True)
    try:
        loss = state.plan.engine.backward(state, update.player, update.loss)
    except RuntimeError as error:
        if hasattr(updates, "throw"):
            updates.throw(error)  # the traceback then names the line of the step that yielded
        raise
    for callback in state.plan.callbacks:
        callback.gradients_ready(state, update.player)
    optimiser.step()
    state.pending.append((update.player, state.clock.iteration, loss))


def _look(state: State) -> None:
    """Read the losses that are waiting; stop at the first that is not finite."""
    for player, iteration, loss in state.pending:
        value = float(loss)
        if not torch.isfinite(loss):
            raise TrainingError(
                f"The loss of {player!r} became {value} in phase {state.phase.name!r} at step {iteration} "
                f"(epoch {state.clock.epoch + 1} of {state.phase.epochs}): try a smaller learning rate "
                "(optimiser.lr), a gradient penalty or spectral norm, and look for extreme values in the data."
            )
        state.sums[player] = state.sums.get(player, 0.0) + value
        state.counts[player] = state.counts.get(player, 0) + 1
    state.pending.clear()
