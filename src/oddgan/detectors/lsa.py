"""Latent space autoregression."""

from collections.abc import Iterator
from typing import ClassVar

import torch
from torch import Tensor, nn

from oddgan._core.hyperparameters import hyperparameters
from oddgan.base import Card, ScoreParts
from oddgan.families import CodingDetector
from oddgan.networks import LSA_RESNET_28, MLP, Auto, Autoregressive, Backbone
from oddgan.scores import Composition, Standardisation, Standardised, WeightedSum
from oddgan.similarities import L2, Similarity
from oddgan.training import Adam, Clock, Optimiser, Phase, Update


@hyperparameters
class LSA(CodingDetector):
    r"""An autoencoder whose codes are to be predictable, value by value, and a density of codes that predicts them.

    z = E(x) lies in (0, 1)^m, cut into bins, and an autoregressive network h gives p(z) = Π_i p(z_i | z_1..z_i-1). All
    learn

        L = ‖x - G(z)‖² - λ·log p(z)

    The score adds both terms, each normalised: NS(x) = norm(-log p(z)) + norm(‖x - G(z)‖²), norm(v) = (v - min) / (max
    - min) over normal rows, the calibration rows. Components: `latent_nll` -log p(z), `residual` ‖x - G(z)‖².

    Parameters
    ----------
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
            "The smallest and largest values for the score come from training rows unless calibration=0.1 holds out as "
            "many of the normal rows as in the paper.",
            "The score is 2 - NS of the paper, which falls where a sample is odd; the order is the same.",
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
    composition: Composition = Standardised(WeightedSum(latent_nll=1.0, residual=1.0), Standardisation("minmax"))
    optimiser: Optimiser = Adam(lr=1e-3, betas=(0.9, 0.999))
    backbone: Backbone = Auto(table=MLP(norm="batch"), image=LSA_RESNET_28)

    def _networks(self, shape: tuple[int, ...]) -> dict[str, nn.Module]:
        return super()._networks(shape) | {
            "density": Autoregressive(self.latent_dim, channels=self.channels, bins=self.bins),
        }

    def _phases(self) -> Iterator[Phase]:
        yield self._phase(self._autoregression, self._players(model=("encoder", "decoder", "density")))

    def _autoregression(self, x: Tensor, clock: Clock) -> Iterator[Update]:
        z = self._encode(x)
        nll = self._net("density")(z if self.joint else z.detach())
        yield Update("model", self._similarity()(x, self._decode(z)) + self.weight * nll)

    def _encode(self, x: Tensor) -> Tensor:
        return torch.sigmoid(super()._encode(x))

    def _score(self, x: Tensor) -> ScoreParts:
        z = self._encode(x)
        y = self._decode(z)
        return ScoreParts({"latent_nll": self._net("density")(z), "residual": self._similarity()(x, y)}, y)
