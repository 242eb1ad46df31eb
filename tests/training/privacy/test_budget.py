"""The guarantee: accountants against closed forms, gradients of single rows against a loop, noise against its σ."""

import math

import numpy as np
import pytest
import torch
from opacus.accountants import PRVAccountant, RDPAccountant
from opacus.grad_sample import GradSampleModule
from scipy.optimize import brentq
from scipy.stats import norm
from torch import nn

from oddgan import InputError
from oddgan.objectives import GradientPenalty
from oddgan.training import SGD, Clock, Phase, Plan, Player, Privacy, PrivateEngine, Release, TensorSource, Update, run
from oddgan.training.privacy.engine import clipped_sums, watchers


def exact(noise, steps, delta):
    """The ε of `steps` Gaussian mechanisms without sampling: Balle and Wang, 2018, theorem 8, with μ = √steps/σ."""
    mu = math.sqrt(steps) / noise

    def excess(epsilon):
        return norm.cdf(mu / 2 - epsilon / mu) - math.exp(epsilon) * norm.cdf(-mu / 2 - epsilon / mu) - delta

    return brentq(excess, 0, 100)


@pytest.mark.parametrize(("noise", "steps"), [(4.0, 1), (10.0, 30)])
def test_without_sampling_the_accountants_meet_the_closed_form(noise, steps):
    expected, releases = exact(noise, steps, 1e-5), [Release(1, 1.0, steps)]
    assert Privacy(accountant="prv").spent(noise, releases) == pytest.approx(expected, rel=0.02)
    bound = Privacy().spent(noise, releases)
    assert expected < bound < 1.25 * expected
    # Mironov, 2017, and Balle et al., 2020: the best order of Rényi's divergence α/(2σ²) a step.
    orders = np.array(RDPAccountant.DEFAULT_ALPHAS)
    rdp = steps * orders / (2 * noise**2)
    assert bound == pytest.approx((rdp - np.log(1e-5 * orders) / (orders - 1) + np.log1p(-1 / orders)).min())


def test_the_example_of_the_paper():
    # Abadi et al., 2016, section 5.2: q = 0.01, σ = 4, 10 000 steps and δ = 1e-5 give ε = 1.26; later bounds are lower.
    assert 0.8 < Privacy().spent(4.0, [Release(1, 0.01, 10_000)]) < 1.26


@pytest.mark.parametrize(("name", "theirs"), [("rdp", RDPAccountant), ("prv", PRVAccountant)])
def test_the_sums_are_those_of_opacus(name, theirs):
    accountant = theirs()
    for _ in range(40):
        accountant.step(noise_multiplier=1.5, sample_rate=0.1)
    expected = accountant.get_epsilon(delta=1e-4)
    assert Privacy(delta=1e-4, accountant=name).spent(1.5, [Release(1, 0.1, 40)]) == pytest.approx(expected)
    # Two sums of the same rows are one of half the precision.
    assert Privacy(delta=1e-4, accountant=name).spent(1.5 * math.sqrt(2), [Release(2, 0.1, 40)]) == pytest.approx(
        expected
    )


def test_the_noise_for_an_epsilon():
    privacy, releases = Privacy(noise_multiplier=None, epsilon=3.0), [Release(1, 0.1, 5), Release(2, 1.0, 2)]
    noise = privacy.noise(releases)
    assert privacy.spent(noise, releases) <= 3.0 < privacy.spent(0.99 * noise, releases)


def test_a_network_of_two_layers_row_by_row():
    torch.manual_seed(0)
    net, x = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)).double(), torch.randn(7, 3).double()
    weights, limit = list(net.parameters()), 0.5
    expected = [torch.zeros_like(w) for w in weights]
    for row in x:
        gradients = torch.autograd.grad(net(row).square().sum(), weights)
        length = math.sqrt(sum(float(g.square().sum()) for g in gradients))
        expected = [e + g * min(1.0, limit / length) for e, g in zip(expected, gradients, strict=True)]
    found = clipped_sums(net(x).square()[:, 0], weights, limit)
    assert all(torch.allclose(a, b) for a, b in zip(found, expected, strict=True))


