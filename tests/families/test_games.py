"""The losses of critic and generator, by hand."""

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from oddgan.families import Game
from oddgan.networks import MLP, Judgement
from oddgan.objectives import R1, WGANGP, Hinge, LeastSquares, NonSaturating, Wasserstein
from oddgan.training import Clock

REAL = torch.tensor([[1.0, 3.0]]), torch.tensor([[1.0]])
FAKE = torch.tensor([[4.0, 2.0]]), torch.tensor([[2.0]])


class Slope(nn.Module):
    """A critic whose logit is twice the first coordinate."""

    def forward(self, z: Tensor) -> Judgement:
        return Judgement(2 * z[:, 0], z)


class Sum(nn.Module):
    """D(x, z) = a (x1 + x2 + z): 5a on the real pair, 8a on the fake one; its slope is a√3."""

    def __init__(self, a: float = 1.0) -> None:
        super().__init__()
        self.a = nn.Parameter(torch.tensor(a))

    def forward(self, x: Tensor, z: Tensor) -> Judgement:
        return Judgement(self.a * torch.cat([x, z], 1).sum(1), x)


# -- a critic of samples or codes
def test_losses_by_hand() -> None:
    real, fake = torch.tensor([[1.0, 5.0]]), torch.tensor([[-0.5, 3.0]], requires_grad=True)
    game = Game(Slope(), NonSaturating())
    # Logits 2 and -1: -log σ(2) - log(1 - σ(-1)); the generator wants σ(-1) to be 1.
    assert game.critic_loss(real, fake).item() == pytest.approx(math.log1p(math.exp(-2)) + math.log1p(math.exp(-1)))
    assert game.on_real(real).item() == pytest.approx(math.log1p(math.exp(-2)))
    assert game.on_fake(fake).item() == pytest.approx(math.log1p(math.exp(-1)))
    assert game.generator_loss(fake).item() == pytest.approx(math.log1p(math.exp(1)))
    game.generator_loss(fake).sum().backward()
    # d softplus(-2 z) / dz = -2 σ(-2 z), at z = -0.5: the generator moves it up, to where real ones are.
    assert fake.grad is not None
    assert fake.grad[0].tolist() == pytest.approx([-2 / (1 + math.exp(-1)), 0])


def test_the_critics_loss_has_the_penalty_and_no_gradient_to_its_inputs() -> None:
    real, fake = torch.ones(4, 2), torch.zeros(4, 2, requires_grad=True)
    network = MLP(hidden=(4,)).critic((2,))
    plain, fined = (Game(network, NonSaturating(regulariser=r)) for r in (None, R1(weight=3.0)))
    full = fined.critic_loss(real, fake)
    slope = torch.autograd.grad(network(real.requires_grad_()).logit.sum(), real)[0]
    torch.testing.assert_close(full - plain.critic_loss(real, fake), 1.5 * slope.square().sum(1))
    torch.testing.assert_close(full, fined.loss(*fined.judge_both(real, fake)) + fined.penalty(real, fake))
    full.sum().backward()
    assert fake.grad is None
    assert real.grad is None


@pytest.mark.parametrize(("n_critic", "turns"), [(1, [0, 1, 2, 3]), (2, [1, 3]), (3, [2])])
def test_the_generator_learns_every_few_batches(n_critic: int, turns: list[int]) -> None:
    real, fake = torch.ones(3, 2), torch.zeros(3, 2, requires_grad=True)
    games = [Game(Slope(), NonSaturating(), (), Clock(i, 0, 1, 4)) for i in range(4)]
    updates = [list(game.updates(real, fake, n_critic=n_critic)) for game in games]
    assert [i for i, batch in enumerate(updates) if [player for player, _ in batch] == ["critic", "generator"]] == turns
    assert all(batch[0].player == "critic" for batch in updates)
    torch.testing.assert_close(updates[2][0].loss, games[2].critic_loss(real, fake))


def test_bounds_hold_after_the_critics_update() -> None:
    network = MLP(hidden=(4,)).critic((2,))
    updates = Game(network, Wasserstein(clip=0.01)).updates(torch.ones(3, 2), torch.zeros(3, 2))
    next(updates)
    weights = list(network.parameters())
    assert any((w.detach().abs() > 0.01).any() for w in weights)
    next(updates)
    assert all((w.detach().abs() <= 0.01).all() for w in weights)


# -- a critic of pairs
def test_loss_on_pairs() -> None:
    found = Game(Sum(), NonSaturating()).critic_loss(REAL, FAKE)
    torch.testing.assert_close(found, softplus(torch.tensor([-5.0])) + softplus(torch.tensor([8.0])))


def test_the_penalty_is_on_the_slope_in_both_inputs() -> None:
    found = Game(Sum(2.0), WGANGP()).critic_loss(REAL, FAKE)
    assert found.item() == pytest.approx(16 - 10 + 10 * (2 * 3**0.5 - 1) ** 2, rel=1e-5)


def test_the_penalty_gives_images_back_their_shape() -> None:
    class Image(nn.Module):
        def forward(self, x: Tensor, z: Tensor) -> Judgement:
            assert x.shape[1:] == (2, 3, 4)
            return Judgement(x.flatten(1).sum(1) + z.sum(1), x)

    pair = torch.zeros(5, 2, 3, 4), torch.zeros(5, 6)
    found = Game(Image(), WGANGP()).critic_loss(pair, pair)  # a slope of √(24 + 6)
    torch.testing.assert_close(found, torch.full((5,), 10 * (30**0.5 - 1) ** 2))


def test_the_critics_loss_reaches_nobody_else() -> None:
    made = [part.clone().requires_grad_() for part in (*REAL, *FAKE)]
    Game(Sum(), WGANGP()).critic_loss((made[0], made[1]), (made[2], made[3])).sum().backward()
    assert [part.grad for part in made] == [None] * 4


@pytest.mark.parametrize(
    ("objective", "expected"),
    [
        # The labels of both kinds of pairs are flipped: BCE(8, 1) + BCE(5, 0).
        (NonSaturating(), softplus(torch.tensor(-8.0)) + softplus(torch.tensor(5.0))),
        (WGANGP(), torch.tensor(-8.0 + 5.0)),
        (LeastSquares(), torch.tensor(0.5 * (8 - 1) ** 2 + 0.5 * 5**2)),
        (Hinge(), torch.tensor(-8.0 + 1 + 5)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_flipped_labels(objective: NonSaturating, expected: Tensor) -> None:
    game = Game(Sum(), objective)
    torch.testing.assert_close(game.generator_loss(FAKE) + game.on_fake(REAL), expected[None])
