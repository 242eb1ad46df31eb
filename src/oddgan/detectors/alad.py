"""ALAD: a bidirectional GAN whose reconstructions are judged, too."""

from collections.abc import Iterator
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from oddgan._core.errors import InputError
from oddgan._core.hyperparameters import hyperparameters
from oddgan.base import Card, ScoreParts
from oddgan.families import BidirectionalDetector
from oddgan.networks import ALAD_DENSE, ALAD_DENSE_PAIRS, ALAD_KDD, MLP, Auto, Backbone, ConvLadder
from oddgan.networks.base import one_of
from oddgan.scores import Composition, WeightedSum
from oddgan.similarities import L1, L2, Minkowski, Similarity
from oddgan.training import Adam, Clock, Optimiser, Phase, Steps, Update

Pair = tuple[Tensor, Tensor]
CYCLES: dict[str, Similarity] = {"l1": L1(), "l2": L2()}


@hyperparameters
class ALAD(BidirectionalDetector):
    r"""A bidirectional GAN with two more critics, which ask for cycles: x = G(E(x)) and z = E(G(z)).

    Each critic tells real pairs from fake ones, V(D; real, fake) = BCE(D(real), 1) + BCE(D(fake), 0):

        D_xz: (x, E(x)), (G(z), z)      D_xx: (x, x), (x, G(E(x)))      D_zz: (z, z), (z, E(G(z)))

    E and G minimise the sum of all three with the labels flipped on both kinds of pairs. With f the features of D_xx
    and x̂ = G(E(x)), the four scores of the paper are the components

        `features`: Σ|f(x, x) - f(x, x̂)|, its choice      `critic_cross_entropy`: BCE(D_xx(x, x̂), 1)
        `residual`: Σ|x - x̂|                              `residual_l2`: ‖x - x̂‖

    Further ones: `critic` -D_xz(x, E(x)) and the standard ones. With `cycle="l1"`, "l2" or "none" there is no D_xx, and
    D_xz with the code E(x) takes its place in the first two: ALICE with an explicit cycle, and the bidirectional GAN.

    The released code has `backbone=ALAD_CIFAR10, pair_critic=ALAD_PAIRS`, steps of 2e-4, batches of 32 and codes of 100
    on CIFAR-10. On tables it has steps of 1e-5, no spectral norm, and `ALAD_KDD` with batches of 50 and codes of 32, or
    `ALAD_ARRHYTHMIA` with 32 and 64.

    Parameters
    ----------
    cycle : "adversarial" trains D_xx; "l1" and "l2" add mean |x - G(E(x))| or its square instead; "none" neither.
    latent_cycle : whether D_zz plays.
    w_cycle : weight of the cycles in the loss of E and G, >= 0.
    spectral_norm : whether encoder and critics have it.
    pair_critic : networks of D_xx.
    code_critic : networks of D_zz.

    References
    ----------
    H. Zenati, M. Romain, C. S. Foo, B. Lecouat, V. R. Chandrasekhar: Adversarially Learned Anomaly Detection, ICDM
    2018, https://arxiv.org/abs/1812.02288; C. Li et al.: ALICE: Towards Understanding Adversarial Learning for Joint
    Distribution Matching, NeurIPS 2017, https://arxiv.org/abs/1709.01215.
    """

    card: ClassVar[Card] = Card(
        name="ALAD",
        title="Adversarially Learned Anomaly Detection",
        authors="Zenati et al.",
        year=2018,
        link="https://arxiv.org/abs/1812.02288",
        summary="bidirectional GAN with adversarial cycles; features of (x, x̂)",
        deviations=(
            "D_xx sees x and x̂ as channels of one input; the released code puts one image below the other.",
            "Training runs all its epochs, so that no rows are held out; the release can stop once the feature "
            "distance of normal validation rows has not fallen for 10 epochs.",
            "One batch and one draw of z serve critics, E and G; the release draws both anew for E and G.",
            "Networks are fully connected, with codes of 16, batches of 64 and steps of 5e-4: the paper's need hours "
            "on a CPU. Encoder and generator have batch norm, on tables too, so that codes stay in place.",
            "Spectral norm is on for tables, too, where the released code has none.",
        ),
        gan=True,
    )
    default_steps: ClassVar[Steps] = Steps(table=2000, series=2000, image=2500)
    tiny: ClassVar = {
        "epochs": 1,
        "latent_dim": 4,
        "ema": 0.05,
        "backbone": Auto(table=ALAD_KDD, series=ConvLadder(width=32, init="xavier")),
        "pair_critic": Auto(table=MLP(), series=ConvLadder(width=4), image=ConvLadder(width=4)),
    }

    cycle: Literal["adversarial", "l1", "l2", "none"] = "adversarial"
    latent_cycle: bool = True
    w_cycle: float = 1.0
    spectral_norm: bool = True
    pair_critic: Backbone = ALAD_DENSE_PAIRS
    code_critic: Backbone = MLP(hidden=(64, 32), dropout=0.2)
    composition: Composition = WeightedSum(features=1.0)
    latent_dim: int = 16
    optimiser: Optimiser = Adam(lr=5e-4)
    backbone: Backbone = ALAD_DENSE

    def _check(self) -> None:
        super()._check()
        one_of(("adversarial", "l1", "l2", "none"), cycle=self.cycle)
        if not self.w_cycle >= 0:
            raise InputError(f"w_cycle must be 0 or more, not {self.w_cycle}.")

    def _networks(self, shape: tuple[int, ...]) -> dict[str, nn.Module]:
        m, own = self.latent_dim, (self.backbone, self.pair_critic, self.code_critic)
        joint, pairs, codes = (b.with_spectral_norm() for b in own) if self.spectral_norm else own
        networks = {"encoder": joint.encoder(shape, m), "critic_xz": joint.critic(shape, (m,))}
        if self.cycle == "adversarial":
            networks["critic_xx"] = pairs.critic(shape, shape)
        if self.latent_cycle:
            networks["critic_zz"] = codes.critic((m,), (m,))
        return networks | {"generator": self.backbone.decoder(m, shape, output=self._output)}

    def _phases(self) -> Iterator[Phase]:
        critics = [name for name in self.networks_ if name.startswith("critic")]
        players = self._players(*critics, autoencoder=("encoder", "generator"))
        yield self._phase(self._adversarial, players, ema=self.ema)

    def _adversarial(self, x: Tensor, clock: Clock) -> Iterator[Update]:
        pairs, explicit = self._pairs(x, self._draw(len(x)))
        games = {name: self._game(name, clock) for name in pairs}
        for name, game in games.items():
            yield Update(name, game.critic_loss(*pairs[name]))
            game.constrain()
        flipped = (games[n].generator_loss(fake) + games[n].on_fake(real) for n, (real, fake) in pairs.items())
        joint, *cycles = flipped
        yield Update("autoencoder", joint + self.w_cycle * sum(cycles, start=explicit))

    def _pairs(self, x: Tensor, z: Tensor) -> tuple[dict[str, tuple[Pair, Pair]], Tensor]:
        """The real and fake pairs of each critic, and the explicit cycle's loss (n,)."""
        E, G = self._nets("encoder", "generator")
        code, fake = E(x), G(z)
        pairs, explicit = {"critic_xz": ((x, code), (fake, z))}, torch.zeros_like(z[:, 0])
        if self.cycle == "adversarial":
            pairs["critic_xx"] = (x, x), (x, G(code))
        elif self.cycle != "none":
            explicit = CYCLES[self.cycle](x, G(code))
        if self.latent_cycle:
            pairs["critic_zz"] = (z, z), (z, E(fake))
        return pairs, explicit

    def _score(self, x: Tensor) -> ScoreParts:
        D, (z, y) = self._net("critic_xz"), self._there_and_back(x)
        pairs = self._net("critic_xx") if self.cycle == "adversarial" else None
        parts = self._compared(x, z, y, lambda v: D(v, z) if pairs is None else pairs(x, v)) | {
            "critic": lambda: -D(x, z).logit,
            "residual": lambda: L1(reduction="sum")(x, y),
            "residual_l2": lambda: Minkowski(p=2)(x, y),
        }
        return ScoreParts(parts, y)
