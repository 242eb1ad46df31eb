import math

import numpy as np
import pytest
import torch
from scipy import stats
from torch.nn.functional import softplus

from oddgan._core.errors import InputError
from oddgan.detectors import GPND
from oddgan.families import Stored
from oddgan.scores import WeightedSum, manifold

SIGMA = 0.3
BASIS = np.linalg.qr(np.random.default_rng(0).normal(size=(6, 6)))[0]
A = BASIS[:, :2] @ np.diag([3.0, 0.5]) @ np.array([[0.8, -0.6], [0.6, 0.8]])  # stretches by 3 and by 1/2
X = torch.tensor([[1.0, 3.0]])


@pytest.fixture
def flat(ready, linear, judge):
    """x = Az + w: z standard normal, w normal with deviation σ in the four directions perpendicular to A's plane."""
    detector = ready(
        GPND(latent_dim=2),
        6,
        encoder=linear(np.linalg.pinv(A).tolist()),
        decoder=linear(A.tolist()),
        critic=judge([[1.0] * 6], [1.0]),
        latent_critic=judge([[1.0, 0.0]], [1.0]),
        codes=Stored(torch.tensor([[2.0, 2.0], [0.0, 0.0], [math.sqrt(2)] * 2], dtype=torch.float64)),
        histogram=Stored(torch.ones(3, 1)),
    )
    edges = np.linspace(0.01, 3.0, 3001)  # so fine that the density of ‖w‖ / σ, which is χ₄, hardly changes in a bin
    centres = (edges[1:] + edges[:-1]) / 2
    log_p = stats.chi.logpdf(centres, 4, scale=SIGMA)
    detector.networks_["histogram"] = Stored(torch.tensor(np.stack([edges[:-1], edges[1:], log_p])))
    return detector


@pytest.fixture
def rows():
    rng = np.random.default_rng(1)
    w = rng.normal(size=(20, 4)) @ BASIS[:, 2:].T * SIGMA
    return rng.normal(size=(20, 2)) @ A.T + w


@pytest.fixture
def density(rows):
    """-log p(x) in closed form: N(0, A Aᵀ + σ² (I - P)), P the projection on A's plane."""
    plane = BASIS[:, :2] @ BASIS[:, :2].T
    return -stats.multivariate_normal(np.zeros(6), A @ A.T + SIGMA**2 * (np.eye(6) - plane)).logpdf(rows)


@pytest.mark.parametrize("form", ["decoder", "encoder"])
def test_score_is_the_density_of_a_linear_decoder(flat, rows, density, form):
    # Equation 8. Both forms: log |det S⁻¹| = -Σ log s of the decoder = +Σ log s of the encoder.
    found = flat.set_params(jacobian=form).anomaly_score(rows)
    np.testing.assert_allclose(found, density, atol=0.02)  # float32, and the histogram's steps
    np.testing.assert_allclose(flat.score_components(rows)["jacobian"], math.log(3 * 0.5), rtol=1e-4)


def test_the_other_sign_is_no_density(flat, rows, density):
    # The released code takes -Σ log s of the encoder for log |det S⁻¹|: off by twice the determinant's logarithm.
    released = WeightedSum(latent_nll=1.0, jacobian=-1.0, residual_nll=1.0)
    parts = flat.set_params(jacobian="encoder").score_components(rows, extra="all")
    parts = {name: torch.from_numpy(values) for name, values in parts.items()}
    np.testing.assert_allclose(released(parts).numpy() - density, -2 * math.log(1.5), atol=0.02)


def test_parts_of_the_density_by_hand(flat, rows):
    found = flat.score_components(rows, extra="all")
    z = rows @ np.linalg.pinv(A).T
    np.testing.assert_allclose(found["latent_nll"], -stats.norm.logpdf(z).sum(1), rtol=1e-4)
    w = rows - z @ A.T
    np.testing.assert_allclose(
        found["residual_nll"], -stats.norm.logpdf(w @ BASIS[:, 2:], scale=SIGMA).sum(1), atol=0.02
    )
    np.testing.assert_allclose(found["residual"], (w**2).mean(1), rtol=1e-4)
    np.testing.assert_allclose(found["latent_critic"], np.log1p(np.exp(-z[:, 0])), rtol=1e-4)


