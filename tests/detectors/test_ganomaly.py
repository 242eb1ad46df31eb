import importlib

import numpy as np
import pytest
import torch
from torch.nn.functional import softplus

from oddgan.detectors import GANomaly
from oddgan.objectives import WGANGP, Wasserstein
from oddgan.similarities import L1, L2

X = torch.tensor([[1.0, 3.0]])


@pytest.fixture
def detector(ready, linear, judge):
    """Of x = (1, 3): z = (1, 3), x̂ = (2, 3), ẑ = (2, 0); f = (x1, x1 + x2), so (1, 4) and (2, 5); D is 5 and 7."""
    return ready(
        GANomaly(latent_dim=2),
        2,
        encoder=linear([[1.0, 0.0], [0.0, 1.0]]),
        decoder=linear([[2.0, 0.0], [0.0, 1.0]]),
        reencoder=linear([[1.0, 0.0], [0.0, 0.0]]),
        discriminator=judge([[1.0, 0.0], [1.0, 1.0]], [1.0, 1.0]),
    )


@pytest.fixture
def restarts(monkeypatch):
    """The networks that the method starts afresh."""
    seen: list = []
    monkeypatch.setattr(importlib.import_module("oddgan.detectors.ganomaly"), "reinitialise", seen.append)
    return seen


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ((1, 0, 0), (1 + 1) / 2),  # equation 1: f(x) - f(x̂) = (-1, -1)
        ((0, 1, 0), 1 / 2),  # equation 2: x - x̂ = (-1, 0)
        ((0, 0, 1), (1 + 9) / 2),  # equation 3: z - ẑ = (-1, 3)
        ((1, 50, 1), 1 + 25 + 5),  # equation 4 with the paper's weights
    ],
)
def test_generator_loss_by_hand(detector, losses, weights, expected):
    detector.set_params(**dict(zip(("w_adv", "w_con", "w_enc"), weights, strict=True)))
    assert losses(detector._adversarial, X)["autoencoder"].item() == expected


def test_discriminator_loss_by_hand(detector, losses):
    found = losses(detector._adversarial, X)
    assert list(found) == ["autoencoder", "discriminator"]  # as in the released code
    expected = 0.5 * (softplus(torch.tensor([-5.0])) + softplus(torch.tensor([7.0])))
    torch.testing.assert_close(found["discriminator"], expected)


def test_discriminator_sees_reconstructions_without_their_graph(detector, losses):
    losses(detector._adversarial, X)["discriminator"].sum().backward()
    assert all(weight.grad is None for weight in detector.networks_["encoder"].parameters())
    assert all(weight.grad is not None for weight in detector.networks_["discriminator"].parameters())


def test_half_of_the_game_and_the_whole_penalty(detector, losses):
    # D has the slope √5 everywhere. The Wasserstein game is D(x̂) - D(x) = 2.
    found = losses(detector.set_params(objective=WGANGP())._adversarial, X)["discriminator"]
    assert found.item() == pytest.approx(1 + 10 * (5**0.5 - 1) ** 2, rel=1e-5)
    losses(detector.set_params(objective=Wasserstein(clip=0.1))._adversarial, X)
    assert max(weight.abs().max() for weight in detector.networks_["discriminator"].parameters()) <= 0.1001


def test_score_by_hand(detector):
    parts = detector.score_components(X.numpy(), extra="all")
    expected = {"latent": 5.0, "residual": 0.5, "features": 1.0}
    assert {name: parts[name].item() for name in expected} == expected
    assert detector.anomaly_score(X.numpy()) == 5
    np.testing.assert_array_equal(detector.encode(X.numpy()), [[1.0, 3.0]])
    np.testing.assert_array_equal(detector.reconstruct(X.numpy()), [[2.0, 3.0]])


def test_perfect_reconstruction_scores_zero(detector, linear):
    for name in ("decoder", "reencoder"):
        detector.networks_[name] = linear([[1.0, 0.0], [0.0, 1.0]])
    parts = detector.score_components(X.numpy(), extra="all")
    assert [parts[name].item() for name in ("latent", "residual", "features")] == [0, 0, 0]


def test_constant_discriminator_adds_nothing(detector, losses, judge):
    detector.networks_["discriminator"] = judge([[0.0, 0.0]], [1.0])
    assert detector.score_components(X.numpy(), extra="all")["features"] == 0
    assert losses(detector._adversarial, X)["autoencoder"].item() == 25 + 5


def test_contextual_loss_and_residual_are_chosen_apart(detector, losses):
    x = np.array([[2.0, 3.0]])  # x - x̂ = (-2, 0)
    detector.set_params(similarity=L2(reduction="sum"), w_adv=0, w_con=1, w_enc=0)
    assert losses(detector._adversarial, torch.tensor(x, dtype=torch.float32))["autoencoder"].item() == 4
    assert detector.score_components(x, extra="all")["residual"] == 2
    assert detector.set_params(residual=L1()).score_components(x, extra="all")["residual"] == 1


def test_collapsed_discriminator_starts_afresh(detector, losses, restarts, judge):
    # D(x) = 20 and D(x̂) = -20: a loss of about e^-20.
    detector.networks_["decoder"].weight.data *= -1
    detector.networks_["discriminator"] = judge([[5.0, 5.0]], [1.0])
    losses(detector._adversarial, X)
    assert restarts == [detector.networks_["discriminator"]]
    losses(detector.set_params(collapse=0.0)._adversarial, X)
    assert len(restarts) == 1


def test_no_restart_without_collapse(detector, losses, restarts):
    losses(detector._adversarial, X)
    assert restarts == []
    losses(detector.set_params(collapse=100.0)._adversarial, X)
    assert len(restarts) == 1


def test_negative_wasserstein_loss_is_no_collapse(detector, losses, restarts):
    detector.networks_["decoder"].weight.data *= -1  # D(x̂) = -7 < D(x) = 5
    losses(detector.set_params(objective=Wasserstein(clip=None))._adversarial, X)
    assert restarts == []


def test_restart_changes_the_discriminator_and_nothing_else():
    rows = np.random.default_rng(0).normal(size=(20, 3))
    small = {"latent_dim": 2, "epochs": 1, "batch_size": 20, "random_state": 0}
    kept, fresh = (GANomaly(**small, collapse=value).fit(rows) for value in (0.0, 100.0))
    for name, network in kept.networks_.items():
        same = [
            torch.equal(a, b) for a, b in zip(network.parameters(), fresh.networks_[name].parameters(), strict=True)
        ]
        assert all(same) == (name != "discriminator")
