import importlib

import numpy as np
import pytest
import torch
from torch.nn.functional import softplus

from oddgan import InputError
from oddgan.detectors import AutoEncoder, BeatGAN, BetaVAEGAN
from oddgan.networks import BEATGAN_1D, MLP, Auto, ConvLadder
from oddgan.objectives import WGANGP, Wasserstein
from oddgan.similarities import L1, TrailingMask
from oddgan.training import TimeWarp

X = torch.tensor([[1.0, 3.0]])
BEATS = np.random.default_rng(0).normal(size=(24, 1, 16)).cumsum(axis=2)
NARROW = Auto(series=ConvLadder(width=4, max_width=8))


@pytest.fixture
def detector(ready, linear, judge):
    """Of x = (1, 3): x̂ = (2, 3); f = (x1, x1 + x2), so (1, 4) and (2, 5); D is 5 and 7."""
    return ready(
        BeatGAN(latent_dim=2),
        2,
        encoder=linear([[1.0, 0.0], [0.0, 1.0]]),
        decoder=linear([[2.0, 0.0], [0.0, 1.0]]),
        discriminator=judge([[1.0, 0.0], [1.0, 1.0]], [1.0, 1.0]),
    )


@pytest.fixture
def restarts(monkeypatch):
    """The networks that the method starts afresh."""
    seen: list = []
    monkeypatch.setattr(importlib.import_module("oddgan.detectors.beatgan"), "reinitialise", seen.append)
    return seen


# mean (x - x̂)² = ½ (1 + 0), mean (f(x) - f(x̂))² = ½ (1 + 1)
@pytest.mark.parametrize(("weight", "expected"), [(0.0, 0.5), (1.0, 1.5), (3.0, 3.5)])
def test_generator_loss_by_hand(detector, losses, weight, expected):
    detector.set_params(w_adv=weight)
    assert losses(detector._adversarial, X)["autoencoder"].item() == expected


def test_discriminator_loss_by_hand(detector, losses):
    found = losses(detector._adversarial, X)
    assert list(found) == ["discriminator", "autoencoder"]  # as in the released code
    torch.testing.assert_close(found["discriminator"], softplus(torch.tensor([-5.0])) + softplus(torch.tensor([7.0])))


def test_discriminator_sees_reconstructions_without_their_graph(detector, losses):
    losses(detector._adversarial, X)["discriminator"].sum().backward()
    assert all(weight.grad is None for weight in detector.networks_["encoder"].parameters())
    assert all(weight.grad is not None for weight in detector.networks_["discriminator"].parameters())


def test_penalty_and_bounds_hold_for_the_discriminator(detector, losses):
    # D has the slope √5 everywhere. The Wasserstein game is D(x̂) - D(x) = 2.
    found = losses(detector.set_params(objective=WGANGP())._adversarial, X)["discriminator"]
    assert found.item() == pytest.approx(2 + 10 * (5**0.5 - 1) ** 2, rel=1e-5)
    losses(detector.set_params(objective=Wasserstein(clip=0.1))._adversarial, X)
    assert max(weight.abs().max() for weight in detector.networks_["discriminator"].parameters()) <= 0.1001


def test_score_by_hand(detector):
    parts = detector.score_components(X.numpy(), extra="all")
    expected = {"residual": 0.5, "features": 1.0, "critic": -5.0, "critic_cross_entropy": np.log1p(np.exp(-7.0))}
    for name, value in expected.items():
        assert parts[name].item() == pytest.approx(value, rel=1e-5)
    assert detector.anomaly_score(X.numpy()) == 0.5
    assert detector.set_params(similarity=L1()).score_components(X.numpy())["residual"] == 0.5
    np.testing.assert_array_equal(detector.encode(X.numpy()), [[1.0, 3.0]])
    np.testing.assert_array_equal(detector.anomaly_map(X.numpy()), [[1.0, 0.0]])  # where it is odd


