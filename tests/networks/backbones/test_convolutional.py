"""Sizes, levels and errors of the convolutional backbones."""

import pytest
import torch

from oddgan._core.errors import InputError
from oddgan.networks import MLP, ConvLadder, ResNet
from oddgan.networks.backbones.convolutional import Convolutional

KINDS = [ConvLadder(width=1, max_width=2), ConvLadder(width=1, max_width=2, kernel=5), ResNet(width=1, max_width=2)]
IDS = ["ladder", "ladder-5", "resnet"]
SIDES = [*range(8, 20), 28, 31, 32, 33, 45, 63, 64, 65, 100, 127, 128]
LENGTHS = [*range(4, 36), 63, 64, 65, 96, 140, 187, 188, 320, 399, 400, 5001]


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def exact(backbone: Convolutional, shape: tuple[int, ...]) -> None:
    """Build all three networks, and check that sizes are met exactly."""
    decoder, encoder, critic = backbone.decoder(3, shape).eval(), backbone.encoder(shape, 3), backbone.critic(shape)
    x = decoder(torch.randn(2, 3))
    assert x.shape == (2, *shape)
    assert encoder.eval()(x).shape == (2, 3)
    assert critic.eval()(x).logit.shape == (2,)


@pytest.mark.parametrize("backbone", KINDS, ids=IDS)
@pytest.mark.parametrize("side", SIDES)
def test_square_images_of_any_size(backbone: Convolutional, side: int) -> None:
    exact(backbone, (1, side, side))


@pytest.mark.parametrize("backbone", KINDS, ids=IDS)
@pytest.mark.parametrize("sides", [(8, 128), (128, 8), (9, 100), (28, 33), (15, 16), (127, 64), (31, 17)])
def test_other_images(backbone: Convolutional, sides: tuple[int, int]) -> None:
    exact(backbone, (3, *sides))


@pytest.mark.parametrize("backbone", KINDS, ids=IDS)
@pytest.mark.parametrize("length", LENGTHS)
def test_series_of_any_length(backbone: Convolutional, length: int) -> None:
    exact(backbone, (2, length))


@pytest.mark.parametrize("backbone", KINDS, ids=IDS)
@pytest.mark.parametrize("shape", [(1, 33, 17), (1, 187), (1, 5)])
def test_every_value_of_a_sample_counts(backbone: Convolutional, shape: tuple[int, ...]) -> None:
    # Without normalisation and with positive weights no path can cancel another: a gradient of 0 is a missing path.
    kind = type(backbone)(width=2, norm="none", critic_norm="none")
    encoder, decoder = kind.encoder(shape, 1), kind.decoder(1, shape)
    for parameter in (*encoder.parameters(), *decoder.parameters()):
        torch.nn.init.constant_(parameter, 0.01)
    x = torch.rand(1, *shape, requires_grad=True)
    (gradient,) = torch.autograd.grad(encoder(x).sum(), x)
    assert (gradient > 0).all()
    with torch.no_grad():
        assert (decoder(torch.tensor([[2.0]])) > decoder(torch.tensor([[1.0]]))).all()


@pytest.mark.parametrize(
    ("shape", "depth", "levels"),
    [
        # Powers of two end at 4 px, as DCGAN does; halving rounds down, so C(4,2,1) needs no padding.
        ((1, 32, 32), None, [(32, 32), (16, 16), (8, 8), (4, 4)]),
        ((1, 28, 28), None, [(28, 28), (14, 14), (7, 7)]),
        ((1, 45, 8), None, [(45, 8), (22, 4), (11, 4), (5, 4)]),
        ((1, 8, 8), 3, [(8, 8), (4, 4), (2, 2), (1, 1)]),
        # BeatGAN's 320 ends at 10.
        ((1, 320), None, [(320,), (160,), (80,), (40,), (20,), (10,)]),
        ((1, 187), None, [(187,), (93,), (46,), (23,), (11,)]),
        ((1, 15), None, [(15,), (7,)]),
        ((1, 4), None, [(4,), (2,)]),
        ((1, 320), 2, [(320,), (160,), (80,)]),
    ],
)
def test_levels(shape: tuple[int, ...], depth: int | None, levels: list[tuple[int, ...]]) -> None:
    assert ConvLadder(depth=depth)._levels(shape[1:]) == levels


