import math
from itertools import pairwise
from typing import NamedTuple

import pytest
import torch
from torch import nn

from oddgan._core.errors import InputError
from oddgan._core.parts import from_spec, to_spec
from oddgan.inversion import LatentSearch

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


class Naive(NamedTuple):
    z: torch.Tensor
    loss: torch.Tensor
    steps: int


def naive(search, x, generator, prior, start):
    """The plain loop for one sample and one start, with torch's own Adam."""
    z = start.clone().requires_grad_()
    adam = torch.optim.Adam([z], lr=search.lr, betas=search.betas)
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
def test_equals_the_plain_loop_bit_for_bit(prior, eps):
    x, starts = problem(8, 3)
    search = LatentSearch(n_max=60, lr=0.02, eps=eps)
    found = search(x, waves, prior, squared, starts)
    for i in range(len(x)):
        best = min((naive(search, x[i], waves, prior, start) for start in starts), key=lambda r: r.loss.item())
        assert torch.equal(found.z[i], best.z)
        assert torch.equal(found.x[i], waves(best.z[None])[0])
        assert (found.loss[i], found.steps[i], found.converged[i]) == (best.loss, best.steps, best.loss <= eps)
    if eps:
        assert len(set(found.steps.tolist())) > 2  # the samples do stop at different times


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
def test_equals_the_plain_loop_with_a_network(dtype, tolerance):
    generator = network(dtype)
    _, starts = problem(1, 2, dtype)
    x = generator(torch.randn(5, 3, dtype=dtype)).detach()
    search = LatentSearch(n_max=20)
    found = search(x, generator, BOX, squared, starts)
    for i in range(len(x)):
        best = min((naive(search, x[i], generator, BOX, start) for start in starts), key=lambda r: r.loss.item())
        torch.testing.assert_close(found.z[i], best.z, atol=tolerance, rtol=0)


@pytest.mark.parametrize("reduce", ["min", "mean"])
@pytest.mark.parametrize("chunk", [1024, 6, 1])
def test_does_not_depend_on_company(reduce, chunk):
    x, starts = problem(7, 3, torch.float32)
    search = LatentSearch(n_max=40, lr=0.05, eps=0.01, reduce=reduce, chunk=chunk)
    together = LatentSearch(n_max=40, lr=0.05, eps=0.01, reduce=reduce)(x, waves, BOX, squared, starts)
    order = torch.tensor([3, 3, 0, 6, 3, 5])
    for rows in (order, order.flip(0), torch.arange(7), torch.tensor([4])):
        found = search(x[rows], waves, BOX, squared, starts)
        for value, expected in zip(found, together, strict=True):
            assert torch.equal(value, expected[rows])


def test_equal_chunks_keep_the_rounding_of_networks():
    generator = network(torch.float32)
    torch.manual_seed(2)
    x = generator(torch.randn(10, 3)).detach()
    starts = torch.zeros(1, 3)
    search = LatentSearch(n_max=200, lr=0.05, chunk=4)
    found = search(x, generator, ANYWHERE, squared, starts)
    order = torch.randperm(10)
    shuffled = search(x[order], generator, ANYWHERE, squared, starts)
    assert torch.equal(shuffled.z, found.z[order])


@pytest.mark.parametrize(("n", "n_seed", "chunk"), [(10, 1, 4), (10, 3, 7), (3, 2, 100), (2, 5, 3)])
def test_the_generator_sees_equal_chunks_of_limited_size(n, n_seed, chunk):
    x, starts = problem(n, n_seed)
    sizes = set()

    def generator(z):
        sizes.add(len(z))
        return waves(z)

    found = LatentSearch(n_max=2, chunk=chunk)(x, generator, ANYWHERE, squared, starts)
    assert len(sizes) == 1
    assert sizes.pop() <= max(chunk, n_seed)  # the starts of one sample stay together
    assert len(found.z) == n


def test_a_stopped_point_never_moves_again_and_the_others_go_on():
    x, _ = problem(6, 1)
    seen = []

    def generator(z):
        seen.append(z.detach().clone())
        return waves(z)

    found = LatentSearch(n_max=50, lr=0.05, eps=0.05)(x, generator, ANYWHERE, squared, torch.zeros(1, 3).double())
    assert len(set(found.steps.tolist())) > 2
    for row, steps in enumerate(found.steps.tolist()):
        path = [z[row] for z in seen]
        assert all(not torch.equal(a, b) for a, b in pairwise(path[: steps + 1]))
        assert all(torch.equal(z, found.z[row]) for z in path[steps:])
    assert len(seen) == found.steps.max() + 1  # nothing is computed once all have stopped


