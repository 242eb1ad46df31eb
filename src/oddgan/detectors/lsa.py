"""Latent space autoregression."""

from collections.abc import Iterator
from typing import ClassVar

import torch
from torch import Tensor, nn

from oddgan._core.hyperparameters import hyperparameters
from oddgan.base import Card, Component, NeuralDetector, Stored
from oddgan.networks import LSA_RESNET_28, MLP, Auto, Autoregressive, Backbone
from oddgan.scores import Composition, WeightedSum
from oddgan.similarities import L2, Similarity
from oddgan.training import Adam, Clock, Optimiser, Phase, Update

# Rows of one pass after training.
_CHUNK = 256


@hyperparameters
class LSA(NeuralDetector):
    r"""An autoencoder whose codes are to be predictable, value by value, and a density of codes that predicts them.

    z = E(x) lies in (0, 1)^m, cut into bins, and an autoregressive network h gives p(z) = Π_i p(z_i | z_1..z_i-1). All
    learn

        L = ‖x - G(z)‖² - λ·log p(z)

    The score adds both terms, each normalised: NS(x) = norm(-log p(z)) + norm(‖x - G(z)‖²), norm(v) = (v - min) / (max
    - min) over normal rows. Components: `novelty` NS, `latent_nll` -log p(z), `residual` ‖x - G(z)‖².

    Parameters
    ----------
    latent_dim : size m of the latent space, >= 1.
    similarity : the residual that is trained and scored.
    weight : weight λ of the density's term, >= 0.
    bins : bins of a conditional, >= 2.
    channels : channels of each value in the hidden layers of h.
    joint : whether the density's term teaches E, too; without it h learns the codes of a plain autoencoder.

    References
    ----------
    D. Abati, A. Porrello, S. Calderara, R. Cucchiara: Latent Space Autoregression for Novelty Detection, CVPR 2019,
    https://arxiv.org/abs/1807.01653.
    """

    card: ClassVar[Card] = Card(
        name="LSA",
        title="Latent Space Autoregression for Novelty Detection",
        authors="Abati, Porrello, Calderara, Cucchiara",
        year=2019,
        link="https://arxiv.org/abs/1807.01653",
        summary="autoencoder with an autoregressive density of its codes",
        deviations=(
            "The smallest and largest values for the score come from training rows; the paper takes 10% of the normal "
            "rows that it does not train on.",
            "Novelty is 2 - NS of the paper, which falls where a sample is odd; the order is the same.",
            "Images and series lie in [-1, 1], where squared errors are four times those of the paper's [0, 1]: "
            "weight=4 restores its balance.",
            "The default networks for images are the library's residual networks of the paper's sizes.",
            "How the networks learn is not published; Adam with the settings below is the library's choice.",
        ),
    )
    tiny: ClassVar = {"epochs": 1, "latent_dim": 4, "channels": (4,), "bins": 10}

    latent_dim: int = 64
    similarity: Similarity = L2(reduction="sum")
    weight: float = 1.0
    bins: int = 100
    channels: tuple[int, ...] = (32, 32, 32, 32)
    joint: bool = True
    composition: Composition = WeightedSum(novelty=1.0)
    optimiser: Optimiser = Adam(lr=1e-3, betas=(0.9, 0.999))
    backbone: Backbone = Auto(table=MLP(norm="batch"), image=LSA_RESNET_28)
    epochs: int = 20

    def _networks(self, shape: tuple[int, ...]) -> dict[str, nn.Module]:
        return {
            "encoder": self.backbone.encoder(shape, self.latent_dim),
            "decoder": self.backbone.decoder(self.latent_dim, shape, output=self._output),
            "density": Autoregressive(self.latent_dim, channels=self.channels, bins=self.bins),
            # Of -log p(z) and of the residual: smallest value and range.
            "normal": Stored(torch.tensor([[0.0, 1.0], [0.0, 1.0]])),
        }

    def _phases(self) -> Iterator[Phase]:
        yield Phase(self._autoregression, self._players(model=("encoder", "decoder", "density")), self.epochs)

    def _autoregression(self, x: Tensor, clock: Clock) -> Iterator[Update]:
        z = self._encode(x)
        nll = self._net("density")(z if self.joint else z.detach())
        yield Update("model", self._similarity()(x, self._net("decoder")(z)) + self.weight * nll)

    def _calibrate(self, x: Tensor) -> None:
        terms = torch.cat([torch.stack(self._terms(rows)[:2], dim=1) for rows in torch.split(x, _CHUNK)])
        low, high = terms.amin(dim=0), terms.amax(dim=0)
        spread = (high - low).clamp(min=torch.finfo(x.dtype).eps)
        self._stored("normal").copy_(torch.stack([low, spread], dim=1))

    def _terms(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """-log p(z) (n,), the residual (n,), and the reconstruction."""
        z = self._encode(x)
        y = self._net("decoder")(z)
        return self._net("density")(z), self._similarity()(x, y), y

    def _encode(self, x: Tensor) -> Tensor:
        return torch.sigmoid(self._net("encoder")(x))

    def _reconstruct(self, x: Tensor) -> Tensor:
        y: Tensor = self._net("decoder")(self._encode(x))
        return y

    def _components(self, x: Tensor) -> dict[str, Component]:
        return self._together(x)[0]

    def _together(self, x: Tensor) -> tuple[dict[str, Component], Tensor]:
        nll, residual, y = self._terms(x)
        low, spread = self._stored("normal").T
        novelty = (nll - low[0]) / spread[0] + (residual - low[1]) / spread[1]
        return {"novelty": novelty, "latent_nll": nll, "residual": residual}, y
