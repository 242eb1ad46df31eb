"""The density of codes is autoregressive, and it is a density."""

import itertools
import math

import pytest
import torch

from oddgan import InputError
from oddgan.networks import Autoregressive, prepare, reinitialise


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def test_each_conditional_sees_the_values_before_it_and_all_of_them() -> None:
    m = 5
    density = Autoregressive(m, channels=(6, 6), bins=4)
    slope = torch.autograd.functional.jacobian(density.logits, torch.rand(1, m))  # (1, m, bins, 1, m)
    sees = slope[0, :, :, 0].abs().amax(dim=1)
    for i, j in itertools.product(range(m), range(m)):
        assert (sees[i, j] > 0) == (j < i), (i, j)


def test_one_hidden_layer_is_enough_and_none_is_refused() -> None:
    slope = torch.autograd.functional.jacobian(Autoregressive(3, channels=(2,), bins=2).logits, torch.rand(1, 3))
    assert torch.equal(slope[0, :, :, 0].abs().amax(dim=1) > 0, torch.ones(3, 3).tril(-1).bool())
    with pytest.raises(InputError, match="at least 1"):
        Autoregressive(3, channels=())


def test_probabilities_of_all_codes_sum_to_one() -> None:
    # Every value's bin has a middle; conditions are values, so a density over bins needs one value for each bin.
    m, bins = 3, 4
    middles = [(i + 0.5) / bins for i in range(bins)]
    codes = torch.tensor(list(itertools.product(middles, repeat=m)))
    density = Autoregressive(m, channels=(5, 5), bins=bins)
    assert density(codes).neg().exp().sum().item() == pytest.approx(1.0, rel=1e-5)


def test_an_indifferent_network_gives_every_bin_the_same_share() -> None:
    density = Autoregressive(2, channels=(3,), bins=10)
    for weight in density.parameters():
        weight.data.zero_()
    torch.testing.assert_close(density(torch.rand(4, 2)), torch.full((4,), 2 * math.log(10)))


def test_a_value_counts_to_its_bin() -> None:
    # The first value has no condition: its conditional is the last layer's bias, here log-odds of 0, 1, 2 and 3.
    density = Autoregressive(1, channels=(3,), bins=4)
    for weight in density.parameters():
        weight.data.zero_()
    density.layers[-1].bias.data.copy_(torch.arange(4.0))
    expected = -torch.arange(4.0).log_softmax(0)
    torch.testing.assert_close(density(torch.tensor([[0.0], [0.26], [0.74], [0.999]])), expected)
    torch.testing.assert_close(density(torch.tensor([[-1.0], [1.0], [2.0]])), expected[[0, 3, 3]])


def test_the_last_value_has_no_gradient() -> None:
    # Nobody is conditioned on it, and a bin has no slope.
    z = torch.rand(2, 3, requires_grad=True)
    Autoregressive(3, channels=(4,), bins=5)(z).sum().backward()
    assert z.grad is not None
    assert (z.grad[:, :2] != 0).all()
    assert (z.grad[:, 2] == 0).all()


def test_masks_are_not_stored_and_weights_start_afresh() -> None:
    density = Autoregressive(3, channels=(4,), bins=5)
    assert not [name for name in density.state_dict() if "mask" in name]
    before = density.layers[0].weight.clone()
    reinitialise(density)
    assert not torch.equal(before, density.layers[0].weight)


@pytest.mark.parametrize("settings", [{"dim": 0}, {"dim": 2, "channels": (0,)}, {"dim": 2, "bins": 1}])
def test_what_makes_no_sense_is_refused(settings: dict) -> None:
    with pytest.raises(InputError, match="whole number"):
        Autoregressive(**settings)


def test_prepared_masks_once_and_changes_no_bit() -> None:
    density, codes = Autoregressive(6, channels=(5, 4), bins=8).eval(), torch.rand(64, 6)
    ready = prepare(density)
    assert not any("mask" in name for name, _ in ready.named_buffers())
    assert torch.equal(ready(codes), density(codes))
    assert any("mask" in name for name, _ in density.named_buffers())
