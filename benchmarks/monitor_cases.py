"""Runs for the training monitor: six that are made to fail, each in its own way, and healthy ones."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from sklearn.base import clone
from torch import Tensor, nn

from oddgan import AAE, ALAD, VAE, AnoGAN, AutoEncoder, BeatGAN, DeepSVDD, Detector, FAnoGAN, GANomaly
from oddgan._core.hyperparameters import hyperparameters
from oddgan.data import read, select_normal
from oddgan.inversion import LatentSearch
from oddgan.networks import MLP, Auto, Backbone, Judgement
from oddgan.objectives import R1, WGANGP, GradientPenalty, Minimax, NonSaturating, Objective, Wasserstein
from oddgan.training import SGD, Adam, Failure, Phase, Player

PLAIN: dict[str, Any] = {"inversion": LatentSearch(n_max=1), "calibration_size": 1}
"""Training is what is watched: the search and the threshold are cut short."""


def ring(n: int = 800) -> np.ndarray:
    """Points of eight Gaussians on the unit circle (n, 2), each with a standard deviation of 0.1."""
    rng = np.random.default_rng(0)
    angle = 2 * np.pi * rng.integers(8, size=n) / 8
    return np.stack([np.cos(angle), np.sin(angle)], axis=1) + 0.1 * rng.normal(size=(n, 2))


def _normal(source: str) -> np.ndarray:
    """The normal training rows of a built-in data set."""
    return np.asarray(select_normal(read(f"builtin:{source}"))[0].x)


ROWS: dict[str, Callable[[], np.ndarray]] = {
    "ring": ring,
    "one Gaussian": lambda: np.random.default_rng(0).normal(size=(256, 2)),
    "digits": lambda: np.asarray(select_normal(read("builtin:digits"), 3)[0].x),
    "breast-cancer": lambda: _normal("breast-cancer"),
    "ecg": lambda: _normal("ecg")[::5],
}
"""Training rows by the name of the data: of digits the images of 3, of ecg a fifth of the normal beats."""


@hyperparameters
class Unbalanced(AnoGAN):
    """AnoGAN with a rate for the critic and one for the generator.

    Parameters
    ----------
    critic_lr, generator_lr : learning rates of Adam.
    """

    objective: Objective = NonSaturating()
    backbone: Backbone = Auto()
    critic_lr: float = 1e-3
    generator_lr: float = 1e-3

    def _phases(self) -> Iterator[Phase]:
        rates = {"critic": self.critic_lr, "generator": self.generator_lr}
        players = {name: Player((name,), Adam(lr=rate)) for name, rate in rates.items()}
        yield self._phase(self._adversarial, players)


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
    name, data : what is trained on what; `data` is one of `ROWS`.
    detector : what is trained.
    failure : what the monitor is to say; None for a healthy run.
    """

    name: str
    data: str
    detector: Detector
    failure: Failure | None = None

    def make(self, seed: int) -> tuple[Detector, np.ndarray]:
        """The detector for a seed, and its training rows."""
        return clone(self.detector).set_params(random_state=seed), ROWS[self.data]()


ON_RING: dict[str, Any] = PLAIN | {"latent_dim": 8, "batch_size": 64, "backbone": MLP(hidden=(64, 64))}
ON_DIGITS: dict[str, Any] = {"latent_dim": 16, "epochs": 60, "batch_size": 16}
FAST = Adam(lr=1e-3, betas=(0.0, 0.9))
BILINEAR: dict[str, Any] = PLAIN | {
    "backbone": Auto(),
    "n_seed": 1,
    "latent_dim": 2,
    "epochs": 60,
    "batch_size": 128,
    "objective": Wasserstein(clip=None),
}
FAST_CRITIC: dict[str, Any] = PLAIN | {"latent_dim": 8, "batch_size": 16, "critic_lr": 5e-3, "generator_lr": 2e-5}
SLIGHTLY = WGANGP(regulariser=GradientPenalty(weight=1.0))

FAILING = (
    Case(
        "AnoGAN, fast generator",
        "ring",
        Unbalanced(**ON_RING, epochs=40, critic_lr=1e-4, generator_lr=2e-3),
        "collapse",
    ),
    Case(
        "AnoGAN, fast critic, minimax",
        "digits",
        Unbalanced(**FAST_CRITIC, epochs=25, objective=Minimax()),
        "saturation",
    ),
    Case(
        "AnoGAN, weights clipped to 1e-6",
        "ring",
        AnoGAN(**ON_RING, epochs=10, objective=Wasserstein(clip=1e-6)),
        "blind critic",
    ),
    Case("twelve sigmoid layers", "breast-cancer", Deep(epochs=10), "vanishing"),
    Case("AutoEncoder, lr 3", "breast-cancer", AutoEncoder(epochs=10, optimiser=Adam(lr=3.0)), "exploding"),
    Case("Dirac-GAN", "one Gaussian", Bilinear(**BILINEAR, optimiser=SGD(lr=0.2)), "oscillation"),
)
HEALTHY = (
    Case(
        "AnoGAN, R1",
        "ring",
        AnoGAN(**ON_RING, epochs=60, objective=NonSaturating(regulariser=R1(weight=1.0)), optimiser=FAST),
    ),
    Case("AnoGAN, WGAN-GP", "ring", AnoGAN(**ON_RING, epochs=60, n_critic=3, objective=SLIGHTLY, optimiser=FAST)),
    Case(
        "AnoGAN", "digits", AnoGAN(**PLAIN, **ON_DIGITS, objective=NonSaturating(), optimiser=Adam(), backbone=Auto())
    ),
    Case(
        "f-AnoGAN",
        "digits",
        FAnoGAN(**ON_DIGITS, encoder_epochs=10, n_critic=2, optimiser=Adam(lr=5e-4, betas=(0.0, 0.9))),
    ),
    Case("GANomaly", "digits", GANomaly(epochs=50, batch_size=16)),
    Case("BeatGAN", "ecg", BeatGAN(epochs=12)),
    Case("AAE", "breast-cancer", AAE(epochs=60)),
    Case("ALAD", "breast-cancer", ALAD(epochs=60)),
    Case("VAE", "breast-cancer", VAE(epochs=60)),
    Case("Deep SVDD", "breast-cancer", DeepSVDD(epochs=20)),
)
