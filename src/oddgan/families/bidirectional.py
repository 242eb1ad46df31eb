"""Bidirectional GANs: an encoder beside the generator, and critics that tell pairs of one kind from another."""

import math
from collections.abc import Callable, Iterable
from functools import cache

import torch
from torch import Tensor, nn

from oddgan._core.errors import InputError
from oddgan._core.hyperparameters import hyperparameters
from oddgan.base.components import Component, standard_components
from oddgan.families.coding import PriorDetector
from oddgan.networks import Judgement
from oddgan.networks.base import whole
from oddgan.objectives import NonSaturating, Objective
from oddgan.priors import Gaussian, Prior
from oddgan.scores import feature_matching

Pair = tuple[Tensor, Tensor]


def pair_loss(critic: nn.Module, objective: Objective, real: Pair, fake: Pair) -> Tensor:
    """Return the critic's loss (n,), the objective's penalty included, without a gradient to the pairs.

    Parameters
    ----------
    critic : judges two inputs together and returns logits (n,).
    objective : what it minimises; its penalty is on the slope in both inputs at once.
    real, fake : pairs of inputs (n, ...); the critic's logit is to be high on the real ones.
    """
    real, fake = _detached(real), _detached(fake)
    loss = objective.critic(critic(*real).logit, critic(*fake).logit)
    first, second = (part.shape[1:] for part in real)
    cut = math.prod(first)

    def judge(rows: Tensor) -> Tensor:
        logit: Tensor = critic(rows[:, :cut].reshape(-1, *first), rows[:, cut:].reshape(-1, *second)).logit
        return logit

    return loss + objective.penalty(judge, _side_by_side(real), _side_by_side(fake))


def flipped_loss(critic: nn.Module, objective: Objective, real: Pair, fake: Pair) -> Tensor:
    """Return what those minimise who make both kinds of pairs (n,): the critic's game with the labels swapped.

    Fakes are to be taken for real by the generator's loss, and the real ones for fakes by the critic's.

    Parameters
    ----------
    critic, objective, real, fake : as in `pair_loss`.
    """
    return objective.generator(critic(*fake).logit) + objective.on_fake(critic(*real).logit)


@hyperparameters
class BidirectionalDetector(PriorDetector):
    """A detector with the networks "encoder" and "generator", which are trained together.

    Parameters
    ----------
    objective : what critics and generator minimise; the encoder minimises the critics' loss on fakes, for the pairs
        that it makes.
    ema : decay of the moving average of all weights, which scores; in [0, 1), or None for the last weights. It
        remembers 1 / (1 - ema) steps, fewer while training is young.
    """

    decoder_name = "generator"

    latent_dim: int = 100
    prior: Prior = Gaussian()
    objective: Objective = NonSaturating()
    ema: float | None = 0.999

    def _check(self) -> None:
        super()._check()
        whole(latent_dim=self.latent_dim)
        if self.ema is not None and not 0 <= self.ema < 1:
            raise InputError(f"ema must lie in [0, 1), or be None for no average, not {self.ema}.")

    def _there_and_back(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Codes (n, m) and reconstructions (n, ...)."""
        E, G = self._nets("encoder", "generator")
        z = E(x)
        return z, G(z)

    def _compared(self, x: Tensor, z: Tensor, y: Tensor, judge: Callable[[Tensor], Judgement]) -> dict[str, Component]:
        """The standard components, with `features` as the sum Σ|f(x) - f(y)|; `judge` is asked once about x and y."""
        judge = cache(judge)
        parts = standard_components(x, y=y, z=z, critic=judge, encoder=self._net("encoder"), prior=self.prior)
        return parts | {
            "features": lambda: feature_matching(judge(x).features, judge(y).features, reduction="sum"),
        }


def _detached(pair: Pair) -> Pair:
    return pair[0].detach(), pair[1].detach()


def _side_by_side(parts: Iterable[Tensor]) -> Tensor:
    return torch.cat([part.flatten(1) for part in parts], dim=1)
