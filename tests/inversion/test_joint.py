import copy
from functools import partial

import pytest
import torch
from torch import nn

from oddgan._core.errors import InputError
from oddgan._core.parts import from_spec, to_spec
from oddgan.inversion import Accepted, Execution, JointSearch, Slots, SupportPenalty
from oddgan.networks import ConvLadder, private
from oddgan.priors import Uniform

ANYWHERE = type("Anywhere", (), {"project": staticmethod(lambda z: z)})()
BOX = type("Box", (), {"project": staticmethod(lambda z: z.clamp(-1, 1))})()
EXACT = Execution(Slots(64, fixed=True))
THETAS = {"adam": 1e-2, "gradient": 0.5, "shared": 1e-2, "frozen": 1.0}


def squared(x, y):
    return (x - y).square().flatten(1).mean(dim=1)


def farthest(x, y):
    return (x - y).abs().flatten(1).amax(dim=1)


def network(dtype=torch.float64):
    torch.manual_seed(0)
    return ConvLadder(width=4, init="default").decoder(3, (1, 8, 8), output="tanh").to(dtype).eval()


def problem(n, n_seed, dtype=torch.float64):
    torch.manual_seed(1)
    return torch.rand(n, 1, 8, 8, dtype=dtype), torch.randn(n_seed, 3, dtype=dtype)


def naive(search, x, generator, prior, starts):
    """Algorithm 1 of the paper for one sample: deep copies, torch's optimisers; z (n_seed, m) and losses (n_seed,)."""
    ends = []
    for start in starts.split(len(starts) if search.theta == "shared" else 1):
        g, z = copy.deepcopy(generator), start.clone().requires_grad_()
        adam = torch.optim.Adam([z], lr=search.lr, betas=search.betas)
        if search.theta in ("adam", "shared"):
            own = torch.optim.Adam(g.parameters(), lr=search.rate, betas=search.betas)
        else:
            own = torch.optim.SGD(g.parameters(), lr=search.rate)
        for _ in range(search.steps):
            adam.zero_grad()
            own.zero_grad()
            squared(x[None], g(z)).sum().backward()
            adam.step()
            if search.theta != "frozen":
                own.step()
            with torch.no_grad():
                z.copy_(prior.project(z))
        ends.append((z.detach(), squared(x[None], g(z)).detach()))
    return torch.cat([z for z, _ in ends]), torch.cat([loss for _, loss in ends])


@pytest.mark.parametrize("steps", [0, 1, 5])
@pytest.mark.parametrize("prior", [ANYWHERE, BOX])
@pytest.mark.parametrize("theta", THETAS)
def test_equals_the_algorithm_of_the_paper(theta, prior, steps):
    generator, (x, starts) = network(), problem(3, 4)
    search = JointSearch(steps=steps, theta=theta, theta_lr=THETAS[theta])
    found = search(x, partial(private, generator), prior, squared, starts, EXACT)
    for i in range(len(x)):
        z, loss = naive(search, x[i], generator, prior, starts)
        torch.testing.assert_close(found.z[i], z, rtol=0, atol=1e-10)
        torch.testing.assert_close(found.loss[i], loss, rtol=0, atol=1e-10)
    inverted = found.inverted(steps)
    best = found.loss.argmin(dim=1)
    assert torch.equal(inverted.z, found.z[torch.arange(3), best])
    torch.testing.assert_close(squared(x, inverted.x), found.loss.amin(dim=1))
    assert torch.equal(inverted.loss, found.loss.mean(dim=1))
    assert inverted.steps.tolist() == [steps] * 3
    assert inverted.converged.all()
    assert inverted.censored.dtype == torch.float64


def test_by_hand():
    # g(z) = w z with w = 2, x = 10, z = 3: loss (10 - 6)² = 16, dl/dz = -2·4·2 = -16, dl/dw = -2·4·3 = -24. Adam moves
    # z by its step of 1 to 4; w goes 0.05·24 = 1.2 up to 3.2. Both moved: g = 12.8 and the loss 2.8² = 7.84.
    g = nn.Linear(1, 1, bias=False).double()
    nn.init.constant_(g.weight, 2.0)
    search = JointSearch(steps=1, lr=1.0, theta="gradient", theta_lr=0.05)
    x, start = torch.tensor([[10.0]]).double(), torch.tensor([[3.0]]).double()
    found = search(x, partial(private, g), ANYWHERE, squared, start)
    assert found.z.item() == pytest.approx(4)
    assert found.loss.item() == pytest.approx(7.84)
    assert g.weight.item() == 2


@pytest.mark.parametrize("theta", THETAS)
@pytest.mark.parametrize("n_seed", [1, 3, 64])
def test_no_bit_depends_on_other_samples(theta, n_seed):
    generator, (x, starts) = network(torch.float32), problem(7, n_seed, torch.float32)
    search = partial(JointSearch(steps=3, theta=theta, theta_lr=THETAS[theta]), generator=partial(private, generator))
    run = partial(search, prior=ANYWHERE, loss=squared, starts=starts, how=EXACT)
    whole, order = run(x), torch.tensor([6, 2, 0, 5, 1, 3, 4])
    assert all(torch.equal(a[order], b) for a, b in zip(whole, run(x[order]), strict=True))
    assert all(torch.equal(a[4:5], b) for a, b in zip(whole, run(x[4:5]), strict=True))


