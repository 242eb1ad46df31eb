import numpy as np
import pytest
import torch
from torch.nn.functional import softplus

from oddgan import InputError
from oddgan.detectors import OCGAN
from oddgan.networks import MLP, FlatMLP
from oddgan.objectives import R1, NonSaturating, Wasserstein
from oddgan.priors import Uniform
from oddgan.similarities import L2
from oddgan.training import Clock

X = torch.tensor([[0.25, 0.5]])
S = torch.tensor([[0.5, -0.25]])
SMALL = {"latent_dim": 2, "epochs": 1, "backbone": MLP(hidden=(8,)), "random_state": 0}


@pytest.fixture
def detector(ready, linear, judge, monkeypatch):
    """E is the identity and G doubles z1: x̂ = (0.5, 0.5) of x = (0.25, 0.5), and G(s) = (1, -0.25) of s.

    D_v adds up, D_l takes z1, C is -x1 (what lies to the right looks less normal). There is neither noise nor mining.
    """
    monkeypatch.setattr(Uniform, "sample", lambda *_, **__: S.clone())
    return ready(
        OCGAN(latent_dim=2, noise=0.0, mining_steps=0, objective=NonSaturating()),
        2,
        encoder=linear([[1.0, 0.0], [0.0, 1.0]]),
        decoder=linear([[2.0, 0.0], [0.0, 1.0]]),
        critic=judge([[1.0, 0.0], [0.0, 1.0]], [1.0, 1.0]),
        latent_critic=judge([[1.0, 0.0]], [1.0]),
        classifier=judge([[1.0, 0.0]], [-1.0]),
    )


def bce(logit, target):
    return softplus(torch.tensor([-logit if target else logit]))


def test_players_learn_in_the_order_of_the_paper(detector, losses):
    assert list(losses(detector._adversarial, X)) == ["classifier", "critics", "autoencoder"]


def test_classifier_loss_by_hand(detector, losses):
    # C(x̂) = -0.5 is to be 1, C(G(s)) = -1 is to be 0.
    torch.testing.assert_close(losses(detector._adversarial, X)["classifier"], bce(-0.5, 1) + bce(-1.0, 0))


def test_critics_loss_by_hand(detector, losses):
    # D_l: s1 = 0.5 real, z1 = 0.25 not. D_v: x1 + x2 = 0.75 real, G(s) = 1 - 0.25 not.
    expected = bce(0.5, 1) + bce(0.25, 0) + bce(0.75, 1) + bce(0.75, 0)
    torch.testing.assert_close(losses(detector._adversarial, X)["critics"], expected)


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ((1, 0, 0), torch.tensor([0.25**2 / 2])),  # x - x̂ = (-0.25, 0)
        ((0, 1, 0), bce(0.25, 1)),  # D_l(E(x))
        ((0, 0, 1), bce(0.75, 1)),  # D_v(G(s))
        ((10, 1, 1), 10 * torch.tensor([0.25**2 / 2]) + bce(0.25, 1) + bce(0.75, 1)),  # the paper's weights
    ],
)
def test_autoencoder_loss_by_hand(detector, losses, weights, expected):
    detector.set_params(**dict(zip(("w_con", "w_lat", "w_vis"), weights, strict=True)))
    torch.testing.assert_close(losses(detector._adversarial, X)["autoencoder"], expected)


def test_reconstruction_outweighs_the_game():
    # The release has 500 : 10 : 1; at the paper's 10 : 1 : 1 the codes leave for the ends of the tanh.
    detector = OCGAN()
    assert detector.w_con >= 50 * max(detector.w_lat, detector.w_vis)


def test_a_mining_step_by_hand(detector):
    # C(G(s)) = -2 s1, so BCE(C(G(s)), 1) = softplus(2 s1), whose slope is 2σ(2 s1) along s1 and 0 along s2.
    detector.set_params(mining_steps=1, mining_rate=0.1)
    expected = torch.tensor([[0.5 + 0.1 * 2 * torch.sigmoid(torch.tensor(1.0)).item(), -0.25]])
    torch.testing.assert_close(detector._mine(S.clone(), detector._game("classifier", Clock(0, 0, 1))), expected)


def test_mining_raises_the_classifiers_loss_within_the_latent_space():
    torch.manual_seed(0)
    rows = np.random.default_rng(0).normal(size=(40, 3))
    detector = OCGAN(**SMALL | {"latent_dim": 4}, mining_rate=0.5).fit(rows)
    detector.networks_.train()  # as while training
    G, C = detector.networks_["decoder"], detector.networks_["classifier"]
    s = Uniform().sample(100, 4)

    def loss(z):
        return softplus(-C(G(z)).logit).detach()

    detector.networks_.zero_grad()
    few = detector._mine(s.clone(), detector._game("classifier", Clock(0, 0, 1)))
    many = detector.set_params(mining_steps=20)._mine(s.clone(), detector._game("classifier", Clock(0, 0, 1)))
    assert (loss(few) > loss(s) - 1e-6).all()
    assert loss(many).mean() > loss(few).mean() > loss(s).mean()
    assert many.abs().max() <= 1
    assert not torch.equal(few, s)
    assert all(weight.grad is None for weight in detector.networks_.parameters())


