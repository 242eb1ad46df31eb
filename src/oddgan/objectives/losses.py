"""Adversarial losses: what a critic and a generator minimise, one value per sample, on logits."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional

from oddgan._core.errors import InputError
from oddgan.objectives.regularisers import Critic, GradientPenalty, Regulariser


@dataclass(frozen=True, kw_only=True)
class Objective(ABC):
    """What the critic and the generator minimise. The critic's loss is a term for real samples plus one for fakes.

    All methods take and return one value per sample, `(n,)`. Logits are the critic's raw outputs: no sigmoid.

    Parameters
    ----------
    regulariser : the penalty on the critic's slope, or none.
    """

    regulariser: Regulariser | None = None

    def __call__(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return the critic's loss (n,), as `critic` does."""
        return self.critic(real, fake)

    @abstractmethod
    def on_real(self, logit: Tensor) -> Tensor:
        """Return the critic's loss (n,) on the logits (n,) of real samples."""

    @abstractmethod
    def on_fake(self, logit: Tensor) -> Tensor:
        """Return the critic's loss (n,) on the logits (n,) of generated samples."""

    @abstractmethod
    def generator(self, fake: Tensor) -> Tensor:
        """Return the generator's loss (n,) on the logits (n,) of its samples."""

    def critic(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return the critic's loss (n,): entry i is about real sample i and generated sample i.

        Raises
        ------
        InputError
            If the logits are not two vectors of one length; use `on_real` and `on_fake` where the numbers differ.
        """
        if real.ndim != 1 or real.shape != fake.shape:
            raise InputError(
                f"A critic's loss takes two vectors of logits of one length, but got the shapes {tuple(real.shape)} "
                f"and {tuple(fake.shape)}."
            )
        return self.on_real(real) + self.on_fake(fake)

    def penalty(self, critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
        """Return the regulariser's penalty (n,) on the critic; zeros without a regulariser.

        `critic` maps samples (n, ...) to logits (n,); `real` and `fake` are samples (n, ...).
        """
        if self.regulariser is None:
            return torch.zeros(len(real), dtype=real.dtype, device=real.device)
        return self.regulariser(critic, real, fake)

    def constrain(self, module: nn.Module) -> None:
        """Bring the critic's weights back into their bounds, in place; called after each of its updates."""
        del module  # most objectives have no bounds


@dataclass(frozen=True, kw_only=True)
class Minimax(Objective):
    r"""The original game; its generator learns little while the critic wins (the loss saturates).

    .. math:: L_D = -\log \sigma(D(x)) - \log(1 - \sigma(D(G(z)))), \quad L_G = \log(1 - \sigma(D(G(z))))

    References
    ----------
    I. Goodfellow et al.: Generative Adversarial Nets, 2014, https://arxiv.org/abs/1406.2661, equation 1.
    """

    def on_real(self, logit: Tensor) -> Tensor:
        """Return -log σ(D(x)), (n,)."""
        return functional.softplus(-logit)

    def on_fake(self, logit: Tensor) -> Tensor:
        """Return -log(1 - σ(D(G(z)))), (n,)."""
        return functional.softplus(logit)

    def generator(self, fake: Tensor) -> Tensor:
        """Return log(1 - σ(D(G(z)))), (n,)."""
        return -functional.softplus(fake)


@dataclass(frozen=True, kw_only=True)
class NonSaturating(Minimax):
    r"""The usual game: the critic of `Minimax`, and a generator that learns most where the critic is right.

    .. math:: L_D = -\log \sigma(D(x)) - \log(1 - \sigma(D(G(z)))), \quad L_G = -\log \sigma(D(G(z)))

    References
    ----------
    I. Goodfellow et al.: Generative Adversarial Nets, 2014, https://arxiv.org/abs/1406.2661, section 3.
    """

    def generator(self, fake: Tensor) -> Tensor:
        """Return -log σ(D(G(z))), (n,)."""
        return functional.softplus(-fake)


@dataclass(frozen=True, kw_only=True)
class LeastSquares(Objective):
    r"""Pull logits to fixed targets.

    .. math:: L_D = \tfrac12 (D(x) - b)^2 + \tfrac12 (D(G(z)) - a)^2, \quad L_G = \tfrac12 (D(G(z)) - c)^2

    Parameters
    ----------
    real : the critic's target b for real samples.
    fake : the critic's target a for generated samples, not equal to `real`.
    target : the generator's target c for its samples.

    References
    ----------
    X. Mao et al.: Least Squares Generative Adversarial Networks, 2017, https://arxiv.org/abs/1611.04076, equations 2
    and 9.
    """

    real: float = 1.0
    fake: float = 0.0
    target: float = 1.0

    def __post_init__(self) -> None:
        if not all(math.isfinite(v) for v in (self.real, self.fake, self.target)) or self.real == self.fake:
            raise InputError(
                f"LeastSquares got real={self.real}, fake={self.fake}, target={self.target}: give finite numbers, "
                "and different ones for real and fake."
            )

    def on_real(self, logit: Tensor) -> Tensor:
        """Return ½ (D(x) - b)², (n,)."""
        return (logit - self.real).square() / 2

    def on_fake(self, logit: Tensor) -> Tensor:
        """Return ½ (D(G(z)) - a)², (n,)."""
        return (logit - self.fake).square() / 2

    def generator(self, fake: Tensor) -> Tensor:
        """Return ½ (D(G(z)) - c)², (n,)."""
        return (fake - self.target).square() / 2


@dataclass(frozen=True, kw_only=True)
class Wasserstein(Objective):
    r"""The critic estimates a distance between distributions; clipped weights keep its slope bounded.

    .. math:: L_D = D(G(z)) - D(x), \quad L_G = -D(G(z))

    Train the critic several times per generator step (five in the paper), without momentum.

    Parameters
    ----------
    clip : the bound c of every weight of the critic, above 0; none to leave the slope to the regulariser.

    References
    ----------
    M. Arjovsky, S. Chintala, L. Bottou: Wasserstein GAN, 2017, https://arxiv.org/abs/1701.07875, algorithm 1.
    """

    clip: float | None = 0.01

    def __post_init__(self) -> None:
        if self.clip is not None and not 0 < self.clip < math.inf:
            raise InputError(f"{type(self).__name__} got clip={self.clip}: give a finite number above 0, or None.")

    def on_real(self, logit: Tensor) -> Tensor:
        """Return -D(x), (n,)."""
        return -logit

    def on_fake(self, logit: Tensor) -> Tensor:
        """Return D(G(z)), (n,)."""
        return logit

    def generator(self, fake: Tensor) -> Tensor:
        """Return -D(G(z)), (n,)."""
        return -fake

    def constrain(self, module: nn.Module) -> None:
        """Clip every weight of the critic to [-clip, clip], in place."""
        if self.clip is not None:
            with torch.no_grad():
                for weight in module.parameters():
                    weight.clamp_(-self.clip, self.clip)


@dataclass(frozen=True, kw_only=True)
class WGANGP(Wasserstein):
    r"""The Wasserstein game with a gradient penalty in place of clipped weights.

    .. math:: L_D = D(G(z)) - D(x) + \delta \, D(x)^2, \quad L_G = -D(G(z))

    Parameters
    ----------
    drift : the weight δ, at least 0, which keeps logits from drifting away from 0; 0.001 in progressive growing
        (Karras et al., 2018, appendix A.1).
    regulariser : the penalty on the critic's slope.
    clip : the bound of every weight of the critic, above 0; none, as in the paper, leaves the slope to the regulariser.

    References
    ----------
    I. Gulrajani, F. Ahmed, M. Arjovsky, V. Dumoulin, A. Courville: Improved Training of Wasserstein GANs, 2017,
    https://arxiv.org/abs/1704.00028.
    """

    regulariser: Regulariser | None = field(default_factory=GradientPenalty)
    clip: float | None = None
    drift: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.drift < math.inf:
            raise InputError(f"WGANGP got drift={self.drift}: give a finite number of at least 0.")

    def on_real(self, logit: Tensor) -> Tensor:
        """Return -D(x) + δ D(x)², (n,)."""
        return super().on_real(logit) + self.drift * logit.square() if self.drift else super().on_real(logit)


@dataclass(frozen=True, kw_only=True)
class Hinge(Objective):
    r"""The critic learns only from samples inside its margin; made for spectrally normalised critics.

    .. math:: L_D = \max(0, 1 - D(x)) + \max(0, 1 + D(G(z))), \quad L_G = -D(G(z))

    References
    ----------
    T. Miyato, T. Kataoka, M. Koyama, Y. Yoshida: Spectral Normalization for Generative Adversarial Networks, 2018,
    https://arxiv.org/abs/1802.05957, equations 16 and 17.
    """

    def on_real(self, logit: Tensor) -> Tensor:
        """Return max(0, 1 - D(x)), (n,)."""
        return functional.relu(1 - logit)

    def on_fake(self, logit: Tensor) -> Tensor:
        """Return max(0, 1 + D(G(z))), (n,)."""
        return functional.relu(1 + logit)

    def generator(self, fake: Tensor) -> Tensor:
        """Return -D(G(z)), (n,)."""
        return -fake
