import math
from typing import NamedTuple

import pytest
import torch
from torch import nn

from oddgan._core.errors import InputError
from oddgan._core.parts import from_spec, to_spec
from oddgan.inversion import Execution, LatentAdam, LatentSearch, Slots

ANYWHERE = type("Anywhere", (), {"project": staticmethod(lambda z: z)})()
BOX = type("Box", (), {"project": staticmethod(lambda z: z.clamp(-1, 1))})()


def waves(z):
    """A generator that treats each row alike to the last bit, whatever the number of rows."""
    return torch.sin(z * torch.tensor([1.0, 2.0, 3.0], dtype=z.dtype) + 0.3)


def network(dtype):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 6), nn.Unflatten(1, (2, 3))).to(dtype).eval()


def squared(x, y):
    return (x - y).square().flatten(1).sum(dim=1)


def problem(n, n_seed, dtype=torch.float64):
    torch.manual_seed(1)
    return waves(torch.rand(n, 3, dtype=dtype)), torch.rand(n_seed, 3, dtype=dtype) - 0.5


def by_adam(lr=1e-2, betas=(0.5, 0.999), **settings):
    return LatentSearch(optimiser=LatentAdam(lr=lr, betas=betas), **settings)


class Naive(NamedTuple):
    z: torch.Tensor
    loss: torch.Tensor
    steps: int


def naive(search, x, generator, prior, start):
    """The plain loop for one sample and one start, with torch's own Adam."""
    z = start.clone().requires_grad_()
    adam = torch.optim.Adam([z], lr=search.optimiser.lr, betas=search.optimiser.betas)
    steps = 0
    while (loss := squared(x[None], generator(z[None]))[0]) > search.eps and steps < search.n_max:
        adam.zero_grad()
        loss.backward(inputs=[z])
        adam.step()
        with torch.no_grad():
            z.copy_(prior.project(z))
        steps += 1
    return Naive(z.detach(), loss.detach(), steps)


@pytest.mark.parametrize("prior", [ANYWHERE, BOX])
@pytest.mark.parametrize("eps", [0.0, 0.01])
def test_equals_the_plain_loop(prior, eps):
    x, starts = problem(8, 3)
    search = by_adam(n_max=60, lr=0.02, eps=eps)
    found = search(x, waves, prior, squared, starts)
    for i in range(len(x)):
        best = min((naive(search, x[i], waves, prior, start) for start in starts), key=lambda r: r.loss.item())
        torch.testing.assert_close(found.z[i], best.z, atol=1e-12, rtol=0)
        assert torch.equal(found.x[i], waves(found.z[i : i + 1])[0])
        assert (found.steps[i], found.converged[i]) == (best.steps, best.loss <= eps)
        assert found.loss[i].item() == pytest.approx(best.loss.item(), abs=1e-12)
    if eps:
        assert len(set(found.steps.tolist())) > 2  # the samples do stop at different times


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
def test_equals_the_plain_loop_with_a_network(dtype, tolerance):
    generator = network(dtype)
    _, starts = problem(1, 2, dtype)
    x = generator(torch.randn(5, 3, dtype=dtype)).detach()
    search = by_adam(n_max=20)
    found = search(x, generator, BOX, squared, starts)
    for i in range(len(x)):
        best = min((naive(search, x[i], generator, BOX, start) for start in starts), key=lambda r: r.loss.item())
        torch.testing.assert_close(found.z[i], best.z, atol=tolerance, rtol=0)


@pytest.mark.parametrize("reduce", ["min", "mean"])
@pytest.mark.parametrize("slots", [Slots(64), Slots(6), Slots(1), Slots(8, fixed=True)])
def test_does_not_depend_on_company(reduce, slots):
    x, starts = problem(7, 3, torch.float32)
    search = by_adam(n_max=40, lr=0.05, eps=0.01, reduce=reduce)
    together = search(x, waves, BOX, squared, starts)
    assert len(set(together.steps.tolist())) > 2  # the samples do stop at different times
    order = torch.tensor([3, 3, 0, 6, 3, 5])
    for rows in (order, order.flip(0), torch.arange(7), torch.tensor([4])):
        found = search(x[rows], waves, BOX, squared, starts, Execution(slots))
        for value, expected in zip(found, together, strict=True):
            torch.testing.assert_close(value, expected[rows], atol=1e-6, rtol=0)


