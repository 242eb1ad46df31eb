import copy
import math
from functools import partial

import pytest
import torch
from torch import nn

from oddgan._core.errors import InputError
from oddgan._core.parts import from_spec, to_spec
from oddgan.inversion import (
    Accepted,
    EncoderInversion,
    Execution,
    Hybrid,
    JointSearch,
    LatentAdam,
    LatentLBFGS,
    LatentLM,
    LatentRMSProp,
    LatentSearch,
    LatentSGD,
    Projected,
    Slots,
    SupportPenalty,
)
from oddgan.networks import MLP, private
from oddgan.priors import Gaussian, Shell, Sphere, TruncatedNormal, Uniform
from oddgan.storage import known_parts

SUPPORTS = [TruncatedNormal(limit=0.4), Uniform(low=-0.2, high=0.5), Shell(k=0.2), Sphere()]
FORMS = [Projected, SupportPenalty, Accepted]
RULES = [LatentAdam(lr=0.1), LatentRMSProp(lr=0.05), LatentSGD(lr=0.05), LatentLBFGS(), LatentLM()]


def squared(x, y):
    return (x - y).square().flatten(1).sum(dim=1)


def waves(z):
    """A generator that treats each row alike to the last bit, whatever the number of rows."""
    return torch.sin(z * torch.tensor([1.0, 2.0, 3.0], dtype=z.dtype) + 0.3)


def problem(n, n_seed, dtype=torch.float64):
    torch.manual_seed(1)
    return waves(2 * torch.rand(n, 3, dtype=dtype)), torch.randn(n_seed, 3, dtype=dtype)


def naive(rule, lr, steps, x, generator, start):
    """One sample, one start, torch's own Adam and autograd: the answer z, its loss."""
    hard, soft = isinstance(rule, Projected), isinstance(rule, SupportPenalty)
    P = rule.support.project
    z = (P(start[None]) if hard else start[None].clone()).requires_grad_()
    adam = torch.optim.Adam([z], lr=lr, betas=(0.5, 0.999))

    def loss_at(point):
        loss = squared(x[None], generator(point))[0]
        return loss + rule.weight * (point - P(point)).square().sum() if soft else loss

    path = [(z.detach().clone(), loss_at(z).item())]
    for _ in range(steps):
        adam.zero_grad()
        loss_at(z).backward(inputs=[z])
        adam.step()
        with torch.no_grad():
            z.copy_(P(z) if hard else z)
        path.append((z.detach().clone(), loss_at(z).item()))
    if isinstance(rule, Accepted):
        inside = [(point, loss) for point, loss in path if (P(point) - point).abs().max() < 1e-9]
        projected = P(path[-1][0])
        return min(inside, key=lambda pair: pair[1]) if inside else (projected, loss_at(projected).item())
    return path[-1]


@pytest.mark.parametrize("support", SUPPORTS)
@pytest.mark.parametrize("form", FORMS)
def test_equals_the_plain_loop(form, support):
    x, starts = problem(3, 2)
    rule = form(support)
    search = LatentSearch(n_max=12, optimiser=LatentAdam(lr=0.1), restriction=rule)
    for slots in (Slots(4), Slots(8, fixed=True)):
        found = search(x, waves, Gaussian(), squared, starts, Execution(slots))
        for i in range(len(x)):
            ends = [naive(rule, 0.1, 12, x[i], waves, start) for start in starts]
            z, loss = min(ends, key=lambda end: end[1])
            torch.testing.assert_close(found.z[i], z[0], atol=1e-10, rtol=0)
            assert found.loss[i].item() == pytest.approx(loss, abs=1e-10)
            torch.testing.assert_close(found.x[i], waves(found.z[i][None])[0], atol=1e-12, rtol=0)


