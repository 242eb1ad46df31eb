"""The adversarially robust autoencoder."""

from collections.abc import Iterator
from math import inf
from typing import ClassVar

import torch
from torch import Tensor, nn

from oddgan._core.errors import InputError
from oddgan._core.hyperparameters import hyperparameters
from oddgan.base import Card, ScoreParts
from oddgan.families import CodingDetector
from oddgan.networks import ARAE_MLP, Backbone
from oddgan.networks.base import whole
from oddgan.scores import Composition, WeightedSum, latent_error
from oddgan.similarities import L2, Similarity
from oddgan.training import Adam, Clock, Optimiser, Phase, Steps, Update


@hyperparameters
class ARAE(CodingDetector):
    r"""An autoencoder trained on the worst small changes of its input, so that its codes hold what is robust.

    For each batch, δ = argmax_{‖δ‖∞ ≤ ε} mean (E(x) - E(x + δ))² by projected gradient ascent: a uniform start, then
    steps along the gradient's sign. Training then minimises

        mean (x - G(E(x + δ)))² + γ·mean (E(x) - E(x + δ))²      over E and G

    and the score is mean (x - x̂)², x̂ = G(E(x)). A sigmoid keeps codes in (0, 1). Components: `residual` the score and
    `latent` mean (E(x) - E(x̂))².

    Parameters
    ----------
    epsilon : the largest change ε of a value, on the network's scale (images: [-1, 1]), > 0. The paper's 0.2 of the
        range [0, 1] for MNIST is 0.4 here; for Fashion-MNIST and COIL-100 it takes 0.05, here 0.1. None takes 0.4 for
        images and 0.1 for tables and series.
    attack_steps : steps of the ascent, >= 1, each of 2.5·ε/attack_steps; 40 in the paper. A training step costs about
        one pass each.
    gamma : weight γ of the codes' stability, >= 0.
    similarity : the reconstruction's loss, and the component `residual`.

    References
    ----------
    M. Salehi, A. Arya, B. Pajoum, M. Otoofi, A. Shaeiri, M. H. Rohban, H. R. Rabiee: ARAE: Adversarially Robust
    Training of Autoencoders Improves Novelty Detection, Neural Networks 144, 2021, https://arxiv.org/abs/2003.05669.
    """

    card: ClassVar[Card] = Card(
        name="ARAE",
        title="ARAE: Adversarially Robust Training of Autoencoders Improves Novelty Detection",
        authors="Salehi, Arya, Pajoum, Otoofi, Shaeiri, Rohban, Rabiee",
        year=2021,
        link="https://arxiv.org/abs/2003.05669",
        summary="autoencoder trained on the worst small changes of its input",
        deviations=(
            "The attack is made anew for each batch, against the present weights, as the paper's algorithm has it; the "
            "released code makes it once an epoch for all rows.",
            "Networks are in evaluation mode during the attack, so that batch statistics do not learn from its steps.",
            "Fewer updates than the 1600 epochs of the released code on MNIST, and attacks of 10 steps, not 40.",
            "Changes of at most 0.1 in tables and series, which the paper has not: larger ones drown the rows.",
        ),
    )
    default_steps: ClassVar[Steps] = Steps(table=1000, series=500, image=300)
    tiny: ClassVar = {"epochs": 1, "latent_dim": 4, "attack_steps": 2}
    renamed: ClassVar = {"steps": "attack_steps"}

    latent_dim: int = 128
    epsilon: float | None = None
    attack_steps: int = 10
    gamma: float = 0.1
    similarity: Similarity = L2()
    composition: Composition = WeightedSum(residual=1.0)
    optimiser: Optimiser = Adam(lr=1e-3, betas=(0.9, 0.999))
    backbone: Backbone = ARAE_MLP
    batch_size: int = 256

    def _check(self) -> None:
        super()._check()
        whole(attack_steps=self.attack_steps)
        if not (0 < self._bound < inf and self.gamma >= 0):
            raise InputError(f"epsilon={self._bound} must be above 0, and gamma={self.gamma} at least 0.")

    @property
    def _bound(self) -> float:
        """The largest change of a value for this kind of data."""
        return (0.4 if len(self.shape_) == 3 else 0.1) if self.epsilon is None else self.epsilon

    def _networks(self, shape: tuple[int, ...]) -> dict[str, nn.Module]:
        return {
            "encoder": self.backbone.encoder(shape, self.latent_dim, output="sigmoid"),
            "decoder": self.backbone.decoder(self.latent_dim, shape, output=self._output),
        }

    def _phases(self) -> Iterator[Phase]:
        yield self._phase(self._robust, self._players(autoencoder=("encoder", "decoder")))

    def _robust(self, x: Tensor, clock: Clock) -> Iterator[Update]:
        E, G = self._nets("encoder", "decoder")
        attacked = E(self._attack(x))
        yield Update("autoencoder", self._similarity()(x, G(attacked)) + self.gamma * latent_error(E(x), attacked))

    def _attack(self, x: Tensor) -> Tensor:
        """The rows with the changes that move their codes most; values stay in the data's range where it has one."""
        E, (low, high) = self._net("encoder"), self.scaling_.range or (-inf, inf)
        training = E.training
        E.eval()
        epsilon = self._bound
        z = E(x).detach()
        delta = torch.empty_like(x).uniform_(-epsilon, epsilon)
        for _ in range(self.attack_steps):
            worse = (x + delta).clamp(low, high).requires_grad_()
            (slope,) = torch.autograd.grad(latent_error(z, E(worse)).sum(), worse)
            delta = (delta + 2.5 * epsilon / self.attack_steps * slope.sign()).clamp(-epsilon, epsilon)
        E.train(training)
        return (x + delta).clamp(low, high)

    def _score(self, x: Tensor) -> ScoreParts:
        E, G = self._nets("encoder", "decoder")
        z = E(x)
        y = G(z)
        # Codes in (0, 1) follow no prior: their norm is no component.
        return ScoreParts({"residual": self._similarity()(x, y), "latent": lambda: latent_error(z, E(y))}, y)
