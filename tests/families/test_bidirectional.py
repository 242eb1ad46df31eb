"""The game of pairs, by hand."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from oddgan import EGBAD, InputError
from oddgan.families import flipped_loss, pair_loss
from oddgan.networks import Judgement
from oddgan.objectives import WGANGP, Hinge, LeastSquares, NonSaturating

REAL = torch.tensor([[1.0, 3.0]]), torch.tensor([[1.0]])
FAKE = torch.tensor([[4.0, 2.0]]), torch.tensor([[2.0]])


class Sum(nn.Module):
    """D(x, z) = a (x1 + x2 + z): 5a on the real pair, 8a on the fake one; its slope is a√3."""

    def __init__(self, a: float = 1.0) -> None:
        super().__init__()
        self.a = nn.Parameter(torch.tensor(a))

    def forward(self, x: Tensor, z: Tensor) -> Judgement:
        return Judgement(self.a * torch.cat([x, z], 1).sum(1), x)


def test_loss_of_the_critic() -> None:
    found = pair_loss(Sum(), NonSaturating(), REAL, FAKE)
    torch.testing.assert_close(found, softplus(torch.tensor([-5.0])) + softplus(torch.tensor([8.0])))


def test_the_penalty_is_on_the_slope_in_both_inputs() -> None:
    found = pair_loss(Sum(2.0), WGANGP(), REAL, FAKE)
    assert found.item() == pytest.approx(16 - 10 + 10 * (2 * 3**0.5 - 1) ** 2, rel=1e-5)


def test_the_penalty_gives_images_back_their_shape() -> None:
    class Image(nn.Module):
        def forward(self, x: Tensor, z: Tensor) -> Judgement:
            assert x.shape[1:] == (2, 3, 4)
            return Judgement(x.flatten(1).sum(1) + z.sum(1), x)

    pair = torch.zeros(5, 2, 3, 4), torch.zeros(5, 6)
    found = pair_loss(Image(), WGANGP(), pair, pair)  # a slope of √(24 + 6)
    torch.testing.assert_close(found, torch.full((5,), 10 * (30**0.5 - 1) ** 2))


def test_the_critics_loss_reaches_nobody_else() -> None:
    made = [part.clone().requires_grad_() for part in (*REAL, *FAKE)]
    pair_loss(Sum(), WGANGP(), (made[0], made[1]), (made[2], made[3])).sum().backward()
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
    torch.testing.assert_close(flipped_loss(Sum(), objective, REAL, FAKE), expected[None])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"ema": 1.0}, r"ema must lie in \[0, 1\), or be None for no average, not 1.0"),
        ({"latent_dim": 0}, "latent_dim must be a whole number of at least 1, not 0"),
    ],
)
def test_wrong_settings_are_refused_before_training(wrong: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        EGBAD(**wrong).fit(np.zeros((4, 3)))


def test_the_average_scores() -> None:
    # A decay of 0 follows the last weights, as no average does; one near 1 stays behind them.
    rows, settings = np.random.default_rng(0).normal(size=(20, 3)), EGBAD.tiny | {"random_state": 0, "epochs": 5}
    none, nought, long = (EGBAD(**settings | {"ema": e}).fit(rows) for e in (None, 0.0, 0.999))
    a, b, c = (d.networks_["encoder"].layers[0].weight for d in (none, nought, long))
    torch.testing.assert_close(a, b)
    assert not torch.allclose(a, c)
