"""f-AnoGAN."""

from collections.abc import Iterator
from functools import cache
from typing import ClassVar, Literal, cast

import torch
from torch import Tensor, nn

from oddgan._core.hyperparameters import hyperparameters
from oddgan.base import Card, Component, standard_components
from oddgan.families import SearchDetector, SearchReport
from oddgan.inversion import EncoderInversion, Hybrid, Inverted
from oddgan.networks import WASSERSTEIN, Backbone
from oddgan.networks.base import one_of, whole
from oddgan.objectives import WGANGP, Objective
from oddgan.priors import Gaussian, Prior
from oddgan.scores import Composition, WeightedSum, feature_matching, latent_error
from oddgan.similarities import L2
from oddgan.training import Adam, Clock, Optimiser, Phase, Player, Steps, Update

CODES = {"tanh": torch.inf, "linear": torch.inf, "clip1": 1.0, "clip3": 3.0, "stochastic": 1.0}


@hyperparameters
class FAnoGAN(SearchDetector):
    r"""A WGAN-GP, then an encoder that replaces the search: one pass scores a sample.

    Stage 1 trains G and D on normal data. Stage 2 freezes both and trains E, with f the critic's features, by one of

        izi: mean (x - G(E(x)))²      izi_f: izi + κ·mean (f(x) - f(G(E(x))))²      ziz: mean (z - E(G(z)))², z ~ p(z)

    The score is A(x) = mean (x - x̂)² + κ·mean (f(x) - f(x̂))², x̂ = G(E(x)). Components: `residual`, `features`, `latent`
    mean (z - E(x̂))², the paper's z distance, `critic_centred` mean D - D(x), its baseline without an encoder, and the
    other standard ones.

    Parameters
    ----------
    latent_dim : size m of the latent space, >= 1.
    prior : distribution of z.
    objective : what critic and generator minimise.
    n_critic : critic updates for each generator update, >= 1.
    encoder_loss : "izi_f", "izi" or "ziz".
    kappa : weight κ of the features in izi_f, >= 0; their weight in the score is that of `composition`.
    encoder_epochs, encoder_steps : how long stage 2 takes, >= 1, in passes or updates; None for both takes `epochs` or
        `steps`, or the method's default.
    encoder_optimiser : how E learns.
    inversion : E alone, or E and a search for the least residual + κ·features from there (`Hybrid`).
    encoder_output : E's codes: "tanh" (the paper's), "linear", clipped to ±1 or ±3 ("clip1", "clip3"), or clipped to ±1
        by a fresh uniform draw while training ("stochastic").

    References
    ----------
    T. Schlegl, P. Seeböck, S. M. Waldstein, G. Langs, U. Schmidt-Erfurth: f-AnoGAN: Fast unsupervised anomaly detection
    with generative adversarial networks, Medical Image Analysis 54, 2019, https://doi.org/10.1016/j.media.2019.01.010.
    """

    card: ClassVar[Card] = Card(
        name="f-AnoGAN",
        title="f-AnoGAN: Fast unsupervised anomaly detection with generative adversarial networks",
        authors="Schlegl, Seeböck, Waldstein, Langs, Schmidt-Erfurth",
        year=2019,
        link="https://doi.org/10.1016/j.media.2019.01.010",
        summary="WGAN-GP, then an encoder instead of the search",
        deviations=(
            "The default networks are narrow DCGAN ladders with codes of 64, which train on a CPU; the paper's are "
            "FANOGAN_RESNET_64.",
            "One critic step for each of the generator, and rates of 2e-4 and 5e-4 by Adam, so that a minute holds "
            "enough updates; the published five steps, 1e-4 and 5e-5 leave generator and encoder near their start.",
            "A tanh encoder reaches only |z_i| < 1 of a normal prior; kept as published, other ranges by name.",
        ),
        gan=True,
    )
    default_steps: ClassVar[Steps] = Steps(table=2000, series=1500, image=1800)
    tiny: ClassVar = {"epochs": 1, "latent_dim": 4, "n_critic": 2}

    latent_dim: int = 64
    prior: Prior = Gaussian()
    objective: Objective = WGANGP()
    n_critic: int = 1
    encoder_loss: Literal["izi_f", "izi", "ziz"] = "izi_f"
    kappa: float = 1.0
    inversion: EncoderInversion | Hybrid = EncoderInversion()
    encoder_epochs: int | None = None
    encoder_steps: int | None = None
    encoder_optimiser: Optimiser = Adam(lr=5e-4)
    encoder_output: Literal["tanh", "linear", "clip1", "clip3", "stochastic"] = "tanh"
    composition: Composition = WeightedSum(residual=1.0, features=1.0)
    optimiser: Optimiser = Adam(lr=2e-4, betas=(0.0, 0.9))
    backbone: Backbone = WASSERSTEIN

    def _check(self) -> None:
        super()._check()
        whole(n_critic=self.n_critic)
        one_of(("izi_f", "izi", "ziz"), encoder_loss=self.encoder_loss)
        one_of(tuple(CODES), encoder_output=self.encoder_output)

    def _networks(self, shape: tuple[int, ...]) -> dict[str, nn.Module]:
        b, bounded = self.backbone, self.encoder_output == "tanh"
        return {
            "generator": b.decoder(self.latent_dim, shape, output=self._output),
            "critic": b.critic(shape),
            "encoder": b.encoder(shape, self.latent_dim, output="tanh" if bounded else "linear"),
        }

    def _phases(self) -> Iterator[Phase]:
        yield self._phase(self._wasserstein, self._players("critic", "generator"), slowest=self.n_critic)
        encoder = {"encoder": Player(("encoder",), self.encoder_optimiser)}
        yield self._phase(self._encoder, encoder, part="encoder")

    def _wasserstein(self, x: Tensor, clock: Clock) -> Iterator[Update]:
        fake = self._sample(len(x))
        yield from self._game("critic", clock).updates(x, fake, n_critic=self.n_critic)

    def _encoder(self, x: Tensor, clock: Clock) -> Iterator[Update]:
        if self.encoder_loss == "ziz":
            z = self.prior.sample(len(x), self.latent_dim, device=x.device)
            yield Update("encoder", latent_error(z, self._code(self._net("generator")(z))))
        else:
            y = self._net("generator")(self._code(x))
            yield Update("encoder", L2()(x, y) if self.encoder_loss == "izi" else self._loss(x, self._features(x), y))

    def _code(self, x: Tensor) -> Tensor:
        E, limit = self._net("encoder"), CODES[self.encoder_output]
        z: Tensor = E(x)
        if self.encoder_output == "stochastic" and E.training:
            return torch.where(z.abs() <= limit, z, torch.empty_like(z).uniform_(-limit, limit))
        return z.clamp(-limit, limit)

    def _features(self, x: Tensor) -> Tensor:
        return cast(Tensor, self._net("critic")(x).features)

    def _loss(self, x: Tensor, features: Tensor, y: Tensor) -> Tensor:
        return L2()(x, y) + self.kappa * feature_matching(features, self._features(y), p=2)

    def _invert(self, x: Tensor, report: SearchReport | None = None) -> Inverted:
        G, how = self._net("generator"), self._execution(report)
        if isinstance(self._inversion, EncoderInversion):
            return self._inversion(x, G, self._code, L2(), how)
        codes, features = (how.slots.map(f, x) for f in (self._code, self._features))
        return cast(Inverted, self._inversion((x, features), G, self.prior, self._loss, codes, how))

    def _score_found(self, x: Tensor, found: Inverted) -> dict[str, Component]:
        D, y = cache(self._net("critic")), found.x
        standard = standard_components(x, y=y, z=found.z, critic=D, encoder=self._code, prior=self.prior)
        return standard | {"features": lambda: feature_matching(D(x).features, D(y).features, p=2)}
