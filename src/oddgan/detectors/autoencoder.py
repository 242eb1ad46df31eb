"""The plain convolutional autoencoder."""

from collections.abc import Iterator
from typing import ClassVar

from torch import Tensor

from oddgan._core.hyperparameters import hyperparameters
from oddgan.base import Card, ScoreParts, standard_components
from oddgan.families import CodingDetector
from oddgan.scores import Composition, WeightedSum
from oddgan.similarities import L2, Similarity
from oddgan.training import Adam, Clock, Optimiser, Phase, Privacy, Update


@hyperparameters
class AutoEncoder(CodingDetector):
    r"""Reconstruct through a bottleneck; what is unlike the training data comes back changed.

    min_{E, G} mean (x - G(E(x)))², and the score is the same residual. On images and series the networks are DCGAN-like
    (DCAE), on tables an MLP.

    Parameters
    ----------
    privacy : bound what the trained weights can tell of any single row, by noisy updates, see `training.Privacy`; None
        adds no noise. Scaling, threshold and the calibration scores stored with the model are not covered.
    latent_dim : size m of the bottleneck, >= 1.
    similarity : the residual that is trained and scored.

    References
    ----------
    J. Masci, U. Meier, D. Cireşan, J. Schmidhuber: Stacked Convolutional Auto-Encoders for Hierarchical Feature
    Extraction, ICANN 2011, https://doi.org/10.1007/978-3-642-21735-7_7; as a detector: L. Deecke et al.: Image Anomaly
    Detection with Generative Adversarial Networks, ECML PKDD 2018, section 4.2.
    """

    card: ClassVar[Card] = Card(
        name="AutoEncoder",
        title="Stacked Convolutional Auto-Encoders for Hierarchical Feature Extraction",
        authors="Masci, Meier, Cireşan, Schmidhuber",
        year=2011,
        link="https://doi.org/10.1007/978-3-642-21735-7_7",
        summary="reconstruction through a bottleneck",
        deviations=("Trained end to end with Adam instead of layer by layer, as is usual today.",),
    )
    tiny: ClassVar = {"epochs": 1, "latent_dim": 4}

    privacy: Privacy | None = None
    latent_dim: int = 32
    similarity: Similarity = L2()
    composition: Composition = WeightedSum(residual=1.0)
    optimiser: Optimiser = Adam(lr=1e-3, betas=(0.9, 0.999))

    def _phases(self) -> Iterator[Phase]:
        yield self._phase(self._reconstruction, self._players(autoencoder=("encoder", "decoder")))

    def _reconstruction(self, x: Tensor, clock: Clock) -> Iterator[Update]:
        yield Update("autoencoder", self._similarity()(x, self._reconstruct(x)))

    def _score(self, x: Tensor) -> ScoreParts:
        E, G = self._nets("encoder", "decoder")
        y = G(z := E(x))
        return ScoreParts(standard_components(x, y=y, z=z, encoder=E) | {"residual": self._similarity()(x, y)}, y)
