"""The objective of a phase as stabilisers change it, which also watches what critics are asked and answer."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.weak import WeakTensorKeyDictionary

from oddgan._core.errors import InputError, TrainingError
from oddgan.networks import Judgement
from oddgan.networks.blocks.critics import SeveralCritics, is_critic, members
from oddgan.objectives import Objective
from oddgan.objectives.regularisers import Critic
from oddgan.training.protocol import Clock, Phase, Step, Update
from oddgan.training.stabilisers.base import Stabiliser

Swap = Callable[[Objective], AbstractContextManager[None]]
"""Puts an objective in the place of the detector's own for a while."""


@dataclass(frozen=True)
class Seen:
    """What a logit comes from: who judged, what it was shown, its features; of several critics, their own logits."""

    critic: nn.Module
    inputs: tuple[Tensor, ...]
    features: Tensor
    logits: tuple[Tensor, ...] = ()


class Game(Objective):
    """What critics and generator minimise with stabilisers; several critics each have a loss, and the mean counts.

    Parameters
    ----------
    objective : the detector's own.
    stabilisers : what changes it.
    critics : the critics that play.
    """

    def __init__(self, objective: Objective, stabilisers: tuple[Stabiliser, ...], critics: list[nn.Module]) -> None:
        for one in stabilisers:
            objective = one.objective(objective)
        self.own, self.stabilisers, self.critics = objective, stabilisers, critics
        self.matching = [one for one in stabilisers if one.matches]
        self.clock = Clock(0, 0, 1)
        self._seen: Any = WeakTensorKeyDictionary()
        self._latest: dict[nn.Module, Tensor] = {}
        self._real: dict[nn.Module, tuple[Tensor, ...]] = {}

    # -- the objective
    def on_real(self, logit: Tensor) -> Tensor:
        """Return the critics' mean loss (n,) on the logits (n,) of real samples."""
        return _mean([self.own.on_real(one) for one in self._logits(logit)])

    def on_fake(self, logit: Tensor) -> Tensor:
        """Return the critics' mean loss (n,) on the logits (n,) of generated samples."""
        return _mean([self.own.on_fake(one) for one in self._logits(logit)])

    def critic(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return the critics' mean loss (n,)."""
        pairs = list(zip(self._logits(real), self._logits(fake), strict=True))
        if self.matching:
            self._real |= {seen.critic: seen.inputs for seen in (self._look_up(one) for one, _ in pairs)}
        return _mean([self.own.critic(*pair) for pair in pairs])

    def generator(self, fake: Tensor) -> Tensor:
        """Return the generator's loss (n,): the mean of those against each critic."""
        return _mean([self._matched(logit) for logit in self._logits(fake)])

    def penalty(self, critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
        """Return the penalty (n,), the mean of those on each critic."""
        count = max(len(members(one)) for one in self.critics)
        return _mean([self._penalty_of(i, critic, real, fake) for i in range(count)])

    def constrain(self, module: nn.Module) -> None:
        """Bring the critic's weights back into the bounds of the detector's own objective."""
        self.own.constrain(module)

    def _penalty_of(self, index: int, critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
        with ExitStack() as alone:
            for several in self.critics:
                if isinstance(several, SeveralCritics):
                    alone.enter_context(several.only(index))
            total = self.own.penalty(critic, real, fake)
            more = (one.penalty(critic, real, fake, self.clock) for one in self.stabilisers)
            return sum((term for term in more if term is not None), start=total)

    def _matched(self, logit: Tensor) -> Tensor:
        """The generator's loss (n,) against one critic, features included."""
        loss = self.own.generator(logit)
        if self.matching:
            seen = self._look_up(logit)
            with torch.no_grad():
                # Past the hooks: what the critic was shown has had its noise.
                real = seen.critic.forward(*self._real[seen.critic]).features
            for one in self.matching:
                loss = one.generator_loss(loss, real, seen.features)
        return loss

    # -- what critics see and say
    def _logits(self, logit: Tensor) -> tuple[Tensor, ...]:
        """The logits of each of several critics that this one is the mean of, or the logit."""
        if not any(isinstance(one, SeveralCritics) for one in self.critics):
            return (logit,)
        return self._look_up(logit).logits or (logit,)

    def _look_up(self, logit: Tensor) -> Seen:
        seen: Seen | None = self._seen.get(logit)
        if seen is None:
            raise TrainingError("Stabilisers know a logit only as its critic returned it: pass it on unchanged.")
        return seen

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Have critics see what stabilisers show them, and remember where each logit comes from."""
        with ExitStack() as hooks:
            for critic in self.critics:
                hooks.callback(critic.register_forward_pre_hook(self._show).remove)
                for one in {critic, *members(critic)}:
                    hooks.callback(one.register_forward_hook(self._note).remove)
            yield

    def _show(self, critic: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        if critic.training:
            for one in self.stabilisers:
                inputs = tuple(one.inputs(x, self.clock) for x in inputs)
        return inputs

    def _note(self, critic: nn.Module, inputs: tuple[Tensor, ...], judged: Judgement) -> None:
        logits: tuple[Tensor, ...] = ()
        if isinstance(critic, SeveralCritics):
            logits = tuple(self._latest.pop(one) for one in critic.critics if one in self._latest)
        else:
            self._latest[critic] = judged.logit
        self._seen[judged.logit] = Seen(critic, inputs, judged.features, logits)


def stabilised(
    phase: Phase,
    networks: Mapping[str, nn.Module],
    stabilisers: tuple[Stabiliser, ...],
    objective: Objective,
    swap: Swap,
) -> Phase:
    """Return a phase as stabilisers change it; one in which no critic plays stays as it is.

    Parameters
    ----------
    phase : the detector's own.
    networks : its networks by name.
    stabilisers : what changes it.
    objective : the detector's own.
    swap : puts the changed objective in its place while the step computes a loss.
    """
    judges = [name for name, player in phase.players.items() if all(is_critic(networks[n]) for n in player.networks)]
    if not judges:
        return phase
    for one in stabilisers:
        if one.opponent and len(judges) == len(phase.players):
            raise InputError(
                f"{type(one).__name__} is about the opponents of a critic, and no one else learns: leave it out."
            )
    critics = [networks[n] for name in judges for n in phase.players[name].networks]
    game = Game(objective, stabilisers, critics)
    players = dict(phase.players)
    for one in stabilisers:
        players = {name: one.player(player, critic=name in judges) for name, player in players.items()}
    return replace(phase, players=players, step=_steps(phase, game, judges, swap))


def _steps(phase: Phase, game: Game, judges: list[str], swap: Swap) -> Step:
    """Return the phase's step, whose losses are computed by the game's rules and without those who have to wait."""

    def step(x: Tensor, clock: Clock) -> Iterator[Update]:
        game.clock, updates = clock, iter(phase.step(x, clock))
        waiting = any(one.waits(clock) for one in game.stabilisers)
        while True:
            with swap(game), game.watching():
                update = next(updates, None)
            if update is None:
                return
            if waiting and update.player not in judges:
                continue
            try:
                yield update
            except RuntimeError as error:
                if hasattr(updates, "throw"):
                    updates.throw(error)  # the traceback then names the line that yielded
                raise

    step.__name__ = getattr(phase.step, "__name__", "training")
    return step


def _mean(losses: list[Tensor]) -> Tensor:
    return losses[0] if len(losses) == 1 else torch.stack(losses).mean(0)
