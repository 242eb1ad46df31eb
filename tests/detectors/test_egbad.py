import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from oddgan.detectors import EGBAD
from oddgan.networks import Judgement
from oddgan.objectives import NonSaturating, Wasserstein
from oddgan.priors import Uniform
from oddgan.scores import WeightedSum
from oddgan.similarities import L2

X = torch.tensor([[1.0, 3.0]])


class Pairs(nn.Module):
    """f(x, z) = (x1 + z, x2), D(x, z) = a (x1 + z + x2)."""

    def __init__(self, a: float = 1.0) -> None:
        super().__init__()
        self.a = nn.Parameter(torch.tensor(a))

    def forward(self, x: Tensor, z: Tensor) -> Judgement:
        features = x + torch.cat([z, torch.zeros_like(z)], 1)
        return Judgement(self.a * features.sum(1), features)


@pytest.fixture
def detector(ready, linear, monkeypatch):
    """Of x = (1, 3): z = 1, x̂ = (2, 1), E(x̂) = 2; D(x, z) = 5, D(x̂, z) = 4. The drawn z = 2 gives (4, 2), D = 8."""
    made = ready(EGBAD(latent_dim=1), 2, encoder=linear([[1.0, 0.0]]), generator=linear([[2.0], [1.0]]), critic=Pairs())
    monkeypatch.setattr(made, "_draw", lambda n: torch.full((n, 1), 2.0))
    return made


def test_losses_by_hand(detector, losses):
    found = losses(detector._bidirectional, X)
    assert list(found) == ["critic", "generator", "encoder"]
    five, eight = torch.tensor([5.0]), torch.tensor([8.0])
    # D has the slope 1 in x1, x2 and z, so that R1 adds half of 3; the paper's objective has no penalty.
    torch.testing.assert_close(found["critic"], softplus(-five) + softplus(eight) + 1.5)
    paper = losses(detector.set_params(objective=NonSaturating())._bidirectional, X)
    torch.testing.assert_close(paper["critic"], softplus(-five) + softplus(eight))
    torch.testing.assert_close(found["generator"], softplus(-eight))
    torch.testing.assert_close(found["encoder"], softplus(five))


def test_an_undecided_critic_costs_log_2_each(detector, losses):
    detector.networks_["critic"] = Pairs(0.0)
    found = losses(detector._bidirectional, X)
    assert [loss.item() for loss in found.values()] == pytest.approx([2 * math.log(2), math.log(2), math.log(2)])


def test_each_player_has_its_own_networks(detector):
    (phase,) = detector.set_params(epochs=7, ema=0.9)._phases()
    assert {name: player.networks for name, player in phase.players.items()} == {
        name: (name,) for name in ("critic", "generator", "encoder")
    }
    assert (phase.epochs, phase.ema) == (7, 0.9)


def test_the_generator_pulls_its_pairs_up_and_the_encoder_pulls_its_own_down(detector, losses):
    # D rises with both inputs, so G should draw larger values and E should give smaller codes.
    for loss in (value for name, value in losses(detector._bidirectional, X).items() if name != "critic"):
        loss.sum().backward()
    assert (detector.networks_["generator"].bias.grad < 0).all()
    assert (detector.networks_["encoder"].bias.grad > 0).all()


def test_clipping_follows_the_objective(detector, losses):
    losses(detector.set_params(objective=Wasserstein(clip=0.1))._bidirectional, X)
    assert detector.networks_["critic"].a.item() == pytest.approx(0.1)


def test_components_by_hand(detector):
    found = {name: value.item() for name, value in detector.score_components(X.numpy(), extra="all").items()}
    assert {name: found[name] for name in ("residual", "features", "critic", "latent", "latent_norm")} == {
        "residual": 1 + 2,  # x - x̂ = (-1, 2)
        "features": 1 + 2,  # (2, 3) - (3, 1)
        "critic": -5,
        "latent": 1,  # (1 - 2)²
        "latent_norm": 1,
    }
    assert found["critic_cross_entropy"] == pytest.approx(math.log1p(math.exp(-4)), rel=1e-6)
    assert found["prior_nll"] == pytest.approx(0.5 + 0.5 * math.log(2 * math.pi), rel=1e-6)


def test_both_scores_by_hand(detector):
    assert detector.anomaly_score(X.numpy()).item() == pytest.approx(0.9 * 3 + 0.1 * 3)
    detector.calibration_ = replace(
        detector.calibration_, composition=WeightedSum(residual=0.9, critic_cross_entropy=0.1)
    )
    assert detector.anomaly_score(X.numpy()).item() == pytest.approx(0.9 * 3 + 0.1 * math.log1p(math.exp(-4)))


def test_the_residual_can_be_another(detector):
    # (1 + 4) / 2
    assert detector.set_params(residual=L2()).score_components(X.numpy())["residual"].item() == 2.5


def test_perfect_reconstruction_leaves_nothing_of_the_default_score(detector):
    # x = (2, 1) lies on the generator's line with z = 1, which E must say: half of the first value.
    detector.networks_["encoder"].weight.data *= 0.5
    assert detector.anomaly_score(np.array([[2.0, 1.0]])) == 0


def test_what_else_it_can_do(detector, monkeypatch):
    np.testing.assert_array_equal(detector.encode(X.numpy()), [[1.0]])
    np.testing.assert_array_equal(detector.reconstruct(X.numpy()), [[2.0, 1.0]])
    monkeypatch.undo()
    drawn = detector.set_params(prior=Uniform(low=3, high=4)).sample(20, random_state=0)
    assert ((drawn[:, 1] >= 3) & (drawn[:, 1] <= 4)).all()
    assert (drawn[:, 0] == 2 * drawn[:, 1]).all()
