import pytest
import torch
from torch import nn

from oddgan.training import (
    SGD,
    Adam,
    Constant,
    CosineDecay,
    Ema,
    LinearDecay,
    Phase,
    Plan,
    Player,
    RMSProp,
    StepDecay,
    TensorSource,
    Update,
    run,
)

from .nets import line


@pytest.mark.parametrize(
    ("schedule", "factors"),
    [
        (Constant(), {0: 1, 0.9: 1}),
        (LinearDecay(), {0: 1, 0.25: 0.75, 0.5: 0.5}),
        (LinearDecay(start=0.5, end=0.2), {0: 1, 0.5: 1, 0.75: 0.6, 1: 0.2}),
        (CosineDecay(), {0: 1, 0.5: 0.5, 1: 0}),
        (CosineDecay(end=0.1), {0: 1, 1 / 3: 0.1 + 0.9 * 0.75, 1: 0.1}),
        (StepDecay(), {0.49: 1, 0.5: 0.1, 0.9: 0.1}),
        (StepDecay(at=(0.25, 0.5), factor=0.5), {0: 1, 0.25: 0.5, 0.6: 0.25}),
    ],
    ids=str,
)
def test_schedules_by_hand(schedule, factors):
    assert [schedule(progress) for progress in factors] == pytest.approx(list(factors.values()))


@pytest.mark.parametrize(
    ("optimiser", "made", "settings"),
    [
        (
            Adam(lr=0.1, betas=(0.1, 0.2), weight_decay=0.3),
            torch.optim.Adam,
            {"betas": (0.1, 0.2), "weight_decay": 0.3},
        ),
        (RMSProp(lr=0.1, alpha=0.4), torch.optim.RMSprop, {"alpha": 0.4, "weight_decay": 0}),
        (SGD(lr=0.1, momentum=0.5), torch.optim.SGD, {"momentum": 0.5, "weight_decay": 0}),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_arguments_reach_torch(optimiser, made, settings):
    built = optimiser(nn.Linear(1, 1).parameters())
    assert type(built) is made
    assert built.defaults | settings | {"lr": 0.1} == built.defaults


def test_schedule_sets_the_rate_of_each_step():
    # The gradient is 1; the rate falls 0.1, 0.075, 0.05, 0.025 over the four steps of the phase.
    networks = line()

    def step(x, _clock):
        yield Update("net", networks["net"](x).mean())

    phase = Phase(step, {"net": Player(("net",), SGD(lr=0.1, schedule=LinearDecay()))}, 2)
    run(phase, networks, TensorSource(torch.ones(4, 1)), Plan(batch_size=2))
    assert networks["net"].weight.item() == pytest.approx(1 - 0.25)


def test_moving_average_by_hand():
    weight = nn.Parameter(torch.tensor([1.0, -1.0]))
    average = Ema([weight], decay=0.15)
    for value in (2.0, 3.0):
        with torch.no_grad():
            weight.fill_(value)
        average.step()
    # The decay is 1/10 after one step, and 0.15 after two, since 2/11 is more.
    assert weight.tolist() == [3, 3]
    average.apply()
    assert weight.tolist() == pytest.approx([0.15 * (0.1 + 1.8) + 0.85 * 3, 0.15 * (-0.1 + 1.8) + 0.85 * 3])


def test_a_long_memory_forgets_a_random_start():
    weight = nn.Parameter(torch.tensor([1000.0]))
    average = Ema([weight], decay=0.999)
    with torch.no_grad():
        weight.zero_()
    for _ in range(300):
        average.step()
    average.apply()
    assert weight.item() < 1e-6


def test_average_leaves_buffers_alone():
    norm = nn.BatchNorm1d(2)
    average = Ema(norm.parameters(), decay=0.0)
    norm.running_mean.fill_(5.0)
    average.step()
    average.apply()
    assert norm.running_mean.tolist() == [5, 5]


@pytest.mark.parametrize(
    ("ours", "torchs"),
    [
        (Adam(lr=0.01, weight_decay=0.1), lambda p: torch.optim.Adam(p, 0.01, (0.5, 0.999), weight_decay=0.1)),
        (RMSProp(lr=0.01), lambda p: torch.optim.RMSprop(p, 0.01)),
        (SGD(lr=0.01, momentum=0.9), lambda p: torch.optim.SGD(p, 0.01, momentum=0.9)),
    ],
    ids=["Adam", "RMSProp", "SGD"],
)
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_weights_move_together_as_one_by_one(ours, torchs, layout):
    # Gradients may lie otherwise in memory than weights; torch's fused kernels would mix up their values.
    torch.manual_seed(0)
    start, gradient = torch.randn(8, 4, 3, 3), torch.randn(8, 4, 3, 3)
    moved = []
    for make, stored in ((ours, layout), (torchs, torch.contiguous_format)):
        weights = [nn.Parameter(start.contiguous(memory_format=stored)), nn.Parameter(torch.ones(3))]
        optimiser, version = make(weights), weights[0]._version
        for _ in range(3):
            weights[0].grad, weights[1].grad = gradient.clone(), torch.ones(3)
            optimiser.step()
        assert weights[0]._version > version  # copies for scoring see that weights have changed
        moved.append(weights)
    assert all(torch.equal(a, b) for a, b in zip(*moved, strict=True))
