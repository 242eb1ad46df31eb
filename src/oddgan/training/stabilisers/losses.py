"""Stabilisers that change losses, or what critics see."""

import math
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor, nn

from oddgan._core.errors import InputError
from oddgan.objectives import R1, Minimax, Objective, Regulariser
from oddgan.objectives.regularisers import Critic
from oddgan.training.protocol import Clock
from oddgan.training.stabilisers.base import Setting, Stabiliser


@dataclass(frozen=True, kw_only=True)
class FeatureMatching(Stabiliser):
    r"""The generator has to match what the critic sees in normal data on average, not only to fool it.

    .. math:: L_G \leftarrow L_G + \lambda \, \|\mathbb{E} f(x) - \mathbb{E} f(G(z))\|_2^2

    f are the features of the critic as it stands, the means are over the batch. The gradient flows through f(G(z)).

    Parameters
    ----------
    weight : the factor λ, above 0.
    keep_adversarial : whether L_G stays; without it, the paper's form, the term is all that the generator gets of its
        game.

    References
    ----------
    T. Salimans, I. Goodfellow, W. Zaremba, V. Cheung, A. Radford, X. Chen: Improved Techniques for Training GANs, 2016,
    https://arxiv.org/abs/1606.03498, section 3.1.
    """

    matches: ClassVar[bool] = True

    weight: float = 1.0
    keep_adversarial: bool = True

    def __post_init__(self) -> None:
        if not 0 < self.weight < math.inf:
            raise InputError(f"FeatureMatching got weight={self.weight}: give a finite number above 0.")

    def check(self, setting: Setting) -> None:
        """Refuse methods whose generator plays by a loss of its own."""
        if not setting.fools:
            raise InputError(
                f"FeatureMatching changes the loss by which a generator fools the critic, and {setting.method} has "
                "none: leave it out."
            )

    def generator_loss(self, loss: Tensor, real: Tensor, fake: Tensor) -> Tensor:
        """Return the loss (n,) with the term, which is the same for each sample."""
        distance = (real.flatten(1).mean(0) - fake.flatten(1).mean(0)).square().sum()
        return self.keep_adversarial * loss + self.weight * distance


@dataclass(frozen=True, kw_only=True)
class Penalised(Stabiliser):
    r"""A penalty on the slope of the critics, beside the one that their objective may have; every step or lazily.

    Added to each critic's loss is :math:`k \, \Omega(D)` in every k-th step and nothing in between, so that it weighs
    as much on the whole.

    Parameters
    ----------
    regulariser : the penalty Ω, e.g. `R1()` or `GradientPenalty()`.
    every : the number k of batches, at least 1; 16 is usual for lazy regularisation.

    References
    ----------
    T. Karras, S. Laine, M. Aittala, J. Hellsten, J. Lehtinen, T. Aila: Analyzing and Improving the Image Quality of
    StyleGAN, 2020, https://arxiv.org/abs/1912.04958, appendix B. Deviation: learning rate and betas of Adam are not
    corrected for the number k.
    """

    repeats: ClassVar[bool] = True

    regulariser: Regulariser = field(default_factory=R1)
    every: int = 1

    def __post_init__(self) -> None:
        if self.every < 1:
            raise InputError(f"Penalised got every={self.every}: give a whole number of at least 1.")

    def check(self, setting: Setting) -> None:
        """Serve every critic."""

    def penalty(self, critic: Critic, real: Tensor, fake: Tensor, clock: Clock) -> Tensor | None:
        """Return k Ω (n,) in every k-th step."""
        if clock.iteration % self.every:
            return None
        return self.every * self.regulariser(critic, real, fake)


