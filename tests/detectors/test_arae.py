import numpy as np
import pytest
import torch
from torch import nn

from oddgan._core.errors import InputError
from oddgan.detectors import ARAE
from oddgan.scaling import MinMax
from oddgan.similarities import L1

X = torch.tensor([[1.0, 3.0]])


@pytest.fixture
def detector(ready, linear):
    """E(x) = 2x1 - x2, so the worst change of size ε moves it by ±3ε; G(z) = (z, 0)."""
    return ready(
        ARAE(latent_dim=1, epsilon=0.5, attack_steps=4, gamma=0.1),
        2,
        encoder=linear([[2.0, -1.0]]),
        decoder=linear([[1.0], [0.0]]),
    )


def test_attack_finds_the_worst_corner_of_a_linear_encoder(detector):
    x = torch.zeros(40, 2)
    delta = detector._attack(x)
    # Gradient ascent on (2δ1 - δ2)² ends in (ε, -ε) or (-ε, ε), by where it starts: 4 steps of 2.5·ε/4 cross the ball.
    assert set(map(tuple, delta.tolist())) == {(0.5, -0.5), (-0.5, 0.5)}


def test_loss_by_hand(detector, losses):
    # E(x) = -1; the worst E(x + δ) is -1 ± 1.5, and x - G = (1 - E(x + δ), 3).
    found = losses(detector._robust, X)["autoencoder"].item()
    codes = [-1 - 1.5, -1 + 1.5]
    assert found in [pytest.approx(((1 - code) ** 2 + 9) / 2 + 0.1 * 1.5**2, rel=1e-5) for code in codes]


def test_codes_of_clean_rows_are_pulled_to_those_of_attacked_ones(detector, losses):
    detector.set_params(gamma=1e6)
    (slope,) = torch.autograd.grad(
        losses(detector._robust, X)["autoencoder"].sum(), detector.networks_["encoder"].weight
    )
    # γ·(w·δ)²: the slope is 2γ·(w·δ)·δ with w·δ = ±1.5 and δ = ±(0.5, -0.5), on both paths.
    torch.testing.assert_close(slope / 1e6, torch.tensor([[1.5, -1.5]]), atol=1e-4, rtol=1e-3)


def test_values_stay_in_the_range_of_the_data(detector):
    detector.scaling_ = MinMax().fit([np.array([[-1.0, -1.0], [1.0, 1.0]])])
    attacked = detector._attack(torch.tensor([[1.0, -1.0]] * 20))
    assert attacked.abs().max() <= 1
    assert (attacked - torch.tensor([1.0, -1.0])).abs().max() <= 0.5001


def test_attack_leaves_weights_modes_and_batch_statistics_alone(detector):
    encoder = nn.Sequential(nn.BatchNorm1d(2), nn.Linear(2, 1), nn.Dropout(0.5)).train()
    detector.networks_["encoder"] = encoder
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    detector._attack(torch.randn(8, 2))
    assert all(torch.equal(value, before[name]) for name, value in encoder.state_dict().items())
    assert all(p.grad is None for p in encoder.parameters())
    assert all(module.training for module in encoder.modules())


def test_more_steps_make_a_stronger_attack(detector):
    torch.manual_seed(0)
    detector.networks_["encoder"] = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 1))
    x = 2 * torch.randn(200, 2)

    def moved(steps: int) -> float:
        torch.manual_seed(0)  # the same starts
        E = detector.set_params(attack_steps=steps).networks_["encoder"]
        return (E(detector._attack(x)) - E(x)).square().mean().item()

    assert moved(20) > moved(1)


def test_score_by_hand(detector):
    found = detector.score_components(X.numpy(), extra="all")
    assert found["residual"] == detector.anomaly_score(X.numpy()) == (4 + 9) / 2  # x̂ = (-1, 0)
    assert found["latent"] == 1  # E(x̂) = -2
    assert detector.set_params(similarity=L1()).anomaly_score(X.numpy()) == 2.5


def test_codes_lie_between_0_and_1():
    rows = np.random.default_rng(0).normal(size=(30, 3))
    codes = ARAE(latent_dim=4, epochs=1, attack_steps=2, random_state=0).fit(rows).encode(rows)
    assert 0 < codes.min() < codes.max() < 1


@pytest.mark.parametrize("wrong", [{"epsilon": 0.0}, {"gamma": -1.0}, {"attack_steps": 0}])
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(InputError, match="must be"):
        ARAE(**wrong).fit(np.random.default_rng(0).normal(size=(20, 3)))


@pytest.mark.parametrize(("shape", "bound"), [((3,), 0.1), ((1, 6), 0.1), ((1, 4, 4), 0.4)])
def test_tables_and_series_change_less_than_images(shape, bound):
    rows = np.random.default_rng(0).normal(size=(20, *shape))
    small = {"latent_dim": 2, "epochs": 5, "attack_steps": 2, "random_state": 0}
    scores = [ARAE(**small, epsilon=e).fit(rows).anomaly_score(rows) for e in (None, bound, 2 * bound)]
    np.testing.assert_array_equal(scores[0], scores[1])
    assert not np.array_equal(scores[0], scores[2])