@pytest.mark.parametrize("optimiser", RULES, ids=lambda rule: type(rule).__name__)
@pytest.mark.parametrize("form", FORMS)
def test_no_bit_depends_on_company(form, optimiser):
    torch.manual_seed(0)
    generator = MLP(hidden=(8,)).decoder(3, (4,), output="tanh").eval().requires_grad_(requires_grad=False)
    x, starts = torch.rand(20, 4), torch.randn(2, 3)
    how = Execution(Slots(16, fixed=True))
    for support in (TruncatedNormal(limit=0.6), Shell(k=0.3)):
        search = LatentSearch(n_max=9, optimiser=optimiser, eps=0.05, restriction=form(support))
        together = search(x, generator, Gaussian(), squared, starts, how)
        for rows in (torch.randperm(20), torch.tensor([3, 3, 7])):
            found = search(x[rows], generator, Gaussian(), squared, starts, how)
            for value, expected in zip(found, together, strict=True):
                assert torch.equal(value, expected[rows])


@pytest.mark.parametrize("optimiser", RULES, ids=lambda rule: type(rule).__name__)
@pytest.mark.parametrize("support", SUPPORTS)
@pytest.mark.parametrize("form", [Projected, Accepted])
def test_every_rule_answers_inside(form, support, optimiser):
    x, starts = problem(6, 2)
    rule = form(support)
    found = LatentSearch(n_max=15, optimiser=optimiser, restriction=rule)(x, waves, Gaussian(), squared, starts)
    assert rule.contains(found.z).all()
    torch.testing.assert_close(found.loss, squared(x, waves(found.z)))


def test_a_penalty_pulls_towards_the_support_the_more_it_weighs():
    # Minimising (z - 3)² + w (z - 1)² over z > 1, the box [-1, 1] being left: z = (3 + w) / (1 + w).
    x, start = torch.full((1, 1), 3.0).double(), torch.zeros(1, 1).double()
    for weight in (0.5, 7.0):
        for optimiser, steps in ((LatentAdam(lr=0.2), 150), (LatentLBFGS(), 20), (LatentLM(), 20)):
            rule = SupportPenalty(Uniform(), weight=weight)
            search = LatentSearch(n_max=steps, optimiser=optimiser, restriction=rule)
            found = search(x, lambda z: z, Gaussian(), squared, start)
            z = (3 + weight) / (1 + weight)
            assert found.z.item() == pytest.approx(z, abs=1e-4)
            assert found.loss.item() == pytest.approx((z - 3) ** 2 + weight * (z - 1) ** 2, abs=1e-4)


def test_the_penalty_on_a_shell_is_about_the_norm():
    # In five dimensions the mode is 2 and σ 0.688 (0.6877): with k = 1 norms up to 2.6877 are inside.
    z = torch.tensor([[3.0, 4.0, 0, 0, 0], [2.0, 0, 0, 0, 0], [0, 0, 0.5, 0, 0]]).double()
    price = SupportPenalty(Shell(k=1.0), weight=2.0).price(z)
    low, high = Shell(k=1.0).edges(5)
    assert (low, high) == pytest.approx((2 - 0.6877, 2 + 0.6877), abs=1e-4)
    assert price.value.tolist() == pytest.approx([2 * (5 - high) ** 2, 0, 2 * (low - 0.5) ** 2])
    assert price.gradient[0].tolist() == pytest.approx([4 * (5 - high) * 0.6, 4 * (5 - high) * 0.8, 0, 0, 0])
    assert price.gradient[2].tolist() == pytest.approx([0, 0, -4 * (low - 0.5), 0, 0])
    assert price.curvature.tolist() == [4, 0, 4]


@pytest.mark.parametrize("support", SUPPORTS)
def test_the_gradient_of_the_penalty_is_that_of_autograd(support):
    torch.manual_seed(0)
    z = torch.randn(20, 4).double().requires_grad_()
    (expected,) = torch.autograd.grad((z - support.project(z)).square().sum(), z)
    torch.testing.assert_close(SupportPenalty(support).price(z.detach()).gradient, expected)


