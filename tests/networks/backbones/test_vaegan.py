"""The β-VAEGAN's ladder, layer by layer."""

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrize

from oddgan.networks import VAEGAN_1D, HeadedLadder

SMALL = HeadedLadder(width=4, max_width=16)


def convolutions(network: nn.Module) -> list[nn.Conv1d | nn.Conv2d]:
    return [m for m in network.modules() if isinstance(m, nn.Conv1d | nn.Conv2d)]


def normed(network: nn.Module) -> list[bool]:
    """Which convolutions have spectral norm, in order."""
    return [parametrize.is_parametrized(layer, "weight") for layer in convolutions(network)]


def test_published_networks_at_320() -> None:
    encoder, critic = VAEGAN_1D.encoder((1, 320), 100), VAEGAN_1D.critic((1, 320))
    found = [(m.in_channels, m.out_channels, m.kernel_size[0]) for m in convolutions(encoder)]
    down = [(1, 32, 4), (32, 64, 4), (64, 128, 4), (128, 256, 4), (256, 512, 4)]
    assert found == [*down, (512, 32, 1), (32, 100, 10)]
    # Batch norm from the second level on, and before the code; the kernels of 4 and 1 have no bias, the last has.
    kernels = 4 * (32 + 32 * 64 + 64 * 128 + 128 * 256 + 256 * 512) + 512 * 32
    norms = 2 * (64 + 128 + 256 + 512 + 32)
    assert sum(p.numel() for p in encoder.parameters()) == kernels + norms + 32 * 100 * 10 + 100
    assert encoder(torch.randn(2, 1, 320)).shape == (2, 100)
    assert [(m.in_channels, m.out_channels, m.kernel_size[0]) for m in convolutions(critic)] == [*down, (512, 1, 10)]
    assert normed(critic) == [False, True, True, True, True, False]  # convolutions 2 to 5
    assert not any(isinstance(m, nn.BatchNorm1d) for m in critic.modules())
    assert critic(torch.randn(2, 1, 320)).features.shape == (2, 512, 10)


@pytest.mark.parametrize("shape", [(1, 187), (2, 16), (1, 5), (3, 28, 33), (1, 8, 8)])
def test_any_size(shape: tuple[int, ...]) -> None:
    x = torch.randn(3, *shape)
    assert SMALL.encoder(shape, 6, output="tanh")(x).shape == (3, 6)
    assert SMALL.critic(shape)(x).logit.shape == (3,)
    assert SMALL.decoder(6, shape)(torch.randn(3, 6)).shape == x.shape


def test_spectral_norm_everywhere_is_taken_once() -> None:
    both = SMALL.with_spectral_norm()
    assert all(normed(both.critic((1, 64))) + normed(both.encoder((1, 64), 3)))
    assert all(len(m.parametrizations.weight) == 1 for m in convolutions(both.critic((1, 64))))
    assert not any(normed(SMALL.encoder((1, 64), 3)))


def test_inner_weights_have_norm_one() -> None:
    torch.manual_seed(0)
    critic = SMALL.critic((1, 64))
    inner = convolutions(critic)[1:-1]
    for _ in range(50):  # the power iteration takes a step at each reading in training mode
        norms = [torch.linalg.matrix_norm(layer.weight.flatten(1), ord=2).item() for layer in inner]
    assert norms == pytest.approx([1.0] * len(inner), rel=1e-3)


def test_width_of_the_head_counts() -> None:
    wide = HeadedLadder(width=4, max_width=16, head=7).encoder((1, 64), 3)
    assert [m.out_channels for m in convolutions(wide)][-2:] == [7, 3]
