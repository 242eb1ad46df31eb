import copy
from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from oddgan.networks import MLP, ConvLadder, FirstChannels, Progressive, ResNet, private
from oddgan.networks.per_sample.patches import Columns
from oddgan.networks.per_sample.weights import Adaptive, Factored, Formed, Vector, matrix

RATES = {"adam": 1e-2, "gradient": 0.2, "shared": 1e-2, "frozen": 1.0}


def rule(theta="adam", *, precision="fp32", lr=None, steps=3):
    return SimpleNamespace(theta=theta, rate=lr or RATES[theta], betas=(0.5, 0.999), steps=steps, precision=precision)


def lively(module):
    """The same network in float64, far from its initialisation, so that all parameters matter."""
    torch.manual_seed(0)
    module = module.double().eval()
    with torch.no_grad():
        for p in module.parameters():
            p.add_(0.15 * torch.randn_like(p))
        for m in module.modules():
            if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d):
                m.running_mean.normal_()
                m.running_var.uniform_(0.5, 2)
    return module.requires_grad_(requires_grad=False)


def odd():
    """Modules that have no faster form: dilation, groups, PReLU, spectral norm, a parameter of the module's own."""
    return nn.Sequential(
        nn.Linear(4, 32),
        nn.Unflatten(1, (4, 8)),
        nn.Conv1d(4, 4, 3, padding=2, dilation=2),
        nn.PReLU(),
        nn.Conv1d(4, 4, 3, padding=1, groups=2),
        spectral_norm(nn.Conv1d(4, 2, 3, padding="same")),
        nn.LayerNorm(8),
    )


NETWORKS = {
    "table": lambda: MLP(hidden=(8, 6), norm="batch").decoder(4, (5,), output="tanh"),
    "image": lambda: ConvLadder(width=12, init="default").decoder(4, (1, 16, 16), output="tanh"),
    "odd sides": lambda: ConvLadder(width=8, kernel=5, norm="none").decoder(4, (2, 9, 14), output="sigmoid"),
    "wide kernel": lambda: nn.Sequential(nn.Unflatten(1, (4, 1, 1)), nn.ConvTranspose2d(4, 6, 3, 3), nn.Tanh()),
    "many channels": lambda: ConvLadder(width=4).decoder(4, (6, 8, 8)),
    "series": lambda: ConvLadder(width=6, norm="group").decoder(4, (2, 37)),
    "residual image": lambda: ResNet(width=4).decoder(4, (3, 9, 8), output="tanh"),
    "residual series": lambda: ResNet(width=4, norm="layer").decoder(4, (2, 21)),
    "progressive image": lambda: Progressive(width=3, max_width=6).decoder(4, (1, 9, 8), output="tanh"),
    "progressive series": lambda: Progressive(width=3, max_width=6, sphere=True).decoder(4, (2, 21)),
    "mean of two heads": lambda: nn.Sequential(ConvLadder(width=4).decoder(4, (2, 8, 8)), FirstChannels(1)),
    "others": odd,
}


def loss(x, y):
    return (x - y).square().flatten(1).mean(dim=1)


def one_by_one(module, rule, x, starts, members):
    """Deep copies, autograd and torch's optimisers: losses after the steps, and the gradients in z before each."""
    found = []
    for start in starts.split(members):
        g = copy.deepcopy(module).requires_grad_(rule.theta != "frozen")
        z = start.clone().requires_grad_()
        plain = rule.theta in ("gradient", "frozen")
        weights = list(g.parameters())
        own = torch.optim.SGD(weights, rule.rate) if plain else torch.optim.Adam(weights, rule.rate, rule.betas)
        for _ in range(rule.steps):
            own.zero_grad()
            (gradient,) = torch.autograd.grad(loss(x, g(z)).sum(), z, retain_graph=True)
            loss(x, g(z)).sum().backward()
            own.step()
            z.data = z - gradient
        found.append(loss(x, g(z)).detach())
    return torch.cat(found)


def ours(module, rule, x, starts, members, rounds=2):
    copies = private(module, rule, members)
    found = []
    for _ in range(rounds):
        copies.reset()
        z = starts.clone().requires_grad_()
        for _ in range(rule.steps):
            (gradient,) = torch.autograd.grad(loss(x, copies(z)).sum(), z)
            copies.step()
            z = (z - gradient).detach().requires_grad_()
        with torch.no_grad():
            found.append(loss(x, copies(z)))
    assert all(torch.equal(found[0], other) for other in found), "a reset leaves something behind"
    return found[0]


@pytest.mark.parametrize("theta", RATES)
@pytest.mark.parametrize("name", NETWORKS)
def test_equals_deep_copies(name, theta):
    module, rules = lively(NETWORKS[name]()), rule(theta)
    members = 3 if theta == "shared" else 1
    starts = torch.randn(6, 4, dtype=torch.float64)
    with torch.no_grad():
        x = module(torch.randn(1, 4, dtype=torch.float64)) + 0.5
    before = copy.deepcopy(module.state_dict())
    expected = one_by_one(module, rules, x, starts, members)
    torch.testing.assert_close(ours(module, rules, x, starts, members), expected, rtol=0, atol=1e-10)
    assert all(torch.equal(v, before[k]) for k, v in module.state_dict().items())
    if theta != "frozen":
        still = one_by_one(module, rule("frozen"), x, starts, 1)
        assert (expected - still).abs().min() > 1e-5, "θ hardly moved, so that nothing was tested"


