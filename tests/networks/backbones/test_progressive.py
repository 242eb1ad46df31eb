"""Networks that grow."""

import copy

import pytest
import torch
from safetensors.torch import load, save
from torch import Tensor, nn

from oddgan._core.errors import InputError
from oddgan.networks import Growing, MinibatchStdDev, Progressive
from oddgan.networks.blocks.progressive import Drawing, Period, PixelNorm, Reading, Timetable

SHAPES = [(1, 16, 16), (3, 28, 20), (1, 13, 9), (2, 40), (1, 187), (1, 216)]
SMALL = Progressive(width=4, max_width=8)
shapes = pytest.mark.parametrize("shape", SHAPES, ids=str)


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def stand(network: nn.Module, stage: float) -> nn.Module:
    for part in network.modules():
        if isinstance(part, Growing):
            part.grow(stage)
    return network


def body(network: nn.Module) -> Growing:
    (found,) = [m for m in network.modules() if isinstance(m, Growing)]
    return found


def test_pixel_norm_by_hand() -> None:
    x = torch.tensor([[[3.0, 0.0], [4.0, 2.0]]])  # two channels, two places: mean squares 12.5 and 2
    expected = torch.tensor([[[3 / 12.5**0.5, 0], [4 / 12.5**0.5, 2 / 2**0.5]]])
    assert torch.allclose(PixelNorm()(x), expected)
    assert torch.equal(PixelNorm()(torch.zeros(1, 2, 3)), torch.zeros(1, 2, 3))


@pytest.mark.parametrize(
    ("shape", "levels"),
    [
        ((1, 64, 64), [(4, 4), (8, 8), (16, 16), (32, 32), (64, 64)]),
        ((1, 28, 28), [(7, 7), (14, 14), (28, 28)]),
        ((1, 187), [(6,), (12,), (24,), (47,), (94,), (187,)]),
        ((1, 216), [(7,), (14,), (27,), (54,), (108,), (216,)]),
        ((3, 40, 9), [(5, 5), (10, 5), (20, 5), (40, 9)]),  # a side that is small first stays
        ((1, 5, 7), [(5, 7)]),
    ],
)
def test_levels(shape: tuple[int, ...], levels: list[tuple[int, ...]]) -> None:
    assert body(SMALL.decoder(3, shape)).levels == levels
    assert body(SMALL.critic(shape)).levels == levels


def test_widths_double_inwards() -> None:
    ports = body(Progressive(width=16, max_width=64).critic((1, 64, 64))).ports
    assert [port[0].out_channels for port in ports] == [64, 64, 64, 32, 16]


@shapes
def test_alpha_0_is_the_level_before_and_alpha_1_the_new_one(shape: tuple[int, ...]) -> None:
    z, x = torch.randn(4, 3), torch.randn(4, *shape)
    for network, given in (
        (SMALL.decoder(3, shape, output="tanh"), z),
        (SMALL.encoder(shape, 3), x),
        (SMALL.critic(shape).eval(), x),
    ):
        for level in range(1, len(body(network).levels)):
            drawn = [stand(network, stage)(given) for stage in (level - 1, level - 1 + 1e-6, level - 1e-6, level)]
            before, just_begun, nearly_done, after = (y if isinstance(y, Tensor) else y.logit for y in drawn)
            assert torch.allclose(before, just_begun, atol=1e-4), level
            assert torch.allclose(nearly_done, after, atol=1e-4), level
            assert not torch.allclose(before, after, atol=1e-2), level


@shapes
def test_half_way_is_half_of_both(shape: tuple[int, ...]) -> None:
    decoder = SMALL.decoder(3, shape, output="tanh")
    z = torch.randn(4, 3)
    before, between, after = (stand(decoder, stage)(z) for stage in (0, 0.5, 1))
    assert torch.allclose(between, (before + after) / 2, atol=1e-6)