@dataclass(frozen=True, kw_only=True)
class Smoothed(Objective):
    """What `LabelSmoothing` makes of an objective."""

    own: Objective
    real: float

    def on_real(self, logit: Tensor) -> Tensor:
        """Return -a log σ(D(x)) - (1 - a) log(1 - σ(D(x))), (n,)."""
        return self.real * self.own.on_real(logit) + (1 - self.real) * self.own.on_fake(logit)

    def on_fake(self, logit: Tensor) -> Tensor:
        """Return the loss (n,) on generated samples, which stays."""
        return self.own.on_fake(logit)

    def generator(self, fake: Tensor) -> Tensor:
        """Return the generator's loss (n,), which stays."""
        return self.own.generator(fake)

    def penalty(self, critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
        """Return the objective's penalty (n,), which stays."""
        return self.own.penalty(critic, real, fake)

    def constrain(self, module: nn.Module) -> None:
        """Bring the weights back into the objective's bounds."""
        self.own.constrain(module)


@dataclass(frozen=True, kw_only=True)
class LabelSmoothing(Stabiliser):
    r"""The critic's target for real samples is a little less than 1, so that it never gets certain of them.

    .. math:: L_D(x) = -a \log \sigma(D(x)) - (1 - a) \log(1 - \sigma(D(x)))

    The target of generated samples stays 0 (one-sided): a target above it would reward the critic for liking samples
    where there are no data.

    Parameters
    ----------
    real : the target a, in (0.5, 1).

    References
    ----------
    T. Salimans, I. Goodfellow, W. Zaremba, V. Cheung, A. Radford, X. Chen: Improved Techniques for Training GANs, 2016,
    https://arxiv.org/abs/1606.03498, section 3.4; 0.9 as usual.
    """

    real: float = 0.9

    def __post_init__(self) -> None:
        if not 0.5 < self.real < 1:
            raise InputError(f"LabelSmoothing got real={self.real}: give a number between 0.5 and 1.")

    def check(self, setting: Setting) -> None:
        """Refuse objectives without labels."""
        if not isinstance(setting.objective, Minimax):
            raise InputError(
                f"LabelSmoothing needs a critic that gives probabilities, objective=NonSaturating() or Minimax(), but "
                f"{setting.method} has {type(setting.objective).__name__}: leave it out."
            )

    def objective(self, objective: Objective) -> Objective:
        """Return the objective with the smoothed loss on real samples."""
        return Smoothed(own=objective, real=self.real)


@dataclass(frozen=True, kw_only=True)
class InstanceNoise(Stabiliser):
    r"""Noise on all that critics see while they train, which fades: real and generated samples then overlap at first.

    .. math:: D(x + \sigma_t \epsilon), \quad \epsilon \sim N(0, I), \quad
        \sigma_t = \sigma \max(0, 1 - t / (a T))

    with t the step and T the number of steps of the phase. Codes that a critic sees get the noise, too.

    Parameters
    ----------
    std : standard deviation σ at the start, on the scale of the network input, above 0.
    anneal : share a of the phase after which there is no noise, in (0, 1]; None keeps it at σ.

    References
    ----------
    C. K. Sønderby, J. Caballero, L. Theis, W. Shi, F. Huszár: Amortised MAP Inference for Image Super-resolution, 2017,
    https://arxiv.org/abs/1610.04490, appendix C; M. Arjovsky, L. Bottou: Towards Principled Methods for Training
    Generative Adversarial Networks, 2017, https://arxiv.org/abs/1701.04862, section 3.
    """

    std: float = 0.1
    anneal: float | None = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.std < math.inf or not (self.anneal is None or 0 < self.anneal <= 1):
            raise InputError(
                f"InstanceNoise got std={self.std} and anneal={self.anneal}: give a finite number above 0, and one in "
                "(0, 1] or None."
            )

    def check(self, setting: Setting) -> None:
        """Serve every critic."""

    def inputs(self, x: Tensor, clock: Clock) -> Tensor:
        """Return x + σ_t ε, (n, ...)."""
        left = 1.0 if self.anneal is None else max(0.0, 1 - clock.progress / self.anneal)
        return x + self.std * left * torch.randn_like(x) if left else x
