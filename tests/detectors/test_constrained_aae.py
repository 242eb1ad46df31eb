import numpy as np
import pytest
import torch
from torch.nn.functional import softplus

from oddgan._core.errors import InputError
from oddgan.detectors import AAE, ConstrainedAAE
from oddgan.similarities import L1, L2

X = torch.tensor([[1.0, 3.0]])


@pytest.fixture
def detector(ready, linear, judge):
    """Of x = (1, 3): z = (1, 4), x̂ = (1, 4), E(x̂) = (1, 5); D_z(z) = z1 + z2."""
    return ready(
        ConstrainedAAE(latent_dim=2),
        2,
        encoder=linear([[1.0, 0.0], [1.0, 1.0]]),
        decoder=linear([[1.0, 0.0], [0.0, 1.0]]),
        latent_critic=judge([[1.0, 0.0], [0.0, 1.0]], [1.0, 1.0]),
    )


@pytest.mark.parametrize(("weight", "expected"), [(0.0, 0.5), (1.0, 1.0), (4.0, 2.5)])
def test_loss_by_hand(detector, losses, weight, expected):
    # mean (x - x̂)² = 1/2, and the codes (1, 4) and (1, 5) differ by mean 1/2, too.
    found = losses(detector.set_params(w_latent=weight)._constrained, X)
    assert list(found) == ["autoencoder", "critic", "generator"]
    assert found["autoencoder"].item() == expected
    torch.testing.assert_close(found["generator"], softplus(torch.tensor([-5.0])))


def test_constraint_reaches_the_decoder_through_the_second_encoding(detector, losses):
    detector.set_params(similarity=L2(), w_latent=1.0)
    decoder = detector.networks_["decoder"]
    (whole,) = torch.autograd.grad(losses(detector._constrained, X)["autoencoder"].sum(), decoder.weight)
    detector.set_params(w_latent=0.0)
    (plain,) = torch.autograd.grad(losses(detector._constrained, X)["autoencoder"].sum(), decoder.weight)
    # d/dx̂ of mean (z - E(x̂))²: E(x̂) - z = (0, 1) and E's second row is (1, 1), so (1, 1); times z = (1, 4).
    torch.testing.assert_close(whole - plain, torch.tensor([[1.0, 4.0], [1.0, 4.0]]))


def test_components_and_map_by_hand(detector):
    x = torch.tensor([[2.0, 3.0]])  # x̂ = (2, 5), E(x̂) = (2, 7)
    found = detector.score_components(x.numpy(), extra="all")
    assert found["residual"] == detector.anomaly_score(x.numpy()) == 1  # mean |x - x̂|
    np.testing.assert_array_equal(detector.anomaly_map(x.numpy()), [[0.0, 2.0]])
    assert found["latent"] == 2
    np.testing.assert_allclose(found["latent_critic"], np.log1p(np.exp(-7.0)), rtol=1e-4)


def test_residual_and_loss_are_chosen_apart(detector, losses):
    detector.set_params(similarity=L1(reduction="sum"), residual=L2(reduction="sum"), w_latent=0.0)
    x = torch.tensor([[2.0, 3.0]])
    assert losses(detector._constrained, x)["autoencoder"].item() == 2
    assert detector.anomaly_score(x.numpy()) == 4


def test_perfect_reconstruction_scores_zero(detector, linear):
    detector.networks_["encoder"] = linear([[1.0, 0.0], [0.0, 1.0]])
    found = detector.score_components(X.numpy(), extra="all")
    assert (found["residual"].item(), found["latent"].item()) == (0, 0)


def test_without_the_constraint_it_trains_as_the_adversarial_autoencoder():
    rows = np.random.default_rng(0).normal(size=(30, 3))
    settings = {"latent_dim": 2, "epochs": 2, "batch_size": 10, "random_state": 0}
    plain, free = AAE(**settings).fit(rows), ConstrainedAAE(**settings, w_latent=0.0).fit(rows)
    np.testing.assert_allclose(plain.encode(rows), free.encode(rows), rtol=1e-5, atol=1e-6)
    held = ConstrainedAAE(**settings, w_latent=1.0).fit(rows)
    assert not np.allclose(plain.encode(rows), held.encode(rows), rtol=1e-5, atol=1e-6)


def test_a_negative_weight_is_refused():
    with pytest.raises(InputError, match=r"w_latent=-1.0 must be 0 or more"):
        ConstrainedAAE(w_latent=-1.0, latent_dim=2).fit(np.zeros((20, 3)) + np.arange(20)[:, None])