def test_penalty_of_the_objective_holds_for_all_critics(detector, losses):
    # R1 with weight 2 adds the squared slope: 2 for D_v, 1 for D_l, 1 for C.
    plain = losses(detector._adversarial, X)
    found = losses(detector.set_params(objective=NonSaturating(regulariser=R1(weight=2.0)))._adversarial, X)
    torch.testing.assert_close(found["classifier"], plain["classifier"] + 1)
    torch.testing.assert_close(found["critics"], plain["critics"] + 3)
    torch.testing.assert_close(found["autoencoder"], plain["autoencoder"])


def test_mining_stops_at_the_bounds(detector):
    assert detector.set_params(mining_steps=3, mining_rate=100.0)._mine(
        S.clone(), detector._game("classifier", Clock(0, 0, 1))
    ).tolist() == [[1.0, -0.25]]


def test_mined_codes_are_what_the_generator_learns_from(detector, losses):
    # Mining ends at s' = (1, -0.25): D_v(G(s')) = 2 - 0.25. The critics still see G(s).
    plain = losses(detector._adversarial, X)["critics"]
    detector.set_params(mining_steps=3, mining_rate=100.0, w_con=0.0, w_lat=0.0)
    found = losses(detector._adversarial, X)
    torch.testing.assert_close(found["autoencoder"], bce(1.75, 1))
    torch.testing.assert_close(found["critics"], plain)


def test_each_loss_reaches_its_own_player_only(detector):
    owners = {
        "classifier": {"classifier"},
        "critics": {"critic", "latent_critic"},
        "autoencoder": {"encoder", "decoder", "critic", "latent_critic"},  # through the critics, which don't learn here
    }
    for update in detector._adversarial(X, Clock(0, 0, 1)):
        detector.networks_.zero_grad()
        update.loss.sum().backward()
        reached = {n.partition(".")[0] for n, w in detector.networks_.named_parameters() if w.grad is not None}
        assert reached == owners[update.player]


@pytest.mark.parametrize(("shape", "std"), [((2,), 0.2), ((1, 20), 0.2), ((1, 8, 8), 0.5)])
def test_images_get_more_noise(shape, std):
    rows = np.random.default_rng(0).normal(size=(20, *shape))
    small = SMALL | {"backbone": FlatMLP(hidden=(8,)), "epochs": 5}
    scores = [OCGAN(**small, noise=noise).fit(rows).anomaly_score(rows) for noise in (None, std, std / 2)]
    np.testing.assert_array_equal(scores[0], scores[1])
    assert not np.array_equal(scores[0], scores[2])


def test_noise_goes_into_the_encoder_only(detector, losses):
    detector.set_params(noise=0.5, w_lat=0.0, w_vis=0.0, w_con=1.0)
    torch.manual_seed(0)
    eta = 0.5 * torch.randn(1, 2)
    torch.manual_seed(0)
    rebuilt = (X + eta) * torch.tensor([2.0, 1.0])
    torch.testing.assert_close(losses(detector._adversarial, X)["autoencoder"], (X - rebuilt).square().mean(1))
    assert detector.anomaly_score(X.numpy()) == 0.25**2 / 2  # scores are taken without noise


def test_bounds_of_the_objective_hold_for_all_critics(detector, losses):
    losses(detector.set_params(objective=Wasserstein(clip=0.1))._adversarial, X)
    for name in ("critic", "latent_critic", "classifier"):
        assert max(w.abs().max() for w in detector.networks_[name].parameters()) <= 0.1001


def test_scores_by_hand(detector):
    parts = detector.score_components(X.numpy(), extra="all")
    assert parts["residual"] == 0.25**2 / 2
    assert parts["critic"] == -0.75
    assert detector.set_params(similarity=L2(reduction="sum")).anomaly_score(X.numpy()) == 0.25**2


def test_codes_are_bounded():
    rows = np.random.default_rng(0).normal(size=(30, 3))
    assert np.abs(OCGAN(**SMALL).fit(rows).encode(100 * rows)).max() <= 1


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"noise": -0.1}, r"noise=-0\.1 must be 0 or more"),
        ({"mining_rate": 0.0}, "mining_rate=0.0 above 0"),
        ({"mining_steps": -1}, "mining_steps must be a whole number of at least 0"),
    ],
)
def test_impossible_settings_are_refused(wrong, message):
    with pytest.raises(InputError, match=message):
        OCGAN(**SMALL, **wrong).fit(np.random.default_rng(0).normal(size=(10, 3)))
