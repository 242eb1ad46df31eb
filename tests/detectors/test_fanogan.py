from dataclasses import replace

import numpy as np
import pytest
import torch

from oddgan import InputError
from oddgan.detectors import FAnoGAN
from oddgan.objectives import Wasserstein
from oddgan.priors import Uniform
from oddgan.scores import WeightedSum
from oddgan.training import RMSProp

X = np.random.default_rng(0).normal(size=(30, 3))
SMALL = {"latent_dim": 2, "epochs": 1, "n_critic": 1, "random_state": 0}
ONE = torch.tensor([[1.0, 3.0]])


@pytest.fixture
def detector(ready, linear, judge):
    """G(z) = 2z; E(x) = (x1, 0); f(x) = (x1, x1 + x2), D = 2·x1 + x2. Of x = (1, 3): E = (1, 0), G(E) = (2, 0)."""
    return ready(
        FAnoGAN(latent_dim=2, encoder_output="linear"),
        2,
        generator=linear([[2.0, 0.0], [0.0, 2.0]]),
        critic=judge([[1.0, 0.0], [1.0, 1.0]], [1.0, 1.0]),
        encoder=linear([[1.0, 0.0], [0.0, 0.0]]),
    )


def test_score_by_hand(detector):
    # x - x̂ = (-1, 3): mean square 5. f(x) = (1, 4), f(x̂) = (2, 2): mean square (1 + 4)/2. E(x̂) = (2, 0): (1 + 0)/2.
    # D(x) = 1 + 4, against the mean 7 of the calibration rows.
    detector.calibration_.components["critic"] = np.array([-6.0, -8.0])
    parts = detector.score_components([[1.0, 3.0]], extra="all")
    expected = {"residual": 5.0, "features": 2.5, "latent": 0.5, "critic": -5.0, "critic_centred": 2.0}
    assert {name: parts[name].item() for name in expected} == expected
    assert detector.anomaly_score([[1.0, 3.0]]) == 5 + 2.5
    detector.calibration_ = replace(detector.calibration_, composition=WeightedSum(residual=1, features=0.1))
    assert detector.anomaly_score([[1.0, 3.0]]) == pytest.approx(5 + 0.25)
    np.testing.assert_array_equal(detector.anomaly_map([[1.0, 3.0]]), [[1.0, 3.0]])


def test_encoder_losses_by_hand(detector, losses):
    for loss, kappa, expected in (("izi", 9.0, 5.0), ("izi_f", 1.0, 7.5), ("izi_f", 2.0, 10.0), ("izi_f", 0.0, 5.0)):
        detector.set_params(encoder_loss=loss, kappa=kappa)
        assert {k: v.tolist() for k, v in losses(detector._encoder, ONE).items()} == {"encoder": [expected]}


def test_ziz_uses_no_images(detector, losses):
    detector.set_params(encoder_loss="ziz")
    found = []
    for x in (ONE, 100 * ONE):
        torch.manual_seed(0)
        found.append(losses(detector._encoder, x)["encoder"])
    torch.manual_seed(0)
    z = torch.randn(1, 2)
    # E(G(z)) = (2·z1, 0), so that z - E(G(z)) = (-z1, z2).
    torch.testing.assert_close(found[0], z.square().mean(dim=1))
    assert torch.equal(found[0], found[1])


def test_perfect_reconstruction_scores_zero(detector, linear):
    detector.networks_["encoder"] = linear([[0.5, 0.0], [0.0, 0.5]])
    parts = detector.score_components([[1.0, 3.0]], extra="all")
    assert [parts[name].item() for name in ("residual", "features", "latent")] == [0, 0, 0]
    assert detector.anomaly_score([[1.0, 3.0]]) == 0


def test_constant_critic_adds_nothing(detector, judge):
    detector.networks_["critic"] = judge([[0.0, 0.0]], [1.0], bias=7.0)
    parts = detector.score_components([[1.0, 3.0]], extra="all")
    assert parts["features"] == 0
    assert parts["critic"] == -7
    assert detector.anomaly_score([[1.0, 3.0]]) == parts["residual"]


def test_wasserstein_step_by_hand(detector, losses):
    # D has the slope √5 everywhere; the penalty is λ(√5 - 1)² with λ = 10.
    detector.set_params(n_critic=1)
    torch.manual_seed(0)
    found = losses(detector._wasserstein, ONE)
    torch.manual_seed(0)
    (drawn,) = 2 * torch.randn(1, 2)
    fake = 2 * drawn[0] + drawn[1]
    assert list(found) == ["critic", "generator"]
    assert found["critic"].item() == pytest.approx(fake.item() - 5 + 10 * (5**0.5 - 1) ** 2, rel=1e-5)
    assert found["generator"].item() == pytest.approx(-fake.item())


