"""ALOCC."""

from collections.abc import Iterator
from functools import cache
from typing import ClassVar

import torch
from torch import Tensor, nn

from oddgan._core.errors import InputError
from oddgan._core.hyperparameters import hyperparameters
from oddgan.base import Card, ScoreParts, standard_components
from oddgan.families import NeuralDetector, Stored
from oddgan.networks import Refiner
from oddgan.objectives import NonSaturating, Objective
from oddgan.scores import Composition, WeightedSum
from oddgan.similarities import L2, Similarity
from oddgan.training import Clock, Phase, Update, gathered


@hyperparameters
class ALOCC(NeuralDetector):
    r"""A denoising autoencoder refines normal samples and distorts others; a critic judges what it makes of them.

    R draws x' = R(x + η), η ~ N(0, σ²), and D tells x from x':

        min_R max_D  E log D(x) + E log(1 - D(R(x + η))) + λ·‖x - x'‖²

    The score is -D(R(x)) ("OCC2"). Components: `refined`, the score, `critic` -D(x) ("OCC1"), `residual` the distance
    of x and R(x), all without noise. D knows less and less once R wins, so that longer training can make the scores
    worse: the paper stops early (`stop_below`).

    Parameters
    ----------
    refiner : the network R.
    objective : what D and R minimise.
    similarity : the distance ‖x - x'‖².
    noise : standard deviation σ of the noise, on the scale of the network input, >= 0.
    w_con : weight λ of the distance, >= 0.
    stop_below : training ends after the first epoch whose mean distance is below this (the paper's ρ, chosen by looking
        at the reconstructions); None never ends it early.

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
            "‖x - x'‖² is a mean over a sample's values, so that λ means the same at all sizes (L2(reduction='sum')).",
            "The default networks are a quarter as wide, as in the released code; the paper's are ALOCC_REFINER and "
            "ALOCC_CRITIC. For tables R is fully connected.",
            "R is compared with x; the released code compares it with the noisy input, by a cross-entropy.",
            "One update of R for each of D, as in the paper's game; the released code makes two.",
        ),
        gan=True,
    )
    # After an epoch D's answer far from the data is still arbitrary: the residual stands in for more training.
    tiny: ClassVar = {
        "epochs": 1,
        "refiner": Refiner(widths=(4, 8)),
        "composition": WeightedSum(refined=1.0, residual=1.0),
    }

    refiner: Refiner = Refiner()
    objective: Objective = NonSaturating()
    similarity: Similarity = L2()
    noise: float = 0.155
    w_con: float = 0.4
    stop_below: float | None = None
    composition: Composition = WeightedSum(refined=1.0)

    def _check(self) -> None:
        super()._check()
        if self.noise < 0:
            raise InputError(f"noise={self.noise} must be 0 or more.")

    def _networks(self, shape: tuple[int, ...]) -> dict[str, nn.Module]:
        return {
            "refiner": self.refiner(shape, output=self._output),
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
        y = R(x + self.noise * torch.randn_like(x))
        yield Update("critic", game.critic_loss(x, y))
        game.constrain()
        distance = self._similarity()(x, y)
        yield Update("refiner", game.generator_loss(y) + self.w_con * distance)
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
