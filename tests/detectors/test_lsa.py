import math

import numpy as np
import pytest
import torch

from oddgan import InputError
from oddgan.detectors import LSA
from oddgan.networks import Autoregressive
from oddgan.similarities import L1

X = torch.tensor([[0.0, 2.0], [0.0, 0.0]])


def density(bins=4):
    """A uniform density over the bins of two values, but for the first value: log-odds 0, 1, 2, 3."""
    network = Autoregressive(2, channels=(3,), bins=bins)
    for weight in network.parameters():
        weight.data.zero_()
    network.layers[-1].bias.data[:bins] = torch.arange(float(bins))
    return network


@pytest.fixture
def detector(ready, linear):
    """z = σ(x), x̂ = (z1 - ½, z2 - ½)."""
    identity = [[1.0, 0.0], [0.0, 1.0]]
    return ready(
        LSA(latent_dim=2, bins=4),
        2,
        encoder=linear(identity),
        decoder=linear(identity, bias=[-0.5, -0.5]),
        density=density(),
    )


# σ(0) = ½ lies in the third of four bins, with log-odds of 2; the second value's bins are equally likely.
NLL = -(2 - math.log(sum(math.exp(i) for i in range(4)))) + math.log(4)
RESIDUAL = np.array([(2.5 - 1 / (1 + math.exp(-2))) ** 2, 0.0])


def test_loss_by_hand(detector, losses):
    found = losses(detector._autoregression, X)["model"]
    np.testing.assert_allclose(found.detach(), RESIDUAL + NLL, rtol=1e-5)
    weighted = losses(detector.set_params(weight=3.0)._autoregression, X)["model"]
    np.testing.assert_allclose(weighted.detach(), RESIDUAL + 3 * NLL, rtol=1e-5)


def test_score_by_hand(detector):
    parts = detector.score_components(X.numpy(), extra="all")
    np.testing.assert_allclose(parts["latent_nll"], [NLL, NLL], rtol=1e-5)
    np.testing.assert_allclose(parts["residual"], RESIDUAL, rtol=1e-5, atol=1e-12)
    np.testing.assert_allclose(detector.encode(X.numpy())[1], [0.5, 0.5])
    np.testing.assert_allclose(detector.reconstruct(X.numpy())[1], [0.0, 0.0], atol=1e-7)
    similar = detector.set_params(similarity=L1("sum")).score_components(X.numpy(), extra="all")["residual"]
    np.testing.assert_allclose(similar, RESIDUAL**0.5, rtol=1e-5, atol=1e-12)


def test_the_density_teaches_the_encoder_only_if_joint(detector, losses):
    torch.manual_seed(0)
    detector.networks_["density"] = Autoregressive(2, channels=(3,), bins=4)
    detector.networks_["decoder"].weight.data.zero_()  # no residual teaches the encoder either
    slopes = {}
    for joint in (True, False):
        detector.networks_.zero_grad()
        losses(detector.set_params(joint=joint)._autoregression, X)["model"].sum().backward()
        slopes[joint] = detector.networks_["encoder"].bias.grad.abs().max().item()
        assert detector.networks_["density"].layers[0].bias.grad.abs().max() > 0
    assert slopes[True] > 0
    assert slopes[False] == 0


def test_score_is_the_sum_of_both_terms_normalised_by_normal_rows():
    fitted = LSA().composition.fit({"latent_nll": np.array([1.0, 5.0, 2.0]), "residual": np.array([8.0, 0.0, 3.0])})
    parts = {"latent_nll": torch.tensor([1.0, 5.0, 7.0]), "residual": torch.tensor([0.0, 8.0, 4.0])}
    assert fitted(parts).tolist() == [0, 2, 2]  # (7 - 1) / 4 + 4 / 8


@pytest.mark.parametrize("calibration", [0.0, 0.25])
def test_held_out_rows_have_scores_from_0_to_2(calibration):
    rows = np.random.default_rng(0).normal(size=(300, 3))
    detector = LSA(**LSA.tiny, calibration=calibration, random_state=0).fit(rows)
    known = rows[detector.calibration_rows_]
    parts = detector.score_components(known)
    norm = [(v - v.min()) / (v.max() - v.min()) for v in (parts["latent_nll"], parts["residual"])]
    score = detector.anomaly_score(known)
    np.testing.assert_allclose(score, norm[0] + norm[1], atol=1e-6)
    assert 0 <= score.min() <= score.max() <= 2


@pytest.mark.parametrize("settings", [{"bins": 1}, {"channels": ()}, {"latent_dim": 0}])
def test_what_makes_no_sense_is_refused(settings):
    with pytest.raises(InputError, match="whole number"):
        LSA(**settings).fit(np.random.default_rng(0).normal(size=(20, 3)))
