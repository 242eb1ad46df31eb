"""What a moving average follows."""

import torch
from torch import nn

from oddgan.training.ema import Ema, followed


def test_statistics_of_batch_norm_are_averaged_with_the_weights() -> None:
    network = nn.Sequential(nn.Linear(1, 1, bias=False), nn.BatchNorm1d(1, momentum=1.0, affine=False)).eval()
    nn.init.ones_(network[0].weight)
    network[1].running_mean.fill_(10.0)
    ema = Ema(followed(network), 0.5)
    with torch.no_grad():
        network[0].weight.fill_(3.0)
        network[1].running_mean.fill_(30.0)
    ema.step()  # the first step has a decay of 1 / 10: 0.1 · 1 + 0.9 · 3 and 0.1 · 10 + 0.9 · 30
    with ema.applied():
        assert network[0].weight.item() == torch.tensor(2.8)
        assert network[1].running_mean.item() == torch.tensor(28.0)
        # An input that both weights put at their mean stays there.
        torch.testing.assert_close(network(torch.tensor([[10.0]])), torch.zeros(1, 1))
    assert (network[0].weight.item(), network[1].running_mean.item()) == (3.0, 30.0)


def test_counters_and_networks_without_batch_norm() -> None:
    assert len(list(followed(nn.Linear(2, 3)))) == 2
    assert all(t.is_floating_point() for t in followed(nn.BatchNorm1d(2)))
    assert len(list(followed(nn.BatchNorm1d(2, track_running_stats=False)))) == 2
