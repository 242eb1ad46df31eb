"""Generative probabilistic novelty detection."""

from collections.abc import Iterator
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from oddgan._core.errors import InputError
from oddgan._core.hyperparameters import hyperparameters
from oddgan.base import Card, ScoreParts, standard_components
from oddgan.families import PriorDetector, Stored
from oddgan.networks.base import one_of, whole
from oddgan.objectives import NonSaturating, Objective
from oddgan.priors import Gaussian, Prior
from oddgan.scores import Composition, WeightedSum, critic_cross_entropy, manifold
from oddgan.similarities import L2, Similarity
from oddgan.training import Adam, Clock, Optimiser, Phase, StepDecay, Update


@hyperparameters
class GPND(PriorDetector):
    r"""How probable is a sample, near the manifold that an adversarial autoencoder has learned?

    Training, for each batch: critic D tells x from G(z), z ~ p(z), and G fools it; latent critic D_z tells z from E(x);
    E and G minimise w·mean (x - G(E(x)))² - log σ(D_z(E(x))). The manifold of G is linearised at x̂ = G(z), z = E(x):

        log p(x) = log p_Z(z) + log |det S⁻¹| + log p_⊥(‖x - x̂‖),      |det S⁻¹| = Π 1/s_j(∂G/∂z)      (eq. 8)

    with p_Z generalised normals, one for each coordinate, and p_⊥ from a histogram, both of training rows. The score is
    -log p(x). Components: its parts `latent_nll`, `jacobian` Σ log s_j, `residual_nll`; `latent_critic` -log σ(D_z(z)).

    Parameters
    ----------
    latent_dim : size m of the latent space, >= 1; a manifold has fewer dimensions than a sample has values, d.
    prior : distribution p(z).
    objective : what critics, decoder and encoder minimise in the two games.
    similarity : the reconstruction's loss.
    w_rec : weight w of the reconstruction, >= 0.
    jacobian : whose derivatives stand for S: those of the "decoder", or, with the sign turned, of the "encoder".
    bins : bins of the histogram, >= 1.
    share : the dimensions of p_⊥ as a share of d - m, in (0, 1], but at least 1 of them; the released code takes 0.2 or
        so, tuned with labels.

    References
    ----------
    S. Pidhorskyi, R. Almohsen, D. A. Adjeroh, G. Doretto: Generative Probabilistic Novelty Detection with Adversarial
    Autoencoders, NeurIPS 2018, https://arxiv.org/abs/1807.02588.
    """

    card: ClassVar[Card] = Card(
        name="GPND",
        title="Generative Probabilistic Novelty Detection with Adversarial Autoencoders",
        authors="Pidhorskyi, Almohsen, Adjeroh, Doretto",
        year=2018,
        link="https://arxiv.org/abs/1807.02588",
        summary="adversarial autoencoder; density on and off its manifold",
        deviations=(
            "With the encoder's derivatives log |det S⁻¹| is +Σ log s, as a linear decoder shows; the last released "
            "code takes -Σ log s, which a composition with jacobian=-1 does.",
            "The reconstruction is a squared error, so that values need no bounds; the paper's is a cross-entropy.",
            "Empty bins and what lies beyond the histogram count as one training row, not as 1e-308: it has no cliffs.",
            "The sphere's area is exact; the released code's constant differs, which orders rows the same.",
            "One draw of G(z) serves both updates of the image game. The paper's networks are GPND_32.",
        ),
        gan=True,
    )
    tiny: ClassVar = {"epochs": 1, "latent_dim": 3}

    latent_dim: int = 16
    prior: Prior = Gaussian()
    objective: Objective = NonSaturating()
    similarity: Similarity = L2()
    w_rec: float = 2.0
    jacobian: Literal["decoder", "encoder"] = "decoder"
    bins: int = 30
    share: float = 1.0
    composition: Composition = WeightedSum(latent_nll=1.0, jacobian=1.0, residual_nll=1.0)
    optimiser: Optimiser = Adam(lr=2e-3, schedule=StepDecay(at=(0.375, 0.75), factor=0.25))
    batch_size: int = 128

    def _check(self) -> None:
        super()._check()
        whole(bins=self.bins)
        one_of(("decoder", "encoder"), jacobian=self.jacobian)
        if not (0 < self.share <= 1 and self.w_rec >= 0):
            raise InputError(f"share={self.share} must be in (0, 1], and w_rec={self.w_rec} at least 0.")

    def _networks(self, shape: tuple[int, ...]) -> dict[str, nn.Module]:
        b, m = self.backbone, self.latent_dim
        stored = {"codes": Stored(torch.ones(3, m).double()), "histogram": Stored(torch.ones(3, self.bins).double())}
        return super()._networks(shape) | {"critic": b.critic(shape), "latent_critic": b.critic((m,))} | stored

    def _phases(self) -> Iterator[Phase]:
        players = self._players("critic", "latent_critic", generator=("decoder",), autoencoder=("encoder", "decoder"))
        yield self._phase(self._adversarial, players)

    def _adversarial(self, x: Tensor, clock: Clock) -> Iterator[Update]:
        E, G = self._nets("encoder", "decoder")
        z = self._draw(len(x))
        yield from self._game("critic", clock).updates(x, G(z))
        code, game = E(x), self._game("latent_critic", clock)
        yield Update("latent_critic", game.critic_loss(z, code))
        game.constrain()
        yield Update("autoencoder", self.w_rec * self._similarity()(x, G(code)) + game.generator_loss(code))

    def _calibrate(self, x: Tensor) -> None:
        E, G = self._nets("encoder", "decoder")
        batches = [(rows, E(rows)) for rows in torch.split(x, self.batch_size)]
        self._stored("codes").copy_(manifold.fit_generalised_normal(torch.cat([z for _, z in batches])))
        distances = torch.cat([manifold.distance(rows, G(z)) for rows, z in batches])
        self._stored("histogram").copy_(manifold.distance_histogram(distances, self.bins))

    def _score(self, x: Tensor) -> ScoreParts:
        E, G, D, C = self._nets("encoder", "decoder", "critic", "latent_critic")
        z = E(x)
        y = G(z)
        histogram, n = self._stored("histogram"), max(1.0, self.share * (x[0].numel() - self.latent_dim))
        parts = standard_components(x, y=y, z=z, critic=D, encoder=E, prior=self.prior) | {
            "residual": lambda: self._similarity()(x, y),
            "latent_nll": lambda: manifold.generalised_normal_nll(z, self._stored("codes")),
            "jacobian": lambda: self._stretching(x, z),
            "residual_nll": lambda: manifold.perpendicular_nll(manifold.distance(x, y), histogram, n),
            "latent_critic": lambda: critic_cross_entropy(C(z).logit),
        }
        return ScoreParts(parts, y)

    def _stretching(self, x: Tensor, z: Tensor) -> Tensor:
        if self.jacobian == "decoder":
            return manifold.log_volume(manifold.forward_jacobian(self._net("decoder"), z))
        return -manifold.log_volume(manifold.backward_jacobian(self._net("encoder"), x))
