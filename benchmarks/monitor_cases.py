"""Runs for the training monitor: six that are made to fail, each in its own way, and healthy ones."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from oddgan import AAE, ALAD, VAE, AnoGAN, AutoEncoder, BeatGAN, DeepSVDD, Detector, FAnoGAN, GANomaly
from oddgan._core.hyperparameters import hyperparameters
from oddgan.data import read, select_normal
from oddgan.inversion import LatentSearch
from oddgan.networks import MLP, Judgement
from oddgan.objectives import R1, WGANGP, GradientPenalty, Minimax, NonSaturating, Wasserstein
from oddgan.training import SGD, Adam, Failure, Phase, Player

Made = tuple[Detector, np.ndarray]
SMALL = MLP(hidden=(64, 64))
PLAIN: dict[str, Any] = {"inversion": LatentSearch(n_max=1), "calibration_size": 1}
"""Training is what is watched: the search and the threshold are cut short."""


def ring(n: int = 800) -> np.ndarray:
    """Points of eight Gaussians on the unit circle (n, 2), each with a standard deviation of 0.1."""
    rng = np.random.default_rng(0)
    angle = 2 * np.pi * rng.integers(8, size=n) / 8
    return np.stack([np.cos(angle), np.sin(angle)], axis=1) + 0.1 * rng.normal(size=(n, 2))


def digits() -> np.ndarray:
    """The training images of the digit 3."""
    return np.asarray(select_normal(read("builtin:digits"), 3)[0].x)


def cells() -> np.ndarray:
    """The benign training rows of breast-cancer."""
    return np.asarray(select_normal(read("builtin:breast-cancer"))[0].x)


def beats() -> np.ndarray:
    """A fifth of the normal training heartbeats."""
    return select_normal(read("builtin:ecg"))[0].x[::5]


@hyperparameters
class Unbalanced(AnoGAN):
    """AnoGAN with a rate for the critic and one for the generator.

    Parameters
    ----------
    critic_lr, generator_lr : learning rates of Adam.
    """

    critic_lr: float = 1e-3
    generator_lr: float = 1e-3

    def _phases(self) -> Iterator[Phase]:
        rates = {"critic": self.critic_lr, "generator": self.generator_lr}
        players = {name: Player((name,), Adam(lr=rate)) for name, rate in rates.items()}
        yield Phase(self._adversarial, players, self.epochs)


class Shift(nn.Module):
    """G(z) = z + θ."""

    def __init__(self) -> None:
        super().__init__()
        self.theta = nn.Parameter(torch.ones(1, 2))

    def forward(self, z: Tensor) -> Tensor:
        """Map (n, 2) to (n, 2)."""
        return z + self.theta


class Linear(nn.Module):
    """D(x) = ψ·x."""

    def __init__(self) -> None:
        super().__init__()
        self.psi = nn.Parameter(torch.zeros(1, 2))

    def forward(self, x: Tensor) -> Judgement:
        """Judge (n, 2)."""
        return Judgement((x * self.psi).sum(dim=1), x)


@hyperparameters
class Bilinear(AnoGAN):
    """The Dirac-GAN of Mescheder et al. (2018) in two dimensions, with Gaussians in place of points."""

    def _networks(self, shape: tuple[int, ...]) -> dict[str, nn.Module]:
        return super()._networks(shape) | {"generator": Shift(), "critic": Linear()}


@hyperparameters
class Deep(AutoEncoder):
    """An autoencoder whose encoder has twelve layers of sigmoids."""

    def _networks(self, shape: tuple[int, ...]) -> dict[str, nn.Module]:
        hidden = [layer for _ in range(11) for layer in (nn.Linear(16, 16), nn.Sigmoid())]
        encoder = nn.Sequential(nn.Linear(shape[0], 16), nn.Sigmoid(), *hidden, nn.Linear(16, self.latent_dim))
        return super()._networks(shape) | {"encoder": encoder}


@dataclass(frozen=True)
class Case:
    """A run.

    Parameters
    ----------
    name, data : what is trained on what.
    failure : what the monitor is to say; None for a healthy run.
    make : the detector for a seed, and its training rows.
    """

    name: str
    data: str
    failure: Failure | None
    make: Callable[[int], Made]


def _ring(seed: int, **settings: Any) -> Made:
    shared = {"latent_dim": 8, "batch_size": 64, "backbone": SMALL, "random_state": seed}
    cls = Unbalanced if "critic_lr" in settings else AnoGAN
    return cls(**PLAIN | shared | settings), ring()


def _bilinear(seed: int) -> Made:
    x = np.random.default_rng(0).normal(size=(256, 2))
    settings = {"latent_dim": 2, "epochs": 60, "batch_size": 128, "objective": Wasserstein(clip=None)}
    return Bilinear(**PLAIN | settings, optimiser=SGD(lr=0.2), random_state=seed), x


FAILING = (
    Case(
        "AnoGAN, fast generator",
        "ring",
        "collapse",
        lambda s: _ring(s, epochs=40, critic_lr=1e-4, generator_lr=2e-3),
    ),
    Case(
        "AnoGAN, fast critic, minimax",
        "digits",
        "saturation",
        lambda s: (
            Unbalanced(
                **PLAIN,
                latent_dim=8,
                batch_size=16,
                epochs=25,
                critic_lr=5e-3,
                generator_lr=2e-5,
                objective=Minimax(),
                random_state=s,
            ),
            digits(),
        ),
    ),
    Case(
        "AnoGAN, weights clipped to 1e-6",
        "ring",
        "blind critic",
        lambda s: _ring(s, epochs=10, objective=Wasserstein(clip=1e-6)),
    ),
    Case(
        "twelve sigmoid layers",
        "breast-cancer",
        "vanishing",
        lambda s: (Deep(epochs=10, random_state=s), cells()),
    ),
    Case(
        "AutoEncoder, lr 3",
        "breast-cancer",
        "exploding",
        lambda s: (AutoEncoder(epochs=10, optimiser=Adam(lr=3.0), random_state=s), cells()),
    ),
    Case("Dirac-GAN", "one Gaussian", "oscillation", _bilinear),
)


def _fast(**settings: Any) -> Adam:
    return Adam(lr=1e-3, betas=(0.0, 0.9), **settings)


HEALTHY = (
    Case(
        "AnoGAN, R1",
        "ring",
        None,
        lambda s: _ring(s, epochs=60, objective=NonSaturating(regulariser=R1(weight=1.0)), optimiser=_fast()),
    ),
    Case(
        "AnoGAN, WGAN-GP",
        "ring",
        None,
        lambda s: _ring(
            s, epochs=60, n_critic=3, objective=WGANGP(regulariser=GradientPenalty(weight=1.0)), optimiser=_fast()
        ),
    ),
    Case(
        "AnoGAN",
        "digits",
        None,
        lambda s: (AnoGAN(**PLAIN, latent_dim=16, epochs=60, batch_size=16, random_state=s), digits()),
    ),
    Case(
        "f-AnoGAN",
        "digits",
        None,
        lambda s: (
            FAnoGAN(
                latent_dim=16,
                epochs=60,
                encoder_epochs=10,
                n_critic=2,
                batch_size=16,
                optimiser=Adam(lr=5e-4, betas=(0.0, 0.9)),
                random_state=s,
            ),
            digits(),
        ),
    ),
    Case("GANomaly", "digits", None, lambda s: (GANomaly(epochs=50, batch_size=16, random_state=s), digits())),
    Case("BeatGAN", "ecg", None, lambda s: (BeatGAN(epochs=12, random_state=s), beats())),
    Case("AAE", "breast-cancer", None, lambda s: (AAE(epochs=60, random_state=s), cells())),
    Case("ALAD", "breast-cancer", None, lambda s: (ALAD(epochs=60, random_state=s), cells())),
    Case("VAE", "breast-cancer", None, lambda s: (VAE(epochs=60, random_state=s), cells())),
    Case("Deep SVDD", "breast-cancer", None, lambda s: (DeepSVDD(epochs=20, random_state=s), cells())),
)
