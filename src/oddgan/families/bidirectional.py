"""Bidirectional GANs: an encoder beside the generator, and critics that tell pairs of one kind from another."""

from collections.abc import Callable
from functools import cache

from torch import Tensor

from oddgan._core.errors import InputError
from oddgan._core.hyperparameters import hyperparameters
from oddgan.base.components import Component, standard_components
from oddgan.families.coding import PriorDetector
from oddgan.networks import Judgement
from oddgan.networks.base import whole
from oddgan.objectives import NonSaturating, Objective
from oddgan.priors import Gaussian, Prior
from oddgan.scores import feature_matching


@hyperparameters
class BidirectionalDetector(PriorDetector):
    """A detector with the networks "encoder" and "generator", which are trained together.

    Parameters
    ----------
    objective : what critics and generator minimise; the encoder minimises the critics' loss on fakes, for the pairs
        that it makes.
    ema : decay of the moving average of all weights, which scores; in [0, 1), or None for the last weights. It
        remembers 1 / (1 - ema) steps, fewer while training is young.
    """

    decoder_name = "generator"

    prior: Prior = Gaussian()
    objective: Objective = NonSaturating()
    ema: float | None = 0.999

    def _check(self) -> None:
        super()._check()
        whole(latent_dim=self.latent_dim)
        if self.ema is not None and not 0 <= self.ema < 1:
            raise InputError(f"ema must lie in [0, 1), or be None for no average, not {self.ema}.")

    def _there_and_back(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Codes (n, m) and reconstructions (n, ...)."""
        E, G = self._nets("encoder", "generator")
        z = E(x)
        return z, G(z)

    def _compared(self, x: Tensor, z: Tensor, y: Tensor, judge: Callable[[Tensor], Judgement]) -> dict[str, Component]:
        """The standard components, with `features` as the sum Σ|f(x) - f(y)|; `judge` is asked once about x and y."""
        judge = cache(judge)
        parts = standard_components(x, y=y, z=z, critic=judge, encoder=self._net("encoder"), prior=self.prior)
        return parts | {
            "features": lambda: feature_matching(judge(x).features, judge(y).features, reduction="sum"),
        }
