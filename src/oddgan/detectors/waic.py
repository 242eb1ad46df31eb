"""Generative ensembles, scored by the Watanabe-Akaike information criterion."""

import math
from collections.abc import Iterator
from functools import partial
from typing import ClassVar, Literal, cast

import torch
from torch import Tensor, nn

from oddgan._core.hyperparameters import hyperparameters
from oddgan.base import Card, ScoreParts
from oddgan.families import ParallelDetector, Stored
from oddgan.networks import MLP, Auto, Backbone, ConvLadder
from oddgan.networks.base import one_of, whole
from oddgan.objectives import WGANGP, Objective
from oddgan.priors import Gaussian
from oddgan.scores import Composition, Standardised, WeightedSum, gaussian_nll, kl_to_standard_normal
from oddgan.training import Adam, Clock, Optimiser, Phase, Steps, Update

LOG_VARIANCE = (-6.0, 4.0)  # bounds of log variances: a free one diverges on constant pixels


@hyperparameters
class WAIC(ParallelDetector):
    r"""Train several models independently; a sample is anomalous where they find it improbable or disagree.

    With L_i(x) the i-th model's log-likelihood, the paper's score is -WAIC(x) = -(mean_i L_i(x) - var_i L_i(x)), the
    component `waic`. L_i is

        unit_vae: a bound on log p(x) from w_k = p(x|z_k) p(z_k) / q(z_k|x), z_k ~ q(z|x), k = 1..K: "elbo" mean
             log w_k, or "iwae" log mean w_k; q(z|x) is normal with learned means and variances, p(x|z) with learned
             means and variance 1
        vae: the same with learned variances of p(x|z), one for each value of x
        critic: D_i(x) - mean_train D_i of a GAN's critic, which stands for log p(x) up to a constant

    Components: `waic`, `mean` -mean_i L_i, `variance` var_i L_i, and the two-sided `typicality` |mean_i L_i(x) - its
    mean over the training rows|.

    In squared nats the variance may be ten times as large as the mean, and swamp it. So by default the score is
    `mean` / its spread + ¼ `variance` / its spread, less a constant, with spreads over held-out rows.

    Parameters
    ----------
    members : what the ensemble is made of: "unit_vae", "vae" or "critic".
    n_members : how many models, >= 2.
    latent_dim : size m of each model's latent space, >= 1.
    bound : the bound on a VAE's log-likelihood in scores, "iwae" or "elbo"; training takes the ELBO.
    n_draws : draws K of z for a score, >= 1. The noise is drawn once in `fit`, so that scores repeat.
    objective : what critics and generators minimise.
    n_critic : critic updates for each generator update, >= 1.

    References
    ----------
    H. Choi, E. Jang, A. A. Alemi: WAIC, but Why? Generative Ensembles for Robust Anomaly Detection, 2018,
    https://arxiv.org/abs/1810.01392; the bound: Y. Burda et al.: Importance Weighted Autoencoders, ICLR 2016.
    """

    card: ClassVar[Card] = Card(
        name="WAIC",
        title="WAIC, but Why? Generative Ensembles for Robust Anomaly Detection",
        authors="Choi, Jang, Alemi",
        year=2018,
        link="https://arxiv.org/abs/1810.01392",
        summary="ensemble of VAEs or critics; likelihood less disagreement",
        deviations=(
            "The noise of the draws is stored with the model, the same for every sample; the paper draws anew.",
            "A critic's logits count from their mean over the training rows, as their level is arbitrary.",
            "The variance of an ensemble is the unbiased one, and its size, 5, is not verified against the paper.",
            "Variance 1 in p(x|z): learned ones let pixels that hardly change outweigh all others (members='vae').",
            "Mean and variance are standardised and weigh 4 : 1; WeightedSum(waic=1.0) is the paper's difference.",
            "Typicality counts from the training rows; the paper motivates a two-sided test without this form.",
        ),
    )
    default_steps: ClassVar[Steps] = Steps(table=1000, series=600, image=400)
    tiny: ClassVar = {"epochs": 1, "latent_dim": 4, "n_members": 2, "n_draws": 2}

    members: Literal["unit_vae", "vae", "critic"] = "unit_vae"
    n_members: int = 5
    latent_dim: int = 32
    bound: Literal["iwae", "elbo"] = "iwae"
    n_draws: int = 16
    objective: Objective = WGANGP()
    n_critic: int = 1
    composition: Composition = Standardised(WeightedSum(mean=1.0, variance=0.25))
    optimiser: Optimiser = Adam(lr=1e-3, betas=(0.5, 0.9))
    backbone: Backbone = Auto(
        table=MLP(), series=ConvLadder(width=32, critic_norm="layer"), image=ConvLadder(width=16, critic_norm="layer")
    )

    def _check(self) -> None:
        super()._check()
        one_of(("unit_vae", "vae", "critic"), members=self.members)
        one_of(("iwae", "elbo"), bound=self.bound)
        whole(2, n_members=self.n_members)
        whole(n_draws=self.n_draws, n_critic=self.n_critic)

    def _networks(self, shape: tuple[int, ...]) -> dict[str, nn.Module]:
        b, m, k = self.backbone, self.latent_dim, self.n_members
        networks: dict[str, nn.Module] = {"centre": Stored(torch.zeros(k)), "level": Stored(torch.zeros(()))}
        networks["noise"] = Stored(torch.randn(self.n_draws, m))
        for i in range(k):
            if self.members == "critic":
                networks[f"critic{i}"] = b.critic(shape)
                networks[f"generator{i}"] = b.decoder(m, shape, output=self._output)
            else:
                heads = 2 if self.members == "vae" else 1
                networks[f"encoder{i}"] = b.encoder(shape, 2 * m)
                networks[f"generator{i}"] = b.decoder(m, (heads * shape[0], *shape[1:]))
        return networks

    def _phases(self) -> Iterator[Phase]:
        for i in range(self.n_members):
            if self.members == "critic":
                step, players = self._adversarial, self._players(critic=[f"critic{i}"], generator=[f"generator{i}"])
            else:
                step, players = self._variational, self._players(vae=(f"encoder{i}", f"generator{i}"))
            yield self._phase(partial(step, i), players, slowest=self.n_critic)

    def _variational(self, i: int, x: Tensor, clock: Clock) -> Iterator[Update]:
        mean, log_variance = self._posterior(i, x)
        z = mean + (0.5 * log_variance).exp() * torch.randn_like(mean)
        yield Update("vae", self._nll(i, x, z) + kl_to_standard_normal(mean, log_variance))

    def _adversarial(self, i: int, x: Tensor, clock: Clock) -> Iterator[Update]:
        fake = self._net(f"generator{i}")(Gaussian().sample(len(x), self.latent_dim, device=x.device))
        yield from self._game(f"critic{i}", clock).updates(x, fake, n_critic=self.n_critic)

    def _posterior(self, i: int, x: Tensor) -> tuple[Tensor, Tensor]:
        mean, log_variance = self._net(f"encoder{i}")(x).chunk(2, dim=1)
        return mean, log_variance.clamp(*LOG_VARIANCE)

    def _nll(self, i: int, x: Tensor, z: Tensor) -> Tensor:
        """-log p(x|z), (n,), of samples x (n, ...) and codes z (n, m)."""
        y = self._net(f"generator{i}")(z)
        mean, log_variance = y.chunk(2, dim=1) if self.members == "vae" else (y, x.new_zeros(()))
        return gaussian_nll(x, mean, log_variance.clamp(*LOG_VARIANCE))

    def _log_likelihood(self, i: int, x: Tensor) -> Tensor:
        if self.members == "critic":
            return cast(Tensor, self._net(f"critic{i}")(x).logit)
        mean, log_variance = self._posterior(i, x)
        draws = []
        for noise in self._stored("noise"):
            z = mean + (0.5 * log_variance).exp() * noise
            # log p(x|z) + log p(z) - log q(z|x)
            draws.append((noise**2 - z**2 + log_variance).sum(dim=1) / 2 - self._nll(i, x, z))
        weights = torch.stack(draws)
        return weights.mean(0) if self.bound == "elbo" else weights.logsumexp(0) - math.log(len(weights))

    def _ensemble(self, x: Tensor) -> Tensor:
        return torch.stack([self._log_likelihood(i, x) for i in range(self.n_members)], dim=1) - self._stored("centre")

    def _calibrate(self, x: Tensor) -> None:
        every = torch.cat([self._ensemble(rows) for rows in torch.split(x, self.batch_size)])
        if self.members == "critic":
            self._stored("centre").copy_(every.mean(0))
        self._stored("level").copy_((every - self._stored("centre")).mean())

    def _score(self, x: Tensor) -> ScoreParts:
        variance, mean = torch.var_mean(self._ensemble(x), dim=1)
        two_sided = (mean - self._stored("level")).abs()
        return ScoreParts({"waic": variance - mean, "mean": -mean, "variance": variance, "typicality": two_sided})
