from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch.nn.functional import softplus

from oddgan import InputError
from oddgan.detectors import ALOCC
from oddgan.networks import MLP, Refiner
from oddgan.objectives import WGANGP, Minimax
from oddgan.scaling import MinMax
from oddgan.scores import WeightedSum
from oddgan.similarities import L2
from oddgan.training import Clock, Corruption

X = torch.tensor([[1.0, 3.0]])
ROWS = np.random.default_rng(0).normal(size=(20, 3))
SMALL = {"refiner": Refiner(widths=(8,)), "backbone": MLP(hidden=(8,)), "batch_size": 10, "random_state": 0}
PAPER = {"noise": 0.0, "reference": "rows", "composition": WeightedSum(refined=1.0)}


@pytest.fixture
def detector(ready, linear, judge):
    """The paper's game. Without noise R(1, 3) = (2, 3); D is the sum of x1 and x1 + x2, 5 and 7."""
    refiner, critic = linear([[2.0, 0.0], [0.0, 1.0]]), judge([[1.0, 0.0], [1.0, 1.0]], [1.0, 1.0])
    stored = ALOCC(**PAPER, refiner=Refiner(widths=(4,)), backbone=MLP(hidden=(4,)), similarity=L2())
    found = ready(stored, 2, refiner=refiner, critic=critic)
    fields = found._networks((2,))
    for name in ("distance", "stopped"):
        found.networks_[name] = fields[name]
    return found


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, softplus(torch.tensor(-7.0)).item() + 0.4 * 0.5),  # ‖x - x'‖² = 1, its mean ½
        ({"w_con": 1.0, "similarity": L2(reduction="sum")}, softplus(torch.tensor(-7.0)).item() + 1),
        ({"w_con": 0.0, "objective": Minimax()}, -softplus(torch.tensor(7.0)).item()),  # log(1 - D(x'))
    ],
)
def test_refiner_loss_by_hand(detector, losses, settings, expected):
    assert losses(detector.set_params(**settings)._adversarial, X)["refiner"].item() == pytest.approx(expected)


def test_critic_loss_by_hand(detector, losses):
    found = losses(detector._adversarial, X)
    assert list(found) == ["critic", "refiner"]
    torch.testing.assert_close(found["critic"], softplus(torch.tensor([-5.0])) + softplus(torch.tensor([7.0])))


def test_penalty_of_the_objective_counts(detector, losses):
    # D has the slope (2, 1), of length √5, everywhere. The Wasserstein game is D(x') - D(x) = 2.
    found = losses(detector.set_params(objective=WGANGP())._adversarial, X)["critic"]
    assert found.item() == pytest.approx(2 + 10 * (5**0.5 - 1) ** 2, rel=1e-5)


def test_noise_goes_into_the_refiner_only(detector, losses):
    torch.manual_seed(0)
    eta = 0.5 * torch.randn(1, 2)
    torch.manual_seed(0)
    found = losses(detector.set_params(noise=0.5, w_con=1.0)._adversarial, X)
    refined = (X + eta) * torch.tensor([2.0, 1.0])
    logit = 2 * refined[:, 0] + refined[:, 1]
    torch.testing.assert_close(found["refiner"], softplus(-logit) + (X - refined).square().mean(1))
    torch.testing.assert_close(found["critic"], softplus(torch.tensor([-5.0])) + softplus(logit))


@dataclass(frozen=True, kw_only=True)
class Turned(Corruption):
    """The sign of every value changes."""

    def __call__(self, x):
        return -x


def test_critic_takes_refined_rows_for_real(detector, losses):
    # R doubles x1: R(x) = (2, 3) of x = (1, 3), which D gives 2·2 + 3 = 7, and R(-x) = (-2, -3) gets -7.
    detector.set_params(noise=None, corruption=Turned(), reference="refined", w_con=1.0)
    found = losses(detector._adversarial, X)
    torch.testing.assert_close(found["critic"], 2 * softplus(torch.tensor([-7.0])))
    # Half of the distance to R(x), ½·1², and half of that to R(-x), ½·(3² + 6²).
    torch.testing.assert_close(found["refiner"], softplus(torch.tensor([7.0])) + (0.5 + 22.5) / 2)


