"""Fully connected networks, for tables and for flattened samples of any shape."""

import pytest
import torch
from torch import nn

from oddgan._core.errors import InputError
from oddgan.networks import MLP, FlatMLP


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def count(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize("d", [1, 2, 30, 1500])
def test_layers(d: int) -> None:
    mlp = MLP(hidden=(7, 4))
    assert count(mlp.encoder((d,), 3)) == (d + 1) * 7 + (7 + 1) * 4 + (4 + 1) * 3
    assert count(mlp.decoder(3, (d,))) == (3 + 1) * 4 + (4 + 1) * 7 + (7 + 1) * d
    assert count(mlp.critic((d,), (3,))) == (d + 3 + 1) * 7 + (7 + 1) * 4 + (4 + 1) * 1


def test_features_are_the_last_hidden_layer() -> None:
    critic = MLP(hidden=(7, 4)).critic((2,))
    judged = critic(torch.randn(5, 2))
    assert judged.features.shape == (5, 4)
    assert torch.allclose(critic.head(judged.features)[:, 0], judged.logit)


def test_batch_norm_replaces_biases() -> None:
    # 3 columns to 4, gain and shift of 4, 4 to 2 with bias.
    assert count(MLP(hidden=(4,), norm="batch").encoder((3,), 2)) == 3 * 4 + 2 * 4 + (4 + 1) * 2


def test_dropout_is_for_the_critic_in_training() -> None:
    mlp = MLP(hidden=(64,), dropout=0.5)
    x = torch.randn(8, 3)
    critic = mlp.critic((3,))
    assert not torch.equal(critic(x).logit, critic(x).logit)
    assert torch.equal(critic.eval()(x).logit, critic(x).logit)
    assert not any(isinstance(m, nn.Dropout) for m in mlp.encoder((3,), 2).modules())


CHANGES = {
    "hidden": (9,),
    "bias": False,
    "norm": "layer",
    "critic_norm": "layer",
    "feature_layer": 1,
    "activation": "sigmoid",
    "slope": 0.5,
    "dropout": 0.5,
    "spectral_norm": True,
    "init": "he",
}


def outputs(mlp: MLP) -> torch.Tensor:
    torch.manual_seed(0)
    encoder, decoder, critic = mlp.encoder((6,), 4), mlp.decoder(4, (6,)), mlp.critic((6,))
    torch.manual_seed(0)
    x = torch.randn(8, 6)
    judged = (value.flatten() for value in critic(x)[:2])
    return torch.cat([encoder(x).flatten(), decoder(x[:, :4]).flatten(), *judged])


@pytest.mark.parametrize("name", MLP.__dataclass_fields__)
def test_every_option_matters(name: str) -> None:
    assert not torch.equal(outputs(MLP(hidden=(8, 5))), outputs(MLP(**{"hidden": (8, 5)} | {name: CHANGES[name]})))


@pytest.mark.parametrize("shape", [(), (0,), (1, 8), (3, 8, 8)])
def test_only_tables(shape: tuple[int, ...]) -> None:
    for use in (
        MLP().check,
        lambda s: MLP().encoder(s, 2),
        lambda s: MLP().decoder(2, s),
        MLP().critic,
        lambda s: MLP().critic((2,), s),
    ):
        with pytest.raises(InputError, match=r"MLP can't serve samples of shape .*: it takes tables"):
            use(shape)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"hidden": ()}, "at least one width"),
        ({"hidden": (4, 0)}, "hidden must be a whole number"),
        ({"norm": "instance"}, "norm must be one of"),
        ({"critic_norm": "instance"}, "critic_norm must be one of"),
        ({"init": "zeros"}, "init must be one of"),
        ({"slope": -0.1}, "slope=-0.1 must be 0 or more"),
        ({"slope": float("nan")}, "slope=nan must be 0 or more"),
        ({"dropout": 1.0}, r"dropout=1.0 in \[0, 1\)"),
    ],
)
def test_wrong_options(wrong: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        MLP(**wrong)


def test_it_is_the_mlp_of_the_flattened_sample() -> None:
    x, z = torch.randn(4, 2, 3, 5), torch.randn(4, 6)
    flat, plain = FlatMLP(hidden=(7, 4)), MLP(hidden=(7, 4))
    for build, given in (("encoder", x), ("decoder", z), ("critic", x)):
        pair = []
        for backbone, shape in ((flat, (2, 3, 5)), (plain, (30,))):
            torch.manual_seed(0)
            arguments = {"encoder": (shape, 6), "decoder": (6, shape), "critic": (shape,)}[build]
            pair.append(getattr(backbone, build)(*arguments))
        one, other = pair[0](given), pair[1](given.flatten(1))
        if build == "critic":
            assert torch.equal(one.logit, other.logit)
        else:
            assert torch.equal(one.flatten(1), other)


def test_a_critic_of_samples_with_codes_adds_its_branches_up() -> None:
    critic = FlatMLP(hidden=(7, 4)).critic((1, 3, 3), (2,))
    x, z = torch.randn(5, 1, 3, 3), torch.randn(5, 2)
    expected = torch.nn.functional.leaky_relu(critic.samples(x) + critic.codes(z), 0.2)
    torch.testing.assert_close(critic(x, z).features, expected)
    assert expected.shape == (5, 4)


@pytest.mark.parametrize("shape", [(), (0,), (1, 2, 3, 4), (1, 0, 3)])
def test_shapes_that_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"FlatMLP can't serve samples of shape .*: it takes tables"):
        FlatMLP().check(shape)


def test_a_wrong_activation_is_refused() -> None:
    with pytest.raises(InputError, match="activation must be one of relu, sigmoid, not 'tanh'"):
        FlatMLP(activation="tanh")
