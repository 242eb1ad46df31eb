"""AnoGAN."""

from collections.abc import Iterator
from typing import ClassVar

from torch import Tensor, nn

from oddgan._core.hyperparameters import hyperparameters
from oddgan.base import Card, NeuralDetector, Stored, adversarial_updates
from oddgan.inversion import Inverted, LatentSearch
from oddgan.networks.base import whole
from oddgan.objectives import NonSaturating, Objective
from oddgan.priors import Gaussian, Prior
from oddgan.scores import Composition, WeightedSum, critic_cross_entropy, feature_matching
from oddgan.similarities import L1, Similarity
from oddgan.training import Clock, Phase, Update


@hyperparameters
class AnoGAN(NeuralDetector):
    r"""Search the latent space for the sample; score what the search leaves over.

    A GAN learns to draw normal data. To score x, gradient descent looks for the z* whose G(z*) is most like it:

        z* = argmin_z (1 - λ)·R(z) + λ·F(z),  R(z) = Σ|x - G(z)|,  F(z) = Σ|f(x) - f(G(z))|

    with f the critic's features and λ = 0.1; the anomaly score is that loss at z*. Components: `residual` R,
    `features` F, and `critic` -log σ(D(G(z*))), the discriminator loss that the paper replaces by F.

    Parameters
    ----------
    latent_dim : size m of the latent space, >= 1.
    prior : distribution of z in training, of the search's starts, and the support that the search stays on.
    objective : what critic and generator minimise.
    n_critic : critic updates for each generator update, >= 1.
    inversion : the search.
    n_seed : starts of the search, >= 1; drawn once in `fit`, the same for every sample.
    search_loss : what the search minimises, from `residual`, `features` and `critic`.
    similarity : the residual between a sample and its reconstruction.

    References
    ----------
    T. Schlegl, P. Seeböck, S. M. Waldstein, U. Schmidt-Erfurth, G. Langs: Unsupervised Anomaly Detection with
    Generative Adversarial Networks to Guide Marker Discovery, IPMI 2017, https://arxiv.org/abs/1703.05921.
    """

    card: ClassVar[Card] = Card(
        name="AnoGAN",
        title="Unsupervised Anomaly Detection with Generative Adversarial Networks to Guide Marker Discovery",
        authors="Schlegl, Seeböck, Waldstein, Schmidt-Erfurth, Langs",
        year=2017,
        link="https://arxiv.org/abs/1703.05921",
        summary="GAN; searches the latent space for each sample",
        deviations=(
            "Each sample has its own loss and stops by itself; public code averages over the batch, so that a sample's "
            "score depends on its neighbours.",
            "The starts are drawn once in `fit` and are the same for every sample, so that scores repeat.",
        ),
        gan=True,
    )
    tiny: ClassVar = {"epochs": 1, "latent_dim": 4, "inversion": LatentSearch(n_max=3, lr=0.1)}

    latent_dim: int = 100
    prior: Prior = Gaussian()
    objective: Objective = NonSaturating()
    n_critic: int = 1
    inversion: LatentSearch = LatentSearch(n_max=500, lr=1e-2)
    n_seed: int = 1
    search_loss: Composition = WeightedSum(residual=0.9, features=0.1)
    similarity: Similarity = L1(reduction="sum")
    composition: Composition = WeightedSum(residual=0.9, features=0.1)
    epochs: int = 20

    def _check(self) -> None:
        super()._check()
        whole(n_critic=self.n_critic, n_seed=self.n_seed)

    def _networks(self, shape: tuple[int, ...]) -> dict[str, nn.Module]:
        return {
            "generator": self.backbone.decoder(self.latent_dim, shape, output=self._output),
            "critic": self.backbone.critic(shape),
            "starts": Stored(self.prior.sample(self.n_seed, self.latent_dim)),
        }

    def _phases(self) -> Iterator[Phase]:
        yield Phase(self._adversarial, self._players("critic", "generator"), self.epochs)

    def _adversarial(self, x: Tensor, clock: Clock) -> Iterator[Update]:
        G, D = self._nets("generator", "critic")
        fake = G(self.prior.sample(len(x), self.latent_dim, device=x.device))
        yield from adversarial_updates(x, fake, clock, critic=D, objective=self.objective, n_critic=self.n_critic)

    def _components(self, x: Tensor) -> dict[str, Tensor]:
        return self._compare(x, self._invert(x).x)

    def _invert(self, x: Tensor) -> Inverted:
        return self.inversion(
            x,
            self.networks_["generator"],
            self.prior,
            loss=lambda x, y: self.search_loss(self._compare(x, y)),
            starts=self._stored("starts"),
        )

    def _compare(self, x: Tensor, y: Tensor) -> dict[str, Tensor]:
        D = self.networks_["critic"]
        real, found = D(x), D(y)
        return {
            "residual": self.similarity(x, y),
            "features": feature_matching(real.features, found.features, p=1, reduction="sum"),
            "critic": critic_cross_entropy(found.logit),
        }

    def _reconstruct(self, x: Tensor) -> Tensor:
        return self._invert(x).x

    def _encode(self, x: Tensor) -> Tensor:
        return self._invert(x).z

    def _sample(self, n: int) -> Tensor:
        drawn: Tensor = self.networks_["generator"](self.prior.sample(n, self.latent_dim, device=self._device))
        return drawn
