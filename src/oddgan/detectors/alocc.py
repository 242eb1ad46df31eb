"""ALOCC."""

from collections.abc import Iterator
from functools import cache
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from oddgan._core.errors import InputError
from oddgan._core.hyperparameters import hyperparameters
from oddgan.base import Card, ScoreParts, standard_components
from oddgan.families import NeuralDetector, Stored
from oddgan.networks import Auto, Backbone, ConvLadder, Refiner
from oddgan.networks.base import one_of
from oddgan.objectives import NonSaturating, Objective
from oddgan.scores import Composition, Standardised, WeightedSum
from oddgan.similarities import L2, Similarity
from oddgan.training import (
    Adam,
    AutoCorruption,
    Clock,
    Corruption,
    GaussianCorruption,
    Optimiser,
    PatchCorruption,
    Phase,
    Steps,
    Update,
    gathered,
)

# By axes of a sample. Series keep the fewest values, since a map that holds a heartbeat holds any other, too.
REFINERS = {1: Refiner(), 2: Refiner(widths=(16, 32, 64, 64, 32, 16)), 3: Refiner(widths=(16, 32, 64, 64))}
CRITIC = ConvLadder(width=16, critic_norm="none", init="he")


@hyperparameters
class ALOCC(NeuralDetector):
    r"""An autoencoder refines normal samples and distorts others; a critic judges what it makes of them.

    R draws x' = R(x̃) from a spoiled copy x̃ of x, and D tells it from what R makes of x itself:

        min_R max_D  E log D(R(x)) + E log(1 - D(R(x̃))) + λ/2·(‖x - R(x̃)‖² + ‖x - R(x)‖²)

    Components: `refined` -D(R(x)) ("OCC2"), `critic` -D(x) ("OCC1"), `residual` ‖x - R(x)‖². The score is `refined` +
    `residual`, each less its mean and over its spread on held-out rows.

    In the paper x̃ = x + η, η ~ N(0, σ²), D tells x itself from R(x̃), only R(x̃) is compared with x, and `refined` is the
    score: set noise=0.155, reference="rows", composition=WeightedSum(refined=1.0). D then judges what R always blurs,
    and knows less and less once R wins: the paper stops early (`stop_below`).

    Parameters
    ----------
    refiner : the network R; None takes one for the kind of data, whose innermost map is small for images and series.
    objective : what D and R minimise.
    similarity : the distance ‖x - x'‖².
    corruption : how copies are spoiled. The default adds noise to tables and series and pastes a patch of another row
        into images.
    noise : standard deviation σ of noise in the place of `corruption`, on the scale of the network input, >= 0; None
        takes `corruption`.
    reference : what D takes for real: "refined" rows R(x), or the "rows" x.
    w_con : weight λ of the distance, >= 0.
    stop_below : training ends after the first epoch whose mean distance of x and R(x̃) is below this (the paper's ρ,
        chosen by looking at the reconstructions); None never ends it early.

    References
    ----------
    M. Sabokrou, M. Khalooei, M. Fathy, E. Adeli: Adversarially Learned One-Class Classifier for Novelty Detection,
    CVPR 2018, https://arxiv.org/abs/1802.09088.
    """

    card: ClassVar[Card] = Card(
        name="ALOCC",
        title="Adversarially Learned One-Class Classifier for Novelty Detection",
        authors="Sabokrou, Khalooei, Fathy, Adeli",
        year=2018,
        link="https://arxiv.org/abs/1802.09088",
        summary="denoising autoencoder and critic; the critic judges reconstructions",
        deviations=(
            "R minimises -log D(x') (NonSaturating), as the released code does; log(1 - D(x')) saturates "
            "(objective=Minimax()).",
            "D takes R(x) for real, not x: R blurs what it draws, and D tells that from x at a glance; the "
            "refined score then says nothing of what R could not mend.",
            "Patches of other rows are pasted into images in the place of noise, so that D sees strokes that do not "
            "belong; the score adds the residual, which is steadier than D.",
            "D has no normalisation: with batch norm it wins, and R learns nothing. R's innermost map is small, "
            "since nothing in a wide one has to be mended.",
            "The default networks are smaller than the released ones; the paper's are ALOCC_REFINER and ALOCC_CRITIC. "
            "For tables R is fully connected.",
            "R is compared with x; the released code compares it with the noisy input, by a cross-entropy.",
            "One update of R for each of D, as in the paper's game; the released code makes two.",
        ),
        gan=True,
    )
    default_steps: ClassVar[Steps] = Steps(table=2000, series=600, image=600)
    tiny: ClassVar = {"epochs": 1, "refiner": Refiner(widths=(4, 8))}

    refiner: Refiner | None = None
    objective: Objective = NonSaturating()
    similarity: Similarity = L2(reduction="sum")
    corruption: Corruption = AutoCorruption(
        table=GaussianCorruption(std=0.2), series=GaussianCorruption(std=0.2), image=PatchCorruption()
    )
    noise: float | None = None
    reference: Literal["refined", "rows"] = "refined"
    w_con: float = 0.4
    stop_below: float | None = None
    composition: Composition = Standardised(WeightedSum(refined=1.0, residual=1.0))
    optimiser: Optimiser = Adam(lr=5e-4)
    backbone: Backbone = Auto(series=CRITIC, image=CRITIC)

    def _check(self) -> None:
        super()._check()
        one_of(("refined", "rows"), reference=self.reference)
        if self.noise is not None and self.noise < 0:
            raise InputError(f"noise={self.noise} must be 0 or more.")

    def _networks(self, shape: tuple[int, ...]) -> dict[str, nn.Module]:
        return {
            "refiner": (self.refiner or REFINERS[len(shape)])(shape, output=self._output),
            "critic": self.backbone.critic(shape),
            "distance": Stored(torch.zeros(())),
            "stopped": Stored(torch.zeros(())),
        }

    def _phases(self) -> Iterator[Phase]:
        yield self._phase(self._adversarial, self._players("critic", "refiner"))

    def _adversarial(self, x: Tensor, clock: Clock) -> Iterator[Update]:
        if self._stored("stopped"):
            return
        R, game = self._net("refiner"), self._game("critic", clock)
        spoiled = self.corruption(x) if self.noise is None else x + self.noise * torch.randn_like(x)
        kept, y = (x, R(spoiled)) if self.reference == "rows" else R(torch.cat([x, spoiled])).chunk(2)
        yield Update("critic", game.critic_loss(kept.detach(), y))
        game.constrain()
        distance = self._similarity()(x, y)
        both = distance if self.reference == "rows" else (distance + self._similarity()(x, kept)) / 2
        yield Update("refiner", game.generator_loss(y) + self.w_con * both)
        self._watch(gathered(distance.detach()).mean(), clock)

    def _watch(self, distance: Tensor, clock: Clock) -> None:
        """Follow the mean distance over an epoch; at its end decide whether it was the last."""
        first, last = clock.iteration % clock.batches == 0, (clock.iteration + 1) % clock.batches == 0
        mean = self._stored("distance")
        mean.copy_(distance / clock.batches + (0.0 if first else mean))
        if last and self.stop_below is not None:
            self._stored("stopped").copy_(mean < self.stop_below)

    def _reconstruct(self, x: Tensor) -> Tensor:
        y: Tensor = self._net("refiner")(x)
        return y

    def _score(self, x: Tensor) -> ScoreParts:
        D, y = cache(self._net("critic")), self._reconstruct(x)
        own = {"refined": lambda: -D(y).logit, "residual": lambda: self._similarity()(x, y)}
        return ScoreParts(standard_components(x, y=y, critic=D) | own, y)
