"""The β-VAEGAN with a Gaussian prior."""

from collections.abc import Iterator
from functools import cache
from typing import ClassVar

import torch
from torch import Tensor, nn

from oddgan._core.hyperparameters import hyperparameters
from oddgan.base import Card, ScoreParts, standard_components
from oddgan.families import VariationalDetector
from oddgan.networks import VAEGAN_1D, Auto, Backbone
from oddgan.networks.base import whole
from oddgan.objectives import NonSaturating, Objective
from oddgan.priors import Gaussian
from oddgan.scores import Composition, WeightedSum, feature_matching, kl_to_standard_normal
from oddgan.similarities import L2, Similarity
from oddgan.training import Adam, Clock, Optimiser, Phase, Steps, Update


@hyperparameters
class BetaVAEGAN(VariationalDetector):
    r"""A β-VAE whose decoder also has to match a critic's features; residual, features and latent norm make the score.

    E(x) gives q(z|x) = N(μ, σ²), x̂ = G(z) with z ~ q(z|x), f are the features of the critic D:

        L_E,G = mean (x - x̂)² + mean (f(x) - f(x̂))² + β·KL(q(z|x) ‖ N(0, I)),      L_D = BCE(D(x), 1) + BCE(D(x̂), 0)

    with the KL summed over the latent space. Scores take z = μ(x). Components: `residual` mean (x - x̂)², `features`
    mean (f(x) - f(x̂))², `latent_norm` ‖μ‖, `latent` mean (μ(x) - μ(x̂))², `kl`, `elbo` residual + β·KL
    (the negative ELBO at z = μ of a decoder with a fixed variance, up to a factor and a constant), `critic` -D(x), and
    `critic_cross_entropy` -log σ(D(x̂)).

    The default score is the residual, which needs no labels. The paper's is a support vector machine on `residual`,
    `features` and `latent_norm_signed`, fitted to labelled validation rows after training.

    Parameters
    ----------
    latent_dim : size m of the latent space, >= 1.
    objective : the critic's loss.
    similarity : the residual that is trained and scored; `TrailingMask()` leaves out the padding of short beats.
    beta : weight β of the divergence, >= 0.
    warm_up : epochs over which β rises linearly from 0, >= 0.
    prior_samples : whether D also learns from G(z), z ~ N(0, I), as a further fake.

    References
    ----------
    F. Lüer, M. Dolgich, T. Weber, C. Böhm: Adversarial Anomaly Detection using Gaussian Priors and Nonlinear Anomaly
    Scores, ICDM Workshops 2023, https://arxiv.org/abs/2310.18091.
    """

    card: ClassVar[Card] = Card(
        name="β-VAEGAN",
        title="Adversarial Anomaly Detection using Gaussian Priors and Nonlinear Anomaly Scores",
        authors="Lüer, Dolgich, Weber, Böhm",
        year=2023,
        link="https://arxiv.org/abs/2310.18091",
        summary="β-VAE with a critic's features; residual, features, latent norm",
        deviations=(
            "Scores take z = μ(x); the released code draws z, so that its scores do not repeat.",
            "The default score is the residual alone, without labels; the paper composes by an SVM on labelled rows.",
            "A series keeps its length, which the released code needs to be a multiple of 32.",
            "One draw of z serves both players; the released code draws for each.",
            "The log variance is bounded to [-12, 8], so that no early step overflows.",
            "Training is 500 to 600 steps in batches of 64 at a learning rate of 1e-3, for a CPU; the paper's 500 "
            "epochs in batches of 256 at 1e-4 are the published settings MIT-BIH.",
            "β is 0.001 instead of 0.01: the residual is a mean over the sample, the divergence a sum over the code: "
            "at 0.01 an image's code held too little of it.",
        ),
        gan=True,
    )
    default_steps: ClassVar[Steps] = Steps(table=500, series=600, image=500)
    tiny: ClassVar = {"epochs": 1, "latent_dim": 4}
    fools = False  # its generator matches features

    latent_dim: int = 50
    objective: Objective = NonSaturating()
    similarity: Similarity = L2()
    beta: float = 0.001
    warm_up: int = 0
    prior_samples: bool = False
    composition: Composition = WeightedSum(residual=1.0)
    optimiser: Optimiser = Adam(lr=1e-3)
    backbone: Backbone = Auto(series=VAEGAN_1D, image=VAEGAN_1D)

    def _check(self) -> None:
        super()._check()
        whole(0, warm_up=self.warm_up)

    def _networks(self, shape: tuple[int, ...]) -> dict[str, nn.Module]:
        return {
            "encoder": self.backbone.encoder(shape, 2 * self.latent_dim),
            "decoder": self.backbone.decoder(self.latent_dim, shape, output=self._output),
            "discriminator": self.backbone.critic(shape),
        }

    def _phases(self) -> Iterator[Phase]:
        players = self._players("discriminator", autoencoder=("encoder", "decoder"))
        yield self._phase(self._adversarial, players)

    def _adversarial(self, x: Tensor, clock: Clock) -> Iterator[Update]:
        G, game = self._net("decoder"), self._game("discriminator", clock)
        mean, log_variance = self._posterior(x)
        y = G(self._draw(mean, log_variance))
        fake = y.detach()
        loss = game.loss(*game.judge_both(x, fake))
        if self.prior_samples:
            loss = loss + game.on_fake(G(torch.randn_like(mean)).detach())
        yield Update("discriminator", loss + game.penalty(x, fake))
        game.constrain()
        beta = self.beta * min(1.0, clock.iteration / (self.warm_up * clock.batches)) if self.warm_up else self.beta
        features = feature_matching(game.judge(x).features, game.judge(y).features, p=2)
        divergence = kl_to_standard_normal(mean, log_variance)
        yield Update("autoencoder", self._similarity()(x, y) + features + beta * divergence)

    def _score(self, x: Tensor) -> ScoreParts:
        D, (mean, log_variance) = cache(self._net("discriminator")), self._posterior(x)
        y = self._decode(mean)
        residual, kl = self._similarity()(x, y), kl_to_standard_normal(mean, log_variance)
        parts = standard_components(x, y=y, z=mean, critic=D, encoder=self._encode, prior=Gaussian()) | {
            "residual": residual,
            "features": lambda: feature_matching(D(x).features, D(y).features, p=2),
            "kl": kl,
            "elbo": residual + self.beta * kl,
        }
        return ScoreParts(parts, y)
