"""GANomaly."""

from collections.abc import Iterator
from functools import cache
from typing import ClassVar

from torch import Tensor, nn

from oddgan._core.hyperparameters import hyperparameters
from oddgan.base import Card, ScoreParts, standard_components
from oddgan.families import CodingDetector
from oddgan.networks import reinitialise
from oddgan.objectives import NonSaturating, Objective
from oddgan.scores import Composition, WeightedSum, feature_matching, latent_error
from oddgan.similarities import L1, L2, Similarity
from oddgan.training import Clock, Phase, Update, gathered


@hyperparameters
class GANomaly(CodingDetector):
    r"""Encode, decode, encode again: normal data agree in the latent space.

    z = E1(x), x̂ = G(z), ẑ = E2(x̂); D tells x from x̂. The losses, with f the critic's features:

        L_adv = mean (f(x) - f(x̂))²   (eq. 1)      L_con = mean |x - x̂|   (eq. 2)      L_enc = mean (z - ẑ)²   (eq. 3)
        L_G = w_adv·L_adv + w_con·L_con + w_enc·L_enc,      L_D = ½ (BCE(D(x), 1) + BCE(D(x̂), 0))

    and the score A(x) = mean (z - ẑ)². Components: `latent` A, `residual` mean (x - x̂)², `features` L_adv, and the
    standard ones.

    Parameters
    ----------
    latent_dim : size m of the latent space, >= 1.
    objective : the critic's loss; half of it is used.
    similarity : the contextual loss L_con.
    residual : what the component `residual` is; it plays no part in training.
    w_adv, w_con, w_enc : weights of the generator's losses, >= 0.
    collapse : the discriminator starts afresh when its loss lies in [0, collapse); 0 never does.

    References
    ----------
    S. Akcay, A. Atapour-Abarghouei, T. P. Breckon: GANomaly: Semi-Supervised Anomaly Detection via Adversarial
    Training, ACCV 2018, https://arxiv.org/abs/1805.06725.
    """

    card: ClassVar[Card] = Card(
        name="GANomaly",
        title="GANomaly: Semi-Supervised Anomaly Detection via Adversarial Training",
        authors="Akcay, Atapour-Abarghouei, Breckon",
        year=2018,
        link="https://arxiv.org/abs/1805.06725",
        summary="encoder-decoder-encoder with a critic",
        deviations=(
            "Scores are taken in evaluation mode; the released code scores in training mode, where they depend on the "
            "rest of the batch.",
            "Scores are not scaled over the test set, so that one sample has a score; the released code does.",
            "The last epoch is kept; the released code keeps the one with the best AUROC on the test set.",
        ),
        gan=True,
    )
    tiny: ClassVar = {"epochs": 1, "latent_dim": 4}
    fools = False  # its generator matches features

    latent_dim: int = 100
    objective: Objective = NonSaturating()
    similarity: Similarity = L1()
    residual: Similarity = L2()
    w_adv: float = 1.0
    w_con: float = 50.0
    w_enc: float = 1.0
    collapse: float = 1e-5
    composition: Composition = WeightedSum(latent=1.0)

    def _networks(self, shape: tuple[int, ...]) -> dict[str, nn.Module]:
        b = self.backbone
        return super()._networks(shape) | {
            "reencoder": b.encoder(shape, self.latent_dim),
            "discriminator": b.critic(shape),
        }

    def _phases(self) -> Iterator[Phase]:
        players = self._players("discriminator", autoencoder=("encoder", "decoder", "reencoder"))
        yield self._phase(self._adversarial, players)

    def _adversarial(self, x: Tensor, clock: Clock) -> Iterator[Update]:
        game, (z, y, z2) = self._game("discriminator", clock), self._pass(x)
        real = game.judge(x)  # the critic's weights stay until its own update, so that one pass serves both
        adversarial = feature_matching(real.features, game.judge(y).features, p=2)
        contextual, encoding = self._similarity()(x, y), latent_error(z, z2)
        yield Update("autoencoder", self.w_adv * adversarial + self.w_con * contextual + self.w_enc * encoding)
        fake = y.detach()
        loss = 0.5 * game.loss(real, game.judge(fake))
        yield Update("discriminator", loss + game.penalty(x, fake))
        game.constrain()
        if 0 <= gathered(loss.detach()).mean() < self.collapse:  # a Wasserstein loss below zero is no collapse
            reinitialise(self._net("discriminator"))

    def _pass(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        encoder, decoder, reencoder = self._nets("encoder", "decoder", "reencoder")
        z = encoder(x)
        y = decoder(z)
        return z, y, reencoder(y)

    def _score(self, x: Tensor) -> ScoreParts:
        D, (z, y, z2) = cache(self._net("discriminator")), self._pass(x)
        parts = standard_components(x, y=y, z=z, critic=D) | {
            "latent": latent_error(z, z2),
            "residual": self._similarity("residual")(x, y),
            "features": lambda: feature_matching(D(x).features, D(y).features, p=2),
        }
        return ScoreParts(parts, y)
