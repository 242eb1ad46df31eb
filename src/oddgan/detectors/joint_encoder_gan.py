"""The encoder of Berg et al., trained together with the GAN that it inverts, or after it."""

from collections.abc import Iterator
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from oddgan._core.errors import InputError
from oddgan._core.hyperparameters import hyperparameters
from oddgan.base import Card, ScoreParts, standard_components
from oddgan.families import PriorDetector
from oddgan.networks import WASSERSTEIN_FLAT, Backbone
from oddgan.networks.base import one_of, whole
from oddgan.objectives import WGANGP, Objective
from oddgan.priors import Gaussian, Prior
from oddgan.scores import Composition, WeightedSum, latent_error
from oddgan.similarities import L2
from oddgan.training import Adam, Clock, Optimiser, Phase, Update


@hyperparameters
class JointEncoderGAN(PriorDetector):
    r"""A GAN and an encoder that learn together, so that the latent space is shaped by what is to be told apart.

    D and G play the game of `objective`. The encoder's loss measures its errors in image and in latent space,

        L_E = w_x·mean (x - G(E(x)))² + w_z·mean (z - E(G(z)))²,      z ~ p(z)

    and is minimised with the GAN by E and G ("joint", added to G's loss), with the GAN by E alone ("beside"), or once
    the GAN is trained, by E alone ("after"). Components, with x̂ = G(E(x)): `residual` mean (x - x̂)², the image
    distance, `latent` mean (E(x) - E(x̂))², the latent distance, `latent_norm` ‖E(x)‖, the origin distance, and the
    other standard ones.

    Parameters
    ----------
    latent_dim : size m of the latent space, >= 1.
    prior : distribution of z.
    objective : what critic and generator minimise.
    n_critic : critic updates for each generator update, >= 1.
    encoder : when the encoder learns: "joint", "beside" or "after".
    image_weight, latent_weight : weights w_x and w_z, >= 0 and not both 0.
    encoder_epochs, encoder_steps : how long an encoder learns that learns "after", >= 1, in passes or updates; None for
        both takes `epochs` or `steps`, or the method's default.

    References
    ----------
    A. Berg, J. Ahlberg, M. Felsberg: Unsupervised Learning of Anomaly Detection from Contaminated Image Data using
    Simultaneous Encoder Training, 2019, https://arxiv.org/abs/1905.11034.
    """

    card: ClassVar[Card] = Card(
        name="Joint-encoder GAN",
        title="Unsupervised Learning of Anomaly Detection from Contaminated Image Data using Simultaneous Encoder "
        "Training",
        authors="Berg, Ahlberg, Felsberg",
        year=2019,
        link="https://arxiv.org/abs/1905.11034",
        summary="GAN and an encoder that learns with it, or after it",
        deviations=(
            "The default networks have their full size from the start; backbone=Progressive() grows them, as the paper "
            "does.",
            "Only the abstract and later reports were at hand: the game, the losses' form and all numbers are assumed.",
            'Whether the encoder\'s loss also trains the generator is not known: "joint" lets it, "beside" does not.',
            "Loss and score are in image space by default, which separates best as later work reports it, and on "
            "digits; the paper's cue, the distance from the origin, is the component `latent_norm`.",
        ),
        gan=True,
    )
    tiny: ClassVar = {"epochs": 1, "latent_dim": 4}
    decoder_name = "generator"

    latent_dim: int = 64
    prior: Prior = Gaussian()
    objective: Objective = WGANGP()
    n_critic: int = 1
    encoder: Literal["joint", "beside", "after"] = "joint"
    image_weight: float = 1.0
    latent_weight: float = 0.0
    encoder_epochs: int | None = None
    encoder_steps: int | None = None
    composition: Composition = WeightedSum(residual=1.0)
    optimiser: Optimiser = Adam(lr=2e-4, betas=(0.0, 0.99))
    backbone: Backbone = WASSERSTEIN_FLAT

    def _check(self) -> None:
        super()._check()
        whole(n_critic=self.n_critic)
        one_of(("joint", "beside", "after"), encoder=self.encoder)
        if min(self.image_weight, self.latent_weight) < 0 or self.image_weight + self.latent_weight == 0:
            raise InputError(
                "The encoder's loss needs image_weight and latent_weight of 0 or more, one of them above 0, but they "
                f"are {self.image_weight} and {self.latent_weight}."
            )

    def _networks(self, shape: tuple[int, ...]) -> dict[str, nn.Module]:
        b, m = self.backbone, self.latent_dim
        generator = b.decoder(m, shape, output=self._output)
        return {"generator": generator, "critic": b.critic(shape), "encoder": b.encoder(shape, m)}

    def _phases(self) -> Iterator[Phase]:
        players = self._players("critic", "generator")
        if self.encoder == "joint":
            players = self._players("critic", generator=("generator", "encoder"))
        elif self.encoder == "beside":
            players = self._players("critic", "generator", "encoder")
        yield self._phase(self._adversarial, players, slowest=self.n_critic)
        if self.encoder == "after":
            yield self._phase(self._inverse, self._players("encoder"), part="encoder")

    def _adversarial(self, x: Tensor, clock: Clock) -> Iterator[Update]:
        G, z = self._net("generator"), self._draw(len(x))
        for player, loss in self._game("critic", clock).updates(x, G(z), n_critic=self.n_critic):
            joined = player == "generator" and self.encoder == "joint"
            yield Update(player, loss + self._encoder_loss(x, z) if joined else loss)
        if self.encoder == "beside":
            G.eval()  # the statistics of its batch norm are the GAN's alone
            yield Update("encoder", self._encoder_loss(x, z))
            G.train()

    def _inverse(self, x: Tensor, clock: Clock) -> Iterator[Update]:
        yield Update("encoder", self._encoder_loss(x, self._draw(len(x))))

    def _encoder_loss(self, x: Tensor, z: Tensor) -> Tensor:
        """L_E of samples x (n, ...) and codes z (n, m), (n,)."""
        G, E = self._nets("generator", "encoder")
        image = self.image_weight * L2()(x, G(E(x))) if self.image_weight else torch.zeros(len(x), device=x.device)
        return image + self.latent_weight * latent_error(z, E(G(z))) if self.latent_weight else image

    def _score(self, x: Tensor) -> ScoreParts:
        G, D, E = self._nets("generator", "critic", "encoder")
        z = E(x)
        y = G(z)
        return ScoreParts(standard_components(x, y=y, z=z, critic=D, encoder=E, prior=self.prior), y)