def test_share_scales_the_dimensions_of_the_residual(flat, rows):
    flat.set_params(share=0.5)
    w = rows - rows @ np.linalg.pinv(A).T @ A.T
    histogram = flat.networks_["histogram"].value
    expected = manifold.perpendicular_nll(torch.tensor(np.linalg.norm(w, axis=1)), histogram, 0.5 * 4)
    np.testing.assert_allclose(flat.score_components(rows)["residual_nll"], expected, atol=0.01)


def test_residual_keeps_one_dimension_where_the_codes_leave_none(flat, rows):
    # One dimension has two directions: p_⊥ = p(r)/2.
    flat.set_params(share=0.1)
    histogram = flat.networks_["histogram"].value
    r = np.linalg.norm(rows - rows @ np.linalg.pinv(A).T @ A.T, axis=1)
    expected = -histogram[2][torch.bucketize(torch.tensor(r), histogram[1])].numpy() + math.log(2)
    np.testing.assert_allclose(flat.score_components(rows)["residual_nll"], expected, atol=0.02)


def test_calibration_takes_codes_and_distances_of_the_training_rows(flat, rows):
    flat.networks_["histogram"] = Stored(torch.ones(3, flat.bins).double())
    x = torch.tensor(rows, dtype=torch.float32)
    with torch.no_grad():
        flat._calibrate(x)
    z = flat.networks_["encoder"](x).detach()
    torch.testing.assert_close(flat.networks_["codes"].value, manifold.fit_generalised_normal(z), rtol=1e-3, atol=1e-3)
    r = (x - flat.networks_["decoder"](z).detach()).norm(dim=1)
    lower, upper, _ = flat.networks_["histogram"].value
    assert (lower[0].item(), upper[-1].item()) == pytest.approx((r.min().item(), r.max().item()), rel=1e-4)


@pytest.fixture
def small(ready, linear, judge):
    """Of x = (1, 3): z = 4, x̂ = (8, 0); D(x) = x1; D_z(z) = z."""
    return ready(
        GPND(latent_dim=1, w_rec=2.0),
        2,
        encoder=linear([[1.0, 1.0]]),
        decoder=linear([[2.0], [0.0]]),
        critic=judge([[1.0, 0.0]], [1.0]),
        latent_critic=judge([[1.0]], [1.0]),
    )


def test_losses_by_hand_in_the_order_of_the_released_code(small, losses):
    torch.manual_seed(0)
    z = small.prior.sample(1, 1)
    torch.manual_seed(0)
    found = losses(small._adversarial, X)
    assert list(found) == ["critic", "generator", "latent_critic", "autoencoder"]
    fake = 2 * z[:, 0]  # D(G(z))
    torch.testing.assert_close(found["critic"], softplus(-X[:, 0]) + softplus(fake))
    torch.testing.assert_close(found["generator"], softplus(-fake))
    torch.testing.assert_close(found["latent_critic"], softplus(-z[:, 0]) + softplus(torch.tensor([4.0])))
    expected = 2 * (49 + 9) / 2 + softplus(torch.tensor([-4.0]))
    torch.testing.assert_close(found["autoencoder"], expected)


def test_latent_critic_sees_codes_without_their_graph(small, losses):
    losses(small._adversarial, X)["latent_critic"].sum().backward()
    assert small.networks_["encoder"].weight.grad is None
    assert small.networks_["latent_critic"].head.grad is not None


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"share": 0.0}, "share=0.0 must be in"),
        ({"bins": 0}, "bins must be a whole number"),
        ({"jacobian": "both"}, "jacobian must be one of decoder, encoder"),
    ],
)
def test_wrong_settings_are_refused_before_training(wrong, message):
    rows = np.random.default_rng(0).normal(size=(20, 3))
    with pytest.raises(InputError, match=message):
        GPND(**{"latent_dim": 2, "epochs": 1} | wrong).fit(rows)
