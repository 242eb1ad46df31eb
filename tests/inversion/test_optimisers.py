"""Rules that move latent points: equal to torch's where torch has them, else to what the mathematics says."""

from itertools import pairwise

import pytest
import torch
from torch import nn

from oddgan._core.errors import InputError
from oddgan.inversion import (
    Execution,
    LatentAdam,
    LatentLBFGS,
    LatentLM,
    LatentRMSProp,
    LatentSearch,
    LatentSGD,
    Slots,
)

ANYWHERE = type("Anywhere", (), {"project": staticmethod(lambda z: z)})()
TORCH = [
    (LatentAdam(lr=0.05, betas=(0.9, 0.99)), lambda z: torch.optim.Adam([z], lr=0.05, betas=(0.9, 0.99))),
    (LatentRMSProp(lr=0.05, alpha=0.9), lambda z: torch.optim.RMSprop([z], lr=0.05, alpha=0.9)),
    (LatentSGD(lr=0.1, momentum=0.8), lambda z: torch.optim.SGD([z], lr=0.1, momentum=0.8)),
]
ALL = [rule for rule, _ in TORCH] + [LatentLBFGS(), LatentLM()]
NAMES = [type(rule).__name__ for rule in ALL]


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 12), nn.Tanh(), nn.Linear(12, 9)).double().requires_grad_(False)


def squared(x, y):
    return (x - y).square().mean(dim=1)


def problem(n):
    generator = network()
    torch.manual_seed(1)
    x = generator(torch.randn(n, 4).double()) + 0.02 * torch.randn(n, 9).double()
    return generator, x, torch.randn(1, 4).double()


@pytest.mark.parametrize(("rule", "reference"), TORCH, ids=NAMES[:3])
def test_equals_torch(rule, reference):
    generator, x, starts = problem(3)
    found = LatentSearch(n_max=25, optimiser=rule)(x, generator, ANYWHERE, squared, starts)
    for i in range(3):
        z = starts.clone().requires_grad_()
        optimiser = reference(z)
        for _ in range(25):
            optimiser.zero_grad()
            squared(x[i : i + 1], generator(z)).sum().backward()
            optimiser.step()
        torch.testing.assert_close(found.z[i], z.detach()[0], atol=1e-12, rtol=0)


@pytest.mark.parametrize("rule", ALL, ids=NAMES)
def test_each_row_has_a_state_of_its_own(rule):
    generator, x, starts = problem(12)
    search = LatentSearch(n_max=120, optimiser=rule, eps=0.02)
    found = search(x, generator, ANYWHERE, squared, starts)
    assert len(set(found.steps.tolist())) > 1
    order = torch.randperm(12)
    for slots in (Slots(5), Slots(7, fixed=True)):
        shuffled = search(x[order], generator, ANYWHERE, squared, starts, Execution(slots))
        assert torch.equal(shuffled.steps, found.steps[order])
        torch.testing.assert_close(shuffled.loss, found.loss[order], atol=1e-9, rtol=0)


@pytest.mark.parametrize("rule", [LatentLBFGS(), LatentLM()], ids=NAMES[3:])
def test_never_reports_a_worse_point_than_before(rule):
    generator, x, starts = problem(6)
    losses = [
        LatentSearch(n_max=n, optimiser=rule)(x, generator, ANYWHERE, squared, starts).loss for n in (1, 2, 4, 8, 16)
    ]
    assert all((after <= before).all() for before, after in pairwise(losses))
    found = LatentSearch(n_max=16, optimiser=rule)(x, generator, ANYWHERE, squared, starts)
    torch.testing.assert_close(found.loss, squared(x, found.x))


def quadratic():
    """A linear generator y = A z: the best z solves the normal equations."""
    torch.manual_seed(3)
    a = torch.randn(9, 4).double()
    x = torch.randn(2, 9).double()
    return lambda z: z @ a.T, x, torch.linalg.lstsq(a, x.T).solution.T


def test_lm_solves_a_linear_problem_at_once():
    # With next to no damping the first trial is the Gauss-Newton step, which ends at the solution, from anywhere.
    generator, x, solution = quadratic()
    search = LatentSearch(n_max=1, optimiser=LatentLM(damping=1e-12))
    found = search(x, generator, ANYWHERE, squared, torch.randn(1, 4).double())
    torch.testing.assert_close(found.z, solution, atol=1e-6, rtol=0)


def test_lbfgs_solves_a_quadratic_in_few_steps():
    # In exact arithmetic with exact line searches BFGS needs as many steps as there are dimensions.
    generator, x, solution = quadratic()
    search = LatentSearch(n_max=30, optimiser=LatentLBFGS())
    found = search(x, generator, ANYWHERE, squared, torch.zeros(1, 4).double())
    torch.testing.assert_close(found.z, solution, atol=1e-5, rtol=0)


def test_lm_with_another_loss_still_descends_to_its_minimum():
    generator, x, starts = problem(4)

    def absolute(x, y):
        return (x - y).abs().mean(dim=1)

    before = absolute(x, generator(starts).expand_as(x))
    found = LatentSearch(n_max=30, optimiser=LatentLM())(x, generator, ANYWHERE, absolute, starts)
    slow = LatentSearch(n_max=400, optimiser=LatentAdam(lr=0.02))(x, generator, ANYWHERE, absolute, starts)
    assert (found.loss < before / 4).all()
    assert (found.loss < 1.3 * slow.loss + 0.01).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LatentAdam(lr=0), "LatentAdam got lr=0"),
        (lambda: LatentAdam(betas=(0.5, 1.0)), "betas"),
        (lambda: LatentRMSProp(alpha=1.0), "LatentRMSProp got alpha=1.0"),
        (lambda: LatentSGD(momentum=-0.1), "momentum=-0.1"),
        (lambda: LatentLBFGS(history=0), "history=0"),
        (lambda: LatentLM(damping=float("nan")), "damping=nan"),
    ],
)
def test_wrong_arguments(make, message):
    with pytest.raises(InputError, match=message):
        make()
