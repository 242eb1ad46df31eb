"""How critics put inputs together, and several critics in the place of one."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from oddgan._core.errors import InputError
from oddgan.networks import (
    EGBAD_KDD,
    EGBAD_MNIST,
    MLP,
    Backbone,
    Bidirectional,
    ConvLadder,
    DenseLadder,
    FlatMLP,
    HeadedLadder,
    LeNet,
    ResNet,
    prepare,
)
from oddgan.networks.blocks.critics import Critic, JointCritic, SeveralCritics, is_critic, join, members
from oddgan.networks.blocks.layers import reinitialise


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


def test_inner_features_by_hand() -> None:
    twice, minus = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
    critic = Critic([nn.Flatten(), twice, nn.ReLU(), minus, nn.ReLU()], nn.Linear(1, 1), "default", 1)
    nn.init.constant_(twice.weight, 2.0)
    nn.init.constant_(minus.weight, -1.0)
    nn.init.constant_(critic.head.weight, 3.0)
    nn.init.constant_(critic.head.bias, 5.0)
    judged = critic(torch.tensor([[[4.0]], [[-1.0]]]))
    assert judged.features.tolist() == [[8], [0]]  # relu(2x): the activation belongs to its map
    assert judged.logit.tolist() == [5, 5]  # 3 relu(-relu(2x)) + 5


@pytest.mark.parametrize(
    ("backbone", "shape", "features"),
    [
        (MLP(hidden=(6, 5, 4)), (3,), [(4,), (5,), (6,)]),
        (MLP(hidden=(6, 5), critic_norm="layer", dropout=0.3), (3,), [(5,), (6,)]),
        (FlatMLP(hidden=(6, 5)), (1, 2, 3), [(5,), (6,)]),
        (ConvLadder(width=4), (1, 32, 32), [(16, 4, 4), (8, 8, 8), (4, 16, 16)]),
        (ConvLadder(width=4, spectral_norm=True), (2, 64), [(16, 8), (8, 16), (4, 32)]),
        (HeadedLadder(width=4), (1, 16, 16), [(8, 4, 4), (4, 8, 8)]),
        (DenseLadder(width=4, dropout=0.5), (1, 16, 16), [(8, 4, 4), (4, 8, 8)]),
        (LeNet(widths=(4, 2)), (1, 16, 16), [(2, 4, 4), (4, 8, 8)]),
        (ResNet(width=4), (1, 16, 16), [(16 * 4 * 4,), (8, 8, 8), (4, 16, 16)]),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Backbone) else "",
)
def test_layer_of_features(backbone: Any, shape: tuple[int, ...], features: list[tuple[int, ...]]) -> None:
    x = torch.randn(3, *shape)
    logits = []
    for layer, sides in enumerate(features):
        torch.manual_seed(0)
        critic = replace(backbone, feature_layer=layer).critic(shape).eval()
        judged, prepared = critic(x), prepare(critic)(x)
        assert judged.features.shape == prepared.features.shape == (3, *sides)
        torch.testing.assert_close(prepared.features, judged.features, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(prepared.logit, judged.logit, rtol=1e-4, atol=1e-5)
        logits.append(judged.logit)
    assert all(torch.equal(logit, logits[0]) for logit in logits), "only the features are others"
    count = len(features)
    with pytest.raises(InputError, match=rf"feature_layer={count} is no map .* 0 \(the last\) to {count - 1} "):
        replace(backbone, feature_layer=count).critic(shape)
    with pytest.raises(InputError, match="feature_layer must be a whole number"):
        replace(backbone, feature_layer=-1)


def test_one_map_has_one_layer() -> None:
    with pytest.raises(InputError, match="feature_layer=1 is no map of this critic, which has only the last one, 0"):
        MLP(hidden=(4,), feature_layer=1).critic((3,))


@pytest.mark.parametrize(
    "backbone",
    [
        ConvLadder(width=4, feature_layer=1),
        LeNet(feature_layer=1),
        FlatMLP(feature_layer=1),
        Bidirectional(samples=ConvLadder(width=4, feature_layer=1)),
    ],
    ids=lambda backbone: type(backbone).__name__,
)
def test_inputs_that_meet_have_one_layer_of_features(backbone: Backbone) -> None:
    with pytest.raises(InputError, match="feature_layer=1 is for critics of samples or codes alone"):
        backbone.critic((1, 16, 16), (5,))


def test_mean_logit_and_features_side_by_side():
    critics = [MLP(hidden=(4,)).critic((3,)) for _ in range(3)]
    several, x = SeveralCritics(critics), torch.randn(5, 3)
    judged = several(x)
    assert torch.allclose(judged.logit, sum(critic(x).logit for critic in critics) / 3)
    assert torch.equal(judged.features, torch.cat([critic(x).features for critic in critics], 1))


def test_what_each_says():
    several, x = SeveralCritics([MLP(hidden=(4,)).critic((3,)) for _ in range(2)]), torch.randn(5, 3)
    for judged, critic in zip(several(x).each, several.critics, strict=True):
        assert torch.equal(judged.logit, critic(x).logit)
        assert torch.equal(judged.features, critic(x).features)


def test_several_prepared():
    several = SeveralCritics([ConvLadder(width=4).critic((1, 16, 16)) for _ in range(2)]).eval()
    x = torch.randn(5, 1, 16, 16)
    assert torch.allclose(prepare(several)(x).logit, several(x).logit, atol=1e-5)
    assert torch.allclose(prepare(several)(x).features, several(x).features, atol=1e-5)


def test_what_is_a_critic():
    mlp = MLP(hidden=(4,))
    one, pair = mlp.critic((3,)), ConvLadder(width=4).critic((1, 8, 8), (3,))
    assert all(is_critic(module) for module in (one, pair, SeveralCritics([one])))
    assert not is_critic(mlp.encoder((3,), 1))
    assert members(SeveralCritics([one])) == members(one) == (one,)


def spreads(critic: JointCritic, *, rows: int = 256) -> list[float]:
    """How far apart the branches put normal noise: samples, codes."""
    assert critic.shapes is not None
    with torch.no_grad():
        noise = [torch.randn(rows, *shape) for shape in critic.shapes]
        return [b.train()(x).std(0).mean().item() for b, x in zip(critic.branches, noise, strict=True)]


@pytest.mark.parametrize(
    ("backbone", "shape"),
    [
        (ConvLadder(width=16), (1, 28, 28)),
        (ConvLadder(width=16), (1, 64)),
        (EGBAD_MNIST, (1, 28, 28)),
        (FlatMLP(hidden=(32,)), (1, 28, 28)),
        (EGBAD_KDD, (20,)),
    ],
)
def test_both_branches_have_an_equal_say_at_the_start(backbone: Backbone, shape: tuple[int, ...]) -> None:
    critic = backbone.critic(shape, (100,))
    samples, codes = spreads(critic)
    assert codes == pytest.approx(samples, rel=0.25)
    with torch.no_grad():
        critic.codes[-1].weight.mul_(0.1)
    reinitialise(critic)
    samples, codes = spreads(critic)
    assert codes == pytest.approx(samples, rel=0.25)


def test_balancing_draws_nothing_and_keeps_statistics() -> None:
    torch.manual_seed(0)
    critic = ConvLadder(width=4).critic((1, 16, 16), (3,))
    after = torch.rand(())
    torch.manual_seed(0)
    critic.settle()
    norms = [m for m in critic.modules() if isinstance(m, nn.BatchNorm2d)]
    assert norms
    assert all(not m.running_mean.any() for m in norms)
    torch.manual_seed(0)
    again = ConvLadder(width=4).critic((1, 16, 16), (3,))
    assert torch.rand(()) == after
    torch.testing.assert_close(again.codes[-1].weight, critic.codes[-1].weight, rtol=1e-4, atol=0)


def test_spectral_norm_sets_the_scale_itself() -> None:
    torch.manual_seed(0)
    critic = ConvLadder(width=4, spectral_norm=True).critic((1, 16, 16), (3,))
    before = critic.codes[-1].weight.clone()
    critic.settle()
    torch.testing.assert_close(critic.codes[-1].weight, before, rtol=1e-3, atol=1e-5)
