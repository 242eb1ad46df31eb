"""Published networks, layer by layer. Numbers of parameters are counted by hand from the published layers."""

from itertools import pairwise

import pytest
import torch
from torch import nn

from oddgan.networks import (
    AAE_MLP,
    ALAD_ARRHYTHMIA,
    ALAD_CIFAR10,
    ALAD_DENSE,
    ALAD_DENSE_PAIRS,
    ALAD_KDD,
    ALAD_PAIRS,
    ARAE_MLP,
    BEATGAN_1D,
    DCGAN_32,
    EGBAD_DENSE,
    EGBAD_KDD,
    EGBAD_MNIST,
    FANOGAN_RESNET_64,
    GANOMALY_32,
    GPND_32,
    Backbone,
    ConvLadder,
    FlatMLP,
)

CONVOLUTIONS = nn.Conv1d | nn.Conv2d | nn.ConvTranspose1d | nn.ConvTranspose2d


def layers(network: nn.Module) -> list[tuple[int, int, int, int, int]]:
    """In and out channels, kernel, stride and padding of each convolution, in order."""
    found = [m for m in network.modules() if isinstance(m, CONVOLUTIONS)]
    return [(m.in_channels, m.out_channels, m.kernel_size[0], m.stride[0], m.padding[0]) for m in found]


def kinds(network: nn.Module) -> list[str]:
    """The names of the layers in order, without containers."""
    return [type(m).__name__ for m in network.modules() if not list(m.children())]


