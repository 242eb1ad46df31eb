"""BeatGAN."""

from collections.abc import Iterator
from functools import cache
from typing import ClassVar

from torch import Tensor, nn

from oddgan._core.errors import InputError
from oddgan._core.hyperparameters import hyperparameters
from oddgan.base import Card, ScoreParts, standard_components
from oddgan.families import CodingDetector
from oddgan.networks import reinitialise
from oddgan.objectives import NonSaturating, Objective
from oddgan.scores import Composition, WeightedSum, feature_matching
from oddgan.similarities import L2, Similarity
from oddgan.training import Adam, Clock, Optimiser, Phase, TimeWarp, Update, gathered


@hyperparameters
class BeatGAN(CodingDetector):
    r"""Reconstruct so that a critic's features agree, too; the residual shows where a heartbeat is odd.

    x̂ = G(x) is an autoencoder's reconstruction, f the features of the critic D:

        L_G = mean (x - x̂)² + λ·mean (f(x) - f(x̂))²,      L_D = BCE(D(x), 1) + BCE(D(x̂), 0)

    and the score is A(x) = mean (x - x̂)². Components: `residual` A, `features` mean (f(x) - f(x̂))², `critic` -D(x),
    and `critic_cross_entropy` -log σ(D(x̂)). The default networks for series are the paper's (BEATGAN_1D).

    Parameters
    ----------
    latent_dim : size m of the bottleneck, >= 1.
    objective : the critic's loss.
    similarity : the residual that is trained and scored; `TrailingMask()` leaves out the padding of short beats.
    w_adv : weight λ of the features, >= 0.
    collapse : the discriminator starts afresh when its loss lies in [0, collapse); 0 never does.
    augmentation : warps series in training batches, e.g. `TimeWarp()`; None does not.

    References
    ----------
    B. Zhou, S. Liu, B. Hooi, X. Cheng, J. Ye: BeatGAN: Anomalous Rhythm Detection using Adversarially Generated Time
    Series, IJCAI 2019, https://doi.org/10.24963/ijcai.2019/616.
    """

    card: ClassVar[Card] = Card(
        name="BeatGAN",
        title="BeatGAN: Anomalous Rhythm Detection using Adversarially Generated Time Series",
        authors="Zhou, Liu, Hooi, Cheng, Ye",
        year=2019,
        link="https://doi.org/10.24963/ijcai.2019/616",
        summary="autoencoder that matches a critic's features, for series",
        deviations=(
            "The last epoch is kept; the released code keeps the one with the best AUROC on validation data with "
            "anomalies.",
            "Scores are not scaled over the test set, so that one sample has a score; the released code does.",
            "One pass of G serves both players, G's weights being the same; the released code takes two.",
            "Epochs are 30 instead of 100, for a CPU.",
        ),
        gan=True,
    )
    tiny: ClassVar = {"epochs": 1, "latent_dim": 4}
    fools = False  # its generator matches features

    latent_dim: int = 50
    objective: Objective = NonSaturating()
    similarity: Similarity = L2()
    w_adv: float = 1.0
    collapse: float = 5e-6
    augmentation: TimeWarp | None = None
    composition: Composition = WeightedSum(residual=1.0)
    optimiser: Optimiser = Adam(lr=1e-4)

    def _check(self) -> None:
        super()._check()
        if self.augmentation is not None and len(self.shape_) != 2:
            raise InputError(f"augmentation warps series (c, t), but the samples have shape {self.shape_}: give None.")

    def _networks(self, shape: tuple[int, ...]) -> dict[str, nn.Module]:
        return super()._networks(shape) | {"discriminator": self.backbone.critic(shape)}

    def _phases(self) -> Iterator[Phase]:
        players = self._players("discriminator", autoencoder=("encoder", "decoder"))
        yield self._phase(self._adversarial, players)

    def _adversarial(self, x: Tensor, clock: Clock) -> Iterator[Update]:
        x = x if self.augmentation is None else self.augmentation(x)
        y, game = self._reconstruct(x), self._game("discriminator", clock)
        fake = y.detach()
        loss = game.loss(*game.judge_both(x, fake))
        yield Update("discriminator", loss + game.penalty(x, fake))
        game.constrain()
        features = feature_matching(game.judge(x).features, game.judge(y).features, p=2)
        yield Update("autoencoder", self._similarity()(x, y) + self.w_adv * features)
        if 0 <= gathered(loss.detach()).mean() < self.collapse:  # a Wasserstein loss below zero is no collapse
            reinitialise(self._net("discriminator"))

    def _score(self, x: Tensor) -> ScoreParts:
        D, y = cache(self._net("discriminator")), self._reconstruct(x)
        parts = standard_components(x, y=y, critic=D) | {
            "residual": self._similarity()(x, y),
            "features": lambda: feature_matching(D(x).features, D(y).features, p=2),
        }
        return ScoreParts(parts, y)
