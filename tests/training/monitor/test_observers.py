import pytest
import torch
from torch import nn

from oddgan.networks import Judgement
from oddgan.training.monitor.observers import Looks, judge


def test_judgement_by_hand():
    # Of the four pairs (1, 0), (1, 2), (3, 0), (3, 2) three have the first above the second: |2·3/4 - 1|.
    separation, gap, variation = judge(torch.tensor([1.0, 3.0]), torch.tensor([0.0, 2.0]))
    assert separation == pytest.approx(0.5)
    assert gap == pytest.approx(1)
    # 0, 1, 2, 3: variance 5/4, mean square 14/4.
    assert variation == pytest.approx((5 / 14) ** 0.5)
    assert judge(torch.tensor([0.0, 2.0]), torch.tensor([1.0, 3.0]))[0] == pytest.approx(0.5), "either way round"


def test_a_constant():
    assert judge(torch.full((3,), 2.0), torch.full((4,), 2.0)) == (0, 0, 0)
    assert judge(torch.zeros(3), torch.zeros(4)) == (0, 0, 0)


def networks():
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    for i, rows in enumerate([[[3.0, 0.0], [0.0, 4.0]], [[0.0, 0.0]]]):
        net[i].weight.grad, net[i].bias.grad = torch.tensor(rows), torch.full((len(rows),), 6.0)
    return nn.ModuleDict({"net": net})


def test_gradients_by_hand():
    nets = networks()
    nets["net"][1].weight.grad = torch.tensor([[0.3, 0.4]])
    looks = Looks(every=2)
    looks.update("p", nets, ("net",))
    found = looks.gradients()["p"]
    # All entries: 3² + 4² + 0.3² + 0.4² + 3·6².
    assert found.norm == pytest.approx((25 + 0.25 + 108) ** 0.5)
    # Matrices: √(25/4) and √(0.25/2); biases do not count.
    assert found.depth == pytest.approx((0.25 / 2) ** 0.5 / (25 / 4) ** 0.5)
    assert looks.first() == {"p": found.norm}


def test_every_few_updates_and_the_first_of_an_epoch():
    nets, looks = networks(), Looks(every=3)
    for size in range(5):
        nets["net"][0].bias.grad = torch.full((2,), float(size))
        looks.update("p", nets, ("net",))
    # Looked at: updates 0 and 3; the lower of two is torch's median.
    assert len(looks._norms["p"]) == 2
    looks.start_epoch()
    assert looks.gradients() == {}
    looks.update("p", nets, ("net",))
    assert "p" in looks.gradients()


def test_what_is_not_finite_becomes_the_largest_number():
    nets, looks = networks(), Looks(every=1)
    nets["net"][0].weight.grad.fill_(float("inf"))
    looks.update("p", nets, ("net",))
    assert 1e38 < looks.gradients()["p"].norm < float("inf")


class Critic(nn.Module):
    def forward(self, x):
        return Judgement(x[:, 0], x)


def test_only_the_first_two_calls_before_the_own_update_count():
    nets, looks = nn.ModuleDict({"critic": Critic(), "other": nn.Identity()}), Looks(every=1)
    looks.listen(nets, ["critic", "other", "critic"])
    x = torch.arange(4.0)[:, None]
    nets["critic"](x)  # for another player's loss
    nets["other"](x)
    looks.update("generator", nets, ("other",))
    for shift in (10, 0, 100):  # real, generated, penalty
        nets["critic"](x + shift)
    looks.update("critic", nets, ("critic",))
    judged = looks.judged()
    assert list(judged) == ["critic"]
    assert (judged["critic"].separation, judged["critic"].gap) == (1, 10)
    looks.stop()
    assert not nets["critic"]._forward_hooks
