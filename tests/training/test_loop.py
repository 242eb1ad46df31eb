import copy
import math
import traceback

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from oddgan import InputError, TrainingError
from oddgan.training import SGD, Adam, Callback, Clock, Phase, Plan, Player, RMSProp, TensorSource, Update, run

from .nets import LATENT, adversarial, dcgan, game, line, rows


def equal(a, b):
    return all(torch.equal(x, b.state_dict()[name]) for name, x in a.state_dict().items())


def by_hand(networks, x, batch_size, epochs):
    """The loop that any tutorial has, with zeroed gradients and two optimisers."""
    G, D = networks["generator"].train(), networks["discriminator"].train()
    of_d, of_g = (torch.optim.Adam(net.parameters(), lr=1e-3, betas=(0.5, 0.999)) for net in (D, G))
    for _ in range(epochs):
        for index in torch.randperm(len(x)).tensor_split(math.ceil(len(x) / batch_size)):
            real = x[index]
            fake = G(torch.randn(len(real), LATENT))
            of_d.zero_grad()
            (functional.softplus(-D(real)) + functional.softplus(D(fake.detach()))).mean().backward()
            of_d.step()
            of_g.zero_grad()
            functional.softplus(-D(fake)).mean().backward()
            of_g.step()


def test_equals_a_plain_loop_bit_for_bit():
    torch.manual_seed(0)
    ours = dcgan()
    plain = copy.deepcopy(ours)
    start = copy.deepcopy(ours)
    x = rows(37)  # batches of 13, 12 and 12
    torch.manual_seed(1)
    records = run(game(ours), ours, TensorSource(x), Plan(batch_size=16))
    torch.manual_seed(1)
    by_hand(plain, x, 16, epochs=2)
    assert equal(ours, plain)
    assert not equal(ours, start)
    assert [r.epoch for r in records] == [1, 2]


def test_records_hold_mean_losses():
    # The loss of a step is the number of the step: two epochs of two steps have means 0.5 and 2.5.
    networks = line()

    def step(x, clock):
        yield Update("net", networks["net"](torch.zeros(len(x), 1)).flatten() + clock.iteration)

    records = run(
        Phase(step, {"net": Player(("net",))}, 2), networks, TensorSource(torch.zeros(4, 1)), Plan(batch_size=2)
    )
    assert [r.losses for r in records] == [{"net": 0.5}, {"net": 2.5}]
    assert [(r.phase, r.phase_index, r.epoch, r.epochs) for r in records] == [("step", 0, 1, 2), ("step", 0, 2, 2)]


