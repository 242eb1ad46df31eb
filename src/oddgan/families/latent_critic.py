"""A critic of codes: what makes an encoder's codes follow a distribution, as in adversarial autoencoders."""

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor, nn

from oddgan.families.games import adversarial_updates, critic_loss
from oddgan.networks import Backbone
from oddgan.objectives import Objective
from oddgan.scores import critic_cross_entropy
from oddgan.training import Clock, Update


@dataclass(frozen=True)
class LatentCritic:
    r"""The game of a critic D_z, which tells draws z of a distribution from codes E(x), and of E, which fools it.

    With the non-saturating objective

    .. math:: L_D = -\log \sigma(D_z(z)) - \log(1 - \sigma(D_z(E(x)))), \quad L_E = -\log \sigma(D_z(E(x)))

    Parameters
    ----------
    network : D_z; returns a judgement of codes (n, m) with logits (n,).
    objective : what both minimise.

    References
    ----------
    A. Makhzani, J. Shlens, N. Jaitly, I. Goodfellow, B. Frey: Adversarial Autoencoders, 2015,
    https://arxiv.org/abs/1511.05644, section 2.
    """

    network: nn.Module
    objective: Objective

    @staticmethod
    def build(backbone: Backbone, latent_dim: int) -> dict[str, nn.Module]:
        """The network by the name that it has in detectors."""
        return {"latent_critic": backbone.critic((latent_dim,))}

    def loss(self, draws: Tensor, codes: Tensor) -> Tensor:
        """What the critic minimises (n,), the objective's penalty included, without a gradient to the codes (n, m)."""
        return critic_loss(self.network, self.objective, draws, codes)

    def fooled(self, codes: Tensor) -> Tensor:
        """What the encoder minimises (n,), with a gradient to its codes (n, m)."""
        return self.objective.generator(self.network(codes).logit)

    def updates(self, draws: Tensor, codes: Tensor, clock: Clock) -> Iterator[Update]:
        """One batch of the game, in which the critic is the player "critic" and the encoder the player "generator"."""
        return adversarial_updates(draws, codes, clock, critic=self.network, objective=self.objective)

    def doubt(self, codes: Tensor) -> Tensor:
        """The component `latent_critic` (n,): -log σ(D_z(E(x))), high where the critic takes a code for no draw."""
        return critic_cross_entropy(self.network(codes).logit)