def test_fixed_slots_keep_the_rounding_of_networks():
    generator = network(torch.float32)
    torch.manual_seed(2)
    x = generator(torch.randn(150, 3)).detach()
    search, how = by_adam(n_max=200, lr=0.05, eps=2e-3), Execution(Slots(64, fixed=True))
    found = search(x, generator, ANYWHERE, squared, torch.zeros(1, 3), how)
    for rows in (torch.randperm(150), torch.tensor([70]), torch.arange(90)):
        again = search(x[rows], generator, ANYWHERE, squared, torch.zeros(1, 3), how)
        for value, expected in zip(again, found, strict=True):
            assert torch.equal(value, expected[rows])


@pytest.mark.parametrize("slots", [Slots(4), Slots(7), Slots(100)])
@pytest.mark.parametrize("n_seed", [1, 3])
def test_no_step_is_spent_on_a_finished_point(slots, n_seed):
    x, starts = problem(10, n_seed)
    seen = []

    def generator(z):
        seen.append(z.detach().clone())
        return waves(z)

    found = by_adam(n_max=50, lr=0.05, eps=0.05, reduce="mean")(
        x, generator, ANYWHERE, squared, starts, Execution(slots)
    )
    alone = [by_adam(n_max=50, lr=0.05, eps=0.05)(x, waves, ANYWHERE, squared, start[None]) for start in starts]
    steps = sum(int(each.steps.sum()) for each in alone)
    redrawn = 10 if n_seed > 1 else 0  # of several starts the best is drawn once more
    assert sum(map(len, seen)) == steps + 10 * n_seed + redrawn
    assert max(map(len, seen)) <= slots.most
    assert found.steps.tolist() == torch.stack([each.steps for each in alone]).amax(dim=0).tolist()


def test_fixed_slots_are_always_full():
    x, starts = problem(10, 1)
    sizes = set()

    def generator(z):
        sizes.add(len(z))
        return waves(z)

    by_adam(n_max=9, eps=0.05)(x, generator, ANYWHERE, squared, starts, Execution(Slots(4, fixed=True)))
    assert sizes == {4}


def test_the_report_adds_up():
    x, starts = problem(10, 2)
    told = []
    how = Execution(Slots(3), report=lambda *numbers: told.append(numbers))
    found = by_adam(n_max=30, lr=0.05, eps=0.05)(x, waves, ANYWHERE, squared, starts, how)
    alone = [by_adam(n_max=30, lr=0.05, eps=0.05)(x, waves, ANYWHERE, squared, start[None]) for start in starts]
    assert sum(points for points, _, _ in told) == 20
    assert sum(steps for _, steps, _ in told) == sum(int(each.steps.sum()) for each in alone)
    assert sum(converged for _, _, converged in told) == sum(int(each.converged.sum()) for each in alone)
    assert len(found.z) == 10


def test_censored_losses_are_ordered_by_steps():
    # A sample that stops early ends anywhere below eps: it counts as eps, and before those that took longer.
    x, starts = problem(12, 1)
    eps = 0.05
    found = by_adam(n_max=12, lr=0.05, eps=eps)(x, waves, ANYWHERE, squared, starts)
    stopped = found.converged
    assert 2 < stopped.sum() < 12
    assert torch.equal(found.censored[~stopped], found.loss[~stopped])
    assert (found.censored[stopped] <= eps).all()
    torch.testing.assert_close(
        found.censored[stopped], torch.full((int(stopped.sum()),), eps).double(), rtol=2e-6, atol=0
    )
    order = found.steps[stopped].argsort(stable=True)
    assert (found.censored[stopped][order].diff() >= 0).all()
    assert len(found.censored[stopped].unique()) == len(found.steps[stopped].unique())


def test_own_starts_for_each_sample():
    x, starts = problem(4, 3)
    shared = by_adam(n_max=9)(x, waves, ANYWHERE, squared, starts)
    own = by_adam(n_max=9)(x, waves, ANYWHERE, squared, starts.expand(4, 3, 3))
    assert torch.equal(own.z, shared.z)
    rolled = torch.stack([starts.roll(i, 0)[:1] for i in range(4)])
    each = by_adam(n_max=9)(x, waves, ANYWHERE, squared, rolled)
    for i in range(4):
        alone = by_adam(n_max=9)(x[i : i + 1], waves, ANYWHERE, squared, rolled[i])
        torch.testing.assert_close(each.z[i], alone.z[0], atol=1e-12, rtol=0)


def test_the_step_size_drops_near_the_target_for_good():
    # From z = 3 towards 0 by signed steps of 1: loss 9, 4, 1; below 5 the steps are tenths, above it they stay so.
    path = []

    def generator(z):
        path.append(z.item())
        return z

    search = by_adam(n_max=4, lr=1.0, betas=(0.0, 0.0), drop=(5.0, 0.1))
    search(torch.zeros(1, 1), generator, ANYWHERE, squared, torch.full((1, 1), 3.0))
    assert path == pytest.approx([3.0, 2.0, 1.9, 1.8, 1.7])