@pytest.mark.parametrize("kind", [Factored, Formed, Adaptive])
def test_a_matrix_by_hand(kind):
    # W = (1, 2)ᵀ, x = 3 and then 1 in the first of two groups; the gradient is x·d. A plain step of 0.1 on
    # x = (3, 0), d = 2 takes 0.6 from the first weight: W = (0.4, 2). Adam's first step is the sign's: 1 - 0.1 = 0.9.
    moved = kind(torch.tensor([[1.0], [2.0]]), rule("gradient", lr=0.1, steps=2))
    x, d = torch.tensor([[[3.0, 0.0]], [[0.0, 0.0]]]), torch.tensor([[[2.0]], [[5.0]]])
    assert moved.product(x).flatten().tolist() == [3.0, 0.0]
    moved.step(x, d)
    first = 0.9 if kind is Adaptive else 0.4
    probe = torch.tensor([[[1.0, 1.0]], [[1.0, 1.0]]])
    torch.testing.assert_close(moved.product(probe).flatten(), torch.tensor([first + 2, 3.0]))
    torch.testing.assert_close(moved.back(torch.ones(2, 1, 1)).flatten(), torch.tensor([first, 2.0, 1.0, 2.0]))
    moved.reset()
    assert moved.product(probe).flatten().tolist() == [3.0, 3.0]


def test_adam_moves_each_value_by_its_own_gradient_however_it_is_stored():
    vector = Vector(torch.zeros(1, 2, 3), rule("adam", lr=0.1))
    gradient = torch.tensor([[[1.0, -1.0, 1.0], [-1.0, -1.0, 1.0]]])
    stored = gradient.transpose(1, 2).contiguous().transpose(1, 2)
    assert not stored.is_contiguous()
    vector.step(stored)
    torch.testing.assert_close(vector.value, -0.1 * gradient)  # the first step is the sign's


def test_the_cheaper_form_is_taken():
    # DCGAN at 32 px, 5 steps: factors while positions are few, a matrix of one's own from the 8 x 8 map on.
    shapes = [(256, 4096, 1), (256, 2048, 16), (128, 1024, 64)]
    kinds = [type(matrix(torch.zeros(a, b), rule("gradient", steps=5), p)) for a, b, p in shapes]
    assert kinds == [Factored, Factored, Formed]
    assert type(matrix(torch.zeros(256, 2048), rule("gradient", steps=100), 16)) is Formed


@pytest.mark.parametrize("kind", ["adam", "gradient"])
def test_low_precision_keeps_small_steps(kind):
    # 1 - 2⁻¹² is no bfloat16: a stored bf16 weight would stay at 1. Its difference to 1 is kept apart.
    step = 2.0**-12
    moved = matrix(torch.ones(1, 1), rule(kind, precision="bf16", lr=step, steps=1), 1000)
    one = torch.ones(1, 1000, 1, dtype=torch.bfloat16)
    moved.step(one, one / 1000)
    assert isinstance(moved, Formed)
    assert moved.own.item() == pytest.approx(-step, rel=0.02)


def test_low_precision_is_near():
    module = lively(NETWORKS["image"]()).float()
    x, starts = torch.zeros(1, 1, 16, 16), torch.randn(4, 4)
    for theta in ("adam", "gradient", "frozen"):
        full, low = (ours(module, rule(theta, precision=p), x, starts, 1, rounds=1) for p in ("fp32", "bf16"))
        torch.testing.assert_close(low, full, rtol=0.05, atol=0.02)
        assert not torch.equal(low, full)


@pytest.mark.parametrize("channels", [1, 8])
@pytest.mark.parametrize(
    "layer", [nn.Conv2d(1, 1, (3, 2), (2, 1), (1, 0)), nn.ConvTranspose2d(1, 1, (5, 3), (2, 3), (1, 2), (1, 0))]
)
def test_fold_is_the_adjoint_of_unfold(layer, channels):
    columns = Columns.of(layer, (5, 6))
    x = torch.randn(2, *columns.large, channels, dtype=torch.float64)
    rows = columns.unfold(x)
    other = torch.randn_like(rows)
    torch.testing.assert_close((rows * other).sum(), (x * columns.fold(other)).sum())


def test_a_gradient_can_be_taken_again():
    module = lively(NETWORKS["table"]())
    copies, z = private(module, rule("gradient")), torch.randn(2, 4, dtype=torch.float64, requires_grad=True)
    y = copies(z)
    ends = []
    for x in (0.0, 1.0, 0.0):
        copies.reset()
        torch.autograd.grad((y - x).square().sum(), z, retain_graph=True)
        copies.step()
        ends.append(copies(z).detach())
    assert torch.equal(ends[0], ends[2])
    assert not torch.equal(ends[0], ends[1])


def test_memory_counts_private_weights():
    module, z = NETWORKS["table"]().eval(), torch.zeros(1, 4)
    frozen, adam = (private(module, rule(theta)).bytes(z) for theta in ("frozen", "adam"))
    weights = sum(p.numel() for p in module.parameters() if p.ndim == 2)
    assert adam - frozen == pytest.approx(3 * 4 * weights, rel=0.01)  # weights and both moments, in float32
