"""OCGAN."""

from collections.abc import Iterator
from typing import ClassVar

import torch
from torch import Tensor, nn

from oddgan._core.errors import InputError
from oddgan._core.hyperparameters import hyperparameters
from oddgan.base import Card, ScoreParts, standard_components
from oddgan.families import CodingDetector, Game
from oddgan.networks import Auto, Backbone, ConvLadder
from oddgan.networks.base import whole
from oddgan.objectives import R1, NonSaturating, Objective
from oddgan.priors import Uniform
from oddgan.scores import Composition, WeightedSum
from oddgan.similarities import L2, Similarity
from oddgan.training import Adam, Clock, Optimiser, Phase, Update


@hyperparameters
class OCGAN(CodingDetector):
    r"""Fill a bounded latent space with normal samples only, so that no code draws an anomaly.

    A denoising autoencoder with codes E(x + n), n ~ N(0, σ²), in (-1, 1)^m; D_l tells codes from s ~ U(-1, 1)^m, D_v
    tells G(s) from x, and the classifier C tells G(s) from G(E(x + n)). In turn each learns

        C: BCE(C(G(E(x + n))), 1) + BCE(C(G(s)), 0)
        D: BCE(D_l(s), 1) + BCE(D_l(E(x + n)), 0) + BCE(D_v(x), 1) + BCE(D_v(G(s)), 0)
        E, G: w_con·mean (x - G(E(x + n)))² + w_lat·BCE(D_l(E(x + n)), 1) + w_vis·BCE(D_v(G(s')), 1)

    with informative negatives s': s after some steps of s ← clip(s + η·∇ BCE(C(G(s)), 1)), to where C finds what is
    drawn least normal. The score is mean (x - G(E(x)))². Components: `residual`, the score, and `critic` -D_v(x).

    Parameters
    ----------
    latent_dim : size m of the latent space, >= 1.
    objective : what the critics, the classifier, and against the critics E and G, minimise.
    similarity : the reconstruction loss, which is also the component `residual`.
    noise : standard deviation σ of the input's noise, on the scale of the network input, >= 0; None takes 0.5 for
        images and 0.2 for tables and series.
    w_con, w_lat, w_vis : weights of the losses of E and G, >= 0.
    mining_steps : steps in the latent space before each update of E and G, >= 0; 0 mines nothing.
    mining_rate : their size η, > 0.

    References
    ----------
    P. Perera, R. Nallapati, B. Xiang: OCGAN: One-class Novelty Detection Using GANs with Constrained Latent
    Representations, CVPR 2019, https://arxiv.org/abs/1903.08550.
    """

    card: ClassVar[Card] = Card(
        name="OCGAN",
        title="OCGAN: One-class Novelty Detection Using GANs with Constrained Latent Representations",
        authors="Perera, Nallapati, Xiang",
        year=2019,
        link="https://arxiv.org/abs/1903.08550",
        summary="denoising autoencoder whose bounded latent space is filled with normal samples",
        deviations=(
            "R1 penalties on D_l, D_v and C: without, D_l wins at higher learning rates and E's tanh saturates.",
            "Layer norm: batch norm would mix the statistics of G(E(x)), G(s) and G(s'). Published networks: OCGAN_64.",
            "Codes end in tanh, as in the paper; in the released code in a leaky ReLU.",
            "The weights are those of the released code (500, 10, 1); the paper's are (10, 1, 1). One mining step, as "
            "there, where the paper takes five: each is a pass through G and C and back. Set w_con=10.0, w_lat=1.0, "
            "mining_steps=5 for the paper.",
            "Codes of 16 values and, for images, noise of 0.5: other classes pass wider codes with less noise.",
            "Mining ascends BCE(C, 1); the released code descends BCE(C, 0): the same way, at another pace.",
        ),
        gan=True,
    )
    tiny: ClassVar = {"epochs": 1, "latent_dim": 4, "mining_steps": 2}

    latent_dim: int = 16
    objective: Objective = NonSaturating(regulariser=R1(weight=1.0))
    similarity: Similarity = L2()
    noise: float | None = None
    w_con: float = 500.0
    w_lat: float = 10.0
    w_vis: float = 1.0
    mining_steps: int = 1
    mining_rate: float = 1.0
    composition: Composition = WeightedSum(residual=1.0)
    optimiser: Optimiser = Adam(lr=1e-3)
    backbone: Backbone = Auto(
        series=ConvLadder(width=32, norm="layer", critic_norm="layer"),
        image=ConvLadder(width=16, norm="layer", critic_norm="layer"),
    )

    def _check(self) -> None:
        super()._check()
        whole(0, mining_steps=self.mining_steps)
        if self._noise < 0 or self.mining_rate <= 0:
            raise InputError(f"noise={self._noise} must be 0 or more, and mining_rate={self.mining_rate} above 0.")

    @property
    def _noise(self) -> float:
        return (0.5 if len(self.shape_) == 3 else 0.2) if self.noise is None else self.noise

    def _networks(self, shape: tuple[int, ...]) -> dict[str, nn.Module]:
        b, m = self.backbone, self.latent_dim
        return {
            "encoder": b.encoder(shape, m, output="tanh"),
            "decoder": b.decoder(m, shape, output=self._output),
            "critic": b.critic(shape),
            "latent_critic": b.critic((m,)),
            "classifier": b.critic(shape),
        }

    def _phases(self) -> Iterator[Phase]:
        groups = {"critics": ("latent_critic", "critic"), "autoencoder": ("encoder", "decoder")}
        yield self._phase(self._adversarial, self._players("classifier", **groups))

    def _adversarial(self, x: Tensor, clock: Clock) -> Iterator[Update]:
        E, G = self._nets("encoder", "decoder")
        D, D_l, C = (self._game(name, clock) for name in ("critic", "latent_critic", "classifier"))
        z, s = E(x + self._noise * torch.randn_like(x)), Uniform().sample(len(x), self.latent_dim, device=x.device)
        y, fake = G(z), G(s).detach()
        yield Update("classifier", C.critic_loss(y, fake))
        C.constrain()
        yield Update("critics", D_l.critic_loss(s, z) + D.critic_loss(x, fake))
        D_l.constrain()
        D.constrain()
        latent, visual = D_l.generator_loss(z), D.generator_loss(G(self._mine(s, C)))
        yield Update("autoencoder", self.w_con * self._similarity()(x, y) + self.w_lat * latent + self.w_vis * visual)

    def _mine(self, s: Tensor, C: Game) -> Tensor:
        """Informative negatives (n, m): codes near s (n, m) whose samples the classifier finds less normal."""
        G = self._net("decoder")
        for _ in range(self.mining_steps):
            s = s.requires_grad_()
            (slope,) = torch.autograd.grad(C.on_real(G(s)).sum(), s)
            s = Uniform().project(s.detach() + self.mining_rate * slope)
        return s.detach()

    def _sample(self, n: int) -> Tensor:
        return self._decode(Uniform().sample(n, self.latent_dim, device=self._device))

    def _score(self, x: Tensor) -> ScoreParts:
        E, G, D = self._nets("encoder", "decoder", "critic")
        y = G(z := E(x))
        parts = standard_components(x, y=y, z=z, critic=D, encoder=E) | {"residual": self._similarity()(x, y)}
        return ScoreParts(parts, y)