def test_a_level_repeats_what_it_draws_up_to_full_size() -> None:
    y = stand(SMALL.decoder(3, (1, 16, 16)), 0)(torch.randn(2, 3))
    assert torch.equal(y, y[:, :, ::4, ::4].repeat_interleave(4, 2).repeat_interleave(4, 3))
    assert len(y[0].unique()) == 16
    odd = stand(SMALL.decoder(3, (1, 9)), 0)(torch.randn(2, 3))
    assert torch.equal(odd, odd[:, :, [0, 0, 2, 2, 4, 4, 6, 6, 8]])


@shapes
def test_averages_undo_repetition_at_every_level(shape: tuple[int, ...]) -> None:
    """So a critic reads exactly what a generator of the same stage has drawn, odd sides included."""
    reading = body(SMALL.critic(shape).double())
    for level, sides in enumerate(reading.levels):
        small = torch.randn(2, shape[0], *sides, dtype=torch.float64)
        large = reading._up(small, level)
        assert large.shape[1:] == shape
        assert torch.allclose(reading._down(large, level), small, rtol=0, atol=1e-12)


def test_samples_are_viewed_as_the_paper_blends_them() -> None:
    reading = body(SMALL.critic((1, 8, 8)))
    x = torch.arange(64.0).view(1, 1, 8, 8)
    # The mean of the upper left 2 x 2 block of 0, 1, 8, 9 is 4.5; its first value is 0.
    for stage, corner in ((0, 4.5), (0.25, 0.75 * 4.5), (1, 0)):
        reading.grow(stage)
        assert reading.view(x)[0, 0, 0, 0].item() == pytest.approx(corner)
    assert torch.equal(reading.view(x), x)


def test_a_fading_critic_reads_blended_samples_as_if_they_had_full_size() -> None:
    """Nothing above the level of a stage reaches it."""
    critic = stand(SMALL.critic((1, 32, 32)).eval(), 1.5)
    x = torch.randn(2, 1, 32, 32)
    noise = torch.randn(2, 1, 16, 16).repeat_interleave(2, 2).repeat_interleave(2, 3)
    noise[:, :, ::2], noise[:, :, 1::2] = noise[:, :, ::2], -noise[:, :, ::2]  # invisible in means of pairs
    assert torch.allclose(critic(x).logit, critic(x + noise).logit, atol=1e-4)


def test_stages_that_there_are() -> None:
    network = body(SMALL.decoder(3, (1, 16, 16)))
    assert network.place == (2, 1.0)
    network.grow(0.25)
    assert network.place == (1, 0.25)
    assert network.stage == 0.25
    for wrong in (-0.1, 2.5):
        with pytest.raises(InputError, match=rf"A network of 3 levels has stages from 0 to 2, not {wrong}\."):
            network.grow(wrong)


@pytest.mark.parametrize("stage", [0, 1.25, 2])
def test_a_stored_network_stands_where_it_stood(stage: float) -> None:
    for build, given in ((lambda: SMALL.decoder(3, (2, 40)), (3,)), (lambda: SMALL.critic((2, 40)), (2, 40))):
        network, x = stand(build(), stage), torch.randn(5, *given)
        network(x)
        again = build()
        again.load_state_dict(load(save(network.state_dict())))
        for other in (again, copy.deepcopy(network)):
            a, b = network.eval()(x), other.eval()(x)
            assert torch.equal(a, b) if isinstance(a, Tensor) else torch.equal(a.logit, b.logit)


def test_features_and_scores_do_not_see_the_batch() -> None:
    critic = SMALL.critic((1, 16, 16))
    x = torch.randn(6, 1, 16, 16)
    assert torch.allclose(critic(x).features[:2], critic(x[:2]).features, atol=1e-6), "in training, too"
    assert not torch.allclose(critic(x).logit[:2], critic(torch.cat([x[:2], 9 * x[2:]])).logit[:2])
    critic.eval()
    assert torch.allclose(critic(x).logit[:2], critic(x[:2]).logit, atol=1e-6)
    assert any(isinstance(m, MinibatchStdDev) for m in critic.modules())


