import math
from itertools import product

import pytest
import torch
from torch import nn

from oddgan._core.errors import InputError
from oddgan._core.parts import from_spec, to_spec
from oddgan.objectives import R1, WGANGP, GradientPenalty, Hinge, LeastSquares, Minimax, NonSaturating, Wasserstein

KINDS = [Minimax, NonSaturating, LeastSquares, Wasserstein, WGANGP, Hinge]
LOG2, LOG3, LOG4 = math.log(2), math.log(3), math.log(4)
# σ(log 3) = 3/4, so that every logarithm below is one of a simple fraction.
REAL, FAKE = torch.tensor([LOG3, 0.0, 2.0]), torch.tensor([0.0, LOG3, -2.0])


@pytest.mark.parametrize(
    ("objective", "critic", "generator"),
    [
        # -log 3/4 - log 1/2, and log 1/2; -log 1/2 - log 1/4, and log 1/4
        (Minimax(), [LOG4 - LOG3 + LOG2, LOG2 + LOG4], [-LOG2, -LOG4]),
        (NonSaturating(), [LOG4 - LOG3 + LOG2, LOG2 + LOG4], [LOG2, LOG4 - LOG3]),
        (LeastSquares(), [(LOG3 - 1) ** 2 / 2, 1 / 2 + LOG3**2 / 2], [1 / 2, (LOG3 - 1) ** 2 / 2]),
        (
            LeastSquares(real=1, fake=-1, target=0),
            [(LOG3 - 1) ** 2 / 2 + 1 / 2, 1 / 2 + (LOG3 + 1) ** 2 / 2],
            [0, LOG3**2 / 2],
        ),
        (Wasserstein(), [-LOG3, LOG3], [0, -LOG3]),
        (WGANGP(), [-LOG3, LOG3], [0, -LOG3]),
        # + 0.5 · (log 3)² on the real sample; 0 costs nothing
        (WGANGP(drift=0.5), [-LOG3 + LOG3**2 / 2, LOG3], [0, -LOG3]),
        # log 3 is above the margin 1: a real sample there costs nothing.
        (Hinge(), [1, 1 + 1 + LOG3], [0, -LOG3]),
    ],
)
def test_formulas(objective, critic, generator):
    assert objective.critic(REAL[:2], FAKE[:2]).tolist() == pytest.approx(critic, abs=1e-6)
    assert objective.generator(FAKE[:2]).tolist() == pytest.approx(generator, abs=1e-6)


def test_hinge_costs_nothing_outside_the_margin():
    assert Hinge().critic(torch.tensor([1.5]), torch.tensor([-1.5])).item() == 0


@pytest.mark.parametrize("kind", KINDS)
def test_critic_learns_to_tell_and_generator_to_please(kind):
    real, fake = torch.tensor([0.5], requires_grad=True), torch.tensor([0.5], requires_grad=True)
    kind().critic(real, fake).sum().backward()
    assert real.grad.item() < 0 < fake.grad.item()
    fake.grad = None
    kind().generator(fake).sum().backward()
    assert fake.grad.item() < 0


def test_only_the_non_saturating_generator_learns_from_a_critic_that_wins():
    def slope(objective):
        fake = torch.tensor([-20.0], requires_grad=True)
        objective.generator(fake).sum().backward()
        return fake.grad.item()

    assert slope(NonSaturating()) == pytest.approx(-1)
    assert slope(Minimax()) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(("kind", "logit"), list(product(KINDS, [-1e4, 1e4])))
def test_finite_at_extreme_logits(kind, logit):
    fake = torch.tensor([logit], requires_grad=True)
    loss = kind().critic(-fake, fake) + kind().generator(fake)
    loss.sum().backward()
    assert loss.isfinite().all()
    assert fake.grad.isfinite().all()


@pytest.mark.parametrize("kind", KINDS)
def test_each_entry_is_about_its_own_sample(kind):
    together = kind().critic(REAL, FAKE)
    alone = torch.cat([kind().critic(REAL[i : i + 1], FAKE[i : i + 1]) for i in range(3)])
    assert torch.equal(together, alone)


@pytest.mark.parametrize("shape", [(4, 1), (3,)])
def test_logits_of_other_shapes_are_refused(shape):
    with pytest.raises(InputError, match=r"one length, but got the shapes \(4,\) and"):
        Hinge().critic(torch.zeros(4), torch.zeros(shape))


def test_penalty_without_regulariser_is_zero():
    x = torch.ones(3, 2, dtype=torch.float64)
    assert torch.equal(NonSaturating().penalty(lambda x: x.sum(dim=1), x, x), torch.zeros(3, dtype=torch.float64))


def test_penalty_comes_from_the_regulariser():
    # The slope of the sum of two values is √2.
    x = torch.ones(3, 2)
    assert WGANGP().penalty(lambda x: x.sum(dim=1), x, x).tolist() == pytest.approx([10 * (2**0.5 - 1) ** 2] * 3)
    assert Hinge(regulariser=R1(weight=3)).penalty(lambda x: x.sum(dim=1), x, x).tolist() == pytest.approx([3.0] * 3)


def test_clipping_bounds_every_weight_and_is_wassersteins_alone():
    for objective in (kind() for kind in KINDS):
        critic = nn.Sequential(nn.Linear(3, 5), nn.Linear(5, 1))
        before = [p.detach().clone() for p in critic.parameters()]
        objective.constrain(critic)
        if isinstance(objective, Wasserstein) and objective.clip:
            expected = [p.clamp(-0.01, 0.01) for p in before]
            assert not all(torch.equal(p, q) for p, q in zip(before, expected, strict=True))
        else:
            expected = before
        assert all(torch.equal(p, q) for p, q in zip(critic.parameters(), expected, strict=True))
        assert all(p.requires_grad for p in critic.parameters())


def test_wgan_gp_is_wasserstein_with_a_penalty_and_no_clipping():
    assert (WGANGP().clip, WGANGP().regulariser) == (None, GradientPenalty(weight=10, target=1))
    assert (Wasserstein().clip, Wasserstein().regulariser) == (0.01, None)


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        (LeastSquares, {"real": 1, "fake": 1}, "different ones"),
        (LeastSquares, {"target": math.nan}, "finite"),
        (Wasserstein, {"clip": 0}, "above 0"),
        (WGANGP, {"clip": -1}, "WGANGP got clip=-1"),
        (WGANGP, {"drift": -0.1}, "WGANGP got drift=-0.1: give a finite number of at least 0"),
    ],
)
def test_wrong_arguments(kind, arguments, message):
    with pytest.raises(InputError, match=message):
        kind(**arguments)


@pytest.mark.parametrize("objective", [*(kind() for kind in KINDS), Hinge(regulariser=R1(weight=2))])
def test_stored_and_built_again(objective):
    known = {kind.__name__: kind for kind in [*KINDS, R1, GradientPenalty]}
    assert from_spec(to_spec(objective, {}, "objective"), known, {}) == objective
    assert hash(objective) == hash(from_spec(to_spec(objective, {}, "objective"), known, {}))