def test_clock():
    seen, networks = [], line()

    def step(x, clock):
        seen.append(clock)
        yield Update("net", networks["net"](x).mean())

    run(Phase(step, {"net": Player(("net",))}, 2), networks, TensorSource(torch.ones(4, 1)), Plan(batch_size=2))
    assert seen == [Clock(iteration=i, epoch=i // 2, epochs=2, batches=2) for i in range(4)]
    assert [clock.progress for clock in seen] == [0, 0.25, 0.5, 0.75]


@pytest.mark.parametrize(
    ("optimiser", "expected"),
    [
        # The loss is 2w: the gradient is 2. SGD: w - lr·2; again.
        (SGD(lr=0.1), [0.8, 0.6]),
        # Momentum 0.5: the second step is 2 + 0.5·2 = 3.
        (SGD(lr=0.1, momentum=0.5), [0.8, 0.5]),
        # L2: the gradient is 2 + 0.5·w.
        (SGD(lr=0.1, weight_decay=0.5), [0.75, 0.5125]),
        # Adam: each step is lr while the gradient stays.
        (Adam(lr=0.1, betas=(0.5, 0.9)), [0.9, 0.8]),
        # RMSProp: v = 0.25·4 = 1, step 0.1·2/1; then v = 0.75 + 1 = 1.75, step 0.1·2/√1.75.
        (RMSProp(lr=0.1, alpha=0.75), [0.8, 0.8 - 0.2 / 1.75**0.5]),
    ],
    ids=str,
)
def test_optimisers_are_used(optimiser, expected):
    networks, weights = line(), []

    class Note(Callback):
        def iteration_ended(self, state):
            weights.append(networks["net"].weight.item())

    def step(x, _clock):
        yield Update("net", 2 * networks["net"](x).mean())

    phase = Phase(step, {"net": Player(("net",), optimiser)}, 1)
    run(phase, networks, TensorSource(torch.ones(4, 1)), Plan(batch_size=2, callbacks=[Note()]))
    assert weights == pytest.approx(expected, abs=1e-6)


def test_each_player_has_its_own_optimiser():
    networks = nn.ModuleDict({"a": line()["net"], "b": line()["net"]})

    def step(x, _clock):
        yield Update("a", networks["a"](x).mean())
        yield Update("b", networks["b"](x).mean())

    players = {"a": Player(("a",), SGD(lr=0.1)), "b": Player(("b",), SGD(lr=0.3))}
    run(Phase(step, players, 1), networks, TensorSource(torch.ones(2, 1)), Plan(batch_size=2))
    assert [networks[name].weight.item() for name in "ab"] == pytest.approx([0.9, 0.7])


def test_step_sees_new_weights_after_each_yield():
    networks, seen = line(), []

    def step(x, _clock):
        seen.append(networks["net"].weight.item())
        yield Update("net", networks["net"](x).mean())
        seen.append(networks["net"].weight.item())

    run(
        Phase(step, {"net": Player(("net",), SGD(lr=0.5))}, 1),
        networks,
        TensorSource(torch.ones(2, 1)),
        Plan(batch_size=2),
    )
    assert seen == [1.0, 0.5]


def test_update_moves_only_its_player():
    # The loss depends on both networks, as a generator's does on the critic.
    networks = nn.ModuleDict({"a": line()["net"], "b": line()["net"]})

    def step(x, _clock):
        yield Update("a", networks["b"](networks["a"](x)).mean())

    players = {name: Player((name,), SGD(lr=0.1)) for name in "ab"}
    run(Phase(step, players, 1), networks, TensorSource(torch.ones(2, 1)), Plan(batch_size=2))
    assert [networks[name].weight.item() for name in "ab"] == pytest.approx([0.9, 1.0])
    assert networks["b"].weight.grad is None


def test_frozen_networks_stay_in_evaluation_mode():
    torch.manual_seed(0)
    networks = dcgan()
    before = copy.deepcopy(networks["discriminator"])

    def step(x, _clock):
        G, D = networks["generator"], networks["discriminator"]
        assert G.training
        assert not any(m.training for m in D.modules())
        assert not any(p.requires_grad for p in D.parameters())
        yield Update("generator", functional.softplus(-D(G(torch.randn(len(x), LATENT)))))

    run(Phase(step, {"generator": Player(("generator",))}, 1), networks, TensorSource(rows()), Plan(batch_size=16))
    assert equal(networks["discriminator"], before)
    # A later phase may train what was frozen.
    run(game(networks, epochs=1), networks, TensorSource(rows()), Plan(batch_size=16))
    assert not equal(networks["discriminator"], before)


def test_reducer_sees_one_loss_per_sample_and_changes_training():
    def trimmed(losses):
        shapes.append(tuple(losses.shape))
        return losses.sort().values[: len(losses) // 2].mean()

    shapes, found = [], []
    for reduce in (torch.mean, trimmed):
        torch.manual_seed(0)
        networks = dcgan()
        torch.manual_seed(1)
        phase = game(networks, 1, discriminator=Player(("discriminator",), Adam(lr=1e-3), reduce))
        run(phase, networks, TensorSource(rows(37)), Plan(batch_size=16))
        found.append(networks)
    assert shapes == [(13,), (12,), (12,)]
    assert not equal(*found)


def test_reducer_by_hand():
    # Losses w·x for x in 1, 1, 10: the mean of the smaller two has gradient 1, all three have 4.
    for reduce, weight in ((torch.mean, 1 - 0.4), (lambda v: v.sort().values[:2].mean(), 1 - 0.1)):
        networks = line()

        def step(x, _clock, networks=networks):
            yield Update("net", networks["net"](x).flatten())

        phase = Phase(step, {"net": Player(("net",), SGD(lr=0.1), reduce)}, 1)
        run(phase, networks, TensorSource(torch.tensor([[1.0], [1.0], [10.0]])), Plan(batch_size=3))
        assert networks["net"].weight.item() == pytest.approx(weight)


def test_batch_loss_is_not_reduced():
    networks = line()

    def refuse(losses):
        pytest.fail(f"a loss of shape {losses.shape} was reduced")

    def step(x, _clock):
        yield Update("net", networks["net"](x).mean())

    phase = Phase(step, {"net": Player(("net",), reduce=refuse)}, 1)
    run(phase, networks, TensorSource(torch.ones(2, 1)), Plan(batch_size=2))


@pytest.mark.parametrize(
    ("yielded", "message"),
    [
        (lambda y: ("net", y.mean()), r"yields a tuple, but must yield Update\(player, loss\)"),
        (lambda y: Update("net", y), r"yields for net a loss that is no tensor \(n,\) or \(\)"),
        (lambda y: Update("net", y.mean().detach()), r"or \(\) with a gradient"),
        (lambda y: Update("net", y.mean().item()), "yields for net a loss that is no tensor"),
    ],
    ids=["tuple", "columns", "no gradient", "number"],
)
def test_what_a_step_must_not_yield(yielded, message):
    networks = line()

    def stage_one(x, _clock):
        yield yielded(networks["net"](x))

    with pytest.raises(TrainingError, match=f"The step of phase 'stage one' .*{message}"):
        run(Phase(stage_one, {"net": Player(("net",))}, 1), networks, TensorSource(torch.ones(2, 1)), Plan(2))


def test_a_step_yields():
    networks = line()

    def stage_one(x, _clock):
        return networks["net"](x).mean()

    with pytest.raises(TrainingError, match=r"'stage one' must yield Update\(player, loss\), and return nothing"):
        run(Phase(stage_one, {"net": Player(("net",))}, 1), networks, TensorSource(torch.ones(2, 1)), Plan(2))


def test_unknown_player():
    networks = line()

    def stage_one(x, _clock):
        yield Update("critc", networks["net"](x).mean())

    with pytest.raises(TrainingError, match=r"'stage one' yields an update of 'critc', .* players are critic, net"):
        run(
            Phase(stage_one, _players("critic", "net"), 1), networks, TensorSource(torch.ones(2, 1)), Plan(batch_size=2)
        )


def _players(*names):
    return {name: Player(("net",)) for name in names}


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_loss_that_is_not_finite(value):
    networks = line()

    def stage_one(x, clock):
        yield Update("net", networks["net"](x).mean() * (value if clock.iteration == 3 else 1.0))

    phase = Phase(stage_one, _players("net"), 5)
    message = rf"loss of 'net' became {value} in phase 'stage one' at step 3 \(epoch 2 of 5\): .*learning rate.*penalty"
    with pytest.raises(TrainingError, match=message):
        run(phase, networks, TensorSource(torch.ones(4, 1)), Plan(batch_size=2))


def test_error_in_backward_names_the_line_of_the_step():
    networks = line()

    def step(x, _clock):
        early = networks["net"](networks["net"](x)).mean()
        yield Update("net", networks["net"](x).mean())
        yield Update("net", early)  # its graph is older than the weights

    with pytest.raises(RuntimeError, match="modified by an inplace operation") as caught:
        run(Phase(step, _players("net"), 1), networks, TensorSource(torch.ones(2, 1)), Plan(batch_size=2))
    shown = "".join(traceback.format_exception(caught.value))
    assert 'yield Update("net", early)  # its graph is older' in shown


def test_average_replaces_the_weights_when_the_phase_ends():
    # w: 1, 0.9, 0.8; average with decay 0.5: 1, 0.95, 0.875.
    networks, during = line(), []

    class Note(Callback):
        def iteration_ended(self, state):
            during.append(networks["net"].weight.item())

        def phase_ended(self, state):
            during.append(networks["net"].weight.item())

    def step(x, _clock):
        yield Update("net", networks["net"](x).mean())

    phase = Phase(step, {"net": Player(("net",), SGD(lr=0.1))}, 1, ema=0.5)
    run(phase, networks, TensorSource(torch.ones(4, 1)), Plan(batch_size=2, callbacks=[Note()]))
    assert during == pytest.approx([0.9, 0.8, 2 / 11 * (0.1 * 1 + 0.9 * 0.9) + 9 / 11 * 0.8])


def test_phase_names_are_words():
    networks = dcgan()
    assert game(networks).name == "step"

    def _stage_one(x, clock):
        yield from adversarial(networks)(x, clock)

    assert Phase(_stage_one, {}, 1).name == "stage one"


def test_seed_decides_everything():
    found = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        networks = dcgan()
        run(game(networks, 1), networks, TensorSource(rows()), Plan(batch_size=16))
        found.append(np.concatenate([p.detach().ravel() for p in networks.parameters()]))
    assert np.array_equal(found[0], found[1])
    assert not np.array_equal(found[0], found[2])


def test_a_phase_needs_a_length():
    with pytest.raises(InputError, match="make it by"):
        Phase(lambda *_: iter(()), {}, None)