def test_critic_teaches_nothing_to_what_it_takes_for_real(detector, losses):
    detector.set_params(noise=None, corruption=Turned(), reference="refined")
    losses(detector._adversarial, X)["critic"].sum().backward()
    assert detector.networks_["refiner"].weight.grad is None


def test_noise_takes_the_place_of_the_corruption(detector, losses):
    plain = losses(detector._adversarial, X)["critic"]
    other = losses(detector.set_params(corruption=Turned())._adversarial, X)["critic"]
    torch.testing.assert_close(plain, other)


def test_default_score_adds_the_standardised_residual():
    found = ALOCC(**SMALL, epochs=1).fit(ROWS)
    parts = found.calibration_.components
    z = sum((parts[k] - parts[k].mean()) / parts[k].std() for k in ("refined", "residual"))
    np.testing.assert_allclose(found.scores_of_calibration(), z, rtol=1e-4, atol=1e-4)


def test_critic_sees_samples_without_their_graph(detector, losses):
    losses(detector._adversarial, X)["critic"].sum().backward()
    assert detector.networks_["refiner"].weight.grad is None
    assert detector.networks_["critic"].head.grad is not None


def test_scores_by_hand(detector):
    parts = detector.score_components(X.numpy(), extra="all")
    assert parts["refined"] == -7  # -D(R(x)), OCC2
    assert parts["critic"] == -5  # -D(x), OCC1
    assert parts["residual"] == 0.5
    assert detector.anomaly_score(X.numpy()) == -7


def clocks(epochs):
    return [Clock(iteration=i, epoch=i // 2, epochs=epochs, batches=2) for i in range(2 * epochs)]


def test_training_ends_after_the_first_epoch_below_the_bound(detector):
    # The distances ‖x - x'‖² = x1²/2: 8 and 2 in the first epoch, mean 5; 2 and ½ in the second, mean 1.25.
    batches = [torch.tensor([[a, 3.0]]) for a in (4.0, 2.0, 2.0, 1.0, 4.0, 4.0)]
    detector.set_params(stop_below=1.5)
    played = [len(list(detector._adversarial(x, clock))) for x, clock in zip(batches, clocks(3), strict=True)]
    assert played == [2, 2, 2, 2, 0, 0]


def test_without_a_bound_training_goes_on(detector):
    played = [len(list(detector._adversarial(torch.zeros(1, 2), clock))) for clock in clocks(3)]
    assert played == [2] * 6


def test_an_early_end_keeps_the_networks():
    # Every distance is below the bound, so that two epochs and one leave the same networks.
    one = ALOCC(**SMALL, epochs=1).fit(ROWS)
    two = ALOCC(**SMALL, epochs=2, stop_below=1e9).fit(ROWS)
    np.testing.assert_array_equal(one.anomaly_score(ROWS), two.anomaly_score(ROWS))
    assert [record.losses.keys() for record in two.history_] == [{"critic", "refiner"}, set()]


@pytest.mark.parametrize(("shape", "inner"), [((1, 28, 28), (64, 2, 2)), ((1, 187), (16, 3))])
def test_innermost_map_holds_less_than_half_of_a_sample(shape, inner):
    # A wide one lets any sample through: 28 - 14 - 7 - 4 - 2 px, 187 - 94 - 47 - 24 - 12 - 6 - 3 points in time.
    found, sizes = ALOCC(), []
    found.shape_, found.scaling_ = shape, MinMax()
    refiner = found._networks(shape)["refiner"]
    for layer in refiner.modules():
        layer.register_forward_hook(lambda *seen: sizes.append(tuple(seen[-1].shape[1:])))
    refiner(torch.zeros(2, *shape))
    assert min(sizes, key=np.prod) == inner


def test_negative_noise_is_refused():
    with pytest.raises(InputError, match=r"noise=-0\.1 must be 0 or more"):
        ALOCC(**SMALL, noise=-0.1).fit(ROWS)
