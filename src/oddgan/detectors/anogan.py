"""AnoGAN."""

from collections.abc import Callable, Iterator
from functools import cache
from typing import ClassVar

import torch
from torch import Tensor, nn

from oddgan._core.errors import InputError
from oddgan._core.hyperparameters import hyperparameters
from oddgan.base import Card, Component, standard_components
from oddgan.families import SearchDetector, SearchReport, Stored
from oddgan.inversion import Inverted, LatentAdam, LatentSearch, Loss
from oddgan.networks import WASSERSTEIN_FLAT, Backbone, Judgement
from oddgan.networks.base import whole
from oddgan.objectives import WGANGP, Objective
from oddgan.priors import Gaussian, Prior
from oddgan.scores import Composition, WeightedSum, critic_cross_entropy, feature_matching
from oddgan.similarities import L2, Similarity
from oddgan.training import Adam, Clock, Optimiser, Phase, Steps, Update


@hyperparameters
class AnoGAN(SearchDetector):
    r"""Search the latent space for the sample; score what the search leaves over.

    A GAN learns to draw normal data. To score x, gradient descent looks for the z* whose G(z*) is most like it:

        z* = argmin_z (1 - λ)·R(z) + λ·F(z),  R(z) = Σ|x - G(z)|,  F(z) = Σ|f(x) - f(G(z))|

    with f the critic's features and λ = 0.1; the anomaly score is that loss at z*. Components: `search`, that loss,
    with what stopped early at `eps` ordered by steps; `residual` R, `features` F, and the standard ones, among them
    `critic_cross_entropy`, the discriminator loss that the paper replaces by F: the cross entropy of σ(D(G(z*))) and a
    target α, with α = 1 -log σ(D(G(z*))).

    Parameters
    ----------
    latent_dim : size m of the latent space, >= 1.
    prior : distribution of z in training, of the search's starts, and the support that the search stays on.
    objective : what critic and generator minimise.
    n_critic : critic updates for each generator update, >= 1.
    inversion : the search.
    n_seed : starts of the search, >= 1; drawn once in `fit`, the same for every sample.
    bank : 0, or a number of latent points whose samples are kept, so that each search starts from the `n_seed` that
        are nearest to its sample.
    search_loss : what the search minimises, from `residual`, `features` and `critic_cross_entropy`.
    similarity : the residual R between a sample and its reconstruction.
    search_similarity : the residual that the search minimises, where it is not the one to score by, e.g. `SoftDTW()`
        beside `similarity=DTW()`; `search` is then the search loss at z* with R, not what the search saw. None searches
        with `similarity`.
    critic_target : the α of `critic_cross_entropy`, in [0, 1]: 1 asks that the critic calls the reconstruction real,
        1/2 that it cannot tell, as the ideal critic of an ideal generator can't.

    References
    ----------
    T. Schlegl, P. Seeböck, S. M. Waldstein, U. Schmidt-Erfurth, G. Langs: Unsupervised Anomaly Detection with
    Generative Adversarial Networks to Guide Marker Discovery, IPMI 2017, https://arxiv.org/abs/1703.05921.
    F. Lüer, C. Böhm: Anomaly Detection using Generative Adversarial Networks: Reviewing Methodological Progress and
    Challenges, 2023, equations 4 and 5: another distance to search with, and the target α.
    """

    card: ClassVar[Card] = Card(
        name="AnoGAN",
        title="Unsupervised Anomaly Detection with Generative Adversarial Networks to Guide Marker Discovery",
        authors="Schlegl, Seeböck, Waldstein, Schmidt-Erfurth, Langs",
        year=2017,
        link="https://arxiv.org/abs/1703.05921",
        summary="GAN; searches the latent space for each sample",
        deviations=(
            "Each sample has its own loss and end, and all have the same starts; public code averages over the batch.",
            "50 steps of 0.1 from four starts, not 500 of 0.01 from one: as far a way for a tenth of the time each.",
            "A Wasserstein game between fully connected networks covers the data in a minute of a CPU.",
            "R sums squares, which tell a missing stroke from many small errors.",
        ),
        gan=True,
    )
    default_steps: ClassVar[Steps] = Steps(table=2000, series=1500, image=2000)
    tiny: ClassVar = {"epochs": 1, "latent_dim": 4, "inversion": LatentSearch(n_max=3, optimiser=LatentAdam(lr=0.1))}

    search_components = ("residual", "features", "critic_cross_entropy")
    latent_dim: int = 32
    prior: Prior = Gaussian()
    objective: Objective = WGANGP()
    n_critic: int = 1
    inversion: LatentSearch = LatentSearch(n_max=50, optimiser=LatentAdam(lr=0.1))
    n_seed: int = 4
    bank: int = 0
    search_loss: Composition = WeightedSum(residual=0.9, features=0.1)
    similarity: Similarity = L2(reduction="sum")
    search_similarity: Similarity | None = None
    critic_target: float = 1.0
    composition: Composition = WeightedSum(search=1.0)
    optimiser: Optimiser = Adam(lr=5e-4, betas=(0.0, 0.9))
    backbone: Backbone = WASSERSTEIN_FLAT

    def _check(self) -> None:
        super()._check()
        whole(n_critic=self.n_critic, n_seed=self.n_seed)
        if not 0 <= self.critic_target <= 1:
            raise InputError(f"critic_target must be a number from 0 to 1, not {self.critic_target!r}.")
        whole(self.n_seed if self.bank else 0, bank=self.bank)

    def _networks(self, shape: tuple[int, ...]) -> dict[str, nn.Module]:
        bank = {"bank": Stored(torch.zeros(self.bank, *shape))} if self.bank else {}
        return {
            "generator": self.backbone.decoder(self.latent_dim, shape, output=self._output),
            "critic": self.backbone.critic(shape),
            "starts": Stored(self.prior.sample(self.bank or self.n_seed, self.latent_dim)),
        } | bank

    def _phases(self) -> Iterator[Phase]:
        yield self._phase(self._adversarial, self._players("critic", "generator"), slowest=self.n_critic)

    def _adversarial(self, x: Tensor, clock: Clock) -> Iterator[Update]:
        yield from self._game("critic", clock).updates(x, self._sample(len(x)), n_critic=self.n_critic)

    def _calibrate(self, x: Tensor) -> None:
        if self.bank:
            self._stored("bank").copy_(self._slots.map(self._net("generator"), self._stored("starts")))

    def _starts(self, x: Tensor) -> Tensor:
        """Where to search from: (n_seed, m) for all samples, or each one's own nearest of the bank, (n, n_seed, m)."""
        codes = self._stored("starts")
        if not self.bank:
            return codes
        distances = self._slots.map(lambda rows: torch.cdist(rows.flatten(1), self._stored("bank").flatten(1)), x)
        return codes[distances.topk(self.n_seed, largest=False).indices]

    def _invert(self, x: Tensor, report: SearchReport | None = None) -> Inverted:
        (G, loss), D = self._problem(), self._net("critic")
        # What the critic sees in the samples is looked up once, unless the search does not care.
        known = (x, self._slots.map(lambda rows: D(rows).features, x)) if self._judged else (x,)
        found: Inverted = self._inversion(
            known, G, self.prior, loss, self._starts(x), self._execution(report, self._problem)
        )
        return found

    @property
    def _judged(self) -> bool:
        return self.search_loss.uses != ("residual",)

    def _problem(self, dtype: torch.dtype | None = None) -> tuple[nn.Module, Loss]:
        """The generator, and the search loss of samples, the critic's features of them, and reconstructions."""
        G, D = self._net("generator", dtype), self._net("critic", dtype)
        similarity = self._similarity("similarity" if self.search_similarity is None else "search_similarity")
        if self._judged:
            return G, lambda x, features, y: self.search_loss(self._compare(D(y), features, similarity(x, y)))
        return G, lambda x, y: self.search_loss({"residual": similarity(x, y)})

    def _compare(self, judged: Judgement, features: Tensor, residual: Tensor) -> dict[str, Tensor]:
        return {
            "residual": residual,
            "features": feature_matching(features, judged.features, p=1, reduction="sum"),
            "critic_cross_entropy": critic_cross_entropy(judged.logit, self.critic_target),
        }

    def _score_found(self, x: Tensor, found: Inverted) -> dict[str, Component]:
        D, y = cache(self._net("critic")), found.x
        own: dict[str, Callable[[], Tensor]] = {
            "residual": lambda: self._similarity()(x, y),
            "features": lambda: feature_matching(D(x).features, D(y).features, p=1, reduction="sum"),
            "critic_cross_entropy": lambda: critic_cross_entropy(D(y).logit, self.critic_target),
        }

        def rescored() -> Tensor:
            return self.search_loss({name: own[name]() for name in self.search_loss.uses})

        search = found.censored if self.search_similarity is None else rescored
        return {**standard_components(x, y=y, z=found.z, critic=D, prior=self.prior), **own, "search": search}
