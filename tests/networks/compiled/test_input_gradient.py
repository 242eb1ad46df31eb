"""Slopes written out against differentiated gradients, in float64; two batches in one pass."""

import pytest
import torch
from torch import nn

from oddgan import InputError
from oddgan.networks import MLP, ConvLadder, FlatMLP, HalfPrecision, HeadedLadder, Logits, Pooled, ResNet
from oddgan.objectives import R1, GradientPenalty

ARCHITECTURES = {
    "table": (MLP(hidden=(7, 5)), (4,)),
    "table, ReLU, no bias": (MLP(hidden=(7,), slope=0.0, bias=False), (4,)),
    "table, spectral norm": (MLP(hidden=(7, 5), spectral_norm=True), (4,)),
    "image as a row": (FlatMLP(hidden=(6,)), (1, 8, 8)),
    "image": (ConvLadder(width=4, critic_norm="none", init="he"), (1, 16, 16)),
    "image, channels, odd sides": (ConvLadder(width=3, critic_norm="none", init="he"), (5, 11, 9)),
    "image, features below": (ConvLadder(width=4, critic_norm="none", init="he", feature_layer=1), (1, 16, 16)),
    "image, wide enough for overlap-add": (ConvLadder(width=16, critic_norm="none", init="he"), (1, 9, 16)),
    "image, spectral norm": (ConvLadder(width=4, critic_norm="none", init="he", spectral_norm=True), (2, 16, 16)),
    "image, large kernel": (ConvLadder(width=4, kernel=5, critic_norm="none", init="he"), (1, 13, 16)),
    "series": (ConvLadder(width=4, critic_norm="none", init="he"), (2, 33)),
    "series, spectral norm inside": (HeadedLadder(width=4, critic_norm="none"), (1, 64)),
}
OTHERS = {
    "layer norm": (ConvLadder(width=4, critic_norm="layer"), (1, 16, 16)),
    "batch norm": (MLP(hidden=(5,), critic_norm="batch"), (4,)),
    "sigmoid": (MLP(hidden=(5,), activation="sigmoid"), (4,)),
    "dropout": (MLP(hidden=(5,), dropout=0.5), (4,)),
    "residual": (ResNet(width=4, critic_norm="none"), (1, 8, 8)),
    "max pooling": (Pooled(width=2, hidden=4), (1, 28, 28)),
}
PENALTIES = [GradientPenalty(), GradientPenalty(weight=2, target=0), R1()]


def critic(backbone, shape):
    torch.manual_seed(0)
    return backbone.critic(shape).double()


