"""How critics put inputs together."""

import pytest
import torch
from torch import nn

from oddgan._core.errors import InputError
from oddgan.networks import ConvLadder, ResNet
from oddgan.networks.critics import Critic, JointCritic, join


def test_join() -> None:
    assert join((3, 8, 8), ()) == ((3, 8, 8), 0)
    assert join((3, 8, 8), ((5,), (1, 8, 8), (2,))) == ((4, 8, 8), 7)
    assert join((3,), ((5,),)) == ((8,), 0)


@pytest.mark.parametrize("other", [(3, 8, 9), (3, 8), (), (1, 3, 8, 8), (0, 8, 8), (0,)])
def test_join_needs_samples_of_one_size(other: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"can't judge inputs of shapes \(3, 8, 8\) and .* together"):
        join((3, 8, 8), (other,))


def test_join_wants_samples_first() -> None:
    with pytest.raises(InputError, match="the samples come first"):
        join((5,), ((3, 8, 8),))


def test_critic_is_a_head_on_its_features() -> None:
    critic = Critic([nn.Identity()], nn.Linear(3, 1, bias=False), "default")
    nn.init.ones_(critic.head.weight)
    judged = critic(torch.tensor([[1.0, 2.0]]), torch.tensor([[4.0]]))
    assert judged.features.tolist() == [[1, 2, 4]]
    assert judged.logit.tolist() == [7]


def test_joint_critic_adds_its_branches() -> None:
    head = nn.Linear(2, 1, bias=False)
    nn.init.ones_(head.weight)
    critic = JointCritic([nn.Flatten()], [nn.Identity()], [nn.ReLU(), head], "default")
    judged = critic(torch.tensor([[[1.0, 2.0]]]), torch.tensor([[-3.0, 5.0]]))
    assert judged.features.tolist() == [[0, 7]]  # relu(1 - 3), relu(2 + 5)
    assert judged.logit.tolist() == [7]


@pytest.mark.parametrize("backbone", [ConvLadder(width=4), ResNet(width=4)])
def test_features_of_samples_with_codes_are_a_layer_of_16_widths(backbone: ConvLadder | ResNet) -> None:
    critic = backbone.critic((1, 8, 8), (5,))
    assert critic(torch.randn(2, 1, 8, 8), torch.randn(2, 5)).features.shape == (2, 16 * 4)


@pytest.mark.parametrize("backbone", [ConvLadder(width=4), ResNet(width=4)])
def test_codes_are_judged_by_their_own_network(backbone: ConvLadder | ResNet) -> None:
    critic = backbone.critic((5,), (5,))
    assert critic(torch.randn(2, 5), torch.randn(2, 5)).features.shape == (2, 512), "codes has one layer of 512"
