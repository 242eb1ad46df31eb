"""The normalized autoencoder."""

import math
from collections.abc import Iterator
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from oddgan._core.errors import InputError
from oddgan._core.hyperparameters import hyperparameters
from oddgan.base import Card, ScoreParts, standard_components
from oddgan.families import CodingDetector
from oddgan.networks import Auto, Backbone, ConvLadder
from oddgan.networks.base import whole
from oddgan.priors import Langevin, Replay, Sphere
from oddgan.scaling import MinMax, Scaling
from oddgan.scores import Composition, WeightedSum
from oddgan.similarities import L2
from oddgan.training import Adam, Clock, Optimiser, Phase, Player, Steps, Update, gathered


@hyperparameters
class NAE(CodingDetector):
    r"""Make an autoencoder's error an energy: whatever else it reconstructs well is found and unlearned.

    E(x) = mean (x - G(E(x)))² defines p(x) ∝ exp(-E(x) / T), with codes on a sphere. After training as a plain
    autoencoder, with x⁻ ~ p,

        L = (E(x) - E(x⁻)) / T + γ·(E(x)² + E(x⁻)²) + λ·‖weights of the encoder‖²

    x⁻ comes from on-manifold initialisation: a Langevin chain of codes on E(G(z)), mostly from ends of earlier ones,
    then one of samples on E(x) from G(z), within the data's bounds. The score is E(x), the component `residual`.

    Parameters
    ----------
    latent_dim : size m of the sphere's space, >= 2.
    latent_chain : the chain of codes; its steps are lengths on the unit sphere.
    sample_chain : the chain of samples.
    buffer_size : ends of latent chains that are kept for others to start from, >= 1; they are not stored.
    replay : probability of such a start, in [0, 1]; the others are uniform on the sphere.
    temperature : T, > 0.
    gamma : weight γ of the squared energies, >= 0.
    encoder_decay : weight λ of the encoder's squared weights in both phases, >= 0.
    pretraining_epochs, pretraining_steps : how long the plain autoencoder learns, >= 1, in passes (100 in the paper) or
        updates; None for both takes `epochs` or `steps`, or where these are None, too, `default_pretraining_steps`.
    pretraining_optimiser : how the plain autoencoder learns.
    epochs : passes of the normalisation, >= 1 (50 in the paper), in the place of `steps`.

    References
    ----------
    S. Yoon, Y.-K. Noh, F. C. Park: Autoencoding Under Normalization Constraints, ICML 2021,
    https://arxiv.org/abs/2105.05735.
    """

    card: ClassVar[Card] = Card(
        name="NAE",
        title="Autoencoding Under Normalization Constraints",
        authors="Yoon, Noh, Park",
        year=2021,
        link="https://arxiv.org/abs/2105.05735",
        summary="autoencoder whose error is an energy, trained against its own samples",
        deviations=(
            "The default networks are ladders without normalisation layers; the paper's for MNIST are NAE_28.",
            "The sphere has the radius √m, as everywhere here; chains move on the unit sphere, as in the paper.",
            "Gradients are clipped entry by entry; the first release clips each row of an image by its norm.",
            "The penalty γ holds for both energies; the latest release leaves E(x)² out.",
        ),
    )
    default_pretraining_steps: ClassVar[Steps] = Steps()
    default_steps: ClassVar[Steps] = Steps(table=300, series=300, image=300)
    tiny: ClassVar = {"epochs": 1, "pretraining_epochs": 1, "batch_size": 8, "sample_chain": Langevin(steps=2)}

    latent_dim: int = 32
    latent_chain: Langevin = Langevin(steps=10, step=0.2, noise=0.05)
    sample_chain: Langevin = Langevin(steps=50, step=10.0, noise=0.05, anneal=True, clip=0.01)
    buffer_size: int = 10_000
    replay: float = 0.95
    temperature: float = 1.0
    gamma: float = 1.0
    encoder_decay: float = 1e-4
    pretraining_epochs: int | None = None
    pretraining_steps: int | None = None
    pretraining_optimiser: Optimiser = Adam(lr=1e-4, betas=(0.9, 0.999))
    optimiser: Optimiser = Adam(lr=1e-5, betas=(0.9, 0.999))
    composition: Composition = WeightedSum(residual=1.0)
    scaling: Scaling = MinMax(low=0.0, high=1.0)
    backbone: Backbone = Auto(
        series=ConvLadder(width=32, norm="none", init="he"), image=ConvLadder(width=32, norm="none", init="he")
    )
    batch_size: int = 128

    def _check(self) -> None:
        super()._check()
        whole(2, latent_dim=self.latent_dim)
        if not self.temperature > 0:
            raise InputError(f"temperature must be above 0, not {self.temperature}.")
        Replay(self.buffer_size, self.replay)  # refuses what it can't be

    def _networks(self, shape: tuple[int, ...]) -> dict[str, nn.Module]:
        return {
            "encoder": self.backbone.encoder(shape, self.latent_dim, output="sphere"),
            "decoder": self.backbone.decoder(self.latent_dim, shape, output=self._output),
        }

    def _phases(self) -> Iterator[Phase]:
        first = {"autoencoder": Player(("encoder", "decoder"), self.pretraining_optimiser)}
        yield self._phase(self._reconstruction, first, part="pretraining", prepares=True)
        yield from self._phases_again()

    def _phases_again(self) -> Iterator[Phase]:
        replay = Replay(self.buffer_size, self.replay)  # training's own: scoring needs none of it

        def normalisation(x: Tensor, clock: Clock) -> Iterator[Update]:
            return self._normalisation(x, clock, replay)

        yield self._phase(normalisation, self._players(autoencoder=("encoder", "decoder")), memory=replay)

    def _reconstruction(self, x: Tensor, clock: Clock) -> Iterator[Update]:
        yield Update("autoencoder", self._energy(x) + self._decay())

    def _normalisation(self, x: Tensor, clock: Clock, replay: Replay) -> Iterator[Update]:
        positive, negative = self._energy(x), self._energy(self._negatives(len(x), x.device, replay))
        contrast = (positive - negative) / self.temperature
        yield Update("autoencoder", contrast + self.gamma * (positive**2 + negative**2) + self._decay())

    def _negatives(self, n: int, device: torch.device, replay: Replay) -> Tensor:
        G, radius, T = self._net("decoder"), math.sqrt(self.latent_dim), self.temperature
        start = replay.starts(normalize(Sphere().sample(n, self.latent_dim, device=device)))
        z = self.latent_chain(start, lambda z: self._energy(G(radius * z)), temperature=T, project=normalize)
        replay.keep(gathered(z))
        return self.sample_chain(self._bounded(G(radius * z)), self._energy, temperature=T, project=self._bounded)

    def _bounded(self, x: Tensor) -> Tensor:
        return x if self.scaling_.range is None else x.clamp(*self.scaling_.range)

    def _energy(self, x: Tensor) -> Tensor:
        return L2()(x, self._reconstruct(x))

    def _decay(self) -> Tensor:
        return self.encoder_decay * torch.stack([w.square().sum() for w in self._net("encoder").parameters()]).sum()

    def _score(self, x: Tensor) -> ScoreParts:
        y = self._reconstruct(x)
        return ScoreParts(standard_components(x, y=y), y)
