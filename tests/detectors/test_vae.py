from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import stats

from oddgan import InputError
from oddgan.detectors import VAE
from oddgan.families import Stored
from oddgan.scaling import MinMax
from oddgan.scores import WeightedSum

# Draws ±1 have mean 0 and variance 1: the average of a quadratic function over them is its expectation, exactly.
DRAWS = torch.tensor([[1.0], [-1.0]])
W = 1.5


@pytest.fixture
def detector(ready, linear):
    """p(z) = N(0, 1), p(x|z) = N(wz, 1), and as q(z|x) the true posterior N(wx/(w² + 1), 1/(w² + 1))."""
    variance = 1 / (W**2 + 1)
    return ready(
        VAE(latent_dim=1, likelihood="unit"),
        1,
        encoder=linear([[W * variance], [0.0]], bias=[0.0, np.log(variance)]),
        decoder=linear([[W]]),
        noise=Stored(DRAWS),
    )


def test_bound_is_tight_at_the_true_posterior(detector):
    # Then ELBO = log p(x), and x ~ N(0, w² + 1).
    x = np.array([[0.0], [1.0], [-3.0]])
    expected = -stats.norm.logpdf(x[:, 0], scale=np.sqrt(W**2 + 1))
    np.testing.assert_allclose(detector.anomaly_score(x), expected, rtol=1e-6)


def test_bound_is_loose_elsewhere(detector, linear):
    detector.networks_["encoder"] = linear([[0.0], [0.0]])  # q is the prior
    x = np.array([[0.0], [1.0], [-3.0]])
    assert (detector.anomaly_score(x) > -stats.norm.logpdf(x[:, 0], scale=np.sqrt(W**2 + 1)) + 0.1).all()


def test_components_against_scipy(detector):
    x, variance = 2.0, 1 / (W**2 + 1)
    mean = W * x * variance
    parts = {name: value.item() for name, value in detector.score_components([[x]], extra="all").items()}
    draws = mean + np.sqrt(variance) * np.array([1.0, -1.0])
    # Reconstruction probability: no divergence in it.
    assert parts["reconstruction_probability"] == pytest.approx(-stats.norm.logpdf(x, loc=W * draws).mean(), rel=1e-6)
    assert parts["kl"] == pytest.approx((mean**2 + variance - np.log(variance) - 1) / 2, rel=1e-6)
    assert parts["elbo"] == pytest.approx(parts["reconstruction_probability"] + parts["kl"], rel=1e-6)
    assert parts["residual"] == pytest.approx((x - W * mean) ** 2, rel=1e-5)
    detector.calibration_ = replace(detector.calibration_, composition=WeightedSum(reconstruction_probability=1))
    assert detector.anomaly_score([[x]]) == parts["reconstruction_probability"]


def test_training_loss_and_beta(detector, losses):
    x = torch.tensor([[2.0]])

    def loss(beta):
        torch.manual_seed(0)
        found = losses(detector.set_params(beta=beta)._variational, x)
        assert list(found) == ["autoencoder"]
        return found["autoencoder"].item()

    torch.manual_seed(0)
    variance = 1 / (W**2 + 1)
    z = W * 2 * variance + np.sqrt(variance) * torch.randn(1, 1).item()
    kl = detector.score_components([[2.0]], extra="all")["kl"].item()
    assert loss(0.0) == pytest.approx(-stats.norm.logpdf(2, loc=W * z), rel=1e-5)
    assert loss(4.0) - loss(0.0) == pytest.approx(4 * kl, rel=1e-5)


def test_posterior_equal_to_the_prior_has_no_divergence(detector, linear):
    detector.networks_["encoder"] = linear([[0.0], [0.0]])
    assert detector.score_components([[5.0]], extra="all")["kl"] == 0