def test_stops_at_eps_or_after_n_max_steps():
    x, starts = problem(4, 1)
    exact = LatentSearch(eps=0.0)(waves(starts), waves, ANYWHERE, squared, starts)
    assert (exact.steps.tolist(), exact.converged.tolist(), exact.loss.tolist()) == ([0], [True], [0])
    short = LatentSearch(n_max=7)(x, waves, ANYWHERE, squared, starts)
    assert (short.steps.tolist(), short.converged.tolist()) == ([7] * 4, [False] * 4)
    assert torch.equal(short.loss, squared(x, short.x))


def test_the_first_step_of_adam_has_the_size_lr():
    # With both moments corrected for their start at zero, the first step is lr · sign(gradient).
    found = LatentSearch(n_max=1, lr=0.25)(
        torch.tensor([[3.0, -3.0]]), lambda z: z, ANYWHERE, squared, torch.zeros(1, 2)
    )
    assert found.z[0].tolist() == pytest.approx([0.25, -0.25])


def test_every_step_ends_on_the_support():
    seen = []

    def generator(z):
        seen.append(z.detach())
        return z

    x = torch.full((2, 3), 5.0)
    found = LatentSearch(n_max=30, lr=0.5)(x, generator, BOX, squared, torch.zeros(1, 3))
    assert all((z.abs() <= 1).all() for z in seen)
    assert torch.equal(found.z, torch.ones(2, 3))


def test_reduce_by_minimum_and_by_mean():
    x, starts = problem(5, 4)
    each = [LatentSearch(n_max=9, eps=0.02, lr=0.1)(x, waves, BOX, squared, start[None]) for start in starts]
    losses = torch.stack([r.loss for r in each])
    least = LatentSearch(n_max=9, eps=0.02, lr=0.1)(x, waves, BOX, squared, starts)
    mean = LatentSearch(n_max=9, eps=0.02, lr=0.1, reduce="mean")(x, waves, BOX, squared, starts)
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
    found = LatentSearch(n_max=3)(torch.zeros(2, 1), generator, ANYWHERE, squared, starts)
    assert found.loss.isfinite().all()
    lost = LatentSearch(n_max=3)(torch.zeros(2, 1), generator, ANYWHERE, squared, starts[:1])
    assert lost.loss.isnan().all()
    assert lost.converged.tolist() == [False, False]


def test_gradients_go_to_z_only_and_the_result_carries_none():
    generator = network(torch.float32)
    found = LatentSearch(n_max=3)(torch.zeros(2, 2, 3), generator, ANYWHERE, squared, torch.zeros(2, 3))
    assert all(p.grad is None and p.requires_grad for p in generator.parameters())
    assert not any(value.requires_grad for value in found)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_works_where_gradients_are_switched_off(mode):
    generator = network(torch.float32)
    expected = LatentSearch(n_max=5)(torch.zeros(2, 2, 3), generator, ANYWHERE, squared, torch.zeros(1, 3))
    with mode():
        found = LatentSearch(n_max=5)(torch.zeros(2, 2, 3), generator, ANYWHERE, squared, torch.zeros(1, 3))
    assert torch.equal(found.z, expected.z)


def test_draws_nothing_random():
    x, starts = problem(2, 2)
    before = torch.random.get_rng_state()
    LatentSearch(n_max=3)(x, waves, ANYWHERE, squared, starts)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_inputs_stay_as_they_were():
    x, starts = problem(3, 2)
    kept = x.clone(), starts.clone()
    LatentSearch(n_max=3)(x, waves, BOX, squared, starts)
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
    plain = LatentSearch(n_max=10)(x, waves, ANYWHERE, squared, starts)
    other = LatentSearch(**({"n_max": 10} | changed))(x, waves, ANYWHERE, squared, starts)
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
        LatentSearch()(x, waves, ANYWHERE, loss, starts)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_max": 0}, "n_max=0"),
        ({"chunk": 0}, "chunk=0"),
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
        LatentSearch(**arguments)


def test_stored_and_built_again():
    search = LatentSearch(n_max=5, reduce="mean", betas=(0.9, 0.99))
    assert from_spec(to_spec(search, {}, "inversion"), {"LatentSearch": LatentSearch}, {}) == search
