"""Deep SVDD."""

from collections.abc import Iterator
from functools import partial
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from oddgan._core.errors import InputError
from oddgan._core.hyperparameters import hyperparameters
from oddgan.base import Card, ScoreParts
from oddgan.families import NeuralDetector, Stored
from oddgan.networks import DEEP_SVDD, Backbone
from oddgan.networks.base import one_of, whole
from oddgan.scaling import AutoContrast, Scaling
from oddgan.scores import Composition, WeightedSum
from oddgan.similarities import L2
from oddgan.training import Adam, Clock, Optimiser, Phase, Player, StepDecay, Steps, Update, gathered

NEAR_ZERO = 0.1  # no coordinate of the centre is nearer to 0, where zero weights alone would reach it


@hyperparameters
class DeepSVDD(NeuralDetector):
    r"""Map normal data into a small sphere; score how far from its centre a sample lands.

    With d(x) = ‖φ(x) - c‖² and the share ν of samples that may lie outside, training minimises

        hard: mean d(x)      soft: R² + 1/ν·mean max(0, d(x) - R²)      each with weight decay (`optimiser`).

    φ starts as the encoder of an autoencoder that was trained on mean (x - G(φ(x)))². The centre c is the mean of φ(x)
    before training. In soft mode R is the (1 - ν)-quantile of a batch's distances √d, taken after each step once
    `warm_up` epochs are over. Component: `distance` d(x) - R², the score, with R = 0 for the hard boundary.

    Parameters
    ----------
    latent_dim : size m of the sphere's space, >= 1.
    boundary : "hard" draws all samples to the centre, "soft" those outside the sphere.
    nu : share ν of training rows that may lie outside the sphere of the soft boundary, in (0, 1].
    warm_up : epochs before R of the soft boundary leaves 0, >= 0 and below `epochs`; without `epochs`, at most half of
        the passes that training takes.
    pretrain_epochs, pretrain_steps : how long the autoencoder learns, in passes, >= 0, or updates, >= 1; no passes
        leave it out. None for both takes `epochs` or `steps`, or the method's default.
    pretrain_optimiser : how the autoencoder learns.

    References
    ----------
    L. Ruff, R. A. Vandermeulen, N. Görnitz, L. Deecke, S. A. Siddiqui, A. Binder, E. Müller, M. Kloft: Deep One-Class
    Classification, ICML 2018, https://proceedings.mlr.press/v80/ruff18a.html.
    """

    card: ClassVar[Card] = Card(
        name="Deep SVDD",
        title="Deep One-Class Classification",
        authors="Ruff, Vandermeulen, Görnitz, Deecke, Siddiqui, Binder, Müller, Kloft",
        year=2018,
        link="https://proceedings.mlr.press/v80/ruff18a.html",
        summary="encoder that maps normal data into a small sphere",
        deviations=(
            "R is taken anew at each step, as in the released code; the paper solves for it every few epochs.",
            "After training R is taken once more, from all training rows in evaluation mode, so that the share ν lies "
            "outside; the released code keeps that of the last batch.",
            "Values are scaled by the training rows' range; the released code has constants of each class.",
            "Tables have fully connected networks with batch norm without gain and shift, as the released code has it "
            "between convolutions; the paper has images only.",
            "The autoencoder's decoder starts with a linear layer; the released one reshapes the code to 4 x 4 maps.",
            "2000 updates by default, where the paper takes 150 epochs (350 for the autoencoder on CIFAR-10); the "
            "learning rate falls after a third of them, as in the released code.",
        ),
    )
    default_steps: ClassVar[Steps] = Steps(table=2000, series=2000, image=2000)
    may_skip: ClassVar = ("pretrain",)
    tiny: ClassVar = {"epochs": 1, "latent_dim": 4, "pretrain_epochs": 1, "warm_up": 0}

    latent_dim: int = 32
    boundary: Literal["hard", "soft"] = "hard"
    nu: float = 0.1
    warm_up: int = 10
    pretrain_epochs: int | None = None
    pretrain_steps: int | None = None
    pretrain_optimiser: Optimiser = Adam(
        lr=1e-4, weight_decay=5e-4, schedule=StepDecay(at=(1 / 3,)), betas=(0.9, 0.999)
    )
    composition: Composition = WeightedSum(distance=1.0)
    scaling: Scaling = AutoContrast()
    optimiser: Optimiser = Adam(lr=1e-4, weight_decay=5e-7, schedule=StepDecay(at=(1 / 3,)), betas=(0.9, 0.999))
    backbone: Backbone = DEEP_SVDD
    batch_size: int = 200

    def _check(self) -> None:
        super()._check()
        one_of(("hard", "soft"), boundary=self.boundary)
        whole(0, warm_up=self.warm_up)
        if not 0 < self.nu <= 1:
            raise InputError(f"nu is a share of the training rows in (0, 1], but is {self.nu}.")
        if self.boundary == "soft" and self.epochs is not None and self.warm_up >= self.epochs:
            raise InputError(f"The soft boundary needs warm_up below epochs, not {self.warm_up} of {self.epochs}.")

    def _networks(self, shape: tuple[int, ...]) -> dict[str, nn.Module]:
        b, m = self.backbone, self.latent_dim
        networks = {"encoder": b.encoder(shape, m), "centre": Stored(torch.zeros(m)), "radius": Stored(torch.zeros(()))}
        if constants := [name for name, _ in networks["encoder"].named_parameters() if name.endswith("bias")]:
            raise InputError(
                f"Deep SVDD needs an encoder without biases, which could map every sample to the centre, but that of "
                f"{type(b(shape)).__name__} has {len(constants)}: take LeNet, or MLP(bias=False) for tables."
            )
        return networks | ({"decoder": b.decoder(m, shape, output=self._output)} if self.pretrain_epochs != 0 else {})

    def _phases(self) -> Iterator[Phase]:
        if self.pretrain_epochs != 0:
            both = {"autoencoder": Player(("encoder", "decoder"), self.pretrain_optimiser)}
            yield self._phase(self._reconstruction, both, part="pretrain", prepares=True)
        codes = list[Tensor]()
        yield Phase(partial(self._look, codes), {}, epochs=1)
        centre = torch.cat(codes).mean(0)
        away = torch.where(centre < 0, -NEAR_ZERO, NEAR_ZERO)
        self._stored("centre").copy_(torch.where(centre.abs() < NEAR_ZERO, away, centre))
        yield from self._phases_again()

    def _phases_again(self) -> Iterator[Phase]:
        yield self._phase(self._enclosing, self._players("encoder"))

    def _reconstruction(self, x: Tensor, clock: Clock) -> Iterator[Update]:
        yield Update("autoencoder", L2()(x, self._net("decoder")(self._encode(x))))

    def _look(self, codes: list[Tensor], x: Tensor, clock: Clock) -> Iterator[Update]:
        codes.append(gathered(self._net("encoder")(x)))
        yield from ()

    def _enclosing(self, x: Tensor, clock: Clock) -> Iterator[Update]:
        distance, radius = self._distance(x), self._stored("radius")
        if self.boundary == "hard":
            yield Update("encoder", distance)
            return
        yield Update("encoder", radius**2 + (distance - radius**2).clamp(min=0) / self.nu)
        if clock.epoch >= (min(self.warm_up, clock.epochs // 2) if self.epochs is None else self.warm_up):
            radius.copy_(self._quantile(gathered(distance.detach())))

    def _distance(self, x: Tensor) -> Tensor:
        """‖φ(x) - c‖², (n,)."""
        return (self._encode(x) - self._stored("centre")).square().sum(dim=1)

    def _quantile(self, distance: Tensor) -> Tensor:
        return distance.sqrt().quantile(1 - self.nu)

    def _calibrate(self, x: Tensor) -> None:
        if self.boundary == "soft":
            distance = torch.cat([self._distance(rows) for rows in torch.split(x, self.batch_size)])
            self._stored("radius").copy_(self._quantile(distance))

    def _score(self, x: Tensor) -> ScoreParts:
        return ScoreParts({"distance": self._distance(x) - self._stored("radius") ** 2})

    def _encode(self, x: Tensor) -> Tensor:
        z: Tensor = self._net("encoder")(x)
        return z