def test_only_points_inside_are_accepted():
    # From 0 towards 3 by steps of 1 the points are 0, 1, 2, 3: in the box of ±1.5 the best is 1, though 3 is found.
    x, start = torch.full((1, 1), 3.0), torch.zeros(1, 1)
    stepper = LatentAdam(lr=1.0, betas=(0.0, 0.0))
    inside = LatentSearch(n_max=3, optimiser=stepper, restriction=Accepted(Uniform(low=-1.5, high=1.5)))
    found = inside(x, lambda z: z, Gaussian(), squared, start)
    assert (found.z.item(), found.loss.item(), found.steps.item()) == pytest.approx((1, 4, 3))
    # Started at -2 with the box [5, 6] it never is inside: the end, 1, is projected to 5.
    far = LatentSearch(n_max=3, optimiser=stepper, restriction=Accepted(Uniform(low=5.0, high=6.0)))
    found = far(x, lambda z: z, Gaussian(), squared, start - 2)
    assert (found.z.item(), found.loss.item(), found.converged.item()) == (5, 4, False)
    # A goal that is met outside does not stop the search; one that is met inside does.
    goal = LatentSearch(n_max=9, optimiser=stepper, eps=1.0, restriction=Accepted(Uniform(low=2.5, high=4.0)))
    found = goal(x, lambda z: z, Gaussian(), squared, start)
    assert (found.z.item(), found.steps.item(), found.converged.item()) == (3, 3, True)


def test_half_precision_is_confirmed_where_it_counts():
    x, starts = problem(6, 2)
    draft = (lambda z: waves(z) + 0.02, squared)
    for form in FORMS:
        rule = form(TruncatedNormal(limit=0.4))
        search = LatentSearch(n_max=20, optimiser=LatentAdam(lr=0.1), restriction=rule)
        found = search(x, waves, Gaussian(), squared, starts, Execution(draft=draft))
        price = rule.price(found.z)
        paid = 0.0 if price is None else price.value
        torch.testing.assert_close(found.loss, squared(x, waves(found.z)) + paid)


def test_a_start_that_diverges_loses_even_when_projected():
    def generator(z):
        return torch.where(z > 100, torch.nan, z)

    starts = torch.tensor([[1000.0], [1.0]])
    for form in FORMS:
        search = LatentSearch(n_max=3, restriction=form(Uniform(low=-2000.0, high=2000.0)))
        assert search(torch.zeros(2, 1), generator, Gaussian(), squared, starts).loss.isfinite().all()
        assert search(torch.zeros(2, 1), generator, Gaussian(), squared, starts[:1]).loss.isnan().all()


def test_codes_of_an_encoder_are_projected():
    torch.manual_seed(0)
    encoder, generator, x = nn.Linear(3, 2), nn.Linear(2, 3), torch.randn(9, 3)
    rule = Projected(Shell(k=0.5))
    found = EncoderInversion(restriction=rule)(x, generator, encoder, squared)
    torch.testing.assert_close(found.z, Shell(k=0.5).project(encoder(x)))
    torch.testing.assert_close(found.x, generator(found.z.clone()))
    assert not rule.contains(encoder(x)).all()
    for wrong in (SupportPenalty(Shell()), Accepted(Shell()), Shell()):
        with pytest.raises(InputError, match="give Projected"):
            EncoderInversion(restriction=wrong)


def test_hybrid_starts_inside_the_restriction_not_the_prior():
    x, codes = problem(4, 4)
    prior, wide = Uniform(low=-0.1, high=0.1), Projected(Uniform(low=-2.0, high=2.0))
    none = Hybrid(LatentSearch(n_max=1, eps=1e6, restriction=wide))(x, waves, prior, squared, codes)
    assert torch.equal(none.z, codes.clamp(-2, 2))
    bound = Hybrid(LatentSearch(n_max=1, eps=1e6))(x, waves, prior, squared, codes)
    assert torch.equal(bound.z, codes.clamp(-0.1, 0.1))


