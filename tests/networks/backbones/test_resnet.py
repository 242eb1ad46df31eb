"""Residual networks."""

import torch
from torch import nn

from oddgan.networks import ResNet
from oddgan.networks.blocks import Grow, Residual


def test_grow_repeats_and_cuts() -> None:
    x = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    assert Grow((2, 2), (3, 2))(x).tolist() == [[[[1, 2], [1, 2], [3, 4]]]]
    assert Grow((2,), (4,))(x[0]).tolist() == [[[1, 1, 2, 2], [3, 3, 4, 4]]]


def test_halving_averages_what_is_there() -> None:
    # A side of 3 becomes 2; the second value is its only element, not half of it.
    critic = ResNet(width=2, critic_norm="none").critic((1, 5))
    pool = next(m for m in critic.modules() if isinstance(m, nn.AvgPool1d))
    assert pool(torch.tensor([[[2.0, 4.0, 7.0]]])).tolist() == [[[3, 7]]]


def test_residual_is_a_sum() -> None:
    assert Residual([nn.ReLU()], [nn.Identity()])(torch.tensor([-1.0, 2.0])).tolist() == [-1, 4]


def test_features_are_the_last_map_flattened() -> None:
    critic = ResNet(width=2).critic((1, 32, 32))
    judged = critic(torch.randn(3, 1, 32, 32))
    assert judged.features.shape == (3, 16 * 4 * 4)
    assert torch.allclose(critic.head(judged.features)[:, 0], judged.logit)


def test_each_network_has_its_norm() -> None:
    resnet = ResNet(width=2)
    batch = [isinstance(m, nn.BatchNorm2d) for m in resnet.encoder((1, 16, 16), 3).modules()]
    layer = [isinstance(m, nn.GroupNorm) for m in resnet.critic((1, 16, 16)).modules()]
    assert sum(batch) == sum(layer) == 4, "two per block, two blocks from 16 to 4 px"
    assert not any(isinstance(m, nn.BatchNorm2d) for m in resnet.critic((1, 16, 16)).modules())
