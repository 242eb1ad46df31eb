import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from oddgan import InputError
from oddgan.detectors import ALAD
from oddgan.networks import Judgement
from oddgan.objectives import Wasserstein

X = torch.tensor([[1.0, 3.0]])


class Pairs(nn.Module):
    """f(u, v) = W (u, v), D(u, v) = the sum of f."""

    def __init__(self, weight: list[list[float]]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weight))

    def forward(self, u: Tensor, v: Tensor) -> Judgement:
        features = torch.cat([u, v], 1) @ self.weight.T
        return Judgement(features.sum(1), features)


@pytest.fixture
def detector(ready, linear, monkeypatch):
    """Of x = (1, 3): z = 1, x̂ = (2, 1), E(x̂) = 2. The drawn z = 2 gives (4, 2), whose code is 4.

    D_xz(x, z) = x1 + x2 + z is 5 on (x, 1), 8 on ((4, 2), 2) and 4 on (x̂, 1); its features are (x1 + z, x2).
    D_xx(x, y) = x1 - y1 + y2 is 3 on (x, x) and 0 on (x, x̂); its features are (x1 - y1, y2).
    D_zz(z, w) = w is 2 on (2, 2) and 4 on (2, 4).
    """
    made = ready(
        ALAD(latent_dim=1),
        2,
        encoder=linear([[1.0, 0.0]]),
        generator=linear([[2.0], [1.0]]),
        critic_xz=Pairs([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]),
        critic_xx=Pairs([[1.0, 0.0, -1.0, 0.0], [0.0, 0.0, 0.0, 1.0]]),
        critic_zz=Pairs([[0.0, 1.0]]),
    )
    monkeypatch.setattr(made, "_draw", lambda n: torch.full((n, 1), 2.0))
    return made


def sp(logit: float) -> float:
    return softplus(torch.tensor(logit, dtype=torch.float64)).item()


JOINT, PAIRS, CODES = sp(-8) + sp(5), sp(0) + sp(3), sp(-4) + sp(2)


def test_losses_of_the_critics_by_hand(detector, losses):
    found = losses(detector._adversarial, X)
    assert list(found) == ["critic_xz", "critic_xx", "critic_zz", "autoencoder"]
    expected = [sp(-5) + sp(8), sp(-3) + sp(0), sp(-2) + sp(4)]
    assert [found[name].item() for name in list(found)[:3]] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, JOINT + PAIRS + CODES),  # flipped labels on both kinds of pairs
        ({"w_cycle": 3.0}, JOINT + 3 * (PAIRS + CODES)),
        ({"latent_cycle": False}, JOINT + PAIRS),
        ({"cycle": "none"}, JOINT + CODES),
        ({"cycle": "none", "latent_cycle": False}, JOINT),  # the bidirectional GAN
        ({"cycle": "l1", "latent_cycle": False}, JOINT + (1 + 2) / 2),  # x - x̂ = (-1, 2)
        ({"cycle": "l2", "latent_cycle": False, "w_cycle": 2.0}, JOINT + 2 * (1 + 4) / 2),
    ],
    ids=str,
)
def test_loss_of_encoder_and_generator_by_hand(detector, losses, settings, expected):
    found = losses(detector.set_params(**settings)._adversarial, X)
    assert found["autoencoder"].item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("settings", "critics"),
    [
        ({}, {"critic_xz", "critic_xx", "critic_zz"}),
        ({"latent_cycle": False}, {"critic_xz", "critic_xx"}),
        ({"cycle": "l1"}, {"critic_xz", "critic_zz"}),
        ({"cycle": "none", "latent_cycle": False}, {"critic_xz"}),
    ],
    ids=["all", "no cycle of codes", "explicit cycle", "pairs of samples and codes alone"],
)
def test_only_the_critics_that_play_are_built(settings, critics):
    rows = np.random.default_rng(0).normal(size=(20, 3))
    detector = ALAD(**ALAD.tiny | settings, random_state=0).fit(rows)
    assert set(detector.networks_) - {"encoder", "generator"} == critics
    assert set(detector.history_[0].losses) == critics | {"autoencoder"}


