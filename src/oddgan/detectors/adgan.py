"""ADGAN."""

import copy
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, ClassVar, Self, cast

from torch import Tensor, nn

from oddgan._core.errors import InputError, ModelError
from oddgan._core.hyperparameters import hyperparameters
from oddgan.base import Card, Component, Detector, ScoreParts, standard_components
from oddgan.families import SearchDetector, SearchReport, Stored, generator_of
from oddgan.inputs.rows import Rows
from oddgan.inversion import Inverted, Joint, JointSearch
from oddgan.networks import WASSERSTEIN, Backbone, private
from oddgan.networks.base import whole
from oddgan.objectives import WGANGP, Objective
from oddgan.priors import Gaussian, Prior
from oddgan.scaling import Scaling
from oddgan.scores import Composition, WeightedSum
from oddgan.similarities import L2, Similarity
from oddgan.training import Adam, Clock, Optimiser, Phase, Steps, Update


@hyperparameters
class ADGAN(SearchDetector):
    r"""Invert the generator from many starts, moving z and a private copy of θ; score how much is left on average.

    A Wasserstein GAN learns to draw normal data. For a sample x, each start z_j ~ p_z and its own copy θ_j of the
    generator's weights move for k steps by the gradient of ℓ(g_θj(z_j), x); s(x) = (1/n_seed) Σ_j ℓ(g_θj,k(z_j,k), x).
    Components: `search`, that mean; `residual`, the least of the losses; `prior_nll` -log p_z(z_j,k) averaged over the
    starts and `critic` -D(x), which the paper found weaker; `latent_norm` of the best start. Any differentiable
    generator will do: `from_generator` takes a trained one, e.g. a VAE's decoder; `objective=LeastSquares()` trains an
    LSGAN.

    Parameters
    ----------
    latent_dim : size m of the latent space, >= 1.
    prior : distribution of z in training, of the search's starts, and the support that the search stays on.
    objective : what critic and generator minimise.
    n_critic : critic updates for each generator update, >= 1.
    inversion : the search.
    n_seed : starts of the search, >= 1; drawn once in `fit`, the same for every sample.
    similarity : the loss ℓ of a sample and its reconstruction.
    search_similarity : the loss that z and θ move by, where it is not the one to score by, e.g. `SoftDTW()` beside
        `similarity=DTW()`; None moves them by `similarity`.

    References
    ----------
    L. Deecke, R. Vandermeulen, L. Ruff, S. Mandt, M. Kloft: Image Anomaly Detection with Generative Adversarial
    Networks, ECML PKDD 2018, https://doi.org/10.1007/978-3-030-10925-7_1.
    """

    card: ClassVar[Card] = Card(
        name="ADGAN",
        title="Image Anomaly Detection with Generative Adversarial Networks",
        authors="Deecke, Vandermeulen, Ruff, Mandt, Kloft",
        year=2018,
        link="https://doi.org/10.1007/978-3-030-10925-7_1",
        summary="WGAN; moves z and the generator's weights for each sample",
        deviations=(
            "A gradient penalty instead of clipped weights (objective=Wasserstein()); no batch norm in the critic; one "
            "critic step for each of the generator, at 2e-4, in narrow networks with codes of 64, for a CPU.",
            "16 starts instead of 64, and plain gradient steps of θ: a fraction of the time.",
            "The starts are drawn once in `fit` and are the same for every sample, so that scores repeat.",
        ),
        gan=True,
    )
    default_steps: ClassVar[Steps] = Steps(table=2000, series=1500, image=1800)
    tiny: ClassVar = {"epochs": 1, "latent_dim": 4, "n_critic": 2, "n_seed": 2, "inversion": JointSearch(steps=2)}

    kept_by_clones = ("given_", "given_generator_", "members_")
    given_ = cast(nn.Module | None, None)
    members_ = cast(tuple[Detector, ...], ())
    given_generator_ = cast(bool | None, None)
    latent_dim: int = 64
    prior: Prior = Gaussian()
    objective: Objective = WGANGP()
    n_critic: int = 1
    inversion: JointSearch = JointSearch(theta="gradient")
    n_seed: int = 16
    similarity: Similarity = L2()
    search_similarity: Similarity | None = None
    composition: Composition = WeightedSum(search=1.0)
    optimiser: Optimiser = Adam(lr=2e-4, betas=(0.0, 0.9))
    backbone: Backbone = WASSERSTEIN

    @classmethod
    def from_generator(cls, generator: nn.Module | Detector, X: Any, **settings: Any) -> Self:
        """Score with a trained generator; there are no components of a critic.

        Parameters
        ----------
        generator : as for `with_generator`.
        X : normal rows, which the threshold is taken from.
        settings : the detector's.
        """
        return cls(**settings).with_generator(generator).fit(X)

    def with_generator(self, generator: nn.Module | Detector) -> Self:
        """Search with a trained generator: `fit` then trains nothing, and takes the threshold from its rows.

        Parameters
        ----------
        generator : a fitted detector that draws samples from a prior, e.g. an f-AnoGAN or a VAE, whose `latent_dim`,
            `prior` and scaling are taken over; it is stored with the model. Or any module from z (n, latent_dim) to
            network input (n, ...); `latent_dim` and `scaling`, the fitted one that it learned on, are to be set then,
            and a stored model is loaded by `oddgan.load(path, generator=module)`, which brings the weights into it.
        """
        if isinstance(generator, nn.Module):
            self.__dict__.update(given_=generator, given_generator_=True, members_=())
            return self
        self._take_members([generator])
        prior = getattr(generator, "prior", Gaussian())
        return self.set_params(latent_dim=generator.latent_dim, prior=prior, scaling=generator.scaling_)

    def _take_members(self, members: Sequence[Detector]) -> None:
        self.members_ = tuple(members)
        if members:
            self.given_ = generator_of(members[0])

    def _take_generator(self, generator: object) -> None:
        if not self.given_generator_ or not isinstance(generator, nn.Module):
            raise ModelError("it was not made around a module of your own, or what was given for it is no module.")
        self.given_ = generator

    def _networks(self, shape: tuple[int, ...]) -> dict[str, nn.Module]:
        whole(n_critic=self.n_critic, n_seed=self.n_seed)
        starts = {"starts": Stored(self.prior.sample(self.n_seed, self.latent_dim))}
        if self.members_ and self.members_[0].shape_ != shape:
            known = self.members_[0].shape_
            raise InputError(f"The generator draws samples of shape {known}, but the rows have {shape}.")
        if self.given_ is not None:
            return {"generator": copy.deepcopy(self.given_)} | starts
        if self.given_generator_:
            raise ModelError("it was made around a generator of your own: give it, load(path, generator=module).")
        generator = self.backbone.decoder(self.latent_dim, shape, output=self._output)
        return {"generator": generator, "critic": self.backbone.critic(shape)} | starts

    def _phases(self) -> Iterator[Phase]:
        if self.given_ is None:
            yield self._phase(self._wasserstein, self._players("critic", "generator"), slowest=self.n_critic)

    def _wasserstein(self, x: Tensor, clock: Clock) -> Iterator[Update]:
        yield from self._game("critic", clock).updates(x, self._sample(len(x)), n_critic=self.n_critic)

    def _task(self, x: Tensor) -> tuple[Any, ...]:
        copies, starts = partial(private, self.networks_["generator"]), self._stored("starts")
        loss = self._similarity()
        both = loss if self.search_similarity is None else (self._similarity("search_similarity"), loss)
        return x, copies, self.prior, both, starts

    def _invert(self, x: Tensor, report: SearchReport | None = None) -> Inverted:
        return cast(Joint, self._inversion(*self._task(x), self._execution(report))).inverted(self._inversion.steps)

    def _trace(self, x: Tensor) -> Tensor:
        return cast(Tensor, self._inversion.trace(*self._task(x)))

    def _score(self, x: Tensor, report: SearchReport | None = None) -> ScoreParts:
        best = (found := self._inversion(*self._task(x), self._execution(report))).inverted(self._inversion.steps)
        density = self.prior.log_density(found.z.flatten(0, 1)).view(found.loss.shape)
        own = {"search": found.loss.double().mean(1), "residual": found.loss.amin(1), "prior_nll": -density.mean(1)}
        return ScoreParts(self._scored_in_passes(x, best) | own, best.x)

    def _score_found(self, x: Tensor, found: Inverted) -> dict[str, Component]:
        return standard_components(x, z=found.z, critic=None if self.given_ is not None else self._net("critic"))

    def _fit_scaling(self, rows: Rows) -> Scaling:
        return super()._fit_scaling(rows) if self.given_ is None else self.scaling

    def _warn_of_few_steps(self, n: int) -> None:
        if self.given_ is None:
            super()._warn_of_few_steps(n)