def naive_joint(rule, search, x, generator, starts):
    """Deep copies, torch's own optimisers; z (n_seed, m) and losses (n_seed,) of one sample."""
    P, ends = rule.support.project, []
    for start in starts:
        g = copy.deepcopy(generator)
        z = (P(start[None]) if isinstance(rule, Projected) else start[None].clone()).requires_grad_()
        adam = torch.optim.Adam([z], lr=search.lr, betas=search.betas)
        own = torch.optim.SGD(g.parameters(), lr=search.rate)

        def total(point, g=g):
            loss = squared(x[None], g(point))[0]
            if isinstance(rule, SupportPenalty):
                loss = loss + rule.weight * (point - P(point)).square().sum()
            return loss

        path = [(z.detach().clone(), total(z).item())]
        for _ in range(search.steps):
            adam.zero_grad()
            own.zero_grad()
            total(z).backward()
            adam.step()
            own.step()
            with torch.no_grad():
                z.copy_(P(z) if isinstance(rule, Projected) else z)
            path.append((z.detach().clone(), total(z).item()))
        if isinstance(rule, Accepted):
            inside = [(point, loss) for point, loss in path if (P(point) - point).abs().max() < 1e-9]
            last = P(path[-1][0])
            ends.append(min(inside, key=lambda pair: pair[1]) if inside else (last, total(last).item()))
        else:
            ends.append(path[-1])
    return torch.cat([z for z, _ in ends]), [loss for _, loss in ends]


@pytest.mark.parametrize("support", SUPPORTS)
@pytest.mark.parametrize("form", FORMS)
def test_joint_search_equals_the_plain_loop(form, support):
    torch.manual_seed(0)
    generator = nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 4)).double()
    x, starts, rule = torch.rand(3, 4).double(), torch.randn(4, 3).double(), form(support)
    search = JointSearch(steps=6, lr=0.2, theta="gradient", theta_lr=0.02, restriction=rule)
    found = search(x, partial(private, generator), Gaussian(), squared, starts)
    for i in range(len(x)):
        z, loss = naive_joint(rule, search, x[i], generator, starts)
        torch.testing.assert_close(found.z[i], z, atol=1e-9, rtol=0)
        assert found.loss[i].tolist() == pytest.approx(loss, abs=1e-9)
    way = search.trace(x, partial(private, generator), Gaussian(), squared, starts)
    assert way.shape == (3, 4, 7, 3)
    first = support.project(starts) if form is Projected else starts
    torch.testing.assert_close(way[:, :, 0], first.expand(3, -1, -1))
    if form is not Accepted:
        torch.testing.assert_close(way[:, :, -1], found.z)


@pytest.mark.parametrize("form", FORMS)
def test_no_bit_of_a_joint_search_depends_on_other_samples(form):
    torch.manual_seed(0)
    generator = MLP(hidden=(8,)).decoder(3, (4,), output="tanh").eval()
    x, starts = torch.rand(9, 4), torch.randn(3, 3)
    search = JointSearch(steps=4, lr=0.3, restriction=form(Shell(k=0.3)))
    how = Execution(Slots(64, fixed=True))
    together = search(x, partial(private, generator), Gaussian(), squared, starts, how)
    alone = search(x[4:5], partial(private, generator), Gaussian(), squared, starts, how)
    for value, expected in zip(alone, together, strict=True):
        assert torch.equal(value, expected[4:5])


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Projected(3.0), "give a prior"),
        (lambda: SupportPenalty(Shell(), weight=0.0), "weight=0"),
        (lambda: SupportPenalty(Shell(), weight=math.nan), "weight=nan"),
    ],
)
def test_wrong_arguments(build, message):
    with pytest.raises(InputError, match=message):
        build()


def test_stored_and_built_again():
    known = known_parts()  # those that a stored model may name
    for rule in (Projected(Shell(k=1.0)), SupportPenalty(Shell(), weight=0.1), Accepted(Shell())):
        for search in (LatentSearch(restriction=rule), JointSearch(restriction=rule)):
            assert from_spec(to_spec(search, {}, "inversion"), known, {}) == search