def samples(shape, n=6):
    return torch.randn(n, *shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def penalty_and_gradients(network, penalty, x, y):
    """The penalty (n,), and the gradients of a weighted sum of it in all parameters; buffers are put back."""
    buffers = {name: b.clone() for name, b in network.named_buffers()}
    torch.manual_seed(2)
    values = penalty(Logits(network), x, y)
    weighted = (values * torch.arange(1.0, len(x) + 1)).sum()
    gradients = torch.autograd.grad(weighted, list(network.parameters()), allow_unused=True, materialize_grads=True)
    after = {name: b.clone() for name, b in network.named_buffers()}
    for name, b in network.named_buffers():
        b.copy_(buffers[name])
    return values, gradients, after


@pytest.mark.parametrize("penalty", PENALTIES, ids=str)
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_chain_is_exact(name, penalty):
    backbone, shape = ARCHITECTURES[name]
    network, x, y = critic(backbone, shape), samples(shape), samples(shape).flip(0)
    chain, double = (
        penalty_and_gradients(network, type(penalty)(**vars(penalty) | {"gradient": how}), x, y)
        for how in ("chain", "double")
    )
    assert double[0].min() > 1e-6  # a slope of zero would prove nothing
    torch.testing.assert_close(chain[0], double[0], rtol=1e-10, atol=1e-12)
    assert max(g.abs().max() for g in double[1]) > 1e-6
    for ours, theirs in zip(chain[1], double[1], strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-12)
    for buffer, value in chain[2].items():  # a power iteration is made once, as in a forward pass
        torch.testing.assert_close(value, double[2][buffer], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", OTHERS)
def test_other_critics_have_their_gradient_differentiated(name):
    backbone, shape = OTHERS[name]
    network, x = critic(backbone, shape), samples(shape)
    assert Logits(network).slope(x) is None
    auto, double = (penalty_and_gradients(network, R1(gradient=how), x, x) for how in ("auto", "double"))
    assert torch.equal(auto[0], double[0])
    with pytest.raises(InputError, match=r'R1\(gradient="chain"\) needs a critic of linear layers'):
        R1(gradient="chain")(Logits(network), x, x)


def test_the_choice_is_automatic_and_can_be_forced(monkeypatch):
    network, x, passes = critic(*ARCHITECTURES["image"]), samples((1, 16, 16)), []
    plain = type(network).forward
    monkeypatch.setattr(type(network), "forward", lambda *inputs: passes.append(1) or plain(*inputs))
    made = {}
    for how in ("auto", "chain", "double"):
        R1(gradient=how)(Logits(network), x, x)
        made[how] = len(passes)
        passes.clear()
    assert made == {"auto": 0, "chain": 0, "double": 1}  # the chain runs the layers itself
    network.trunk[0].register_forward_hook(lambda *_: None)
    assert Logits(network).slope(x) is None  # a hook wants to see every pass
    with pytest.raises(InputError, match="gradient='triple'"):
        R1(gradient="triple")


def test_a_small_chain_by_hand():
    # D(x) = 2·leaky(x1 - x2) + 3, slope 0.1 below zero: the gradient is (2, -2) above and (0.2, -0.2) below.
    network = MLP(hidden=(1,), slope=0.1).critic((2,))
    with torch.no_grad():
        network.trunk[0].weight.copy_(torch.tensor([[1.0, -1.0]]))
        network.trunk[0].bias.zero_()
        network.head.weight.fill_(2.0)
        network.head.bias.fill_(3.0)
    slope = Logits(network).slope(torch.tensor([[5.0, 1.0], [1.0, 5.0]]))
    torch.testing.assert_close(slope, torch.tensor([[2.0, -2.0], [0.2, -0.2]]))


def test_overridden_layers_are_not_taken_for_plain_ones():
    class Twice(nn.Linear):
        def forward(self, x):
            return 2 * super().forward(x)

    network = critic(*ARCHITECTURES["table"])
    network.head = Twice(5, 1).double()
    assert Logits(network).slope(samples((4,))) is None


def test_layers_without_activation_give_one_slope_for_all():
    network = MLP(hidden=(1,), slope=1.0).critic((3,))
    slope = Logits(network).slope(torch.randn(4, 3))
    torch.testing.assert_close(slope, (network.head.weight @ network.trunk[0].weight).expand(4, 3))


@pytest.mark.parametrize("name", [*ARCHITECTURES, *OTHERS])
def test_two_batches_in_one_pass_differ_by_rounding(name, monkeypatch):
    backbone, shape = (ARCHITECTURES | OTHERS)[name]
    network, real, fake = critic(backbone, shape), samples(shape, 4), samples(shape, 3)
    passes = []
    plain = type(network).forward
    monkeypatch.setattr(type(network), "forward", lambda *inputs: passes.append(1) or plain(*inputs))
    together = Logits(network).both(real, fake)
    apart = "spectral" in name or name in ("batch norm", "dropout")
    assert len(passes) == (2 if apart else 1)
    assert [len(judged.logit) for judged in together] == [len(judged.features) for judged in together] == [4, 3]
    if not apart:
        for judged, x in zip(together, (real, fake), strict=True):
            torch.testing.assert_close(judged, network(x), rtol=1e-12, atol=1e-12)


def test_half_precision_returns_float32_and_trains_float32_weights():
    torch.manual_seed(0)
    network = ConvLadder(width=16, critic_norm="none", init="he").critic((1, 16, 16))
    x, half = torch.randn(8, 1, 16, 16), HalfPrecision(network)
    judged, exact = half(x), network(x)
    assert judged.logit.dtype == judged.features.dtype == torch.float32
    assert not torch.equal(judged.logit, exact.logit)
    torch.testing.assert_close(judged.logit, exact.logit, rtol=0.05, atol=0.05)
    slope, wanted = Logits(half).slope(x), Logits(network).slope(x)
    assert slope.dtype == torch.float32
    assert not torch.equal(slope, wanted)
    assert (slope - wanted).norm() < 0.03 * wanted.norm()
    twice = R1(gradient="double")(Logits(half), x, x)
    torch.testing.assert_close(R1()(Logits(half), x, x), twice, rtol=0.05, atol=1e-3)
    R1()(Logits(half), x, x).sum().backward()
    assert {p.grad.dtype for p in network.parameters() if p.grad is not None} == {torch.float32}
