"""What a stabiliser may change of the game that a detector's networks play."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from torch import Tensor, nn

from oddgan._core.errors import InputError
from oddgan.objectives import Objective
from oddgan.objectives.regularisers import Critic
from oddgan.training.protocol import Clock, Player


class Setting(NamedTuple):
    """Where a stabiliser is to be used.

    Parameters
    ----------
    method : the detector's name.
    objective : what its critics minimise, and its generator where `fools`.
    fools : whether the generator's loss is the objective's; some methods give it another.
    """

    method: str
    objective: Objective
    fools: bool


@dataclass(frozen=True)
class Stabiliser(ABC):
    """A change to how critics and their opponents are trained; each hook does nothing unless it is overridden.

    A hook touches one thing: the critics as they are built, the players, the objective, a penalty, the generator's
    loss, what critics see, or whose turn it is.
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

    def waits(self, clock: Clock) -> bool:
        """Whether everybody but the critics misses this turn."""
        del clock
        return False


def check(stabilisers: tuple[Stabiliser, ...], setting: Setting) -> None:
    """Raise InputError unless all of these can be used, together."""
    for i, one in enumerate(stabilisers):
        if not one.repeats and any(type(one) is type(other) for other in stabilisers[:i]):
            raise InputError(f"stabilisers names {type(one).__name__} twice: once is enough.")
        one.check(setting)
