import torch
from torch import nn

from oddgan.inversion import EncoderInversion


def test_one_pass_without_search_or_gradients():
    encoder, generator = nn.Linear(3, 2), nn.Linear(2, 3)
    x = torch.randn(5, 3)
    found = EncoderInversion()(x, generator, encoder, lambda x, y: (x - y).square().sum(dim=1))
    assert torch.equal(found.z, encoder(x))
    assert torch.equal(found.x, generator(encoder(x)))
    assert torch.equal(found.loss, (x - found.x).square().sum(dim=1))
    assert found.steps.tolist() == [0] * 5
    assert found.steps.dtype == torch.int64
    assert found.converged.tolist() == [True] * 5
    assert not any(value.requires_grad for value in found)
