"""The choice by shape."""

import pytest
import torch
from torch import nn

from oddgan._core.errors import InputError
from oddgan.networks import MLP, Auto, ConvLadder, FlatMLP, ResNet

AUTO = Auto(table=MLP(hidden=(3,)), series=ConvLadder(width=2), image=ResNet(width=2))


def kinds(network: nn.Module) -> set[type]:
    return {type(m) for m in network.modules()}


def test_choice() -> None:
    assert nn.Conv1d in kinds(AUTO.encoder((1, 32), 2))
    assert nn.Conv2d in kinds(AUTO.encoder((1, 32, 32), 2))
    for shape, part in (((5,), AUTO.table), ((1, 32), AUTO.series), ((1, 32, 32), AUTO.image)):
        for build in (lambda b, s: b.encoder(s, 2), lambda b, s: b.decoder(2, s), lambda b, s: b.critic(s, (2,))):
            torch.manual_seed(0)
            ours = build(AUTO, shape)
            torch.manual_seed(0)
            theirs = build(part, shape)
            for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
                assert torch.equal(a, b)


def test_codes_are_judged_by_the_network_for_tables() -> None:
    assert AUTO.critic((4,), (4,))(torch.randn(2, 4), torch.randn(2, 4)).features.shape == (2, 3)


def test_large_images_have_a_backbone_of_their_own() -> None:
    auto = Auto(image=FlatMLP(hidden=(3,)), large=ConvLadder(width=2), most=100)
    assert [type(auto(shape)) for shape in ((1, 10, 10), (2, 10, 10), (1, 200), (200,))] == [
        FlatMLP, ConvLadder, ConvLadder, MLP,
    ]  # fmt: skip
    assert nn.Conv2d in kinds(auto.critic((1, 16, 16), (4,)))
    assert auto.with_spectral_norm()((1, 16, 16)) == ConvLadder(width=2, spectral_norm=True)


@pytest.mark.parametrize("shape", [(), (1, 2, 3, 4)])
def test_other_ranks(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"tables are \(d,\), series \(c, t\), images \(c, h, w\)"):
        AUTO.check(shape)


def test_the_chosen_backbone_refuses() -> None:
    with pytest.raises(InputError, match="ResNet can't serve samples of shape"):
        AUTO.check((1, 4, 4))


def test_spectral_norm_in_all_three() -> None:
    auto = AUTO.with_spectral_norm()
    assert auto == Auto(
        table=MLP(hidden=(3,), spectral_norm=True),
        series=ConvLadder(width=2, spectral_norm=True),
        image=ResNet(width=2, spectral_norm=True),
    )