def test_codes_on_the_sphere_if_asked() -> None:
    z = torch.randn(4, 3)
    for sphere in (False, True):
        decoder = Progressive(width=4, sphere=sphere).decoder(3, (1, 8, 8))
        # Pixel norm alone makes a decoder blind to a code's length while its first biases are 0.
        assert torch.allclose(decoder(z), decoder(5 * z), atol=1e-4)
        nn.init.normal_(next(m for m in decoder.modules() if isinstance(m, nn.Linear)).bias)
        assert torch.allclose(decoder(z), decoder(5 * z), atol=1e-4) == sphere


def test_slopes_and_groups_are_used() -> None:
    network = Progressive(width=4, slope=0.3, group=3).critic((1, 8, 8))
    assert {m.negative_slope for m in network.modules() if isinstance(m, nn.LeakyReLU)} == {0.3}
    assert [m.group for m in network.modules() if isinstance(m, MinibatchStdDev)] == [3]
    assert body(network).plan == Timetable((1.0,), 0.5)
    assert body(Progressive(width=4, grow=False).critic((1, 8, 8))).plan is None


@pytest.mark.parametrize("kind", [Drawing, Reading])
def test_a_row_is_the_network(kind: type[Growing]) -> None:
    network = SMALL.decoder(3, (1, 13, 9)) if kind is Drawing else SMALL.encoder((1, 13, 9), 3)
    growing = body(network)
    x = torch.randn(2, 8, *growing.levels[0]) if kind is Drawing else torch.randn(2, 1, 13, 9)
    for stage in (0, 1):
        growing.grow(stage)
        assert torch.equal(nn.Sequential(*growing.row())(x), growing(x))
    growing.grow(0.5)
    assert growing.row() == []


# Three levels: 1 - f of the first, then f and 1 - f of each other.
@pytest.mark.parametrize(
    ("plan", "epochs", "expected"),
    [
        (Timetable((1.0,), 0.5), 5, [1, 1, 1, 1, 1]),
        (Timetable((1.0,), 0.5), 50, [10, 10, 10, 10, 10]),
        (Timetable((1.0, 2.0), 0.25), 5 + 38, [1 + 6, 1 + 4, 1 + 12, 1 + 4, 1 + 12]),
        (Timetable((1.0,), 0.5), 7, [1, 2, 1, 2, 1]),
    ],
)
def test_periods(plan: Timetable, epochs: int, expected: list[int]) -> None:
    periods = plan.periods(3, epochs)
    assert periods == [
        Period(level, fades, n)
        for (level, fades), n in zip([(0, False), (1, True), (1, False), (2, True), (2, False)], expected, strict=True)
    ]
    assert sum(p.length for p in periods) == epochs


def test_without_fading_levels_follow_each_other() -> None:
    assert Timetable((3.0, 1.0), 0.0).periods(3, 13) == [Period(0, False, 7), Period(1, False, 3), Period(2, False, 3)]


def test_too_few_epochs() -> None:
    with pytest.raises(InputError, match="Growing through 3 levels takes at least 5 epochs or steps, but there are 4"):
        Timetable((1.0,), 0.5).periods(3, 4)


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ((7,), "it takes series"),
        ((1, 3), "series need at least 4 time points; take longer windows"),
        ((1, 3, 9), "images need 4 to 1024 px per side; resize or pad them"),
        ((1, 8, 1025), "images need 4 to 1024 px per side"),
    ],
)
def test_shapes_that_are_refused(shape: tuple[int, ...], said: str) -> None:
    with pytest.raises(InputError, match="Progressive can't serve samples of shape") as refused:
        Progressive().decoder(3, shape)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"fade": 1.0}, r"fade=1.0 in \[0, 1\)"),
        ({"slope": -1.0}, "slope=-1.0 must be 0 or more"),
        ({"shares": ()}, r"shares must name finite numbers above 0, e.g. \(1.0, 2.0\), not \(\)"),
        ({"shares": (1.0, 0.0)}, "shares must name finite numbers above 0"),
        ({"width": 0}, "width must be a whole number of at least 1"),
        ({"group": 1}, "group must be a whole number of at least 2"),
    ],
)
def test_settings_that_are_refused(settings: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        Progressive(**settings)
