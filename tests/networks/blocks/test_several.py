"""Several critics in the place of one."""

import torch

from oddgan.networks import MLP, ConvLadder, prepare
from oddgan.networks.blocks.several import SeveralCritics, is_critic, members


def test_mean_logit_and_features_side_by_side():
    critics = [MLP(hidden=(4,)).critic((3,)) for _ in range(3)]
    several, x = SeveralCritics(critics), torch.randn(5, 3)
    judged = several(x)
    assert torch.allclose(judged.logit, sum(critic(x).logit for critic in critics) / 3)
    assert torch.equal(judged.features, torch.cat([critic(x).features for critic in critics], 1))


def test_only_one():
    several, x = SeveralCritics([MLP(hidden=(4,)).critic((3,)) for _ in range(2)]), torch.randn(5, 3)
    with several.only(1):
        assert torch.equal(several(x).logit, several.critics[1](x).logit)
    assert not torch.equal(several(x).logit, several.critics[1](x).logit)


def test_prepared():
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
