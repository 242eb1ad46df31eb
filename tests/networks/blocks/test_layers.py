"""Initialisation, normalisation, and starting again."""

import math

import pytest
import torch
from torch import nn

from oddgan._core.errors import InputError
from oddgan.networks import MLP, ConvLadder, reinitialise
from oddgan.networks.base import Init, Norm
from oddgan.networks.blocks.layers import Chain, Sphere, finish, normalisation

SHAPE = (3, 32, 32)


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def spread(init: Init) -> tuple[nn.Module, float]:
    """A critic, and the standard deviation of the weights of its third convolution, 256 x 128 x 4 x 4."""
    critic = ConvLadder(init=init).critic(SHAPE)
    (weight,) = [p for p in critic.parameters() if p.shape == (256, 128, 4, 4)]
    assert weight.mean().abs() < 1e-3
    return critic, float(weight.detach().std())


# Fan in 128 · 16 = 2048, fan out 256 · 16 = 4096; over half a million weights, so 1 % is far outside chance.
@pytest.mark.parametrize(
    ("init", "expected"),
    [
        ("dcgan", 0.02),
        ("xavier", math.sqrt(2 / (2048 + 4096))),
        ("he", math.sqrt(2 / 2048)),
        ("default", math.sqrt(1 / 2048 / 3)),  # uniform on ±1/√fan_in
    ],
)
def test_spread_of_the_weights(init: Init, expected: float) -> None:
    assert spread(init)[1] == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize("width", [16, 64])
def test_he_carries_gradients_through_a_critic_without_normalisation(width: int) -> None:
    x = torch.randn(16, *SHAPE, requires_grad=True)

    def slope(init: Init) -> float:
        critic = ConvLadder(width=width, critic_norm="none", init=init).critic(SHAPE)
        (gradient,) = torch.autograd.grad(critic(x).logit.sum(), x)
        return float(gradient.flatten(1).norm(dim=1).mean())

    # A Wasserstein critic should have slope 1. Weights of 0.02 shrink the signal in each layer, to a slope near 0.
    assert 0.5 < slope("he") < 3
    assert slope("dcgan") < 0.1


@pytest.mark.parametrize("init", ["dcgan", "xavier"])
def test_gains_of_batch_norm(init: Init) -> None:
    gains = torch.cat([m.weight for m in spread(init)[0].modules() if isinstance(m, nn.BatchNorm2d)]).detach()
    assert gains.mean() == pytest.approx(1, abs=0.005)  # 384 gains: standard error 0.001
    assert gains.std() == pytest.approx(0.02, rel=0.15)


def test_he_leaves_batch_norm_alone() -> None:
    assert all((m.weight == 1).all() for m in spread("he")[0].modules() if isinstance(m, nn.BatchNorm2d))


@pytest.mark.parametrize("spectral", [False, True])
@pytest.mark.parametrize("norm", ["batch", "none"])
def test_reinitialise_forgets_training(norm: Norm, spectral: bool) -> None:
    backbone = ConvLadder(width=8, critic_norm=norm, spectral_norm=spectral)
    fresh, critic = backbone.critic(SHAPE), backbone.critic(SHAPE)
    optimiser = torch.optim.SGD(critic.parameters(), lr=1.0)
    critic(torch.randn(4, *SHAPE)).logit.sum().backward()
    optimiser.step()
    tensors = {name: p.data_ptr() for name, p in critic.named_parameters()}
    for module in (fresh, nn.ModuleDict({"critic": critic})):
        torch.manual_seed(3)
        reinitialise(module)
    assert {name: p.data_ptr() for name, p in critic.named_parameters()} == tensors, "optimisers keep hold of them"
    for (name, a), b in zip(critic.named_parameters(), fresh.parameters(), strict=True):
        assert torch.equal(a, b), name
    for layer in critic.modules():
        if isinstance(layer, nn.BatchNorm2d):
            assert layer.running_mean.abs().max() == layer.num_batches_tracked == 0
            assert (layer.running_var == 1).all()
        if isinstance(layer, nn.Conv2d) and spectral:
            assert 0.99 < torch.linalg.matrix_norm(layer.eval().weight.detach().flatten(1), 2) < 1.15


