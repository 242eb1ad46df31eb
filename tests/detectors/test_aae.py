import numpy as np
import pytest
import torch
from torch.nn.functional import softplus

from oddgan.detectors import AAE
from oddgan.objectives import WGANGP, Wasserstein
from oddgan.priors import Uniform
from oddgan.similarities import L1

X = torch.tensor([[1.0, 3.0]])


@pytest.fixture
def detector(ready, linear, judge):
    """Of x = (1, 3): z = (1, 4), x̂ = (1, 4), E(x̂) = (1, 5); D_z(z) = z1 + z2 - 1."""
    return ready(
        AAE(latent_dim=2),
        2,
        encoder=linear([[1.0, 0.0], [1.0, 1.0]]),
        decoder=linear([[1.0, 0.0], [0.0, 1.0]]),
        latent_critic=judge([[1.0, 0.0], [0.0, 1.0]], [1.0, 1.0], -1.0),
    )


def test_losses_by_hand(detector, losses):
    torch.manual_seed(0)
    real = detector.prior.sample(1, 2).sum(1) - 1  # D_z of the prior's draw
    torch.manual_seed(0)
    found = losses(detector._adversarial, X)
    assert list(found) == ["autoencoder", "critic", "generator"]  # reconstruction, then regularisation
    assert found["autoencoder"].item() == 0.5  # x - x̂ = (0, -1)
    torch.testing.assert_close(found["critic"], softplus(-real) + softplus(torch.tensor([4.0])))
    torch.testing.assert_close(found["generator"], softplus(torch.tensor([-4.0])))


def test_each_phase_reaches_its_networks(detector, losses):
    found = losses(detector._adversarial, X)
    networks = detector.networks_
    assert torch.autograd.grad(found["autoencoder"].sum(), networks["decoder"].weight)[0].any()
    reached = [
        *networks["encoder"].parameters(),
        *networks["decoder"].parameters(),
        *networks["latent_critic"].parameters(),
    ]
    grads = torch.autograd.grad(found["critic"].sum(), reached, allow_unused=True)
    assert [g is not None for g in grads] == [False, False, False, False, True, True]
    grads = torch.autograd.grad(found["generator"].sum(), reached[:4], allow_unused=True)
    assert [g is not None for g in grads] == [True, True, False, False]


def test_components_by_hand(detector):
    found = detector.score_components(X.numpy(), extra="all")
    assert found["residual"] == detector.anomaly_score(X.numpy()) == 0.5
    assert found["latent"] == 0.5  # (1, 4) - (1, 5)
    np.testing.assert_allclose(found["latent_norm"], 17**0.5, rtol=1e-6)
    np.testing.assert_allclose(found["prior_nll"], 17 / 2 + np.log(2 * np.pi), rtol=1e-6)
    np.testing.assert_allclose(found["latent_critic"], np.log1p(np.exp(-4.0)), rtol=1e-5)
    np.testing.assert_array_equal(detector.encode(X.numpy()), [[1.0, 4.0]])
    np.testing.assert_array_equal(detector.reconstruct(X.numpy()), [[1.0, 4.0]])


def test_similarity_is_trained_and_scored(detector, losses):
    x = torch.tensor([[2.0, 3.0]])  # x - x̂ = (0, -2)
    detector.set_params(similarity=L1(reduction="sum"))
    assert losses(detector._adversarial, x)["autoencoder"].item() == 2
    assert detector.anomaly_score(x.numpy()) == 2


def test_penalty_and_bounds_hold_for_the_latent_critic(detector, losses):
    # D_z has the slope √2 everywhere; the Wasserstein game is D_z(E(x)) - D_z(z).
    torch.manual_seed(0)
    real = detector.prior.sample(1, 2).sum(1).item() - 1
    torch.manual_seed(0)
    found = losses(detector.set_params(objective=WGANGP())._adversarial, X)["critic"].item()
    assert found == pytest.approx(4 - real + 10 * (2**0.5 - 1) ** 2, rel=1e-4)
    losses(detector.set_params(objective=Wasserstein(clip=0.1))._adversarial, X)
    assert max(weight.abs().max() for weight in detector.networks_["latent_critic"].parameters()) <= 0.1001


def test_samples_are_decoded_draws_of_the_prior(detector):
    drawn = detector.set_params(prior=Uniform(5.0, 6.0)).sample(50, random_state=0)
    assert drawn.shape == (50, 2)  # the decoder is the identity
    assert 5 <= drawn.min() < drawn.max() <= 6


def test_codes_come_to_follow_the_prior():
    # Rows on a line of length 20: without the game their codes have no reason to look standard normal.
    rng = np.random.default_rng(0)
    rows = rng.uniform(-10, 10, size=(128, 1)) * np.array([[1.0, 0.5, -1.0]])
    detector = AAE(latent_dim=1, epochs=150, batch_size=64, random_state=0).fit(rows)
    codes = detector.encode(rows)
    assert abs(codes.mean()) < 0.4
    assert 0.6 < codes.std() < 1.5