def test_convolutions_as_opacus_has_them():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.GroupNorm(1, 2), nn.ReLU(), nn.ConvTranspose2d(2, 1, 3))
    x = torch.randn(5, 1, 6, 6)
    weights = list(net.parameters())
    found = clipped_sums((net(x) - x).square().flatten(1).mean(1), weights, 1e9)
    theirs = GradSampleModule(net, loss_reduction="sum")
    (theirs(x) - x).square().flatten(1).mean(1).sum().backward()
    for mine, weight in zip(found, weights, strict=True):
        assert torch.allclose(mine, weight.grad_sample.sum(0), atol=1e-6)


def test_a_gradient_penalty_is_part_of_a_rows_gradient():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)).double()
    real, fake, weights = torch.randn(4, 3).double(), torch.randn(4, 3).double(), list(net.parameters())

    def penalty(rows):
        torch.manual_seed(1)
        share = torch.rand(4, 1, dtype=torch.float64)[rows]
        mixed = (share * real[rows] + (1 - share) * fake[rows]).requires_grad_()
        (slope,) = torch.autograd.grad(net(mixed).sum(), mixed, create_graph=True)
        return 10 * (slope.norm(dim=1) - 1).square()

    expected = [torch.autograd.grad(penalty([i]).sum(), weights, allow_unused=True)[0] for i in range(4)]
    torch.manual_seed(1)
    loss = GradientPenalty()(lambda v: net(v)[:, 0], real, fake)
    found = clipped_sums(loss, weights, 1e9)
    assert torch.allclose(found[0], torch.stack(expected).sum(0))


class Still:
    """A game on numbers: whose loss is what, chosen by the test."""

    def __init__(self, loss):
        self.networks = nn.ModuleDict({"a": nn.Linear(2, 2), "b": nn.Linear(2, 2), "n": nn.BatchNorm1d(2)})
        players = {"one": Player(("a",), SGD(lr=1.0)), "two": Player(("b", "n"), SGD(lr=1.0))}
        self.phase = Phase(lambda x, _: loss(self.networks, x), players, 1)

    def watchers(self):
        return watchers(self.phase, self.networks, (2,))


def test_who_sees_rows():
    def step(nets, x):
        yield Update("one", nets["a"](x).square().sum(1))
        yield Update("two", nets["a"](nets["b"](torch.randn(len(x), 2))).sum(1))

    game = Still(step)
    before = {k: v.clone() for k, v in game.networks.state_dict().items()}
    assert game.watchers() == ("one",)
    assert all(torch.equal(v, before[k]) for k, v in game.networks.state_dict().items())


def kept(nets, x):
    nets["n"](x)
    yield Update("one", nets["a"](torch.randn(len(x), 2)).sum(1))


@pytest.mark.parametrize(
    ("step", "text"),
    [
        (lambda nets, x: [Update("one", nets["a"](x).mean())], "the loss of 'one' mixes rows, or is about the batch"),
        (lambda nets, x: [Update("one", nets["a"](x - x.mean(0)).sum(1))], "the loss of 'one' mixes rows"),
        (lambda nets, x: [Update("two", nets["n"](nets["b"](x)).sum(1))], "can't protect 'n', as batch normalisation"),
        (kept, "keeps of the rows beside its updates"),
    ],
    ids=["whole", "mixed", "batch norm", "kept"],
)
def test_what_is_refused(step, text):
    with pytest.raises(InputError, match=text):
        Still(step).watchers()


@pytest.mark.parametrize(
    "given",
    [
        {"noise_multiplier": None},
        {"epsilon": 1.0},
        {"noise_multiplier": 0.0},
        {"max_grad_norm": 0.0},
        {"delta": 1.0},
        {"accountant": "gdp"},
    ],
)
def test_wrong_settings(given):
    with pytest.raises(InputError, match="Privacy got"):
        Privacy(**given)


