import pytest
import torch
from scipy import stats
from torch import nn

from oddgan._core.errors import InputError
from oddgan.objectives import R1, GradientPenalty


def linear(x):
    return x.flatten(1) @ torch.tensor([3.0, 4.0])  # the slope is 5 everywhere


def parabola(x):
    return x.flatten(1).square().sum(dim=1) / 2  # the slope at x is ‖x‖


def test_gradient_penalty_of_a_linear_critic():
    x = torch.randn(3, 2)
    assert GradientPenalty()(linear, x, -x).tolist() == pytest.approx([10 * (5 - 1) ** 2] * 3)
    assert GradientPenalty(weight=2, target=5)(linear, x, -x).tolist() == pytest.approx([0] * 3, abs=1e-9)


def test_gradient_penalty_looks_at_one_uniform_point_per_segment():
    torch.manual_seed(0)
    seen = []
    real, fake = torch.ones(2000, 2, 3), torch.zeros(2000, 2, 3)

    def critic(x):
        seen.append(x.detach())
        return parabola(x)

    penalty = GradientPenalty(weight=1, target=0)(critic, real, fake)
    share = seen[0][:, 0, 0]
    assert torch.equal(seen[0], share[:, None, None].expand_as(real))  # all values of a sample share one ε
    assert stats.kstest(share.numpy(), "uniform").pvalue > 1e-3
    torch.testing.assert_close(penalty, 6 * share.square())  # ‖x̃‖² of six values ε


def test_r1_looks_at_the_real_samples_only():
    real = torch.tensor([[3.0, 4.0], [0.0, 1.0]])
    assert R1(weight=10)(parabola, real, torch.full((7, 2), torch.nan)).tolist() == pytest.approx([5 * 25, 5 * 1])


@pytest.mark.parametrize("regulariser", [GradientPenalty(), R1()])
def test_trains_the_critic_and_nothing_else(regulariser):
    critic = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1))
    real, fake = torch.randn(5, 2, requires_grad=True), torch.randn(5, 2, requires_grad=True)
    penalty = regulariser(lambda x: critic(x).squeeze(1), real, fake)
    assert penalty.shape == (5,)
    penalty.sum().backward()
    assert critic[0].weight.grad.abs().sum() > 0
    assert real.grad is None
    assert fake.grad is None


@pytest.mark.parametrize("regulariser", [GradientPenalty(), R1()])
def test_no_slope_gives_no_nan(regulariser):
    weight = torch.ones(2, requires_grad=True)
    x = torch.zeros(1, 2)
    penalty = regulariser(lambda x: (weight * x.square()).sum(dim=1), x, x)
    penalty.sum().backward()
    assert penalty.item() == (10 if isinstance(regulariser, GradientPenalty) else 0)
    assert weight.grad.isfinite().all()


@pytest.mark.parametrize("regulariser", [GradientPenalty(), R1()])
def test_works_where_gradients_are_switched_off(regulariser):
    x = torch.ones(2, 2)
    with torch.no_grad():
        assert (regulariser(linear, x, x) > 0).all()


@pytest.mark.parametrize("regulariser", [GradientPenalty(), R1()])
def test_each_entry_is_about_its_own_sample(regulariser):
    x = torch.randn(4, 2)
    torch.manual_seed(1)
    penalty = regulariser(parabola, x, -x)
    torch.manual_seed(1)
    changed = torch.cat([x[:1], 100 * x[1:]])
    assert regulariser(parabola, changed, -changed)[0] == penalty[0]


def test_unpaired_samples_are_refused():
    with pytest.raises(InputError, match=r"\(3, 2\).*\(4, 2\)"):
        GradientPenalty()(linear, torch.zeros(3, 2), torch.zeros(4, 2))


@pytest.mark.parametrize(
    ("kind", "arguments"), [(GradientPenalty, {"weight": -1}), (GradientPenalty, {"target": -1}), (R1, {"weight": -1})]
)
def test_wrong_arguments(kind, arguments):
    with pytest.raises(InputError, match="=-1: give a finite number of at least 0"):
        kind(**arguments)
