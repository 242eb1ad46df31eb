"""The training loop: every loss that a step yields updates its player, and nobody else."""

import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from oddgan._core.errors import TrainingError
from oddgan.training.batches import Source, count
from oddgan.training.callbacks import Callback
from oddgan.training.checkpoints import Checkpoints
from oddgan.training.ema import Ema, followed
from oddgan.training.engine import Engine
from oddgan.training.protocol import Clock, Phase, Update
from oddgan.training.seeds import Randomness
from oddgan.training.selection import Selector
from oddgan.training.state import EpochRecord, State

# On an accelerator reading a loss waits for the device, so losses are looked at in groups.
_LOOK_EVERY = 50


@dataclass
class Plan:
    """How a phase is trained.

    Parameters
    ----------
    batch_size : rows of a step, >= 2.
    index : the phase's number, from 0.
    callbacks : what observes training.
    engine : how an update is computed.
    selector : what chooses among the epochs; None keeps the last weights.
    """

    batch_size: int = 64
    index: int = 0
    callbacks: Sequence[Callback] = ()
    engine: Engine = field(default_factory=Engine)
    selector: Selector | None = None


def run(phase: Phase, networks: nn.ModuleDict, source: Source, plan: Plan) -> list[EpochRecord]:
    """Train one phase and return one record an epoch.

    Parameters
    ----------
    phase : what to train.
    networks : all networks by name; those of no player are frozen and in evaluation mode.
    source : the rows.
    plan : how to train it.

    Raises
    ------
    TrainingError
        If a loss is not finite or names a player that the phase does not have.
    """
    checkpoints = Checkpoints.among(plan.callbacks) if phase.players else None
    if checkpoints is not None and (done := checkpoints.finished(plan.index, networks, phase)) is not None:
        for callback in plan.callbacks:
            callback.resumed(done)
        return done
    batches = count(len(source), plan.batch_size)
    phase = phase.sized(batches)
    state = _prepare(phase, networks, batches, plan)
    plan.engine.prepare(state)
    if checkpoints is not None:
        checkpoints.restore(state)
    for callback in plan.callbacks:
        if state.records:
            callback.resumed(state.records)
        callback.phase_started(state)
    for epoch in range(state.clock.epoch, phase.epochs):
        stopped = _epoch(state, plan, source, epoch)
        if stopped or (state.selector is not None and state.selector.exhausted):
            break
    _choose(state)
    for callback in plan.callbacks:
        callback.phase_ended(state)
    return state.records


def _epoch(state: State, plan: Plan, source: Source, epoch: int) -> bool:
    """One pass over the data, or the rest of one; returns whether a callback stopped the phase."""
    stopped, started, start = False, time.perf_counter(), max(0, state.clock.iteration - epoch * state.batches)
    for i, x in enumerate(_batches(state, plan.engine, source, start), start):
        state.clock = state.clock_at(epoch * state.batches + i, epoch)
        _iterate(state, plan, x)
        for callback in plan.callbacks:
            callback.iteration_ended(state)
        stopped = any(callback.stops(state) for callback in plan.callbacks)
        if stopped or state.clock.iteration + 1 == state.total:
            break
    state.read_losses()
    losses = {player: total / state.counts[player] for player, total in state.sums.items()}
    value = None
    if state.selector is not None:
        with nullcontext() if state.ema is None else state.ema.applied():  # the weights that the phase would end with
            value = state.selector.look(state.networks, epoch + 1)
    record = state.record(losses, time.perf_counter() - started, value)
    for callback in plan.callbacks:
        callback.epoch_ended(state, record)
    return stopped


def _batches(state: State, engine: Engine, source: Source, start: int) -> Iterator[Tensor]:
    """The batches of a pass; after a resumption, those that are left of the order that was drawn then."""
    if state.drawn is None:
        state.sums, state.counts, state.order = {}, {}, Randomness.now(state.device)
        return engine.batches(state, source)
    state.order.put(state.device)
    batches = engine.batches(state, source, start)
    state.drawn.put(state.device)
    state.drawn = None
    return batches


def _choose(state: State) -> None:
    """End with the weights of the best held-out criterion, with the moving average, or with the last."""
    if state.selector is not None and state.selector.weights:
        state.selector.apply(state.networks)
        state.records = [replace(r, chosen=r.epoch == state.selector.epoch) for r in state.records]
    elif state.ema is not None and not state.phase.prepares:
        state.ema.apply()


def _prepare(phase: Phase, networks: nn.ModuleDict, batches: int, plan: Plan) -> State:
    trained = {name for player in phase.players.values() for name in player.networks}
    for name, network in networks.items():
        network.train(name in trained).requires_grad_(name in trained)
    parameters = {
        p: [w for n in player.networks for w in networks[n].parameters()] for p, player in phase.players.items()
    }
    optimisers = {p: player.optimiser(parameters[p]) for p, player in phase.players.items()}
    ema = phase.ema
    if ema is not None and not isinstance(ema, Ema):
        ema = Ema((w for n in sorted(trained) for w in followed(networks[n])), ema)
    return State(
        phase=phase,
        index=plan.index,
        networks=networks,
        batch_size=plan.batch_size,
        batches=batches,
        parameters=parameters,
        optimisers=optimisers,
        ema=ema,
        selector=plan.selector,
        clock=Clock(0, 0, phase.epochs, batches, None if phase.steps is None else phase.total(batches)),
        order=Randomness.now(torch.device("cpu")),
    )


def _iterate(state: State, plan: Plan, x: Tensor) -> None:
    updates = state.phase.step(x, state.clock)
    if not isinstance(updates, Iterator):
        raise TrainingError(
            f"The step of phase {state.phase.name!r} must yield Update(player, loss), and return nothing."
        )
    while True:
        with plan.engine.around():
            update = next(updates, None)
        if update is None:
            break
        _apply(state, plan, update, updates)
    if state.ema is not None:
        state.ema.step()
    if x.device.type == "cpu" or len(state.pending) >= _LOOK_EVERY:
        state.read_losses()


def _check(phase: Phase, update: object) -> None:
    """Refuse what a step must not yield."""
    if not isinstance(update, Update):
        problem = f"a {type(update).__name__}, but must yield Update(player, loss)"
    elif update.player not in phase.players:
        problem = f"an update of {update.player!r}, but the phase's players are {', '.join(phase.players)}"
    elif not isinstance(update.loss, Tensor) or update.loss.ndim > 1 or not update.loss.requires_grad:
        problem = f"for {update.player} a loss that is no tensor (n,) or () with a gradient"
    else:
        return
    raise TrainingError(f"The step of phase {phase.name!r} yields {problem}.")


def _apply(state: State, plan: Plan, update: Update, updates: Iterator[Update]) -> None:
    _check(state.phase, update)
    player = state.phase.players[update.player]
    if state.clock.iteration < player.waits:
        return
    optimiser = state.optimisers[update.player]
    player.optimiser.set_rate(optimiser, state.clock.progress)
    optimiser.zero_grad(set_to_none=True)
    try:
        loss = plan.engine.backward(state, update.player, update.loss)
    except RuntimeError as error:
        if hasattr(updates, "throw"):
            updates.throw(error)  # the traceback then names the line of the step that yielded
        raise
    for callback in plan.callbacks:
        callback.gradients_ready(state, update.player)
    optimiser.step()
    if loss is not None:
        state.pending.append((update.player, state.clock.iteration, loss))