def count(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize("preset", [DCGAN_32, GANOMALY_32])
@pytest.mark.parametrize("c", [1, 3])
def test_dcgan_and_ganomaly_at_32(preset: ConvLadder, c: int) -> None:
    encoder, decoder, critic = (
        preset.encoder((c, 32, 32), 100),
        preset.decoder(100, (c, 32, 32)),
        preset.critic((c, 32, 32)),
    )
    down = [(c, 64, 4, 2, 1), (64, 128, 4, 2, 1), (128, 256, 4, 2, 1)]
    assert layers(encoder) == [*down, (256, 100, 4, 1, 0)]
    assert layers(critic) == [*down, (256, 1, 4, 1, 0)]
    assert layers(decoder) == [(100, 256, 4, 1, 0), (256, 128, 4, 2, 1), (128, 64, 4, 2, 1), (64, c, 4, 2, 1)]
    # Kernels of 16 weights without biases, gain and shift per normalised channel.
    levels = 16 * (c * 64 + 64 * 128 + 128 * 256)
    assert count(encoder) == levels + 2 * (128 + 256) + 16 * 256 * 100
    assert count(critic) == levels + 2 * (128 + 256) + 16 * 256
    assert count(decoder) == levels + 2 * (256 + 128 + 64) + 16 * 100 * 256
    assert critic(torch.randn(2, c, 32, 32)).features.shape == (2, 256, 4, 4)


def test_order_of_dcgan_layers() -> None:
    norm = ["BatchNorm2d"]
    down = ["Conv2d", "LeakyReLU", *2 * ["Conv2d", *norm, "LeakyReLU"], "Conv2d", "Flatten"]
    assert kinds(DCGAN_32.critic((3, 32, 32))) == down
    up = ["Unflatten", *3 * ["ConvTranspose2d", *norm, "ReLU"], "ConvTranspose2d", "Tanh"]
    assert kinds(DCGAN_32.decoder(100, (3, 32, 32), output="tanh")) == up
    slopes = {m.negative_slope for m in DCGAN_32.critic((3, 32, 32)).modules() if isinstance(m, nn.LeakyReLU)}
    assert slopes == {0.2}


def test_beatgan_at_320() -> None:
    encoder, decoder, critic = (
        BEATGAN_1D.encoder((1, 320), 50),
        BEATGAN_1D.decoder(50, (1, 320)),
        BEATGAN_1D.critic((1, 320)),
    )
    widths = [1, 32, 64, 128, 256, 512]
    down = [(a, b, 4, 2, 1) for a, b in pairwise(widths)]
    assert layers(encoder) == [*down, (512, 50, 10, 1, 0)]
    assert layers(critic) == [*down, (512, 1, 10, 1, 0)]
    assert layers(decoder) == [(50, 512, 10, 1, 0), *[(b, a, 4, 2, 1) for a, b, *_ in reversed(down)]]
    levels = 4 * (32 + 32 * 64 + 64 * 128 + 128 * 256 + 256 * 512)
    # The first level is not normalised on the way down; on the way up all but the output are.
    assert count(encoder) == levels + 2 * (64 + 128 + 256 + 512) + 512 * 50 * 10
    assert count(critic) == levels + 2 * (64 + 128 + 256 + 512) + 512 * 10
    assert count(decoder) == levels + 2 * (512 + 256 + 128 + 64 + 32) + 50 * 512 * 10
    assert critic(torch.randn(2, 1, 320)).features.shape == (2, 512, 10)


def block(before: int, after: int, middle: int) -> int:
    """Two norms, a 3 x 3 convolution without and one with bias, a 1 x 1 shortcut with bias."""
    first, second = 9 * before * middle, 9 * middle * after + after
    return 2 * before + first + 2 * middle + second + before * after + after


def test_fanogan_at_64() -> None:
    shape = (1, 64, 64)
    encoder = FANOGAN_RESNET_64.encoder(shape, 128, output="tanh")
    decoder, critic = FANOGAN_RESNET_64.decoder(128, shape, output="tanh"), FANOGAN_RESNET_64.critic(shape)
    widths = [64, 128, 256, 512, 512]
    pairs = list(pairwise(widths))
    # Down, the first convolution of a block keeps the channels; up, it changes them.
    down = 9 * 64 + 64 + sum(block(a, b, a) for a, b in pairs)
    assert count(critic) == down + 512 * 4 * 4 + 1
    assert count(encoder) == down + 512 * 4 * 4 * 128 + 128
    up = (128 + 1) * 512 * 4 * 4 + sum(block(b, a, a) for a, b in pairs) + 2 * 64 + 9 * 64 + 1
    assert count(decoder) == up
    assert critic(torch.randn(2, *shape)).features.shape == (2, 512 * 4 * 4)
    assert not any(isinstance(m, nn.BatchNorm2d) for m in critic.modules())
    assert not any(isinstance(m, nn.GroupNorm) for m in encoder.modules())
    assert [m.out_channels for m in decoder.modules() if isinstance(m, nn.Conv2d) and m.kernel_size == (1, 1)] == [
        512,
        256,
        128,
        64,
    ]


def test_order_of_a_block() -> None:
    down = kinds(FANOGAN_RESNET_64.encoder((1, 64, 64), 128))
    path = ["BatchNorm2d", "ReLU", "Conv2d", "BatchNorm2d", "ReLU", "Conv2d", "AvgPool2d"]
    assert down == ["Conv2d", *4 * [*path, "AvgPool2d", "Conv2d"], "Flatten", "Linear"]
    up = kinds(FANOGAN_RESNET_64.decoder(128, (1, 64, 64)))
    path = ["BatchNorm2d", "ReLU", "Grow", "Conv2d", "BatchNorm2d", "ReLU", "Conv2d"]
    assert up == ["Linear", "Unflatten", *4 * [*path, "Grow", "Conv2d"], "BatchNorm2d", "ReLU", "Conv2d"]


def test_egbad_at_28() -> None:
    shape, z = (1, 28, 28), 200
    encoder, decoder = EGBAD_MNIST.encoder(shape, z), EGBAD_MNIST.decoder(z, shape, output="tanh")
    assert layers(encoder) == [(1, 32, 3, 1, 1), (32, 64, 3, 2, 1), (64, 128, 3, 2, 1), (128, z, 7, 1, 0)]
    assert layers(decoder) == [(128, 64, 4, 2, 1), (64, 1, 4, 2, 1)]
    # E: weights and biases, gain and shift of 64 and 128 channels. A kernel as large as the map is a linear layer.
    convolutions = (9 + 1) * 32 + (9 * 32 + 1) * 64 + (9 * 64 + 1) * 128
    assert count(encoder) == convolutions + 2 * (64 + 128) + (7 * 7 * 128 + 1) * z
    # G: linear 1024 and 7·7·128, each normalised.
    linear = (z + 1) * 1024 + 2 * 1024 + (1024 + 1) * 7 * 7 * 128 + 2 * 7 * 7 * 128
    assert count(decoder) == linear + 16 * 128 * 64 + 2 * 64 + 16 * 64
    critic = EGBAD_MNIST.critic(shape, (z,))
    assert layers(critic) == [(1, 64, 4, 2, 1), (64, 64, 4, 2, 1)]
    branches = 16 * 64 + 16 * 64 * 64 + 2 * 64 + (z + 1) * 512
    assert count(critic) == branches + (7 * 7 * 64 + 512 + 1) * 1024 + 1024 + 1
    assert [m.p for m in critic.modules() if isinstance(m, nn.Dropout)] == 4 * [0.5]
    slopes = [
        m.negative_slope for network in (encoder, critic) for m in network.modules() if isinstance(m, nn.LeakyReLU)
    ]
    assert slopes == (3 + 4) * [0.1]


def widths(network: nn.Module) -> list[tuple[int, int]]:
    return [(m.in_features, m.out_features) for m in network.modules() if isinstance(m, nn.Linear)]


@pytest.mark.parametrize(
    ("preset", "d", "m", "inwards", "outwards", "met"),
    [
        (EGBAD_KDD, 121, 32, [64], [64, 128], 128),
        (ALAD_KDD, 121, 32, [64], [64, 128], 128),
        (ALAD_ARRHYTHMIA, 274, 64, [256, 128], [128, 256], 256),
    ],
)
def test_networks_for_tables(
    preset: Backbone, d: int, m: int, inwards: list[int], outwards: list[int], met: int
) -> None:
    assert widths(preset.encoder((d,), m)) == list(pairwise([d, *inwards, m]))
    assert widths(preset.decoder(m, (d,))) == list(pairwise([m, *outwards, d]))
    # Two branches of 128; the layer in which they meet is one map of each.
    assert widths(preset.critic((d,), (m,))) == [(d, 128), (128, met), (m, 128), (128, met), (met, 1)]


def test_alad_at_32() -> None:
    shape, z = (3, 32, 32), 100
    down = [(3, 128, 4, 2, 1), (128, 256, 4, 2, 1), (256, 512, 4, 2, 1)]
    encoder, decoder = ALAD_CIFAR10.encoder(shape, z), ALAD_CIFAR10.decoder(z, shape, output="tanh")
    assert layers(encoder) == [*down, (512, z, 4, 1, 0)]
    assert layers(decoder) == [(z, 512, 4, 1, 0), *[(b, a, 4, 2, 1) for a, b, *_ in reversed(down)]]
    assert kinds(encoder)[:3] == ["Conv2d", "BatchNorm2d", "LeakyReLU"]
    critic = ALAD_CIFAR10.critic(shape, (z,))
    assert layers(critic) == down
    assert widths(critic) == [(512 * 4 * 4, 1024), (z, 512), (512, 512), (512, 1024), (1024, 1)]
    pairs = ALAD_PAIRS.critic(shape, shape)
    # x and x̂ are six channels; the kernel that is as large as the last map is a linear layer.
    assert layers(pairs) == [(6, 64, 5, 2, 2), (64, 128, 5, 2, 2), (128, 1, 8, 1, 0)]
    assert kinds(pairs) == [*2 * ["Conv2d", "LeakyReLU", "Dropout"], "Conv2d", "Flatten"]
    assert widths(ALAD_PAIRS.critic((121,), (121,))) == [(242, 128), (128, 1)]


def test_gpnd_at_32() -> None:
    shape = (1, 32, 32)
    down = [(1, 64, 4, 2, 1), (64, 256, 4, 2, 1), (256, 512, 4, 2, 1)]
    assert layers(GPND_32.encoder(shape, 16)) == [*down, (512, 16, 4, 1, 0)]
    assert layers(GPND_32.critic(shape)) == [*down, (512, 1, 4, 1, 0)]
    up = [(16, 256, 4, 1, 0), (256, 256, 4, 2, 1), (256, 128, 4, 2, 1), (128, 1, 4, 2, 1)]
    assert layers(GPND_32.decoder(16, shape)) == up
    assert count(GPND_32.critic((16,))) == 17 * 128 + 129 * 128 + 129


@pytest.mark.parametrize(("preset", "widths"), [(ARAE_MLP, [784, 512, 256, 128]), (AAE_MLP, [784, 1000, 1000, 8])])
def test_fully_connected_at_28(preset: FlatMLP, widths: list[int]) -> None:
    shape = (1, 28, 28)
    linear = sum((a + 1) * b for a, b in pairwise(widths))
    assert count(preset.encoder(shape, widths[-1], output="sigmoid")) == linear
    assert count(preset.decoder(widths[-1], shape)) == sum((b + 1) * a for a, b in pairwise(widths))
    chosen = {ARAE_MLP: "Sigmoid", AAE_MLP: "LeakyReLU"}[preset]  # of slope 0, which is a ReLU
    assert set(kinds(preset.encoder(shape, 5))) == {"Flatten", "Linear", chosen}


def test_presets_serve_other_sizes_too() -> None:
    DCGAN_32.check((3, 45, 28))
    BEATGAN_1D.check((2, 187))
    FANOGAN_RESNET_64.check((3, 32, 32))
    EGBAD_MNIST.check((3, 45, 28))
    ALAD_PAIRS.check((1, 8, 8))


@pytest.mark.parametrize("backbone", [EGBAD_DENSE, ALAD_DENSE], ids=["EGBAD", "ALAD"])
@pytest.mark.parametrize("shape", [(5,), (1, 12), (1, 8, 8)], ids=["table", "series", "image"])
def test_dense_bidirectional_networks_hold_codes_in_place(backbone, shape):
    encoder, decoder = backbone.encoder(shape, 3), backbone.decoder(3, shape)
    # Behind each hidden layer of E and G, and nowhere in the critic.
    kinds = [[type(layer).__name__ for layer in network.modules()] for network in (encoder, decoder)]
    assert [names.count("BatchNorm1d") for names in kinds] == [2, 2]
    codes = encoder(torch.randn(6, *shape))
    assert decoder(codes).shape == (6, *shape)
    assert not any(isinstance(layer, nn.BatchNorm1d) for layer in backbone.critic(shape, (3,)).modules())
    assert ALAD_DENSE_PAIRS.critic(shape, shape)(*2 * [torch.randn(6, *shape)]).logit.shape == (6,)
