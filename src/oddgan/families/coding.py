"""Detectors that encode samples and decode codes."""

from typing import ClassVar

import torch
from torch import Tensor, nn

from oddgan._core.hyperparameters import hyperparameters
from oddgan.families.neural import NeuralDetector
from oddgan.priors import Gaussian, Prior
from oddgan.training import Privacy


@hyperparameters
class CodingDetector(NeuralDetector):
    """A detector with an encoder E and a decoder G, which reconstructs samples as x̂ = G(E(x)).

    Parameters
    ----------
    latent_dim : size m of the latent space, >= 1.
    """

    decoder_name: ClassVar[str] = "decoder"
    """What the method calls the network G; E is its "encoder"."""

    latent_dim: int

    def _networks(self, shape: tuple[int, ...]) -> dict[str, nn.Module]:
        """E and G; a method adds its other networks."""
        return {
            "encoder": self.backbone.encoder(shape, self.latent_dim),
            self.decoder_name: self.backbone.decoder(self.latent_dim, shape, output=self._output),
        }

    def _encode(self, x: Tensor) -> Tensor:
        z: Tensor = self._net("encoder")(x)
        return z

    def _decode(self, z: Tensor) -> Tensor:
        """Codes (n, m) to samples (n, ...)."""
        y: Tensor = self._net(self.decoder_name)(z)
        return y

    def _reconstruct(self, x: Tensor) -> Tensor:
        return self._decode(self._encode(x))


@hyperparameters
class PriorDetector(CodingDetector):
    """A coding detector whose codes are to follow a prior, so that decoded draws of it are new samples.

    Parameters
    ----------
    prior : distribution p(z) of the codes.
    """

    prior: Prior

    def _draw(self, n: int) -> Tensor:
        """Draw n codes (n, m)."""
        return self.prior.sample(n, self.latent_dim, device=self._device)

    def _sample(self, n: int) -> Tensor:
        return self._decode(self._draw(n))


@hyperparameters
class VariationalDetector(CodingDetector):
    """A coding detector with p(z) = N(0, I), whose encoder gives q(z|x) = N(μ, σ²) as μ and log σ² side by side.

    Parameters
    ----------
    privacy : bound what the trained weights can tell of any single row, by noisy updates, see `training.Privacy`; None
        adds no noise. Scaling, threshold and the calibration scores stored with the model are not covered.
    """

    privacy: Privacy | None = None

    def _posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean μ and log σ² of q(z|x), (n, m) each."""
        mean, log_variance = self._net("encoder")(x).chunk(2, dim=1)
        return mean, log_variance.clamp(-12.0, 8.0)

    def _draw(self, mean: Tensor, log_variance: Tensor) -> Tensor:
        """Draw one code (n, m) of each q(z|x), with a gradient to both arguments."""
        return mean + (0.5 * log_variance).exp() * torch.randn_like(mean)

    def _encode(self, x: Tensor) -> Tensor:
        return self._posterior(x)[0]

    def _sample(self, n: int) -> Tensor:
        return self._decode(Gaussian().sample(n, self.latent_dim, device=self._device))
