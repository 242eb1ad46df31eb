"""Networks of bidirectional GANs: branches, more layers, dropout."""

import pytest
import torch
from torch import nn

from oddgan._core.errors import InputError
from oddgan.networks import MLP, Bidirectional, ConvLadder, DenseLadder, ResNet, prepare
from oddgan.networks.blocks.critics import JointCritic, part

TABLE = Bidirectional(width=3, samples=MLP(hidden=(6,), slope=0.0), codes=MLP(hidden=(5,), slope=0.0), slope=0.5)


def kinds(network: nn.Module) -> list[str]:
    return [type(m).__name__ for m in network.modules() if not list(m.children())]


def test_a_row_and_a_code_meet_in_one_layer() -> None:
    critic = TABLE.critic((4,), (2,))
    x, z = torch.randn(7, 4), torch.randn(7, 2)
    assert isinstance(critic, JointCritic)
    (first, _, _, meet), (code, _, code_meet) = critic.samples, critic.codes
    # Two linear maps added up are one map of both branches side by side, with one bias.
    assert (meet.in_features, meet.out_features, code_meet.in_features, code_meet.out_features) == (6, 3, 5, 3)
    assert code_meet.bias is None
    beside = torch.cat([first(x).relu(), code(z).relu()], 1)
    met = beside @ torch.cat([meet.weight, code_meet.weight], 1).T + meet.bias
    judged = critic(x, z)
    torch.testing.assert_close(judged.features, torch.where(met > 0, met, 0.5 * met))
    torch.testing.assert_close(judged.logit, critic.head(judged.features).flatten())


@pytest.mark.parametrize("length", [4, 2])
def test_beside_a_row_all_others_are_codes(length: int) -> None:
    # A code as long as the row is a code, too.
    critic = TABLE.critic((4,), (length,)).eval()
    assert critic.codes[0].in_features == length
    x, z = torch.randn(64, 4), torch.randn(64, length)
    torch.testing.assert_close(prepare(critic)(x, z).logit, critic(x, z).logit)


def test_parts_of_the_input() -> None:
    image, row, code = torch.zeros(2, 3, 8, 8), torch.zeros(2, 4), torch.zeros(2, 5)
    assert [tuple(p.shape) for p in part(image, (image, code))] == [(2, 6, 8, 8), (2, 5)]
    assert [tuple(p.shape) for p in part(row, (row, code))] == [(2, 4), (2, 9)]


@pytest.mark.parametrize("samples", [ConvLadder(width=4), ResNet(width=4), DenseLadder(width=4, dropout=0.5)])
def test_branches_for_images(samples: ConvLadder | ResNet) -> None:
    backbone = Bidirectional(encoders=samples, decoders=samples, samples=samples, width=9)
    x, z = torch.randn(3, 1, 8, 8), torch.randn(3, 5)
    assert backbone.critic((1, 8, 8), (5,))(x, z).features.shape == (3, 9)
    both = backbone.critic((1, 8, 8), (1, 8, 8), (5,))
    assert both(x, x, z).logit.shape == (3,)
    pair = backbone.critic((1, 8, 8), (1, 8, 8))
    assert not isinstance(pair, JointCritic)
    assert pair(x, x).logit.shape == (3,)


def test_each_role_has_its_backbone() -> None:
    backbone = Bidirectional(encoders=MLP(hidden=(3,)), decoders=MLP(hidden=(5, 4)), samples=MLP(hidden=(6,)))
    widths = [
        [m.out_features for m in network.modules() if isinstance(m, nn.Linear)]
        for network in (backbone.encoder((9,), 2), backbone.decoder(2, (9,)), backbone.critic((9,)))
    ]
    assert widths == [[3, 2], [4, 5, 9], [6, 1]]


def test_every_role_must_serve_the_shape() -> None:
    ladder = ConvLadder(width=4)
    Bidirectional(encoders=ladder, decoders=ladder, samples=ladder).check((1, 8, 8))
    with pytest.raises(InputError, match="MLP can't serve"):
        Bidirectional(encoders=ladder, decoders=ladder).check((1, 8, 8))


def largest_values(network: nn.Module) -> list[float]:
    layers = [m for m in network.modules() if isinstance(m, nn.Linear | nn.Conv2d)]
    return [torch.linalg.matrix_norm(m.weight.flatten(1), 2).item() for m in layers]


def test_spectral_norm_in_encoder_and_critics_only() -> None:
    backbone = TABLE.with_spectral_norm()
    for network in (backbone.encoder((40,), 9), backbone.critic((40,), (9,)), backbone.critic((40,))):
        assert largest_values(network.eval()) == pytest.approx([1.0] * len(largest_values(network)), abs=0.1)
    assert not any(hasattr(m, "parametrizations") for m in backbone.decoder(9, (40,)).modules())


def test_dropout_acts_while_the_critic_trains() -> None:
    critic = Bidirectional(width=50, dropout=0.5).critic((4,), (2,))
    x, z = torch.randn(1, 4), torch.randn(1, 2)
    assert (critic(x, z).features == 0).any()
    assert not (critic.eval()(x, z).features == 0).any()


def test_layers_at_the_ends_of_the_ladder() -> None:
    ladder = DenseLadder(stem=3, width=4, dense=(10,), dropout=0.3)
    level = ["Conv2d", "BatchNorm2d", "LeakyReLU"]
    assert kinds(ladder.encoder((1, 12, 12), 5)) == ["Conv2d", "LeakyReLU", *level, "Conv2d", "Flatten"]
    dense = ["Linear", "BatchNorm1d", "ReLU"]
    assert kinds(ladder.decoder(5, (1, 12, 12))) == [*dense, *dense, "Unflatten", "ConvTranspose2d"]
    # 12 -> 6 -> back, and 20 -> 10 -> 5 -> back: all sides are kept.
    for shape in ((1, 12, 12), (2, 20, 20), (2, 30)):
        codes = ladder.encoder(shape, 5)(torch.randn(2, *shape))
        assert ladder.decoder(5, shape)(codes).shape == (2, *shape)
    assert kinds(ladder.critic((1, 20, 20))) == [
        *("Conv2d", "LeakyReLU", "Dropout"),
        *("Conv2d", "BatchNorm2d", "LeakyReLU", "Dropout"),
        *("Conv2d", "Flatten"),
    ]


def test_without_more_layers_it_is_the_ladder() -> None:
    shape = (1, 16, 16)
    assert kinds(DenseLadder(width=4).decoder(5, shape)) == kinds(ConvLadder(width=4).decoder(5, shape))
    assert kinds(DenseLadder(width=4).critic(shape)) == kinds(ConvLadder(width=4).critic(shape))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"stem": 0}, "stem must be a whole number"),
        ({"dense": (8, 0)}, "dense must be a whole number"),
        ({"dropout": 1.0}, "dropout must lie in"),
    ],
)
def test_wrong_ladders_are_refused(settings: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        DenseLadder(**settings)


@pytest.mark.parametrize("settings", [{"dropout": 1.0}, {"slope": -1.0}])
def test_wrong_branches_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(InputError, match=r"slope=.* must be 0 or more, and dropout=.* in \[0, 1\)"):
        Bidirectional(**settings)
