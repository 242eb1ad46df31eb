"""The constrained adversarial autoencoder."""

from collections.abc import Iterator
from math import inf
from typing import ClassVar

from torch import Tensor, nn

from oddgan._core.errors import InputError
from oddgan._core.hyperparameters import hyperparameters
from oddgan.base import Card, ScoreParts, standard_components
from oddgan.families import PriorDetector
from oddgan.objectives import NonSaturating, Objective
from oddgan.priors import Gaussian, Prior
from oddgan.scores import Composition, WeightedSum, critic_cross_entropy, latent_error
from oddgan.similarities import L1, L2, Similarity
from oddgan.training import Adam, Clock, Optimiser, Phase, Update


@hyperparameters
class ConstrainedAAE(PriorDetector):
    r"""An adversarial autoencoder whose reconstructions have the codes of their samples.

    An image with a lesion is then drawn as the healthy image that is nearest to it in the latent space. Each batch
    minimises over E and G, with x̂ = G(E(x)),

        mean (x - x̂)² + λ·mean (E(x) - E(x̂))²

    and then plays the game of a latent critic D_z, which tells z ~ p(z) from E(x), and of E, which fools it. The map
    is |x - x̂| (`anomaly_map`) and the score its mean. Components: `residual` the score, `latent` mean (E(x) - E(x̂))²,
    `latent_norm` ‖E(x)‖, `prior_nll` -log p(E(x)), and `latent_critic` -log σ(D_z(E(x))).

    Parameters
    ----------
    prior : distribution p(z) that the codes are made to follow.
    objective : what the latent critic and the encoder minimise in their game.
    similarity : the reconstruction's loss.
    residual : the component `residual`; it plays no part in training.
    w_latent : weight λ of the constraint, >= 0; 0 is the plain adversarial autoencoder.

    References
    ----------
    X. Chen, E. Konukoglu: Unsupervised Detection of Lesions in Brain MRI using Constrained Adversarial Auto-encoders,
    MIDL 2018, https://arxiv.org/abs/1806.04972.
    """

    card: ClassVar[Card] = Card(
        name="Constrained AAE",
        title="Unsupervised Detection of Lesions in Brain MRI using Constrained Adversarial Auto-encoders",
        authors="Chen, Konukoglu",
        year=2018,
        link="https://arxiv.org/abs/1806.04972",
        summary="adversarial autoencoder; reconstructions keep the codes of their samples",
        deviations=(
            "The constraint is a mean over the code, as the reconstruction is over the sample; the paper has a norm.",
            "The paper scores pixels; the score of a whole sample is the mean of its map.",
            "The default networks are those of the other methods, not the paper's residual ones.",
        ),
        gan=True,
    )
    tiny: ClassVar = {"epochs": 1, "latent_dim": 4}

    latent_dim: int = 16
    prior: Prior = Gaussian()
    objective: Objective = NonSaturating()
    similarity: Similarity = L2()
    residual: Similarity = L1()
    w_latent: float = 1.0
    composition: Composition = WeightedSum(residual=1.0)
    optimiser: Optimiser = Adam(lr=1e-3)

    def _check(self) -> None:
        super()._check()
        if not 0 <= self.w_latent < inf:
            raise InputError(f"w_latent={self.w_latent} must be 0 or more, and finite.")

    def _networks(self, shape: tuple[int, ...]) -> dict[str, nn.Module]:
        return super()._networks(shape) | {"latent_critic": self.backbone.critic((self.latent_dim,))}

    def _phases(self) -> Iterator[Phase]:
        # The players of the game have the names that `Game.updates` gives them: E generates codes.
        players = self._players(autoencoder=("encoder", "decoder"), critic=("latent_critic",), generator=("encoder",))
        yield self._phase(self._constrained, players)

    def _constrained(self, x: Tensor, clock: Clock) -> Iterator[Update]:
        E, G = self._nets("encoder", "decoder")
        code = E(x)
        y = G(code)
        yield Update("autoencoder", self._similarity()(x, y) + self.w_latent * latent_error(code, E(y)))
        z = self._draw(len(x))
        yield from self._game("latent_critic", clock).updates(z, E(x))

    def _score(self, x: Tensor) -> ScoreParts:
        E, G, D = self._nets("encoder", "decoder", "latent_critic")
        z = E(x)
        y = G(z)
        parts = standard_components(x, y=y, z=z, encoder=E, prior=self.prior) | {
            "residual": lambda: self._similarity("residual")(x, y),
            "latent_critic": lambda: critic_cross_entropy(D(z).logit),
        }
        return ScoreParts(parts, y)