def test_several_tensors_may_be_known_of_a_sample():
    x, starts = problem(5, 2)
    weight = torch.arange(1.0, 6.0).double()
    found = by_adam(n_max=9)((x, weight), waves, BOX, lambda x, w, y: w * squared(x, y), starts, Execution(Slots(3)))
    for i in range(5):
        alone = by_adam(n_max=9)(x[i : i + 1], waves, BOX, lambda x, y, i=i: weight[i] * squared(x, y), starts)
        assert found.loss[i].item() == pytest.approx(alone.loss.item(), abs=1e-12)


def test_a_draft_is_searched_on_and_the_truth_is_reported():
    # The draft is 1 % off: it stops at its own eps only where the truth confirms it.
    x, starts = problem(6, 1)
    draft = (lambda z: waves(z) + 0.02, squared)
    found = by_adam(n_max=80, lr=0.05, eps=0.02)(x, waves, ANYWHERE, squared, starts, Execution(draft=draft))
    assert torch.equal(found.loss, squared(x, found.x))
    assert torch.equal(found.x, waves(found.z))
    assert torch.equal(found.converged, found.loss <= 0.02)


@pytest.mark.parametrize("fixed", [True, False])
def test_ends_on_a_draft_are_confirmed_many_at_once(fixed):
    # The draft's loss is a tenth too low, so that most points are refused at first, and have to be moved on.
    x, starts = problem(70, 1)
    draft, seen = (waves, lambda x, y: 0.9 * squared(x, y)), []

    def generator(z):
        seen.append(len(z))
        return waves(z)

    search, how = by_adam(n_max=80, lr=0.05, eps=0.02), Execution(Slots(32, fixed=fixed), draft)
    found = search(x, generator, ANYWHERE, squared, starts, how)
    some = range(0, 70, 7)
    alone = [search(x[i : i + 1], waves, ANYWHERE, squared, starts, how) for i in some]
    tolerance = 0.0 if fixed else 1e-9  # batches of other sizes round differently
    for name in ("z", "x", "loss", "steps", "censored"):
        expected = torch.cat([getattr(one, name) for one in alone])
        torch.testing.assert_close(getattr(found, name)[some], expected, rtol=0.0, atol=tolerance, msg=name)
    assert found.converged.any()
    assert found.steps.unique().numel() > 10  # they do not end together
    assert torch.equal(found.converged, squared(x, found.x) <= search.eps)
    # An end by itself would take 70 looks, and more for those that are refused.
    assert len(seen) < 35
    assert max(seen) <= 32


def test_stops_at_eps_or_after_n_max_steps():
    x, starts = problem(4, 1)
    exact = by_adam(eps=0.0)(waves(starts), waves, ANYWHERE, squared, starts)
    assert (exact.steps.tolist(), exact.converged.tolist(), exact.loss.tolist()) == ([0], [True], [0])
    short = by_adam(n_max=7)(x, waves, ANYWHERE, squared, starts)
    assert (short.steps.tolist(), short.converged.tolist()) == ([7] * 4, [False] * 4)
    assert torch.equal(short.loss, squared(x, short.x))


def test_the_first_step_of_adam_has_the_size_lr():
    # With both moments corrected for their start at zero, the first step is lr · sign(gradient).
    found = by_adam(n_max=1, lr=0.25)(torch.tensor([[3.0, -3.0]]), lambda z: z, ANYWHERE, squared, torch.zeros(1, 2))
    assert found.z[0].tolist() == pytest.approx([0.25, -0.25])


def test_every_step_ends_on_the_support():
    seen = []

    def generator(z):
        seen.append(z.detach())
        return z

    x = torch.full((2, 3), 5.0)
    found = by_adam(n_max=30, lr=0.5)(x, generator, BOX, squared, torch.zeros(1, 3))
    assert all((z.abs() <= 1).all() for z in seen)
    assert torch.equal(found.z, torch.ones(2, 3))


def test_reduce_by_minimum_and_by_mean():
    x, starts = problem(5, 4)
    each = [by_adam(n_max=9, eps=0.02, lr=0.1)(x, waves, BOX, squared, start[None]) for start in starts]
    losses = torch.stack([r.loss for r in each])
    least = by_adam(n_max=9, eps=0.02, lr=0.1)(x, waves, BOX, squared, starts)
    mean = by_adam(n_max=9, eps=0.02, lr=0.1, reduce="mean")(x, waves, BOX, squared, starts)
    best = losses.argmin(dim=0)
    assert torch.equal(least.loss, losses.amin(dim=0))
    assert torch.equal(least.steps, torch.stack([r.steps for r in each]).gather(0, best[None])[0])
    torch.testing.assert_close(mean.loss, losses.mean(dim=0))
    assert torch.equal(mean.steps, torch.stack([r.steps for r in each]).amax(dim=0))
    assert torch.equal(mean.converged, mean.loss <= 0.02)
    assert torch.equal(mean.z, least.z)
    assert torch.equal(mean.x, least.x)


