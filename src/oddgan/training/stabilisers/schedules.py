"""Stabilisers that change learning rates, and who learns when."""

import math
from dataclasses import dataclass, replace
from typing import ClassVar

from oddgan._core.errors import InputError
from oddgan.training.protocol import Player
from oddgan.training.stabilisers.base import Setting, Stabiliser


@dataclass(frozen=True, kw_only=True)
class TwoTimescale(Stabiliser):
    """Critics learn at one rate and everybody else who plays with them at another, in place of the optimisers' `lr`.

    With a critic fast enough to stay near its best answer, the game converges to a local equilibrium. Schedules and
    all else of the optimisers stay.

    Parameters
    ----------
    critic : learning rate of the critics, above 0.
    generator : learning rate of the other players of their phases, above 0.

    References
    ----------
    M. Heusel, H. Ramsauer, T. Unterthiner, B. Nessler, S. Hochreiter: GANs Trained by a Two Time-Scale Update Rule
    Converge to a Local Nash Equilibrium, 2017, https://arxiv.org/abs/1706.08500. The default rates are those of later
    work with one update each (H. Zhang et al.: Self-Attention GANs, 2019).
    """

    opponent: ClassVar[bool] = True

    critic: float = 4e-4
    generator: float = 1e-4

    def __post_init__(self) -> None:
        if not (0 < self.critic < math.inf and 0 < self.generator < math.inf):
            raise InputError(
                f"TwoTimescale got critic={self.critic} and generator={self.generator}: give finite numbers above 0."
            )

    def check(self, setting: Setting) -> None:
        """Serve every game."""

    def player(self, player: Player, *, critic: bool) -> Player:
        """Return the player with the learning rate of its role."""
        rate = self.critic if critic else self.generator
        return replace(player, optimiser=replace(player.optimiser, lr=rate))


@dataclass(frozen=True, kw_only=True)
class CriticWarmUp(Stabiliser):
    """The critics learn alone at first, so that the others' first steps follow a critic that knows something.

    Everybody else who plays in their phase waits: an autoencoder that is trained beside the game does, too.

    Parameters
    ----------
    steps : batches for which the others wait, at the start of each phase in which critics play; at least 1.

    References
    ----------
    M. Arjovsky, S. Chintala, L. Bottou: Wasserstein GAN, 2017, https://arxiv.org/abs/1701.07875, whose released code
    gives the critic 100 updates before each of the first 25 of the generator (assumed).
    """

    opponent: ClassVar[bool] = True

    steps: int = 100

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise InputError(f"CriticWarmUp got steps={self.steps}: give a whole number of at least 1.")

    def check(self, setting: Setting) -> None:
        """Serve every game."""

    def player(self, player: Player, *, critic: bool) -> Player:
        """Return the player, who waits unless it is a critic."""
        return player if critic else replace(player, waits=self.steps)
