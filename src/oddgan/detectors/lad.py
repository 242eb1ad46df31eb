"""LAD: a critic between data and spoiled copies of them, without a generator."""

from collections.abc import Iterator
from typing import ClassVar

from torch import Tensor, nn

from oddgan._core.hyperparameters import hyperparameters
from oddgan.base import Card, ScoreParts, standard_components
from oddgan.families import NeuralDetector
from oddgan.networks import MLP, Auto, Backbone, ConvLadder
from oddgan.objectives import WGANGP, Objective
from oddgan.scores import Composition, WeightedSum
from oddgan.training import Adam, AutoCorruption, Clock, Corruption, Optimiser, Phase, Steps, Update


@hyperparameters
class LAD(NeuralDetector):
    r"""A critic that may not be steep tells data from spoiled copies of them; what it likes less is more anomalous.

    x̃ ~ Q(·|x) is a spoiled copy of x: noise, shuffled places, values of other rows, patches. A critic D, held to slopes
    of about 1, minimises

        L_D = D(x̃) - D(x) + λ (‖∇D(u)‖ - 1)²,      u on the segment between x and its own copy x̃

    and the score is -D(x), the component `critic`. As D is 1-Lipschitz, samples that lie near each other have scores
    that differ by no more than their distance, and what lies far from the data in Wasserstein distance is found.
    Q decides which anomalies look like spoiled data: choose it by what can go wrong in the data at hand, and let it
    leave the range of the data.

    Parameters
    ----------
    corruption : how copies are spoiled, afresh in each batch. The default pastes a patch of another row into images,
        and adds noise to series and tables; `MixedCorruption()` spoils each row in one of several ways.
    objective : what D minimises on x (real) and x̃ (fake), with its penalty on the segments between them.
    spectral_norm : whether D has spectral norm on every weight, which also keeps it 1-Lipschitz; then take
        `objective=Wasserstein(clip=None)`.

    References
    ----------
    A. Tong, G. Wolf, S. Krishnaswamy: Fixing Bias in Reconstruction-based Anomaly Detection with Lipschitz
    Discriminators, MLSP 2020, https://arxiv.org/abs/1905.10710.
    """

    card: ClassVar[Card] = Card(
        name="LAD",
        title="Fixing Bias in Reconstruction-based Anomaly Detection with Lipschitz Discriminators",
        authors="Tong, Wolf, Krishnaswamy",
        year=2020,
        link="https://arxiv.org/abs/1905.10710",
        summary="Lipschitz critic of data against spoiled copies; no generator",
        deviations=(
            "Corruption by kind of data, where the paper chooses for each data set: noise teaches D of images no more "
            "than noisy or clean, so patches of other rows are pasted into them; of the others' own values D learns "
            "nothing of what lies outside the range (it likes abnormal heartbeats better), so they get noise.",
            "Only the abstract and later reports were at hand: λ = 10, Adam with steps of 1e-3, the DCGAN critic "
            "without batch norm and the shares that corruptions change are assumed.",
            "The gradient penalty is taken between a sample and its own copy, so that it holds where the two meet; "
            "which pairs the paper takes is assumed.",
        ),
        gan=True,
    )
    # After an epoch D's answer far from the data is still arbitrary.
    default_steps: ClassVar[Steps] = Steps(table=1000, series=600, image=600)
    tiny: ClassVar = {"epochs": 10, "batch_size": 8, "optimiser": Adam(lr=1e-2, betas=(0.0, 0.9))}
    fools = False  # there is no generator

    corruption: Corruption = AutoCorruption()
    objective: Objective = WGANGP()
    spectral_norm: bool = False
    composition: Composition = WeightedSum(critic=1.0)
    optimiser: Optimiser = Adam(lr=1e-3, betas=(0.0, 0.9))
    backbone: Backbone = Auto(
        table=MLP(),
        series=ConvLadder(width=32, critic_norm="none", init="he"),
        image=ConvLadder(width=32, critic_norm="none", init="he"),
    )

    def _networks(self, shape: tuple[int, ...]) -> dict[str, nn.Module]:
        backbone = self.backbone.with_spectral_norm() if self.spectral_norm else self.backbone
        return {"critic": backbone.critic(shape)}

    def _phases(self) -> Iterator[Phase]:
        yield self._phase(self._against_copies, self._players("critic"))

    def _against_copies(self, x: Tensor, clock: Clock) -> Iterator[Update]:
        game = self._game("critic", clock)
        yield Update("critic", game.critic_loss(x, self.corruption(x)))
        game.constrain()

    def _score(self, x: Tensor) -> ScoreParts:
        return ScoreParts(standard_components(x, critic=self._net("critic")))
