"""The variational autoencoder, scored by the ELBO or by the reconstruction probability."""

from collections.abc import Iterator
from functools import cache
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from oddgan._core.errors import InputError
from oddgan._core.hyperparameters import hyperparameters
from oddgan.base import Card, Component, ScoreParts, standard_components
from oddgan.families import Stored, VariationalDetector
from oddgan.networks import MLP, Auto, Backbone, ConvLadder
from oddgan.networks.base import one_of, whole
from oddgan.priors import Gaussian
from oddgan.scores import Composition, WeightedSum, gaussian_nll, kl_to_standard_normal
from oddgan.training import Adam, Clock, Optimiser, Phase, Update

# Bounds of the decoder's log variance: from exactly drawn (σ = 0.05 on the scale of [-1, 1]) to noise.
LOG_VARIANCE = (-6.0, 4.0)


@hyperparameters
class VAE(VariationalDetector):
    r"""Learn a distribution of codes and of samples given codes; score how improbable the sample is.

    E(x) gives q(z|x) = N(μ, σ²), G(z) gives p(x|z). Training minimises -ELBO = -E_q log p(x|z) + β·KL(q(z|x) ‖ p(z)).
    Components: `elbo` -ELBO (β = 1) with z drawn L times, `reconstruction_probability` -(1/L) Σ_l log p(x|z_l) with z_l
    ~ q(z|x) (An & Cho, 2015, without the KL term), `kl`, and the standard ones at z = μ.

    Parameters
    ----------
    beta : weight β of the divergence in training, >= 0.
    likelihood : p(x|z): "gaussian" with a learned variance for each value, "unit" with variance 1, or "bernoulli" for
        values scaled to [0, 1] (scaling=MinMax(low=0)). None takes "unit" for images, "gaussian" for tables and series.
    n_draws : draws L of z for a score, >= 1. The noise is drawn once in `fit`, so that scores repeat.

    References
    ----------
    J. An, S. Cho: Variational Autoencoder based Anomaly Detection using Reconstruction Probability, SNU Data Mining
    Center, 2015; D. P. Kingma, M. Welling: Auto-Encoding Variational Bayes, ICLR 2014,
    https://arxiv.org/abs/1312.6114.
    """

    card: ClassVar[Card] = Card(
        name="VAE",
        title="Variational Autoencoder based Anomaly Detection using Reconstruction Probability",
        authors="An, Cho",
        year=2015,
        link="https://arxiv.org/abs/1312.6114",
        summary="variational autoencoder; ELBO or reconstruction probability",
        deviations=(
            "The noise of the draws is stored with the model, the same for every sample; the paper draws anew.",
            "The decoder's log variance is bounded to [-6, 4], since a free one diverges on constant pixels.",
            "Variance 1 for images: learned ones let pixels that hardly change outweigh all others "
            "(likelihood='gaussian').",
        ),
    )
    tiny: ClassVar = {"epochs": 1, "latent_dim": 4, "n_draws": 2}

    latent_dim: int = 32
    beta: float = 1.0
    likelihood: Literal["gaussian", "unit", "bernoulli"] | None = None
    n_draws: int = 10
    composition: Composition = WeightedSum(elbo=1.0)
    optimiser: Optimiser = Adam(lr=1e-3, betas=(0.9, 0.999))
    backbone: Backbone = Auto(table=MLP(), series=ConvLadder(width=32), image=ConvLadder(width=32))

    def _check(self) -> None:
        super()._check()
        whole(n_draws=self.n_draws)
        one_of(("gaussian", "unit", "bernoulli"), likelihood=self._form)
        if self._form == "bernoulli" and self.scaling_.range != (0.0, 1.0):
            raise InputError("A Bernoulli likelihood needs values in [0, 1]: give scaling=MinMax(low=0, high=1).")

    @property
    def _form(self) -> str:
        """The likelihood for this kind of data."""
        return self.likelihood or ("unit" if len(self.shape_) == 3 else "gaussian")

    def _networks(self, shape: tuple[int, ...]) -> dict[str, nn.Module]:
        heads = 2 if self._form == "gaussian" else 1
        return {
            "encoder": self.backbone.encoder(shape, 2 * self.latent_dim),
            "decoder": self.backbone.decoder(self.latent_dim, (heads * shape[0], *shape[1:])),
            "noise": Stored(torch.randn(self.n_draws, self.latent_dim)),
        }

    def _phases(self) -> Iterator[Phase]:
        yield self._phase(self._variational, self._players(autoencoder=("encoder", "decoder")))

    def _variational(self, x: Tensor, clock: Clock) -> Iterator[Update]:
        mean, log_variance = self._posterior(x)
        z = self._draw(mean, log_variance)
        yield Update("autoencoder", self._nll(x, z) + self.beta * kl_to_standard_normal(mean, log_variance))

    def _likelihood(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """The mean of p(x|z), or its logit for "bernoulli", and the log variance."""
        out = self._net("decoder")(z)
        if self._form != "gaussian":
            return out, torch.zeros_like(out)
        mean, log_variance = out.chunk(2, dim=1)
        low, high = LOG_VARIANCE
        return mean, low + (high - low) * torch.sigmoid(log_variance)

    def _nll(self, x: Tensor, z: Tensor) -> Tensor:
        mean, log_variance = self._likelihood(z)
        if self._form == "bernoulli":
            return functional.binary_cross_entropy_with_logits(mean, x, reduction="none").flatten(1).sum(1)
        return gaussian_nll(x, mean, log_variance)

    def _decode(self, z: Tensor) -> Tensor:
        mean = self._likelihood(z)[0]
        return torch.sigmoid(mean) if self._form == "bernoulli" else mean

    def _score(self, x: Tensor) -> ScoreParts:
        mean, log_variance = self._posterior(x)
        kl = kl_to_standard_normal(mean, log_variance)
        y = self._decode(mean)

        @cache
        def probability() -> Tensor:
            draws = [self._nll(x, mean + (0.5 * log_variance).exp() * noise) for noise in self._stored("noise")]
            return torch.stack(draws).mean(0)

        parts: dict[str, Component] = {
            "elbo": lambda: probability() + kl,
            "reconstruction_probability": probability,
            "kl": kl,
        }
        return ScoreParts(standard_components(x, y=y, z=mean, prior=Gaussian()) | parts, y)
