"""The DCGAN ladder."""

import pytest
import torch
from torch import nn

from oddgan._core.errors import InputError
from oddgan.networks import ConvLadder


def norms(network: nn.Module) -> list[int]:
    return [m.num_features for m in network.modules() if isinstance(m, nn.BatchNorm2d)]


def test_first_and_last_layer_are_not_normalised() -> None:
    ladder = ConvLadder(width=4)
    assert norms(ladder.encoder((1, 32, 32), 7)) == [8, 16]
    assert norms(ladder.critic((1, 32, 32))) == [8, 16]
    assert norms(ladder.decoder(7, (1, 32, 32))) == [16, 8, 4]


def test_features_are_the_last_map() -> None:
    critic = ConvLadder(width=4).critic((1, 32, 32)).eval()
    judged = critic(torch.randn(2, 1, 32, 32))
    assert judged.features.shape == (2, 16, 4, 4)
    assert torch.allclose(critic.head(judged.features)[:, 0], judged.logit)


def test_biases_stand_in_for_normalisation() -> None:
    def biases(network: nn.Module) -> list[str]:
        return [n for n, m in network.named_modules() if isinstance(m, nn.Conv2d) and m.bias is not None]

    assert not biases(ConvLadder(width=4).encoder((1, 32, 32), 7))
    assert len(biases(ConvLadder(width=4, norm="none").encoder((1, 32, 32), 7))) == 4  # three levels and the head


def test_max_width_caps_the_channels() -> None:
    capped = ConvLadder(width=4, max_width=6).critic((1, 32, 32))
    assert [m.out_channels for m in capped.modules() if isinstance(m, nn.Conv2d)] == [4, 6, 6, 1]


@pytest.mark.parametrize(("side", "kernel"), [(33, 3), (32, 3), (33, 6), (50, 7), (8, 9)])
def test_other_kernels_meet_the_size(side: int, kernel: int) -> None:
    ladder = ConvLadder(width=2, kernel=kernel)
    assert ladder.decoder(3, (1, side, side))(torch.randn(2, 3)).shape == (2, 1, side, side)
    assert ladder.encoder((1, side, side), 3)(torch.randn(2, 1, side, side)).shape == (2, 3)


def test_no_cut_and_no_spare_row_at_powers_of_two() -> None:
    decoder = ConvLadder(width=2).decoder(3, (1, 64, 64))
    layers = [m for m in decoder.modules() if isinstance(m, nn.ConvTranspose2d)]
    assert [m.output_padding for m in layers] == [(0, 0)] * 5
    assert [(m.kernel_size, m.stride, m.padding) for m in layers[1:]] == [((4, 4), (2, 2), (1, 1))] * 4


@pytest.mark.parametrize(
    ("wrong", "message"), [({"kernel": 2}, "kernel"), ({"slope": -1.0}, "slope must be 0 or more")]
)
def test_wrong_options(wrong: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        ConvLadder(**wrong)


def test_widths_hold_for_further_levels_and_those_of_the_decoder_may_differ() -> None:
    ladder = ConvLadder(widths=(5, 3), decoder_widths=(7,))
    found = [m.out_channels for m in ladder.encoder((1, 32, 32), 2).modules() if isinstance(m, nn.Conv2d)]
    assert found == [5, 3, 3, 2]
    found = [m.in_channels for m in ladder.decoder(2, (1, 32, 32)).modules() if isinstance(m, nn.ConvTranspose2d)]
    assert found == [2, 7, 7, 7]
    for wrong in ((), (4, 0)):
        with pytest.raises(InputError, match="decoder_widths must"):
            ConvLadder(decoder_widths=wrong)


@pytest.mark.parametrize("shape", [(1, 16, 16), (2, 32)])
def test_a_critic_with_layer_norm_sees_the_contrast_by_its_first_biases(shape: tuple[int, ...]) -> None:
    x = torch.randn(5, *shape)
    for first_bias in (False, True):
        critic = ConvLadder(width=4, critic_norm="layer", first_bias=first_bias, init="he").critic(shape)
        first = next(layer for layer in critic.modules() if hasattr(layer, "kernel_size"))
        assert (first.bias is not None) == first_bias
        if first_bias:
            nn.init.constant_(first.bias, 0.5)
        same = torch.allclose(critic(x).logit, critic(0.3 * x).logit, rtol=1e-2)
        assert same != first_bias
