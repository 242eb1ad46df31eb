"""The adversarial autoencoder."""

from collections.abc import Iterator
from typing import ClassVar

from torch import Tensor, nn

from oddgan._core.hyperparameters import hyperparameters
from oddgan.base import Card, ScoreParts, standard_components
from oddgan.families import PriorDetector
from oddgan.objectives import NonSaturating, Objective
from oddgan.priors import Gaussian, Prior
from oddgan.scores import Composition, WeightedSum, critic_cross_entropy
from oddgan.similarities import L2, Similarity
from oddgan.training import Adam, Clock, Optimiser, Phase, Update


@hyperparameters
class AAE(PriorDetector):
    r"""An autoencoder whose codes of normal data are made to look like draws from a prior.

    Each batch has two phases, of three updates: min_{E, G} mean (x - G(E(x)))² (reconstruction), then the game of a
    latent critic D_z that tells z ~ p(z) from E(x), and of E, which fools it (regularisation):

        L_D = -log σ(D_z(z)) - log(1 - σ(D_z(E(x)))),      L_E = -log σ(D_z(E(x)))

    The score is mean (x - x̂)², x̂ = G(E(x)). Components: `residual` the score, `latent` mean (E(x) - E(x̂))²,
    `latent_norm` ‖E(x)‖, `prior_nll` -log p(E(x)), and `latent_critic` -log σ(D_z(E(x))), which asks the latent critic.

    Parameters
    ----------
    prior : distribution p(z) that the codes are made to follow.
    objective : what the latent critic and the encoder minimise in their game.
    similarity : the reconstruction's loss, and the component `residual`.

    References
    ----------
    A. Makhzani, J. Shlens, N. Jaitly, I. Goodfellow, B. Frey: Adversarial Autoencoders, 2015,
    https://arxiv.org/abs/1511.05644, section 2.
    """

    card: ClassVar[Card] = Card(
        name="AAE",
        title="Adversarial Autoencoders",
        authors="Makhzani, Shlens, Jaitly, Goodfellow, Frey",
        year=2015,
        link="https://arxiv.org/abs/1511.05644",
        summary="autoencoder; a critic of codes makes them follow a prior",
        deviations=(
            "The paper describes no anomaly score: the squared residual is the one usual with it.",
            "The default networks are those of the other methods; the paper's are AAE_MLP.",
            "Adam in place of stochastic gradient descent with momentum and hand-set steps, as is usual today.",
        ),
        gan=True,
    )
    tiny: ClassVar = {"epochs": 1, "latent_dim": 4}

    latent_dim: int = 16
    prior: Prior = Gaussian()
    objective: Objective = NonSaturating()
    similarity: Similarity = L2()
    composition: Composition = WeightedSum(residual=1.0)
    optimiser: Optimiser = Adam(lr=1e-3)

    def _networks(self, shape: tuple[int, ...]) -> dict[str, nn.Module]:
        return super()._networks(shape) | {"latent_critic": self.backbone.critic((self.latent_dim,))}

    def _phases(self) -> Iterator[Phase]:
        # The players of the game have the names that `Game.updates` gives them: E generates codes.
        players = self._players(autoencoder=("encoder", "decoder"), critic=("latent_critic",), generator=("encoder",))
        yield self._phase(self._adversarial, players)

    def _adversarial(self, x: Tensor, clock: Clock) -> Iterator[Update]:
        yield Update("autoencoder", self._similarity()(x, self._reconstruct(x)))
        z = self._draw(len(x))
        yield from self._game("latent_critic", clock).updates(z, self._encode(x))

    def _score(self, x: Tensor) -> ScoreParts:
        E, G, D = self._nets("encoder", "decoder", "latent_critic")
        z = E(x)
        y = G(z)
        parts = standard_components(x, y=y, z=z, encoder=E, prior=self.prior) | {
            "residual": lambda: self._similarity()(x, y),
            "latent_critic": lambda: critic_cross_entropy(D(z).logit),
        }
        return ScoreParts(parts, y)
