"""Progressive growing: one phase per resolution level."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from torch import Tensor, nn

from oddgan._core.errors import InputError
from oddgan.networks.blocks.critics import Critic, JointCritic
from oddgan.networks.blocks.progressive import Growing, Period
from oddgan.training.ema import Ema, followed
from oddgan.training.optimisers import Schedule
from oddgan.training.protocol import Clock, Phase, Player, Update


def grown(phase: Phase, networks: nn.ModuleDict) -> list[Phase]:
    """Return the phases of progressive growing: for each level, one in which it fades in, and one that stabilises it.

    A phase grows if a critic with a `Growing` body learns in it; others are returned as they are. All growing networks
    that learn in it are at the same stage. The step is the phase's own: it gets samples as they look at that stage, and
    the phase's own clock. Schedules go on from phase to phase; so does a moving average of the weights, which takes
    their place in the end. Held-out rows choose among the epochs of the last phase only. Optimisers start anew in each
    phase, as in the released code of Karras et al. (2018).

    Raises
    ------
    InputError
        If the phase has too few epochs or steps, or its networks grow through different sizes.
    """
    trained = sorted({name for player in phase.players.values() for name in player.networks})
    growing = [m for name in trained for m in networks[name].modules() if isinstance(m, Growing)]
    critics = [m for name in trained for m in networks[name].modules() if isinstance(m, Critic | JointCritic)]
    bodies = [m for critic in critics for m in critic.modules() if isinstance(m, Growing)]
    plan = bodies[0].plan if bodies and len(bodies[0].levels) > 1 else None
    if plan is None:
        return [phase]
    if any(m.levels != bodies[0].levels for m in growing):
        raise InputError("Networks that grow together must grow through the same sizes: give them one backbone.")
    ema = phase.ema
    if ema is not None and not isinstance(ema, Ema):
        ema = Ema((w for name in trained for w in followed(networks[name])), ema)
    whole = phase.epochs if phase.steps is None else phase.steps
    parts, done = list[Phase](), 0
    for period in plan.periods(len(bodies[0].levels), whole):
        players = {name: _excerpt(player, done, period.length, whole) for name, player in phase.players.items()}
        step = Growth(phase, growing, period, done)
        done += period.length
        part = phase.lasting(period.length, period.length if phase.steps else None)
        part = replace(part, step=step, players=players, ema=ema)
        parts.append(part if done == whole else replace(part, prepares=True))
    return parts


@dataclass(frozen=True)
class Growth:
    """The step of a phase at one resolution level, or while that level fades in.

    Parameters
    ----------
    phase : the phase as a whole.
    networks : what grows.
    period : the level, whether it fades in, and for how long.
    before : epochs of the phase that are over; where it has steps, steps.
    """

    phase: Phase
    networks: Sequence[Growing]
    period: Period
    before: int

    @property
    def __name__(self) -> str:
        sides = "x".join(map(str, self.networks[0].levels[self.period.level]))
        return f"{self.phase.name}, {sides}{' fading in' if self.period.fades else ''}"

    def __call__(self, x: Tensor, clock: Clock) -> Iterator[Update]:
        """Set the level, then take a step on samples x (n, ...) at its resolution."""
        for network in self.networks:
            network.grow(self.period.level - 1 + clock.progress if self.period.fades else self.period.level)
        by_steps = self.phase.steps is not None
        iteration = self.before * (self.phase.slowest if by_steps else clock.batches) + clock.iteration
        epochs = self.phase.sized(clock.batches).epochs
        total = self.phase.total(clock.batches) if by_steps else None
        whole = Clock(iteration, iteration // clock.batches, epochs, clock.batches, total)
        return self.phase.step(self.networks[0].view(x), whole)


@dataclass(frozen=True)
class Excerpt(Schedule):
    """A part of another schedule, from `start` on for `share` of it."""

    schedule: Schedule
    start: float
    share: float

    def __call__(self, progress: float) -> float:
        """The schedule's factor there."""
        return self.schedule(self.start + self.share * progress)


def _excerpt(player: Player, done: int, length: int, whole: int) -> Player:
    """Return a player whose schedule goes on at `done` of a `whole`, for this length of it."""
    schedule = Excerpt(player.optimiser.schedule, done / whole, length / whole)
    return replace(player, optimiser=replace(player.optimiser, schedule=schedule))
