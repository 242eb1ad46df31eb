"""Prepared copies compute what their networks compute."""

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from oddgan.networks import (
    MLP,
    Backbone,
    ConvLadder,
    Growing,
    Judgement,
    MinibatchStdDev,
    Progressive,
    ResNet,
    prepare,
)

IMAGE, ODD, SERIES, TABLE = (1, 32, 32), (3, 17, 12), (2, 45), (7,)
BACKBONES = [
    ConvLadder(width=8),
    ConvLadder(width=4, norm="none", critic_norm="layer", kernel=5, slope=0.0),
    ConvLadder(width=8, spectral_norm=True),
    ResNet(width=8),
    ResNet(width=8, norm="none", critic_norm="batch", spectral_norm=True),
    ResNet(width=16, norm="group", critic_norm="none"),
    Progressive(width=4, max_width=16),
    Progressive(width=4, max_width=8, sphere=True, spectral_norm=True),
]
CASES = [(backbone, shape) for backbone in BACKBONES for shape in (IMAGE, ODD, SERIES)] + [
    (MLP(norm="batch", critic_norm="batch", dropout=0.5, spectral_norm=True), TABLE),
    (MLP(norm="layer"), TABLE),
]


def trained(network: nn.Module) -> nn.Module:
    """Statistics and parameters of batch norm that are not 0 and 1, as after training."""
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            layer.running_mean.normal_()
            layer.running_var.uniform_(0.5, 2)
            nn.init.uniform_(layer.weight, 0.5, 1.5)
            nn.init.normal_(layer.bias)
        elif isinstance(layer, MinibatchStdDev):
            layer.average.fill_(0.7)
    return network.eval()


def networks(backbone: Backbone, shape: tuple[int, ...]) -> list[tuple[nn.Module, list[tuple[int, ...]]]]:
    """Every kind of network of a backbone, with the shapes of its inputs."""
    return [
        (backbone.encoder(shape, 6), [shape]),
        (backbone.encoder(shape, 6, output="sphere"), [shape]),
        (backbone.decoder(6, shape, output="tanh"), [(6,)]),
        (backbone.critic(shape), [shape]),
        (backbone.critic(shape, shape), [shape, shape]),
        (backbone.critic(shape, (6,)), [shape, (6,)]),
    ]


def parts(y: Any) -> list[Tensor]:
    return [y.logit, y.features] if isinstance(y, Judgement) else [y]


def gradients(network: nn.Module, inputs: list[Tensor]) -> tuple[Any, tuple[Tensor, ...]]:
    inputs = [x.clone().requires_grad_() for x in inputs]
    y = network(*inputs)
    loss = sum(
        (value * torch.linspace(-1, 1, value.numel(), dtype=value.dtype).view_as(value)).sum() for value in parts(y)
    )
    return y, torch.autograd.grad(loss, inputs)