def test_an_epsilon_out_of_reach():
    with pytest.raises(InputError, match=r"No noise keeps epsilon=1e-12"):
        Privacy(noise_multiplier=None, epsilon=1e-12).noise([Release(1, 1.0, 100)])


def ran(x, *, privacy=None, batch_size=5, epochs=1, step=None, secret=False):
    """The weights of a line after one epoch of steps of size 1, from zero; and the losses that were told."""
    networks = nn.ModuleDict({"line": nn.Linear(x.shape[1], 1, bias=False)})
    nn.init.zeros_(networks["line"].weight)

    def slope(rows, _):
        yield Update("line", networks["line"](rows)[:, 0])

    phase = Phase(step or slope, {"line": Player(("line",), SGD(lr=1.0))}, epochs)
    batches = len(x) // batch_size
    engine = PrivateEngine(privacy or Privacy(noise_multiplier=1e-9), [phase], [("line",)], batches, secret=secret)
    records = run(phase, networks, TensorSource(x), Plan(batch_size=batch_size, engine=engine))
    return networks["line"].weight.detach()[0], records, engine


def test_rows_count_at_their_rate_and_no_more_than_the_norm():
    # Row i is a large unit vector: after all steps weight i is -(times drawn)·C/L, whatever its length.
    torch.manual_seed(0)
    weight, records, engine = ran(1000 * torch.eye(40), batch_size=4, epochs=30)
    times = -weight * 4
    assert torch.allclose(times, times.round(), atol=1e-4)  # each row of each batch counts for C = 1, divided by L = 4
    assert times.mean() == pytest.approx(30, abs=4 * math.sqrt(30 / 40))  # 300 steps, each with probability 1/10
    assert records[0].losses == {}
    assert engine.report().steps == 300


def test_the_noise_is_that_of_its_multiplier():
    torch.manual_seed(0)
    weight, _, _ = ran(torch.zeros(10, 20_000), privacy=Privacy(noise_multiplier=3.0, max_grad_norm=2.0))
    # Two steps, each with the noise σC/L = 3·2/5.
    assert weight.std() == pytest.approx(math.sqrt(2) * 3 * 2 / 5, rel=0.02)


def test_all_batches_are_of_one_size():
    torch.manual_seed(0)
    seen = []

    def step(rows, _):
        seen.append((len(rows), int((rows != 0).any(1).sum())))
        yield from ()

    ran(torch.ones(30, 2), batch_size=3, epochs=20, step=step)
    assert len({size for size, _ in seen}) == 1
    assert len({real for _, real in seen}) > 1


def test_a_secret_generator_is_not_the_seeded_one():
    x = torch.zeros(10, 3)
    torch.manual_seed(0)
    first = ran(x, privacy=Privacy())[0]
    torch.manual_seed(0)
    assert torch.equal(ran(x, privacy=Privacy())[0], first)
    torch.manual_seed(0)
    assert not torch.equal(ran(x, privacy=Privacy(), secret=True)[0], first)


def test_a_gradient_that_is_not_finite():
    with pytest.raises(RuntimeError, match="A gradient of 'line' is not finite at step"):
        ran(torch.full((10, 3), math.inf))


def test_clock_is_the_steps_own():
    # A generator learns in every third step: the look before training waits for it.
    def step(nets, x, clock):
        yield Update("one", nets["a"](x).sum(1))
        if (clock.iteration + 1) % 3 == 0:
            yield Update("two", nets["b"](x).sum(1))

    networks = nn.ModuleDict({"a": nn.Linear(2, 2), "b": nn.Linear(2, 2)})
    players = {"one": Player(("a",)), "two": Player(("b",))}
    phase = Phase(lambda x, clock: step(networks, x, clock), players, 1)
    assert watchers(phase, networks, (2,)) == ("one", "two")
    assert Clock(2, 0, 1).iteration == 2