def test_residual_levels_round_up() -> None:
    assert ResNet()._levels((45, 8)) == [(45, 8), (23, 4), (12, 4), (6, 4)]


@pytest.mark.parametrize("kind", [ConvLadder, ResNet])
@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((30,), r"shape \(30,\): it takes series \(c, t\) and images \(c, h, w\)"),
        ((), "it takes series"),
        ((1, 1, 32, 32), "it takes series"),
        ((0, 32, 32), "at least one channel"),
        ((1, 0), "at least one channel"),
        ((1, 3), r"shape \(1, 3\): series need at least 4 time points"),
        ((1, 7, 32), r"shape \(1, 7, 32\): images need 8 to 128 px per side"),
        ((3, 32, 129), r"shape \(3, 32, 129\): images need 8 to 128 px per side; resize them or cut patches"),
    ],
)
def test_shapes_that_are_refused(kind: type[Convolutional], shape: tuple[int, ...], message: str) -> None:
    backbone = kind(width=2)
    uses = [backbone.check, lambda s: backbone.encoder(s, 2), lambda s: backbone.decoder(2, s)]
    # Codes alone have a critic of their own, so that detectors can ask one backbone for all their critics.
    uses += [backbone.critic] if len(shape) > 1 else []
    for use in uses:
        with pytest.raises(InputError, match=f"{kind.__name__} can't serve samples of .*{message}"):
            use(shape)


@pytest.mark.parametrize("kind", [ConvLadder, ResNet])
def test_too_deep(kind: type[Convolutional]) -> None:
    kind(depth=3).check((1, 8, 64))  # 8, 4, 2, 1
    with pytest.raises(InputError, match="depth=4 halves its sides too often; use at most 3"):
        kind(depth=4).check((1, 8, 64))


@pytest.mark.parametrize("kind", [ConvLadder, ResNet])
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"width": 0}, "width must be a whole number of at least 1"),
        ({"width": 64, "max_width": 32}, "max_width must be a whole number of at least 64"),
        ({"depth": 0}, "depth must be a whole number of at least 1"),
        ({"norm": "instance"}, "norm must be one of batch, layer, group, none"),
        ({"critic_norm": "instance"}, "critic_norm must be one of"),
        ({"init": "zeros"}, "init must be one of"),
    ],
)
def test_wrong_options(kind: type[Convolutional], wrong: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        kind(**wrong)


TINY = {"width": 4, "max_width": 8, "init": "default", "codes": MLP(hidden=(6,))}
CHANGES = {
    "width": 3,
    "max_width": 5,
    "depth": 1,
    "norm": "none",
    "critic_norm": "none",
    "spectral_norm": True,
    "init": "xavier",
    "codes": MLP(hidden=(6, 5)),
    "kernel": 5,
    "slope": 0.5,
    "widths": (5, 3),
    "decoder_widths": (6,),
    "first_bias": True,
}


def outputs(backbone: Convolutional) -> torch.Tensor:
    """One number per network, for the same weights and inputs."""
    torch.manual_seed(0)
    shape = (2, 16, 16)
    encoder, decoder = backbone.encoder(shape, 4), backbone.decoder(4, shape)
    critics = backbone.critic(shape), backbone.critic(shape, (4,))
    torch.manual_seed(0)
    x, z = torch.randn(3, *shape), torch.randn(3, 4)
    judged = critics[0](x).logit.sum() + critics[1](x, z).logit.sum()
    return torch.stack([encoder(x).sum(), decoder(z).sum(), judged]).detach()


# The critic of samples with codes among these takes no feature_layer: test_critics.test_layer_of_features.
@pytest.mark.parametrize(
    ("kind", "name"),
    [(kind, name) for kind in (ConvLadder, ResNet) for name in kind.__dataclass_fields__ if name != "feature_layer"],
)
def test_every_option_matters(kind: type[Convolutional], name: str) -> None:
    assert not torch.equal(outputs(kind(**TINY)), outputs(kind(**TINY | {name: CHANGES[name]})))


def test_codes_inherit_spectral_norm() -> None:
    names = [name for name, _ in ConvLadder().with_spectral_norm().critic((4,), (4,)).named_parameters()]
    assert any("original" in name for name in names)
