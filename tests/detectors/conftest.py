"""Networks that can be computed by hand, and detectors that are given them instead of training."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from oddgan.base import Calibration
from oddgan.families import NeuralDetector
from oddgan.networks import Judgement
from oddgan.scaling import Identity
from oddgan.thresholds import Quantile
from oddgan.training import Clock


class Judge(nn.Module):
    """A linear critic: features Wx, logit v·Wx + b."""

    def __init__(self, features: list[list[float]], head: list[float], bias: float = 0.0) -> None:
        super().__init__()
        self.features = nn.Parameter(torch.tensor(features))
        self.head = nn.Parameter(torch.tensor(head))
        self.bias = bias

    def forward(self, x: Tensor) -> Judgement:
        features = x @ self.features.T
        return Judgement(features @ self.head + self.bias, features)


@pytest.fixture
def judge() -> type[Judge]:
    return Judge


@pytest.fixture
def linear() -> Callable[..., nn.Linear]:
    """Build x -> Wx + b."""

    def build(weight: list[list[float]], bias: list[float] | None = None) -> nn.Linear:
        layer = nn.Linear(len(weight[0]), len(weight))
        with torch.no_grad():
            layer.weight.copy_(torch.tensor(weight))
            layer.bias.copy_(torch.tensor(bias if bias is not None else [0.0] * len(weight)))
        return layer

    return build


@pytest.fixture
def ready() -> Callable[..., NeuralDetector]:
    """Make a detector of tables with d columns ready to score with these networks, on the raw scale."""

    def prepare(detector: NeuralDetector, d: int, **networks: nn.Module) -> NeuralDetector:
        detector.shape_, detector.n_features_in_ = (d,), d
        detector.scaling_ = Identity().fit([np.zeros((1, d))])
        known = {"critic": np.zeros(1), "latent_norm": np.ones(1)}
        composition = detector.composition
        detector.calibration_ = Calibration(
            known, detector._derived, composition, False, np.zeros(1), Quantile(), 0.1, offset=0.0
        )
        detector.networks_ = nn.ModuleDict(networks).eval()
        return detector

    return prepare


@pytest.fixture
def losses() -> Callable[..., dict[str, Tensor]]:
    """Run a step without updating anybody: each player's loss (n,), in the order of the updates."""

    def run(step: Callable, x: Tensor, iteration: int = 0) -> dict[str, Tensor]:
        return {update.player: update.loss for update in step(x, Clock(iteration, 0, 1))}

    return run