def test_a_start_that_diverges_loses():
    def generator(z):
        return torch.where(z > 100, torch.nan, z)

    starts = torch.tensor([[1000.0], [1.0]])
    found = by_adam(n_max=3)(torch.zeros(2, 1), generator, ANYWHERE, squared, starts)
    assert found.loss.isfinite().all()
    lost = by_adam(n_max=3)(torch.zeros(2, 1), generator, ANYWHERE, squared, starts[:1])
    assert lost.loss.isnan().all()
    assert lost.converged.tolist() == [False, False]


def test_gradients_go_to_z_only_and_the_result_carries_none():
    generator = network(torch.float32)
    found = by_adam(n_max=3)(torch.zeros(2, 2, 3), generator, ANYWHERE, squared, torch.zeros(2, 3))
    assert all(p.grad is None and p.requires_grad for p in generator.parameters())
    assert not any(value.requires_grad for value in found)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_works_where_gradients_are_switched_off(mode):
    generator = network(torch.float32)
    expected = by_adam(n_max=5)(torch.zeros(2, 2, 3), generator, ANYWHERE, squared, torch.zeros(1, 3))
    with mode():
        found = by_adam(n_max=5)(torch.zeros(2, 2, 3), generator, ANYWHERE, squared, torch.zeros(1, 3))
    assert torch.equal(found.z, expected.z)


def test_draws_nothing_random():
    x, starts = problem(2, 2)
    before = torch.random.get_rng_state()
    by_adam(n_max=3)(x, waves, ANYWHERE, squared, starts)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_inputs_stay_as_they_were():
    x, starts = problem(3, 2)
    kept = x.clone(), starts.clone()
    by_adam(n_max=3)(x, waves, BOX, squared, starts)
    assert torch.equal(x, kept[0])
    assert torch.equal(starts, kept[1])
    assert not starts.requires_grad


@pytest.mark.parametrize(
    "changed",
    [
        {"n_max": 8},
        {"lr": 0.02},
        {"eps": 0.3},
        {"reduce": "mean"},
        {"betas": (0.9, 0.999)},
        {"betas": (0.5, 0.9)},
    ],
)
def test_every_field_matters(changed):
    x, starts = problem(4, 3)
    plain = by_adam(n_max=10)(x, waves, ANYWHERE, squared, starts)
    other = by_adam(**({"n_max": 10} | changed))(x, waves, ANYWHERE, squared, starts)
    assert not torch.equal(plain.loss, other.loss)


@pytest.mark.parametrize(
    ("x", "starts", "loss", "message"),
    [
        (torch.zeros(0, 3), torch.zeros(1, 3), squared, "at least one sample"),
        (torch.zeros(2, 3), torch.zeros(0, 3), squared, r"starts \(n_seed, m\)"),
        (torch.zeros(2, 3), torch.zeros(3), squared, r"starts \(n_seed, m\)"),
        (torch.zeros(2, 3), torch.zeros(1, 3), nn.functional.mse_loss, r"shape \(2,\), but got the shape \(\)"),
        (torch.zeros(2, 3), torch.zeros(1, 3), lambda x, y: squared(x, y.detach()), "does not depend on z"),
    ],
)
def test_wrong_input(x, starts, loss, message):
    with pytest.raises(InputError, match=message):
        by_adam()(x, waves, ANYWHERE, loss, starts)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_max": 0}, "n_max=0"),
        ({"precision": "fp8"}, "precision='fp8'"),
        ({"drop": (0.1, 0.0)}, "drop="),
        ({"lr": 0}, "lr=0"),
        ({"lr": math.nan}, "lr=nan"),
        ({"eps": -1}, "eps=-1"),
        ({"reduce": "max"}, "reduce='max'"),
        ({"betas": (0.5, 1.0)}, "below 1"),
        ({"betas": (0.5,)}, "two numbers"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(InputError, match=message):
        by_adam(**arguments)


def test_stored_and_built_again():
    search = by_adam(n_max=5, reduce="mean", betas=(0.9, 0.99))
    assert (
        from_spec(to_spec(search, {}, "inversion"), {"LatentSearch": LatentSearch, "LatentAdam": LatentAdam}, {})
        == search
    )