@pytest.mark.parametrize(("backbone", "shape"), CASES, ids=str)
def test_same_mapping_and_gradient_in_float64(backbone: Backbone, shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    for built, shapes in networks(backbone, shape):
        network = trained(built).double()
        inputs = [torch.randn(3, *s, dtype=torch.float64) for s in shapes]
        prepared = prepare(network, dtype=torch.float64)
        (y, dx), (y2, dx2) = gradients(network, inputs), gradients(prepared, inputs)
        assert type(y) is type(y2)
        for a, b in zip([*parts(y), *dx], [*parts(y2), *dx2], strict=True):
            assert a.shape == b.shape
            assert b.dtype == torch.float64
            assert (a - b).abs().max() <= 1e-12 * a.abs().max().clamp(min=1)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(
    ("backbone", "shape"),
    [
        (ConvLadder(width=4), IMAGE),
        (ConvLadder(width=16), IMAGE),
        (ConvLadder(width=16, kernel=3), ODD),
        (ConvLadder(width=16), SERIES),
        (ResNet(width=8), IMAGE),
        (Progressive(width=8), IMAGE),
        (Progressive(width=8), SERIES),
        (MLP(norm="batch"), TABLE),
        (MLP(hidden=(10, 5)), TABLE),
    ],
    ids=str,
)
def test_rows_do_not_see_each_other(backbone: Backbone, shape: tuple[int, ...], dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    for network, shapes in networks(backbone, shape):
        prepared = prepare(trained(network), dtype=dtype)
        for n in (64, 128):
            inputs = [torch.randn(n, *s) for s in shapes]
            order = torch.randperm(n)
            (y, dx), (y2, dx2) = (
                gradients_by_row(prepared, inputs),
                gradients_by_row(prepared, [x[order] for x in inputs]),
            )
            for a, b in zip([*parts(y), *dx], [*parts(y2), *dx2], strict=True):
                assert torch.equal(a[order], b)


def gradients_by_row(network: nn.Module, inputs: list[Tensor]) -> tuple[Any, tuple[Tensor, ...]]:
    inputs = [x.clone().requires_grad_() for x in inputs]
    y = network(*inputs)
    return y, torch.autograd.grad(sum(value.pow(2).sum() for value in parts(y)), inputs)


def test_bfloat16_returns_float32_near_the_original() -> None:
    torch.manual_seed(0)
    for network, shapes in networks(ConvLadder(width=16), IMAGE):
        inputs = [torch.randn(4, *s) for s in shapes]
        y, y2 = network.eval()(*inputs), prepare(network, dtype=torch.bfloat16)(*inputs)
        for a, b in zip(parts(y), parts(y2), strict=True):
            assert b.dtype == torch.float32
            assert (a - b).abs().max() <= 0.03 * a.abs().max()  # bfloat16 keeps 8 bits: 0.4 % per layer


def test_copy_is_frozen_and_leaves_the_network_alone() -> None:
    for spectral in (False, True):
        network = ConvLadder(width=8, spectral_norm=spectral).critic(IMAGE)
        before = copy.deepcopy(network.state_dict())
        prepared = prepare(network)
        assert network.training
        assert all(p.requires_grad for p in network.parameters())
        assert all(torch.equal(v, before[k]) for k, v in network.state_dict().items())
        assert not any(p.requires_grad for p in prepared.parameters())
        x = torch.randn(2, *IMAGE)
        y = prepared(x)
        with torch.no_grad():
            for value in network.parameters():
                value.add_(1)
        assert torch.equal(prepared(x).logit, y.logit)


@pytest.mark.parametrize(
    ("backbone", "shape"),
    [
        (MLP(norm="batch", critic_norm="batch", feature_layer=1), TABLE),
        (ConvLadder(width=8, feature_layer=1), ODD),
        (ConvLadder(width=8, feature_layer=1), SERIES),
        (ResNet(width=8, critic_norm="none", feature_layer=1), IMAGE),
        (ResNet(width=8, critic_norm="batch", feature_layer=1), SERIES),
    ],
    ids=str,
)
def test_inner_features_in_float64(backbone: Backbone, shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    network = trained(backbone.critic(shape)).double()
    x = torch.randn(3, *shape, dtype=torch.float64)
    (y, dx), (y2, dx2) = gradients(network, [x]), gradients(prepare(network, dtype=torch.float64), [x])
    for a, b in zip([*parts(y), *dx], [*parts(y2), *dx2], strict=True):
        assert a.shape == b.shape
        assert (a - b).abs().max() <= 1e-12 * a.abs().max().clamp(min=1)


def test_critic_returns_a_judgement() -> None:
    assert isinstance(prepare(MLP().critic(TABLE))(torch.randn(2, *TABLE)), Judgement)


def test_unknown_layers_stay_as_they_are() -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 4, 9)
    odd = [
        nn.Conv1d(4, 4, 3, groups=2),
        nn.Conv1d(4, 4, 3, dilation=2),
        nn.Conv1d(4, 4, 3, padding="same"),
        nn.Softplus(),
    ]
    for layer in odd:
        network = nn.Sequential(nn.Conv1d(4, 4, 1), layer, nn.BatchNorm1d(4), nn.ReLU())
        trained(network)
        torch.testing.assert_close(prepare(network)(x), network(x))
    images = nn.Sequential(nn.Conv2d(4, 8, 3), nn.PReLU(8), nn.Conv2d(8, 8, 3, groups=2), nn.BatchNorm2d(8))
    trained(images)
    torch.testing.assert_close(
        prepare(images)(x[..., None].expand(2, 4, 9, 9)), images(x[..., None].expand(2, 4, 9, 9))
    )


def test_a_convolution_smaller_than_its_map_is_flattened_whole() -> None:
    network = nn.Sequential(nn.Conv2d(2, 3, 2), nn.Flatten())
    x = torch.randn(2, 2, 5, 4)
    torch.testing.assert_close(prepare(network)(x), network(x))


def test_an_activation_in_front_does_not_change_its_input() -> None:
    x = torch.randn(3, 4)
    kept = x.clone()
    prepare(nn.Sequential(nn.ReLU(), nn.Linear(4, 2)))(x)
    assert torch.equal(x, kept)


def test_inference_mode_gives_the_same_bits() -> None:
    """There, convolutions run on weights in the library's own order: another layout, the same sums."""
    torch.manual_seed(0)
    for shape in (IMAGE, SERIES):
        for network, shapes in networks(ConvLadder(width=16), shape):
            prepared = prepare(trained(network))
            inputs = [torch.randn(64, *s) for s in shapes]
            with torch.no_grad():
                expected = parts(prepared(*inputs))
            with torch.inference_mode():
                found = parts(prepared(*inputs))
            again = parts(copy.deepcopy(prepared)(*inputs))  # what is packed does not travel
            for a, b, c in zip(expected, found, again, strict=True):
                torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)
                assert torch.equal(a, c)


@pytest.mark.parametrize("n", [64, 128])
@pytest.mark.parametrize("backbone", [ConvLadder(width=16), ResNet(width=16)], ids=["ladder", "resnet"])
def test_rows_do_not_see_each_other_in_inference_mode(backbone: Backbone, n: int) -> None:
    torch.manual_seed(0)
    for shape in (IMAGE, SERIES):
        for network, shapes in networks(backbone, shape):
            prepared = prepare(trained(network))
            inputs = [torch.randn(n, *s) for s in shapes]
            order = torch.randperm(n)
            with torch.inference_mode():
                y, y2 = prepared(*inputs), prepared(*(x[order] for x in inputs))
            for a, b in zip(parts(y), parts(y2), strict=True):
                assert torch.equal(a[order], b)


def test_forward_mode_and_vmap_pass_through() -> None:
    torch.manual_seed(0)
    decoder = trained(ConvLadder(width=16).decoder(5, IMAGE, output="tanh")).double()
    prepared = prepare(decoder, dtype=torch.float64)
    z, directions = torch.randn(3, 5, dtype=torch.float64), torch.randn(4, 3, 5, dtype=torch.float64)
    for push in (decoder, prepared):
        columns = torch.func.vmap(lambda t, f=push: torch.func.jvp(f, (z,), (t,))[1])(directions)
        if push is decoder:
            expected = columns
    torch.testing.assert_close(columns, expected, rtol=0, atol=1e-12)


def test_means_and_repetitions_are_folded_into_residual_convolutions() -> None:
    """Even sides take the folded kernels, odd ones the layers as they are; both agree with the network."""
    torch.manual_seed(0)
    for shape in ((1, 16, 16), (1, 17, 12), (2, 64), (2, 45)):
        for network, shapes in networks(ResNet(width=8, max_width=16), shape)[:3]:
            trained(network).double()
            inputs = [torch.randn(2, *s, dtype=torch.float64) for s in shapes]
            torch.testing.assert_close(
                prepare(network, dtype=torch.float64)(*inputs), network(*inputs), rtol=1e-11, atol=1e-11
            )


@pytest.mark.parametrize("stage", [0, 0.3, 1, 1.75])
@pytest.mark.parametrize("shape", [ODD, SERIES], ids=str)
def test_networks_that_are_still_growing_in_float64(shape: tuple[int, ...], stage: float) -> None:
    torch.manual_seed(0)
    for built, shapes in networks(Progressive(width=4, max_width=8), shape):
        network = trained(built).double()
        for part in network.modules():
            if isinstance(part, Growing):
                part.grow(stage)
        inputs = [torch.randn(3, *s, dtype=torch.float64) for s in shapes]
        y, y2 = network(*inputs), prepare(network, dtype=torch.float64)(*inputs)
        for a, b in zip(parts(y), parts(y2), strict=True):
            assert (a - b).abs().max() <= 1e-12 * a.abs().max().clamp(min=1)


@pytest.mark.parametrize("shape", [IMAGE, SERIES], ids=str)
def test_a_grown_network_is_rebuilt_as_a_row(shape: tuple[int, ...]) -> None:
    for network, _ in networks(Progressive(width=4, max_width=8), shape):
        assert not any(isinstance(part, Growing) for part in prepare(network).modules())
