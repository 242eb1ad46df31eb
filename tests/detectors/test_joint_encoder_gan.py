import numpy as np
import pytest
import torch

from oddgan import InputError
from oddgan.detectors import JointEncoderGAN
from oddgan.networks import MLP
from oddgan.objectives import Wasserstein

X = torch.tensor([[2.0], [-1.0]])


def rows(n=40):
    return np.random.default_rng(0).normal(size=(n, 3))


@pytest.fixture
def detector(ready, linear, judge, monkeypatch):
    """E(x) = (x, 2x), G(z) = z_1 + z_2, D(x) = 5x + 1; all draws of z are (1, 0)."""
    made = ready(
        JointEncoderGAN(latent_dim=2, objective=Wasserstein(clip=None)),
        1,
        generator=linear([[1.0, 1.0]]),
        critic=judge([[1.0]], [5.0], bias=1.0),
        encoder=linear([[1.0], [2.0]]),
    )
    monkeypatch.setattr(made, "_draw", lambda n: torch.tensor([[1.0, 0.0]]).expand(n, 2))
    return made


def test_components_by_hand(detector):
    # x = 2: z = (2, 4), x̂ = 6, E(x̂) = (6, 12): ‖z‖² = 20, (2 - 6)² = 16, mean of 16 and 64 is 40, D = 11.
    parts = {name: value.item() for name, value in detector.score_components([[2.0]], extra="all").items()}
    expected = {"latent_norm": 20**0.5, "residual": 16, "latent": 40, "critic": -11}
    assert {name: parts[name] for name in expected} == pytest.approx(expected)
    assert detector.reconstruct([[2.0]]).item() == pytest.approx(6)
    assert detector.encode([[2.0]]).tolist() == [[2, 4]]


@pytest.mark.parametrize(
    ("image", "latent", "expected"),
    [
        # (x - 3x)² is 16 and 4; z = (1, 0): G(z) = 1, E(1) = (1, 2), mean of 0 and 4 is 2
        (1.0, 0.0, [16, 4]),
        (0.0, 1.0, [2, 2]),
        (0.5, 3.0, [14, 8]),
    ],
)
def test_encoder_loss(detector, losses, image, latent, expected):
    detector.set_params(image_weight=image, latent_weight=latent)
    assert losses(detector._inverse, X)["encoder"].tolist() == pytest.approx(expected)


def test_who_learns_from_what(detector, losses):
    # D(fake) = D(1) = 6: the critic's loss is 6 - D(x), the generator's -6, to which "joint" adds the encoder's 16, 4.
    joint = losses(detector._adversarial, X)
    assert list(joint) == ["critic", "generator"]
    assert joint["critic"].tolist() == [6 - 11, 6 + 4]
    assert joint["generator"].tolist() == [-6 + 16, -6 + 4]
    beside = losses(detector.set_params(encoder="beside")._adversarial, X)
    assert list(beside) == ["critic", "generator", "encoder"]
    assert beside["generator"].tolist() == [-6, -6]
    assert beside["encoder"].tolist() == [16, 4]
    assert list(losses(detector.set_params(encoder="after")._adversarial, X)) == ["critic", "generator"]


def test_critics_turns(detector, losses):
    detector.set_params(n_critic=2)
    assert list(losses(detector._adversarial, X, iteration=0)) == ["critic"]
    assert list(losses(detector._adversarial, X, iteration=1)) == ["critic", "generator"]


def test_an_encoder_beside_or_after_leaves_the_gan_as_it_is():
    # Batch norm included: the generator's statistics are those of its own samples.
    settings = JointEncoderGAN.tiny | {"epochs": 3, "random_state": 0, "backbone": MLP(hidden=(8,), norm="batch")}
    kinds = ("beside", "after", "joint")
    beside, after, joint = (JointEncoderGAN(**settings, encoder=kind).fit(rows()) for kind in kinds)
    for name in ("generator", "critic"):
        first, second, third = (d.networks_[name].state_dict() for d in (beside, after, joint))
        assert all(torch.equal(second[key], value) for key, value in first.items())
        assert not all(torch.equal(third[key], value) for key, value in first.items())
    assert not torch.equal(*(next(d.networks_["encoder"].parameters()) for d in (beside, after)))
    assert [record.phase for record in after.history_] == 3 * ["adversarial"] + 3 * ["inverse"]


def test_passes_of_a_later_encoder():
    detector = JointEncoderGAN(**JointEncoderGAN.tiny, encoder="after", encoder_epochs=2, random_state=0).fit(rows())
    assert [record.phase for record in detector.history_] == ["adversarial", "inverse", "inverse"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"encoder": "before"}, "encoder must be one of joint, beside, after"),
        ({"image_weight": 0.0}, "one of them above 0, but they are 0.0 and 0.0"),
        ({"latent_weight": -1.0}, "of 0 or more.*1.0 and -1.0"),
        ({"n_critic": 0}, "n_critic must be"),
    ],
)
def test_wrong_settings(wrong, message):
    with pytest.raises(InputError, match=message):
        JointEncoderGAN(**JointEncoderGAN.tiny | wrong).fit(rows())
