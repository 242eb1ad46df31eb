"""EGBAD: a bidirectional GAN as a detector."""

from collections.abc import Iterator
from typing import ClassVar

from torch import Tensor, nn

from oddgan._core.hyperparameters import hyperparameters
from oddgan.base import Card, ScoreParts
from oddgan.families import BidirectionalDetector
from oddgan.networks import EGBAD_DENSE, EGBAD_KDD, Auto, Backbone, ConvLadder
from oddgan.objectives import R1, NonSaturating, Objective
from oddgan.scores import Composition, WeightedSum
from oddgan.similarities import L1, Similarity
from oddgan.training import Adam, Clock, Optimiser, Phase, Steps, Update


@hyperparameters
class EGBAD(BidirectionalDetector):
    r"""Train an encoder with the GAN, by a critic of pairs (x, E(x)) and (G(z), z): one pass replaces the search.

    With f the critic's features, the three players minimise

        L_D = BCE(D(x, E(x)), 1) + BCE(D(G(z), z), 0),      L_G = BCE(D(G(z), z), 1),      L_E = BCE(D(x, E(x)), 0)

    and the score of the released code is A(x) = 0.9·Σ|x - x̂| + 0.1·L(x), x̂ = G(E(x)), where L is by choice

        `features`: Σ|f(x, E(x)) - f(x̂, E(x))|      `critic_cross_entropy`: BCE(D(x̂, E(x)), 1)

    so that the paper's other score is `WeightedSum(residual=0.9, critic_cross_entropy=0.1)`. Both parts are sums over
    values, not means, as in the release. Further components: `critic` -D(x, E(x)) and the standard ones.

    The released code has `backbone=EGBAD_MNIST, latent_dim=200, batch_size=100` on MNIST and `backbone=EGBAD_KDD,
    latent_dim=32, batch_size=50` on KDD99, both with `objective=NonSaturating(), optimiser=Adam(lr=1e-5)`.

    Parameters
    ----------
    residual : the component `residual`; it plays no part in training.

    References
    ----------
    H. Zenati, C. S. Foo, B. Lecouat, G. Manek, V. R. Chandrasekhar: Efficient GAN-Based Anomaly Detection, ICLR
    workshop 2018, https://arxiv.org/abs/1802.06222; J. Donahue, P. Krähenbühl, T. Darrell: Adversarial Feature
    Learning, ICLR 2017, https://arxiv.org/abs/1605.09782.
    """

    card: ClassVar[Card] = Card(
        name="EGBAD",
        title="Efficient GAN-Based Anomaly Detection",
        authors="Zenati et al.",
        year=2018,
        link="https://arxiv.org/abs/1802.06222",
        summary="bidirectional GAN; residual and critic of (sample, code)",
        deviations=(
            "One batch and one draw of z serve all three players; the released code takes another batch and draw for "
            "G and E, which costs a second pass and changes no expectation.",
            "Networks are fully connected, with codes of 16 and steps of 5e-4: the paper's need hours on a CPU.",
            "Encoder and generator have batch norm: without it codes wander, so that averaged weights reconstruct "
            "nothing. On tables the released code has none.",
            "The critic has no dropout and pays for its slope at real pairs (R1). The paper's wins on tables, and the "
            "generator then draws nearly the same row always.",
        ),
        gan=True,
    )
    default_steps: ClassVar[Steps] = Steps(table=2000, series=2000, image=4000)
    tiny: ClassVar = {
        "epochs": 1,
        "latent_dim": 4,
        "ema": 0.05,
        "backbone": Auto(table=EGBAD_KDD, series=ConvLadder(width=4), image=ConvLadder(width=4)),
    }

    latent_dim: int = 16
    residual: Similarity = L1(reduction="sum")
    composition: Composition = WeightedSum(residual=0.9, features=0.1)
    objective: Objective = NonSaturating(regulariser=R1(weight=1.0))
    optimiser: Optimiser = Adam(lr=5e-4)
    backbone: Backbone = EGBAD_DENSE

    def _networks(self, shape: tuple[int, ...]) -> dict[str, nn.Module]:
        return super()._networks(shape) | {"critic": self.backbone.critic(shape, (self.latent_dim,))}

    def _phases(self) -> Iterator[Phase]:
        yield self._phase(self._bidirectional, self._players("critic", "generator", "encoder"), ema=self.ema)

    def _bidirectional(self, x: Tensor, clock: Clock) -> Iterator[Update]:
        (E, G), game = self._nets("encoder", "generator"), self._game("critic", clock)
        z = self._draw(len(x))
        real, fake = (x, E(x)), (G(z), z)
        yield Update("critic", game.critic_loss(real, fake))
        game.constrain()
        yield Update("generator", game.generator_loss(fake))
        yield Update("encoder", game.on_fake(real))

    def _score(self, x: Tensor) -> ScoreParts:
        D, (z, y) = self._net("critic"), self._there_and_back(x)
        parts = self._compared(x, z, y, lambda v: D(v, z))
        return ScoreParts(parts | {"residual": lambda: self._similarity("residual")(x, y)}, y)
