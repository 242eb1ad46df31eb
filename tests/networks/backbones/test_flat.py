"""Fully connected networks for samples of any shape: the layers of `MLP` on rows."""

import pytest
import torch

from oddgan._core.errors import InputError
from oddgan.networks import MLP, FlatMLP


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
