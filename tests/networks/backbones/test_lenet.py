"""The bias-free LeNets of Deep SVDD. Numbers of parameters are counted by hand from the published layers."""

import math

import pytest
import torch
from torch import nn

from oddgan._core.errors import InputError
from oddgan._core.parts import from_spec, to_spec
from oddgan.networks import DEEP_SVDD, DEEP_SVDD_32, MLP, LeNet, prepare

IMAGE, ODD, SERIES = (1, 28, 28), (3, 17, 12), (2, 45)


def count(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def kinds(network: nn.Module) -> list[str]:
    return [type(m).__name__ for m in network.modules() if not list(m.children())]


def test_published_encoders() -> None:
    # MNIST: 28 -> 14 -> 7, kernels of 25 weights, no biases; CIFAR-10: 32 -> 16 -> 8 -> 4.
    mnist = DEEP_SVDD(IMAGE).encoder(IMAGE, 32)
    assert count(mnist) == 25 * (1 * 8 + 8 * 4) + 4 * 7 * 7 * 32
    block = ["Conv2d", "BatchNorm2d", "LeakyReLU", "MaxPool2d"]
    assert kinds(mnist) == [*block, *block, "Flatten", "Linear"]
    cifar = DEEP_SVDD_32.encoder((3, 32, 32), 128)
    assert count(cifar) == 25 * (3 * 32 + 32 * 64 + 64 * 128) + 128 * 4 * 4 * 128
    assert kinds(cifar) == [*3 * block, "Flatten", "Linear"]
    assert {m.eps for m in mnist.modules() if isinstance(m, nn.BatchNorm2d)} == {1e-4}
    assert {m.negative_slope for m in mnist.modules() if isinstance(m, nn.LeakyReLU)} == {0.01}


def test_decoder_mirrors_the_encoder() -> None:
    decoder = LeNet(widths=(8, 4)).decoder(32, IMAGE, output="sigmoid")
    assert count(decoder) == 32 * 4 * 7 * 7 + 25 * (4 * 8 + 8 * 1)
    block = ["Grow", "Conv2d", "BatchNorm2d", "LeakyReLU"]
    assert kinds(decoder) == ["Linear", "Unflatten", "LeakyReLU", *block, "Grow", "Conv2d", "Sigmoid"]


@pytest.mark.parametrize("shape", [IMAGE, ODD, SERIES])
@pytest.mark.parametrize("norm", ["batch", "none"])
def test_nothing_adds_a_constant(shape: tuple[int, ...], norm: str) -> None:
    lenet = LeNet(widths=(4, 6), norm=norm, critic_norm=norm, codes=MLP(hidden=(5,), bias=False))
    every = [lenet.encoder(shape, 3), lenet.decoder(3, shape), lenet.critic(shape), lenet.critic(shape, (3,))]
    assert not [name for network in every for name, _ in network.named_parameters() if name.endswith("bias")]


@pytest.mark.parametrize("shape", [IMAGE, ODD, SERIES])
def test_zero_goes_to_zero_without_norm(shape: tuple[int, ...]) -> None:
    lenet = LeNet(widths=(4, 6), norm="none")
    assert not lenet.encoder(shape, 3)(torch.zeros(2, *shape)).any()
    assert not lenet.decoder(3, shape)(torch.zeros(2, 3)).any()
    assert not lenet.critic(shape)(torch.zeros(2, *shape)).logit.any()


def test_tables_without_biases() -> None:
    for norm in ("none", "batch", "layer"):
        mlp = MLP(hidden=(7, 4), bias=False, norm=norm, critic_norm=norm, init="dcgan")
        assert count(mlp.encoder((5,), 3)) == 5 * 7 + 7 * 4 + 4 * 3
        assert count(mlp.decoder(3, (5,))) == 3 * 4 + 4 * 7 + 7 * 5
        assert count(mlp.critic((5,))) == 5 * 7 + 7 * 4 + 4


@pytest.mark.parametrize("shape", [IMAGE, ODD, SERIES])
def test_shapes(shape: tuple[int, ...]) -> None:
    lenet, x, z = LeNet(widths=(4, 6)), torch.randn(3, *shape), torch.randn(3, 5)
    assert lenet.encoder(shape, 5)(x).shape == (3, 5)
    assert lenet.decoder(5, shape)(z).shape == x.shape
    last = (6, *(math.ceil(side / 4) for side in shape[1:]))
    for judged, features in [
        (lenet.critic(shape)(x), last),
        (lenet.critic(shape, shape)(x, x), last),
        (lenet.critic(shape, (5,))(x, z), (128,)),
        (lenet.critic((5,))(z), (128,)),
    ]:
        assert judged.logit.shape == (3,)
        assert judged.features.shape == (3, *features)


@pytest.mark.parametrize("shape", [IMAGE, ODD, SERIES])
def test_prepared_copies_compute_the_same(shape: tuple[int, ...]) -> None:
    lenet = LeNet(widths=(4, 6), critic_norm="batch")
    cases = [(lenet.encoder(shape, 5), shape), (lenet.decoder(5, shape), (5,)), (lenet.critic(shape), shape)]
    for network, taken in cases:
        x = torch.randn(4, *taken, dtype=torch.float64)
        network.double()(3 * x + 1)  # statistics that are not 0 and 1
        a, b = network.eval()(x), prepare(network, dtype=torch.float64)(x)
        for left, right in zip(*([y] if torch.is_tensor(y) else y[:2] for y in (a, b)), strict=True):
            assert torch.allclose(left, right, rtol=1e-10, atol=1e-12)


def test_spectral_norm_bounds_encoder_and_critic() -> None:
    lenet = LeNet(widths=(4, 6)).with_spectral_norm()
    for network in (lenet.encoder(IMAGE, 5), lenet.critic(IMAGE), lenet.critic((5,))):
        weights = [m.weight for m in network.eval().modules() if isinstance(m, nn.Linear | nn.Conv2d)]
        assert all(torch.linalg.matrix_norm(w.flatten(1), ord=2) < 1.1 for w in weights)


CHANGES = {
    "widths": (5, 6),
    "kernel": 3,
    "slope": 0.5,
    "norm": "none",
    "critic_norm": "batch",
    "feature_layer": 1,
    "spectral_norm": True,
    "init": "he",
    "codes": MLP(hidden=(3,)),
}


def outputs(lenet: LeNet) -> torch.Tensor:
    torch.manual_seed(0)
    every = lenet.encoder(ODD, 4), lenet.decoder(4, ODD), lenet.critic(ODD), lenet.critic((4,))
    x, z = torch.randn(5, *ODD), torch.randn(5, 4)
    encoder, decoder, critic, codes = every
    judged = (value.flatten() for value in critic(x)[:2])
    return torch.cat([encoder(x).flatten(), decoder(z).flatten(), *judged, codes(z).logit])


@pytest.mark.parametrize("name", LeNet.__dataclass_fields__)
def test_every_option_matters(name: str) -> None:
    assert not torch.equal(outputs(LeNet(widths=(4, 6))), outputs(LeNet(**{"widths": (4, 6)} | {name: CHANGES[name]})))


@pytest.mark.parametrize("shape", [(), (5,), (0, 8, 8), (1, 3, 28), (2, 3), (1, 2, 8, 8)])
def test_shapes_that_cannot_be_halved(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"LeNet can't serve samples of shape .*sides of at least 4 for its 2 blocks"):
        LeNet(widths=(8, 4)).check(shape)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"widths": ()}, "at least one block"),
        ({"widths": (4, 0)}, "widths must be a whole number"),
        ({"kernel": 4}, "kernel=4 must be odd"),
        ({"slope": -0.1}, "slope=-0.1"),
        ({"norm": "layer"}, "norm must be one of batch, none"),
        ({"init": "zeros"}, "init must be one of"),
    ],
)
def test_wrong_options(wrong: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        LeNet(**wrong)


def test_stored_as_json() -> None:
    spec = to_spec(DEEP_SVDD_32, {}, "backbone")
    assert from_spec(spec, {"LeNet": LeNet, "MLP": MLP}, {}) == DEEP_SVDD_32
