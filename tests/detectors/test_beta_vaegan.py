import numpy as np
import pytest
import torch
from torch.nn.functional import softplus

from oddgan.detectors import BetaVAEGAN
from oddgan.objectives import Wasserstein
from oddgan.tasks.published import published_as
from oddgan.training import Clock

X = torch.tensor([[1.0, 3.0]])
# log σ² = -80 is bounded to -12: σ = e^-6 = 0.0025, next to no noise.
BOUND = -12.0
KL = 0.5 * ((1 + 9) + 2 * (np.exp(BOUND) - BOUND - 1))


@pytest.fixture
def detector(ready, linear, judge):
    """Of x = (1, 3): μ = x, σ = e^-6; x̂ = (2z1, z2), (2, 3) at z = μ; f = (x1, x1 + x2): (1, 4), (2, 5); D is 5, 7."""
    identity = [[1.0, 0.0], [0.0, 1.0]]
    return ready(
        BetaVAEGAN(latent_dim=2, beta=0.01),
        2,
        encoder=linear([*identity, [0.0, 0.0], [0.0, 0.0]], bias=[0.0, 0.0, -80.0, -80.0]),
        decoder=linear([[2.0, 0.0], [0.0, 1.0]]),
        discriminator=judge([[1.0, 0.0], [1.0, 1.0]], [1.0, 1.0]),
    )


@pytest.mark.parametrize("beta", [0.0, 0.01, 1.0])
def test_loss_of_encoder_and_decoder_by_hand(detector, losses, beta):
    # mean (x - x̂)² = ½, mean (f(x) - f(x̂))² = 1, KL = ½ Σ (μ² + σ² - log σ² - 1); the noise moves x̂ by about 0.005.
    found = losses(detector.set_params(beta=beta)._adversarial, X)["autoencoder"]
    assert found.item() == pytest.approx(0.5 + 1.0 + beta * KL, abs=0.1)


def test_codes_are_drawn_from_the_posterior(detector, losses, linear):
    # σ = 1 and μ = 0: x̂ = (2z1, z2) has the mean square ½ (4 + 1) over draws.
    detector.set_params(beta=0.0)
    detector.networks_["encoder"] = linear([[0.0, 0.0]] * 4)
    detector.networks_["discriminator"].features.data.zero_()
    torch.manual_seed(0)
    # A sample mean of 20,000 with standard deviation ½ sqrt(2 · 16 + 2) = 2.9: five standard errors are 0.1.
    drawn = losses(detector._adversarial, torch.zeros(20_000, 2))["autoencoder"].mean()
    assert drawn.item() == pytest.approx(2.5, abs=0.1)


def test_loss_of_the_discriminator_by_hand(detector, losses):
    found = losses(detector._adversarial, X)
    assert list(found) == ["discriminator", "autoencoder"]
    expected = softplus(torch.tensor([-5.0])) + softplus(torch.tensor([7.0]))
    torch.testing.assert_close(found["discriminator"], expected, atol=0.05, rtol=0)


def test_samples_of_the_prior_are_a_further_fake(detector, losses):
    # A decoder that gives (1, 1) for all z: D is 3 for each fake.
    detector.networks_["decoder"].weight.data.zero_()
    detector.networks_["decoder"].bias.data.fill_(1.0)
    one = softplus(torch.tensor([-5.0])) + softplus(torch.tensor([3.0]))
    torch.testing.assert_close(losses(detector._adversarial, X)["discriminator"], one)
    both = losses(detector.set_params(prior_samples=True)._adversarial, X)["discriminator"]
    torch.testing.assert_close(both, one + softplus(torch.tensor([3.0])))


def test_bounds_hold_for_the_discriminator(detector, losses):
    losses(detector.set_params(objective=Wasserstein(clip=0.1))._adversarial, X)
    assert max(weight.abs().max() for weight in detector.networks_["discriminator"].parameters()) <= 0.1001


def test_discriminator_sees_fakes_without_their_graph(detector, losses):
    losses(detector.set_params(prior_samples=True)._adversarial, X)["discriminator"].sum().backward()
    assert all(
        weight.grad is None for name in ("encoder", "decoder") for weight in detector.networks_[name].parameters()
    )


@pytest.mark.parametrize(("iteration", "share"), [(0, 0.0), (10, 0.25), (20, 0.5), (40, 1.0), (99, 1.0)])
def test_divergence_warms_up_over_epochs(detector, iteration, share):
    detector.set_params(beta=10.0, warm_up=4)
    clock = Clock(iteration, iteration // 10, 20, batches=10)  # 4 epochs of 10 batches
    found = {update.player: update.loss for update in detector._adversarial(X, clock)}["autoencoder"]
    assert found.item() == pytest.approx(1.5 + 10.0 * share * KL, abs=0.1)


def test_components_by_hand_at_the_mean(detector):
    parts = detector.score_components(X.numpy(), extra="all")
    expected = {
        "residual": 0.5,
        "features": 1.0,
        "latent_norm": 10**0.5,
        "latent": 0.5,  # μ(x̂) = x̂
        "kl": KL,
        "elbo": 0.5 + 0.01 * KL,
        "critic": -5.0,
        "critic_cross_entropy": np.log1p(np.exp(-7.0)),
    }
    for name, value in expected.items():
        assert parts[name].item() == pytest.approx(value, rel=1e-5), name
    assert detector.anomaly_score(X.numpy()) == 0.5  # exactly: nothing is drawn
    np.testing.assert_array_equal(detector.encode(X.numpy()), [[1.0, 3.0]])
    np.testing.assert_array_equal(detector.reconstruct(X.numpy()), [[2.0, 3.0]])


def test_a_prior_that_fits_has_no_divergence(detector, linear):
    detector.networks_["encoder"] = linear([[0.0, 0.0]] * 4)
    parts = detector.score_components(X.numpy(), extra="all")
    assert parts["kl"] == parts["latent_norm"] == 0
    assert parts["elbo"] == parts["residual"]


def test_samples_are_decoded_draws_of_the_prior(detector):
    drawn = detector.sample(20_000, random_state=0)  # (2z1, z2)
    np.testing.assert_allclose(drawn.std(axis=0), [2.0, 1.0], rtol=0.05)


def test_a_code_pays_for_a_hundredth_of_an_images_spread():
    # MNIST on [-1, 1] has a mean square of about 0.4 around its mean. A number of the code that explains 1 % of it, at
    # a tenth of that as noise, has σ² = 0.1 and μ² = 0.9 on average and costs ½ (1 - log 0.1 - 1) = 1.15 nats.
    gain, nats = 0.9 * 0.01 * 0.4, -0.5 * np.log(0.1)
    assert BetaVAEGAN().beta * nats < gain < 0.01 * nats  # at the paper's β it is not worth its cost


def test_the_papers_settings_have_a_name():
    given = published_as(BetaVAEGAN, "mit-bih").settings
    assert (given["beta"], given["batch_size"], given["epochs"]) == (0.01, 256, 500)
