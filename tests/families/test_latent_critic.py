import math

import pytest
import torch
from torch import nn

from oddgan.families import LatentCritic, critic_loss
from oddgan.networks import MLP, Judgement
from oddgan.objectives import R1, NonSaturating
from oddgan.training import Clock


class Slope(nn.Module):
    """A critic whose logit is twice the first coordinate."""

    def forward(self, z):
        return Judgement(2 * z[:, 0], z)


def test_the_game_by_hand():
    draws, codes = torch.tensor([[1.0, 5.0]]), torch.tensor([[-0.5, 3.0]], requires_grad=True)
    game = LatentCritic(Slope(), NonSaturating())
    # Logits 2 and -1: -log σ(2) - log(1 - σ(-1)) = 2·... of softplus; E wants σ(-1) to be 1.
    assert game.loss(draws, codes).item() == pytest.approx(math.log1p(math.exp(-2)) + math.log1p(math.exp(-1)))
    assert game.fooled(codes).item() == pytest.approx(math.log1p(math.exp(1)))
    assert torch.equal(game.doubt(codes), game.fooled(codes))
    game.fooled(codes).sum().backward()
    # d softplus(-2 z) / dz = -2 σ(-2 z), at z = -0.5: E moves the code up, to where draws are.
    assert codes.grad[0].tolist() == pytest.approx([-2 / (1 + math.exp(-1)), 0])


def test_the_critics_loss_has_the_penalty_and_no_gradient_to_codes():
    draws, codes = torch.ones(4, 2), torch.zeros(4, 2, requires_grad=True)
    plain, fined = (NonSaturating(regulariser=r) for r in (None, R1(weight=3.0)))
    network = MLP(hidden=(4,)).critic((2,))
    bare = LatentCritic(network, plain).loss(draws, codes)
    full = LatentCritic(network, fined).loss(draws, codes)
    slope = torch.autograd.grad(network(draws.requires_grad_()).logit.sum(), draws)[0]
    torch.testing.assert_close(full - bare, 1.5 * slope.square().sum(1))
    assert torch.equal(full, critic_loss(network, fined, draws, codes))
    full.sum().backward()
    assert codes.grad is None


def test_one_batch_has_two_updates():
    game = LatentCritic(Slope(), NonSaturating())
    codes = torch.zeros(3, 2, requires_grad=True)
    updates = list(game.updates(torch.ones(3, 2), codes, Clock(iteration=0, epoch=0, epochs=1)))
    assert [player for player, _ in updates] == ["critic", "generator"]
    torch.testing.assert_close(updates[0].loss, game.loss(torch.ones(3, 2), codes))
    torch.testing.assert_close(updates[1].loss, game.fooled(codes))


def test_the_network_judges_codes():
    built = LatentCritic.build(MLP(hidden=(4,)), 5)
    assert built["latent_critic"](torch.zeros(2, 5)).logit.shape == (2,)