def test_generator_loss_raises_the_critic(detector, losses):
    G, D = detector._nets("generator", "critic")
    detector.set_params(n_critic=1, prior=Uniform())
    losses(detector._wasserstein, ONE.expand(50, 2))["generator"].mean().backward()
    z = torch.rand(50, 2)
    before = D(G(z)).logit.mean()
    with torch.no_grad():
        for weight in G.parameters():
            weight.sub_(weight.grad, alpha=0.1)
    assert D(G(z)).logit.mean() > before


def test_five_critic_updates_for_one_of_the_generator(detector, losses):
    detector.set_params(n_critic=5)
    played = [list(losses(detector._wasserstein, ONE, iteration=i)) for i in range(10)]
    assert played == ([["critic"]] * 4 + [["critic", "generator"]]) * 2


def test_two_phases_the_second_trains_the_encoder_alone(detector):
    detector.set_params(epochs=7, encoder_optimiser=RMSProp(lr=0.5))
    first, second = detector._phases()
    assert {name: player.networks for name, player in first.players.items()} == {
        "critic": ("critic",),
        "generator": ("generator",),
    }
    assert {name: player.networks for name, player in second.players.items()} == {"encoder": ("encoder",)}
    assert second.players["encoder"].optimiser == RMSProp(lr=0.5)
    assert (first.epochs, second.epochs) == (7, 7)
    assert [phase.epochs for phase in detector.set_params(encoder_epochs=3)._phases()] == [7, 3]


@pytest.mark.parametrize(("output", "expected"), [("linear", 5.0), ("clip1", 1.0), ("clip3", 3.0), ("stochastic", 1.0)])
def test_range_of_the_codes(detector, output, expected):
    detector.set_params(encoder_output=output)
    assert detector.encode([[5.0, 0.0]])[0, 0] == expected
    assert detector.encode([[-0.5, 0.0]])[0, 0] == -0.5


def test_stochastic_clipping_draws_anew_while_training(detector):
    detector.set_params(encoder_output="stochastic")
    detector.networks_["encoder"].train()
    codes = detector._encode(torch.tensor([[0.5, 0.0]] + [[5.0, 0.0]] * 100))[:, 0]
    assert codes[0] == 0.5
    assert codes[1:].abs().max() <= 1
    assert codes[1:].std() > 0.4  # uniform on [-1, 1] has 1/√3


def test_tanh_bounds_the_codes():
    assert np.abs(FAnoGAN(**SMALL).fit(X).encode(100 * X)).max() <= 1
    assert np.abs(FAnoGAN(**SMALL, encoder_output="linear").fit(X).encode(100 * X)).max() > 1


def test_stage_two_leaves_generator_and_critic_alone():
    short, long = (FAnoGAN(**SMALL, encoder_epochs=n).fit(X) for n in (1, 3))
    for name in ("generator", "critic"):
        after = long.networks_[name].state_dict()
        assert all(torch.equal(tensor, after[key]) for key, tensor in short.networks_[name].state_dict().items())
    assert not np.array_equal(short.encode(X), long.encode(X))
    assert [(r.phase, r.epoch) for r in long.history_] == [("wasserstein", 1), *(("encoder", i) for i in (1, 2, 3))]


def test_clipping_follows_the_objective(detector, losses):
    losses(detector.set_params(objective=Wasserstein(clip=0.1))._wasserstein, ONE)
    assert max(weight.abs().max() for weight in detector.networks_["critic"].parameters()) <= 0.1001


def test_samples_are_draws_of_the_generator(detector):
    drawn = detector.set_params(prior=Uniform(low=3, high=4)).sample(20, random_state=0)
    assert ((drawn >= 6) & (drawn <= 8)).all()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"encoder_loss": "zizi"}, "encoder_loss must be one of izi_f, izi, ziz, not 'zizi'"),
        (
            {"encoder_output": "clip"},
            "encoder_output must be one of tanh, linear, clip1, clip3, stochastic, not 'clip'",
        ),
        ({"n_critic": 0}, "n_critic must be a whole number of at least 1, not 0"),
        ({"encoder_epochs": 0}, "encoder_epochs must be a whole number of at least 1, not 0"),
    ],
)
def test_wrong_settings_are_refused_before_training(wrong, message):
    with pytest.raises(InputError, match=message):
        FAnoGAN(**SMALL | wrong).fit(X)
