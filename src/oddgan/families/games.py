"""The game between a critic and a generator: the losses of both, as an objective and stabilisers give them."""

import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from oddgan.networks import HalfPrecision, Judgement, Logits
from oddgan.networks.blocks.critics import members
from oddgan.objectives import Objective
from oddgan.objectives.regularisers import Critic
from oddgan.training import Clock, Stabiliser, Update

Inputs = Tensor | tuple[Tensor, ...]
"""What a critic judges: samples or codes (n, ...), or several of them together, e.g. samples with their codes."""


class Game:
    """The losses of a critic and its generator in one training step, per sample (n,).

    Stabilisers act here: on what the critic is shown while it trains, on the objective, on penalties, and on the
    generator's loss. Each of several critics (`CriticEnsemble`) has a loss and a penalty of its own, and the mean
    counts.

    Parameters
    ----------
    critic : judges its inputs: logits (n,) and features (n, ...); high logits are for real ones.
    objective : what both minimise; its penalty and its bounds hold for the critic.
    stabilisers : what changes that.
    clock : where training stands.
    """

    def __init__(
        self,
        critic: nn.Module,
        objective: Objective,
        stabilisers: Sequence[Stabiliser] = (),
        clock: Clock | None = None,
    ) -> None:
        for one in stabilisers:
            objective = one.objective(objective)
        self.critic, self.objective, self.stabilisers = critic, objective, stabilisers
        self.clock = clock or Clock(0, 0, 1)
        self._real: tuple[Tensor, ...] = ()  # as the critic was last shown real inputs

    def critic_loss(self, real: Inputs, fake: Inputs) -> Tensor:
        """What the critic minimises (n,), penalties included, without a gradient to its inputs (n, ...)."""
        real, fake = (tuple(part.detach() for part in _several(inputs)) for inputs in (real, fake))
        return self.loss(*self.judge_both(real, fake)) + self.penalty(real, fake)

    def generator_loss(self, fake: Inputs) -> Tensor:
        """What the generator minimises (n,), with a gradient to its samples (n, ...)."""
        judged = _each(self.judge(fake))
        losses = [self.objective.generator(one.logit) for one in judged]
        for matching in (one for one in self.stabilisers if one.matches):
            with torch.no_grad():
                real = [critic(*self._real).features for critic in self._critics()]
            features = [one.features for one in judged]
            losses = [matching.generator_loss(*terms) for terms in zip(losses, real, features, strict=True)]
        return _mean(losses)

    def updates(self, real: Inputs, fake: Inputs, *, n_critic: int = 1) -> Iterator[Update]:
        """One batch: the player "critic" learns, and every `n_critic` batches the player "generator".

        Parameters
        ----------
        real, fake : inputs (n, ...); those of the generator with their graph.
        n_critic : critic updates for each generator update, >= 1.
        """
        yield Update("critic", self.critic_loss(real, fake))
        self.constrain()
        if (self.clock.iteration + 1) % n_critic == 0:
            yield Update("generator", self.generator_loss(fake))

    def constrain(self) -> None:
        """Bring the critic's weights back into the objective's bounds, in place; called after each of its updates."""
        self.objective.constrain(self.critic)

    # -- for methods whose losses have other terms
    def judge(self, inputs: Inputs) -> Judgement:
        """What the critic says of inputs (n, ...): logits (n,) and features (n, ...)."""
        judged: Judgement = self.critic(*self._shown(_several(inputs)))
        return judged

    def judge_both(self, real: Inputs, fake: Inputs) -> tuple[Judgement, Judgement]:
        """What the critic says of real and of generated inputs, (n, ...) each; in one pass where that is the same."""
        real, fake = _several(real), _several(fake)
        if not self.stabilisers and len(real) == 1:
            return Logits(self.critic).both(*real, *fake)
        self._real = self._shown(real)
        return self.critic(*self._real), self.judge(fake)

    def loss(self, real: Judgement, fake: Judgement) -> Tensor:
        """The critic's loss (n,) without penalties."""
        pairs = zip(_each(real), _each(fake), strict=True)
        return _mean([self.objective.critic(a.logit, b.logit) for a, b in pairs])

    def on_real(self, inputs: Inputs) -> Tensor:
        """The critic's loss (n,) on inputs (n, ...) that it is to take for real, with a gradient to them."""
        return _mean([self.objective.on_real(one.logit) for one in _each(self.judge(inputs))])

    def on_fake(self, inputs: Inputs) -> Tensor:
        """The critic's loss (n,) on inputs (n, ...) that it is to take for generated, with a gradient to them."""
        return _mean([self.objective.on_fake(one.logit) for one in _each(self.judge(inputs))])

    def penalty(self, real: Inputs, fake: Inputs) -> Tensor:
        """The penalties (n,) on the critic's slope, given inputs (n, ...) of both kinds; in all of an input at once."""
        real, fake = _several(real), _several(fake)
        if not self.stabilisers and len(real) == 1:
            return self.objective.penalty(Logits(self.critic), *real, *fake)
        rows = _side_by_side(real), _side_by_side(fake)
        return _mean([self._penalty(self._logits(critic, real), *rows) for critic in self._critics()])

    def _penalty(self, critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
        total = self.objective.penalty(critic, real, fake)
        more = (one.penalty(critic, real, fake, self.clock) for one in self.stabilisers)
        return sum((term for term in more if term is not None), start=total)

    def _logits(self, critic: nn.Module, like: tuple[Tensor, ...]) -> Critic:
        """A critic as a function of inputs side by side."""

        def judge(rows: Tensor) -> Tensor:
            logit: Tensor = critic(*self._shown(_apart(rows, like))).logit
            return logit

        return judge

    def _critics(self) -> list[nn.Module]:
        if isinstance(self.critic, HalfPrecision):
            return [HalfPrecision(one) for one in members(self.critic.network)]
        return list(members(self.critic))

    def _shown(self, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """What the critic sees of its inputs, as stabilisers show them while it trains."""
        if self.critic.training:
            for one in self.stabilisers:
                inputs = tuple(one.inputs(x, self.clock) for x in inputs)
        return inputs


def _several(inputs: Inputs) -> tuple[Tensor, ...]:
    return inputs if isinstance(inputs, tuple) else (inputs,)


def _each(judged: Judgement) -> tuple[Judgement, ...]:
    """What each of several critics said, or the only one."""
    return judged.each or (judged,)


def _mean(losses: list[Tensor]) -> Tensor:
    return losses[0] if len(losses) == 1 else torch.stack(losses).mean(0)


def _side_by_side(inputs: tuple[Tensor, ...]) -> Tensor:
    """Inputs (n, ...) as rows (n, d) of all their values; a single one stays as it is."""
    return inputs[0] if len(inputs) == 1 else torch.cat([part.flatten(1) for part in inputs], dim=1)


def _apart(rows: Tensor, like: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Inputs of the shapes of others, which stand side by side in rows."""
    if len(like) == 1:
        return (rows,)
    parts = torch.split(rows, [math.prod(part.shape[1:]) for part in like], dim=1)
    return tuple(part.reshape(-1, *other.shape[1:]) for part, other in zip(parts, like, strict=True))