def test_cycles_reach_encoder_and_generator(detector, losses):
    # Without D_xz: both cycles alone must move both networks.
    detector.networks_["critic_xz"].weight.data.zero_()
    losses(detector._adversarial, X)["autoencoder"].sum().backward()
    for name in ("encoder", "generator"):
        assert (detector.networks_[name].weight.grad != 0).any()


def test_the_four_scores_by_hand(detector):
    found = {name: value.item() for name, value in detector.score_components(X.numpy(), extra="all").items()}
    assert found["features"] == 1 + 2  # (0, 3) - (-1, 1)
    assert found["critic_cross_entropy"] == pytest.approx(math.log(2))  # D_xx(x, x̂) = 0
    assert found["residual"] == 1 + 2
    assert found["residual_l2"] == pytest.approx(math.sqrt(5))
    assert detector.anomaly_score(X.numpy()) == 3
    assert {name: found[name] for name in ("critic", "latent", "latent_norm")} == {
        "critic": -5,
        "latent": 1,
        "latent_norm": 1,
    }
    assert found["prior_nll"] == pytest.approx(0.5 + 0.5 * math.log(2 * math.pi), rel=1e-6)


@pytest.mark.parametrize("cycle", ["l1", "l2", "none"])
def test_without_the_critic_of_pairs_the_joint_one_is_asked(detector, cycle):
    found = detector.set_params(cycle=cycle).score_components(X.numpy(), extra="all")
    assert found["features"] == 1 + 2  # (2, 3) - (3, 1)
    assert found["critic_cross_entropy"].item() == pytest.approx(sp(-4))  # D_xz(x̂, 1) = 4


def test_perfect_reconstruction_scores_zero(detector):
    detector.networks_["encoder"].weight.data *= 0.5
    found = detector.score_components(np.array([[2.0, 1.0]]), extra="all")
    assert [found[name].item() for name in ("features", "residual", "residual_l2", "latent")] == [0, 0, 0, 0]


def test_clipping_holds_for_all_critics(detector, losses):
    losses(detector.set_params(objective=Wasserstein(clip=0.1))._adversarial, X)
    for name in ("critic_xz", "critic_xx", "critic_zz"):
        assert detector.networks_[name].weight.abs().max().item() == pytest.approx(0.1)


@pytest.mark.parametrize("wanted", [True, False])
def test_spectral_norm_is_in_encoder_and_critics(wanted):
    rows = np.random.default_rng(0).normal(size=(20, 3))
    networks = ALAD(**ALAD.tiny, spectral_norm=wanted, random_state=0).fit(rows).networks_
    normed = {
        name for name, network in networks.items() if any(hasattr(m, "parametrizations") for m in network.modules())
    }
    assert normed == (set(networks) - {"generator"} if wanted else set())


def test_dropout_does_not_act_when_scoring():
    rows = np.random.default_rng(0).normal(size=(20, 3))
    detector = ALAD(**ALAD.tiny | {"pair_critic": ALAD().pair_critic}, random_state=0).fit(rows)
    np.testing.assert_array_equal(detector.anomaly_score(rows), detector.anomaly_score(rows))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"cycle": "L1"}, "cycle must be one of adversarial, l1, l2, none, not 'L1'"),
        ({"w_cycle": -1.0}, "w_cycle must be 0 or more, not -1.0"),
        ({"w_cycle": math.nan}, "w_cycle must be 0 or more, not nan"),
    ],
)
def test_wrong_settings_are_refused_before_training(wrong, message):
    with pytest.raises(InputError, match=message):
        ALAD(**ALAD.tiny | wrong).fit(np.zeros((4, 3)))