@pytest.mark.parametrize("theta", THETAS)
@pytest.mark.parametrize("how", [Execution(Slots(64)), Execution(Slots(5)), Execution(Slots(4))], ids=lambda h: h.slots)
def test_passes_change_rounding_only(theta, how):
    generator, (x, starts) = network(), problem(5, 2)
    run = partial(
        JointSearch(steps=3, theta=theta, theta_lr=THETAS[theta]),
        x,
        partial(private, generator),
        ANYWHERE,
        squared,
        starts,
    )
    for a, b in zip(run(EXACT), run(how), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-12)


def test_a_memory_limit_splits_the_starts():
    torch.manual_seed(0)
    generator = nn.Sequential(nn.Linear(3, 300), nn.Tanh(), nn.Linear(300, 200), nn.Unflatten(1, (1, 10, 20))).double()
    x, starts = torch.rand(2, 1, 10, 20).double(), torch.randn(5, 3).double()
    rows = []

    def counted(rule, members):
        copies = private(generator, rule, members)
        copies.module.register_forward_pre_hook(lambda _, inputs: rows.append(len(inputs[0])))
        return copies

    few, many = (JointSearch(memory_mb=mb)(x, counted, ANYWHERE, squared, starts, EXACT) for mb in (4, 256))
    assert {2, 1} <= set(rows)  # 60,300 weights and two moments, in float64: 1.5 MB a start
    assert 5 in rows
    torch.testing.assert_close(few.loss, many.loss, rtol=0, atol=1e-12)


def test_trace_shows_the_way():
    generator, (x, starts) = network(), problem(2, 3)
    search = JointSearch(steps=3, theta="adam", theta_lr=1e-2)
    arguments = (x, partial(private, generator), ANYWHERE, squared, starts)
    way = search.trace(*arguments)
    assert way.shape == (2, 3, 4, 3)
    assert torch.equal(way[:, :, 0], starts.expand(2, -1, -1))
    assert torch.equal(way[:, :, -1], search(*arguments).z)
    # Adam's first step is as long as its step size, in every coordinate.
    torch.testing.assert_close(
        (way[:, :, 1] - way[:, :, 0]).abs(), torch.full((2, 3, 3), 0.25).double(), rtol=1e-3, atol=0
    )


def test_report_and_budget():
    generator, (x, starts) = network(), problem(3, 2)
    told = []
    how = EXACT._replace(report=lambda *numbers: told.append(numbers))
    JointSearch(steps=4)(x, partial(private, generator), ANYWHERE, squared, starts, how)
    assert told == [(2, 8, 2)] * 3
    search = JointSearch()
    budgeted = search.calibrate(
        1000.0, lambda trial: trial(x, partial(private, generator), ANYWHERE, squared, starts), len(x)
    )
    assert budgeted.steps > 5
    assert (budgeted.lr, budgeted.theta) == (search.lr, search.theta)


@pytest.mark.parametrize(
    "wrong",
    [
        {"steps": -1},
        {"lr": 0.0},
        {"theta": "sgd"},
        {"theta_lr": float("nan")},
        {"betas": (0.5, 1.0)},
        {"precision": "fp16"},
        {"memory_mb": 0},
    ],
    ids=str,
)
def test_wrong_settings(wrong):
    with pytest.raises(InputError, match=f"JointSearch got .*{next(iter(wrong))}="):
        JointSearch(**wrong)


def test_wrong_input():
    copies, (x, starts) = partial(private, network()), problem(2, 2)
    with pytest.raises(InputError, match="at least one sample and starts"):
        JointSearch()(x[:0], copies, ANYWHERE, squared, starts)
    with pytest.raises(InputError, match=r"one differentiable loss per sample, shape \(4,\), but got the shape \(\)"):
        JointSearch()(x, copies, ANYWHERE, lambda x, y: (x - y).square().mean(), starts)


def test_stored():
    search = JointSearch(steps=0, theta="gradient", betas=(0.1, 0.2))
    assert from_spec(to_spec(search, {}, "search"), {"JointSearch": JointSearch}, {}) == search


@pytest.mark.parametrize("restriction", [None, SupportPenalty(Uniform(-0.1, 0.1)), Accepted(Uniform(-0.5, 0.5))])
def test_ends_are_measured_by_a_loss_of_their_own(restriction):
    search, generator, (x, starts) = JointSearch(steps=3, restriction=restriction), network(), problem(3, 1)
    run = partial(search, x, partial(private, generator), ANYWHERE)
    one, two = run(squared, starts), run((squared, farthest), starts)
    assert torch.equal(two.z, one.z), "the first of two losses leads"
    assert torch.equal(two.x, one.x)
    assert torch.equal(two.loss[:, 0], farthest(x, two.x)), "the second measures, without a price"
