"""Stabilisers: what they may change in the training of critics and their opponents."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, NamedTuple

from torch import Tensor, nn

from oddgan._core.errors import InputError
from oddgan.networks.blocks.critics import is_critic
from oddgan.objectives import Objective
from oddgan.objectives.regularisers import Critic
from oddgan.training.protocol import Clock, Phase, Player


class Setting(NamedTuple):
    """Where a stabiliser is to be used.

    Parameters
    ----------
    method : the detector's name.
    objective : what its critics minimise, and its generator where `fools`; None for a method without critics.
    fools : whether the generator's loss is the objective's; some methods give it another.
    """

    method: str
    objective: Objective | None
    fools: bool


@dataclass(frozen=True)
class Stabiliser(ABC):
    """A change to how critics and their opponents are trained; each hook does nothing unless it is overridden.

    A hook touches one thing: the critics as they are built, the players, the objective, a penalty, the generator's
    loss, or what critics see.
    """

    repeats: ClassVar[bool] = False
    """Whether several of this kind make sense together."""
    opponent: ClassVar[bool] = False
    """Whether the critic needs an opponent that learns, too."""
    matches: ClassVar[bool] = False
    """Whether `generator_loss` is to be called."""

    @abstractmethod
    def check(self, setting: Setting) -> None:
        """Raise InputError where this stabiliser can't be used."""

    def rebuilt(self, critic: nn.Module) -> nn.Module:
        """Return the critic to build in place of this one, which may be changed."""
        return critic

    def player(self, player: Player, *, critic: bool) -> Player:
        """Return the player in place of this one; `critic` tells whether its networks are critics."""
        del critic
        return player

    def objective(self, objective: Objective) -> Objective:
        """Return the objective in place of this one."""
        return objective

    def penalty(self, critic: Critic, real: Tensor, fake: Tensor, clock: Clock) -> Tensor | None:
        """Return what is added to a critic's loss (n,), see `Objective.penalty`; None adds nothing."""
        del critic, real, fake, clock
        return None

    def generator_loss(self, loss: Tensor, real: Tensor, fake: Tensor) -> Tensor:
        """Return the generator's loss (n,) in place of this one, given a critic's features (n, ...) of both kinds."""
        del real, fake
        return loss

    def inputs(self, x: Tensor, clock: Clock) -> Tensor:
        """Return what a critic sees in place of x (n, ...) while it trains."""
        del clock
        return x


def check(stabilisers: Sequence[Stabiliser], setting: Setting) -> None:
    """Raise InputError unless all of these can be used, together."""
    if stabilisers and setting.objective is None:
        raise _no_critic(setting.method)
    for i, one in enumerate(stabilisers):
        if not one.repeats and any(type(one) is type(other) for other in stabilisers[:i]):
            raise InputError(f"stabilisers names {type(one).__name__} twice: once is enough.")
        one.check(setting)


def rebuilt(networks: Mapping[str, nn.Module], stabilisers: Sequence[Stabiliser], method: str) -> dict[str, nn.Module]:
    """Return a method's networks with the critics that stabilisers make of its own.

    Raises
    ------
    InputError
        If there are stabilisers but no critics.
    """
    critics = {name: network for name, network in networks.items() if is_critic(network)}
    if stabilisers and not critics:
        raise _no_critic(method)
    for one in stabilisers:
        critics = {name: one.rebuilt(network) for name, network in critics.items()}
    return {**networks, **critics}


def stabilised(phase: Phase, networks: nn.ModuleDict, stabilisers: Sequence[Stabiliser]) -> Phase:
    """Return a phase with the players that stabilisers make of its own; one in which no critic learns stays as it is.

    Raises
    ------
    InputError
        If a stabiliser is about opponents of critics, and there are none.
    """
    critics = {name for name, player in phase.players.items() if all(is_critic(networks[n]) for n in player.networks)}
    players = dict(phase.players)
    for one in stabilisers if critics else ():
        if one.opponent and len(critics) == len(players):
            raise InputError(
                f"{type(one).__name__} is about the opponents of a critic, and no one else learns: leave it out."
            )
        players = {name: one.player(player, critic=name in critics) for name, player in players.items()}
    return replace(phase, players=players)


def _no_critic(method: str) -> InputError:
    return InputError(
        f"stabilisers are for the game of a critic, and {method} trains none as it is set: leave them out."
    )