def test_learned_variance_against_scipy(ready, linear):
    # The decoder gives a mean and s with log σ² = -6 + 10·σ(s): s = 0 is log σ² = -1.
    detector = ready(
        VAE(latent_dim=1),
        1,
        encoder=linear([[0.0], [0.0]]),
        decoder=linear([[0.0], [0.0]], bias=[0.5, 0.0]),
        noise=Stored(DRAWS),
    )
    found = detector.score_components([[2.0]], extra="all")["reconstruction_probability"]
    assert found == pytest.approx(-stats.norm.logpdf(2, loc=0.5, scale=np.exp(-0.5)), rel=1e-6)
    assert detector.reconstruct([[2.0]]) == 0.5
    # However sure the decoder is, log σ² stays at or above -6.
    detector.networks_["decoder"] = linear([[0.0], [0.0]], bias=[0.5, -1e6])
    found = detector.score_components([[0.6]], extra="all")["reconstruction_probability"]
    assert found == pytest.approx(-stats.norm.logpdf(0.6, loc=0.5, scale=np.exp(-3)), rel=1e-4)


def test_bernoulli_against_scipy(ready, linear):
    detector = ready(
        VAE(latent_dim=1, likelihood="bernoulli"),
        2,
        encoder=linear([[0.0, 0.0], [0.0, 0.0]]),
        decoder=linear([[0.0], [0.0]], bias=[0.0, 2.0]),
        noise=Stored(DRAWS),
    )
    p = 1 / (1 + np.exp(-np.array([0.0, 2.0])))
    found = detector.score_components([[1.0, 0.0]], extra="all")["reconstruction_probability"]
    assert found == pytest.approx(-stats.bernoulli.logpmf([1, 0], p).sum(), rel=1e-6)
    np.testing.assert_allclose(detector.reconstruct([[1.0, 0.0]]), [p], rtol=1e-6)
    np.testing.assert_allclose(detector.sample(1), [p], rtol=1e-6)


def test_bernoulli_needs_values_between_0_and_1():
    rows = np.random.default_rng(0).uniform(size=(20, 3))
    small = {"likelihood": "bernoulli", "epochs": 1, "latent_dim": 2, "random_state": 0}
    with pytest.raises(InputError, match=r"values in \[0, 1\]: give scaling=MinMax\(low=0, high=1\)"):
        VAE(**small).fit(rows)
    drawn = VAE(**small, scaling=MinMax(low=0, high=1)).fit(rows).sample(50)
    assert ((drawn >= rows.min(axis=0)) & (drawn <= rows.max(axis=0))).all()


def test_noise_is_drawn_in_fit_and_repeats():
    rows = np.random.default_rng(0).normal(size=(20, 3))
    detector = VAE(epochs=1, latent_dim=2, n_draws=7, random_state=0).fit(rows)
    assert detector._stored("noise").shape == (7, 2)
    assert np.array_equal(detector.anomaly_score(rows), detector.anomaly_score(rows))


def test_more_draws_come_closer_to_the_expectation(detector):
    x = np.array([[1.0]])
    exact = detector.anomaly_score(x)
    generator = torch.Generator().manual_seed(0)
    errors = []
    for n in (4, 4000):
        detector.networks_["noise"] = Stored(torch.randn(n, 1, generator=generator))
        errors.append(abs(detector.anomaly_score(x) - exact))
    assert errors[1] < 0.05
    assert errors[1] < errors[0]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"likelihood": "poisson"}, "likelihood must be one of gaussian, unit, bernoulli, not 'poisson'"),
        ({"n_draws": 0}, "n_draws must be a whole number of at least 1, not 0"),
    ],
)
def test_wrong_settings_are_refused_before_training(wrong, message):
    with pytest.raises(InputError, match=message):
        VAE(epochs=1, **wrong).fit(np.eye(4))


@pytest.mark.parametrize(("shape", "form"), [((3,), "gaussian"), ((1, 20), "gaussian"), ((1, 8, 8), "unit")])
def test_images_have_one_variance_for_all_values(shape, form):
    # A learned variance doubles what the decoder gives: means, and log variances.
    rows = np.random.default_rng(0).normal(size=(20, *shape))
    by_default = VAE(epochs=1, latent_dim=2, random_state=0).fit(rows)
    named = VAE(epochs=1, latent_dim=2, random_state=0, likelihood=form).fit(rows)
    np.testing.assert_array_equal(by_default.anomaly_score(rows), named.anomaly_score(rows))
    outputs = by_default._net("decoder")(torch.zeros(2, 2)).shape[1]
    assert outputs == shape[0] * (2 if form == "gaussian" else 1)