def test_perfect_reconstruction_scores_zero(detector, linear):
    detector.networks_["decoder"] = linear([[1.0, 0.0], [0.0, 1.0]])
    parts = detector.score_components(X.numpy(), extra="all")
    assert parts["residual"] == parts["features"] == 0


def test_collapsed_discriminator_starts_afresh(detector, losses, restarts, judge):
    # D(x) = 20 and D(x̂) = -20: a loss of about 4e-9.
    detector.networks_["decoder"].weight.data *= -1
    detector.networks_["discriminator"] = judge([[5.0, 5.0]], [1.0])
    losses(detector._adversarial, X)
    assert restarts == [detector.networks_["discriminator"]]
    losses(detector.set_params(collapse=0.0)._adversarial, X)
    assert len(restarts) == 1


def test_no_restart_without_collapse(detector, losses, restarts):
    losses(detector._adversarial, X)
    detector.networks_["decoder"].weight.data *= -1  # D(x̂) = -7 < D(x) = 5: a Wasserstein loss below zero
    losses(detector.set_params(objective=Wasserstein(clip=None))._adversarial, X)
    assert restarts == []
    losses(detector.set_params(collapse=100.0, objective=BeatGAN().objective)._adversarial, X)
    assert len(restarts) == 1


def test_the_networks_of_series_are_the_published_ones():
    assert BeatGAN().backbone((1, 320)) == BEATGAN_1D


def fit(**settings):
    return BeatGAN(**{"epochs": 1, "latent_dim": 3, "backbone": NARROW, "random_state": 0} | settings).fit(BEATS)


def test_warped_batches_train_another_model():
    plain, warped = fit(), fit(augmentation=TimeWarp())
    assert not np.array_equal(plain.anomaly_score(BEATS), warped.anomaly_score(BEATS))


def test_rows_are_warped_in_training_and_never_for_a_score(monkeypatch):
    warped: list = []
    monkeypatch.setattr(TimeWarp, "__call__", lambda _, x: warped.append(len(x)) or x)
    detector = fit(augmentation=TimeWarp())
    assert warped == [24]
    detector.anomaly_score(BEATS)
    assert warped == [24]


@pytest.mark.parametrize("shape", [(20, 3), (4, 1, 8, 8)])
def test_only_series_are_warped(shape):
    with pytest.raises(InputError, match="warps series"):
        BeatGAN(augmentation=TimeWarp()).fit(np.zeros(shape))


@pytest.mark.parametrize("method", [AutoEncoder, BeatGAN, BetaVAEGAN])
def test_padding_plays_no_part_under_a_mask(method):
    beats = BEATS.copy()
    beats[:, :, 10:] = 0.0
    settings = {"epochs": 1, "latent_dim": 3, "backbone": NARROW, "random_state": 0}
    detector = method(**settings, similarity=TrailingMask()).fit(beats)
    x = detector.scaling_(beats)
    left = (x - detector.scaling_(detector.reconstruct(beats)))[:, 0, :10]
    np.testing.assert_allclose(detector.score_components(beats)["residual"], (left**2).mean(axis=1), rtol=1e-4)
    plain = method(**settings).fit(beats)
    assert plain.history_[-1].losses != detector.history_[-1].losses


def test_features_are_those_of_the_chosen_layer():
    rows = np.random.default_rng(0).normal(size=(24, 3))
    detector = BeatGAN(
        epochs=1, latent_dim=2, backbone=MLP(hidden=(6, 5), feature_layer=1, norm="batch"), random_state=0
    ).fit(rows)
    first = detector.networks_["discriminator"].trunk[:2]  # 3 -> 6, leaky ReLU
    x, y = (torch.from_numpy(detector.scaling_(values)) for values in (rows, detector.reconstruct(rows)))
    expected = (first(x) - first(y)).square().mean(dim=1)
    found = detector.score_components(rows, extra=["features"])["features"]
    np.testing.assert_allclose(found, expected.detach(), rtol=1e-3)