def test_reinitialise_runs_the_initialisation_of_the_network() -> None:
    critic = ConvLadder(width=16, init="dcgan", critic_norm="none").critic(SHAPE)
    for parameter in critic.parameters():
        nn.init.ones_(parameter)
    reinitialise(critic)
    weights = torch.cat([p.detach().flatten() for p in critic.parameters() if p.ndim > 1])
    assert weights.std() == pytest.approx(0.02, rel=0.03)  # over 40,000 weights
    assert all((p == 0).all() for p in critic.parameters() if p.ndim == 1)


def test_reinitialise_draws_anew_from_the_global_generator() -> None:
    critic = ConvLadder(width=4).critic(SHAPE)
    draws = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        reinitialise(critic)
        draws.append(critic.head[0].weight.detach().clone())
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


def test_reinitialise_keeps_the_mode() -> None:
    critic = ConvLadder(width=4, spectral_norm=True).critic(SHAPE).eval()
    reinitialise(critic)
    assert not any(m.training for m in critic.modules())


def test_reinitialise_needs_a_network_of_ours() -> None:
    with pytest.raises(InputError, match="Only networks that a backbone has built"):
        reinitialise(nn.Linear(2, 2))


def test_layer_norm_takes_channels_and_axes_of_each_sample() -> None:
    (norm,) = normalisation("layer", 32, axes=2)
    y = norm(3 + 5 * torch.randn(4, 32, 6, 7))
    assert torch.allclose(y.mean((1, 2, 3)), torch.zeros(4), atol=1e-5)
    assert torch.allclose(y.var((1, 2, 3), correction=0), torch.ones(4), atol=1e-4)


def test_group_norm_takes_16_channels_at_a_time() -> None:
    (norm,) = normalisation("group", 32, axes=1)
    y = norm(3 + 5 * torch.randn(4, 32, 10)).reshape(4, 2, 16 * 10)
    assert torch.allclose(y.mean(2), torch.zeros(4, 2), atol=1e-5)


def test_group_norm_where_16_does_not_divide() -> None:
    (norm,) = normalisation("group", 24, axes=1)
    assert isinstance(norm, nn.GroupNorm)
    assert norm.num_groups == 1


def test_no_norm_and_an_unknown_one() -> None:
    assert normalisation("none", 8, axes=2) == []
    with pytest.raises(InputError, match="norm must be one of batch, layer, group, none, not 'instance'"):
        normalisation("instance", 8, axes=2)


def test_sphere() -> None:
    # (3, 4) has length 5: onto radius √2 it becomes √2 · (0.6, 0.8).
    assert torch.allclose(Sphere()(torch.tensor([[3.0, 4.0]])), math.sqrt(2) * torch.tensor([[0.6, 0.8]]))


def test_equalised_weights_by_hand() -> None:
    # Fan in 3 · 2 · 2 = 12 for the convolution, 8 for the linear layer: √(2 / 12) and 1 / 2.
    layers = nn.Sequential(nn.Conv2d(3, 5, 2), nn.Linear(8, 4))
    network = finish(Chain([layers], "equalised"))
    for layer, scale in zip(layers, (6**-0.5, 0.5), strict=True):
        drawn = layer.parametrizations.weight.original
        assert torch.allclose(layer.weight, scale * drawn)
        assert not layer.bias.any()
    assert {name.rpartition(".")[2] for name, _ in network.named_parameters()} == {"original", "bias"}


def test_equalised_weights_start_as_he_does_and_move_less() -> None:
    torch.manual_seed(0)
    network = MLP(hidden=(200, 800), init="equalised").encoder((100,), 3)
    wide = network.layers[2]
    assert wide.weight.std().item() == pytest.approx((2 / 200) ** 0.5, rel=0.01)
    assert wide.parametrizations.weight.original.std().item() == pytest.approx(1, rel=0.01)
    before = wide.weight.detach().clone()
    adam = torch.optim.Adam(network.parameters(), lr=0.01)
    network(torch.randn(8, 100)).sum().backward()
    adam.step()
    # Adam's first step is lr for every value that is trained, here of size 1: 0.01 · √(2 / 200) = 0.001 in use.
    moved = (wide.weight - before).abs()
    assert moved[moved > 0].median().item() == pytest.approx(0.001, rel=0.01)


def test_equalised_weights_start_again_as_such() -> None:
    critic = ConvLadder(width=16, critic_norm="none", init="equalised").critic((1, 32, 32))
    first = [p.detach().clone() for p in critic.parameters()]
    reinitialise(critic)
    for before, now in zip(first, critic.parameters(), strict=True):
        if now.ndim > 1:
            assert not torch.equal(before, now)
            assert now.std().item() == pytest.approx(1, abs=0.15)
