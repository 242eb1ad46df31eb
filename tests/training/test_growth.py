"""A phase becomes the phases of its growth."""

import pytest
import torch
from torch import nn

from oddgan._core.errors import InputError
from oddgan.networks import MLP, ConvLadder, Growing, Progressive
from oddgan.training import Adam, Callback, Ema, LinearDecay, Phase, Plan, Player, TensorSource, Update, grown, run

SHAPE, CODES = (1, 16, 16), 3
SMALL = Progressive(width=2, max_width=2)
X = torch.randn(8, *SHAPE, generator=torch.Generator().manual_seed(0))


def networks(backbone=SMALL, critic=None):
    torch.manual_seed(0)
    return nn.ModuleDict(
        {
            "generator": backbone.decoder(CODES, SHAPE),
            "critic": (critic or backbone).critic(SHAPE),
            "encoder": backbone.encoder(SHAPE, CODES),
        }
    )


def game(nets, seen=None):
    """A step that plays, and notes what it is given."""

    def _game(x, clock):
        if seen is not None:
            seen.append((x, clock, nets["critic"].trunk[0].at))
        z = torch.linspace(-1, 1, len(x) * CODES).view(-1, CODES)
        fake = nets["generator"](z)
        yield Update("critic", nets["critic"](fake.detach()).logit - nets["critic"](x).logit)
        yield Update("generator", (x - nets["generator"](nets["encoder"](x))).square().mean((1, 2, 3)))

    return _game


def phase(nets, epochs=10, seen=None, optimiser=None, **more):
    optimiser = optimiser or Adam(lr=1e-3)
    players = {"critic": Player(("critic",), optimiser), "generator": Player(("generator", "encoder"), optimiser)}
    return Phase(game(nets, seen), players, epochs, **more)


def train(whole, nets, callbacks=()):
    parts = grown(whole, nets)
    for part in parts:
        run(part, nets, TensorSource(X), Plan(batch_size=4, callbacks=callbacks))
    return parts


def stages(nets):
    return {m.at for m in nets.modules() if isinstance(m, Growing)}


def test_levels_fade_in_and_stabilise_in_order():
    nets = networks()
    parts = train(phase(nets), nets)
    assert [(part.name, part.epochs) for part in parts] == [
        ("game, 4x4", 2),
        ("game, 8x8 fading in", 2),
        ("game, 8x8", 2),
        ("game, 16x16 fading in", 2),
        ("game, 16x16", 2),
    ]
    assert [part.prepares for part in parts] == [True, True, True, True, False]
    assert stages(nets) == {2.0}, "training leaves the whole networks"


def test_series_are_named_by_their_length():
    nets = nn.ModuleDict({"critic": SMALL.critic((2, 9))})
    parts = grown(Phase(game(nets), {"critic": Player(("critic",))}, 3), nets)
    assert [part.name for part in parts] == ["game, 5", "game, 9 fading in", "game, 9"]


def test_stages_samples_and_clocks_that_a_step_sees():
    nets, seen = networks(), []
    train(phase(nets, seen=seen), nets)
    # Two batches an epoch, two epochs a phase: while a level fades in, α is 0, 1/4, 2/4, 3/4.
    assert [at for *_, at in seen] == [0] * 4 + [0, 0.25, 0.5, 0.75] + [1] * 4 + [1, 1.25, 1.5, 1.75] + [2] * 4
    clocks = [clock for _, clock, _ in seen]
    assert [c.iteration for c in clocks] == list(range(20)), "the phase's own clock"
    assert [c.epoch for c in clocks] == [i // 2 for i in range(20)]
    assert {(c.epochs, c.batches) for c in clocks} == {(10, 2)}
    for x, _, at in seen:
        assert x.shape[1:] == SHAPE
        blocks = x.unfold(2, 4, 4).unfold(3, 4, 4).flatten(4)
        assert (bool((blocks.amax(4) == blocks.amin(4)).all())) == (at == 0), "4x4 first, as blocks of 4 x 4"
    small = nn.functional.avg_pool2d(X, 4)
    first, last = (torch.cat([x for x, *_ in pair]) for pair in (seen[:2], seen[-2:]))
    assert torch.allclose(first[:, :, ::4, ::4].sum(0), small.sum(0), atol=1e-5)
    assert torch.equal(last.flatten(1).sum(1).sort()[0], X.flatten(1).sum(1).sort()[0]), "the samples themselves"


@pytest.mark.parametrize(
    "nets",
    [
        networks(ConvLadder(width=2)),
        networks(Progressive(width=2, max_width=2, grow=False)),
        networks(SMALL, critic=ConvLadder(width=2)),
        nn.ModuleDict({"critic": SMALL.critic((1, 7, 7)), "generator": nn.Identity(), "encoder": nn.Identity()}),
    ],
    ids=["a ladder", "told not to", "a critic that doesn't", "one level"],
)
def test_phases_that_do_not_grow(nets):
    whole = phase(nets)
    assert grown(whole, nets) == [whole]


def test_a_phase_without_a_critic_has_the_whole_networks():
    nets = networks()
    alone = Phase(game(nets), {"generator": Player(("generator", "encoder"))}, 10)
    assert grown(alone, nets) == [alone]
    codes = nn.ModuleDict({"critic": MLP(hidden=(4,)).critic((CODES,)), "generator": nets["generator"]})
    latent = Phase(game(codes), {"critic": Player(("critic",)), "generator": Player(("generator",))}, 10)
    assert grown(latent, codes) == [latent], "a critic of codes sees no samples"


def test_a_critic_of_samples_with_codes_grows():
    nets = nn.ModuleDict({"critic": SMALL.critic(SHAPE, (CODES,)), "generator": SMALL.decoder(CODES, SHAPE)})
    both = Phase(game(nets), {"critic": Player(("critic",)), "generator": Player(("generator",))}, 10)
    assert len(grown(both, nets)) == 5


def test_networks_of_other_sizes_do_not_grow_together():
    nets = networks()
    nets["encoder"] = SMALL.encoder((1, 32, 32), CODES)
    with pytest.raises(InputError, match="must grow through the same sizes: give them one backbone"):
        grown(phase(nets), nets)


def test_schedules_go_on_and_optimisers_start_anew():
    rates, optimisers = [], []

    class Note(Callback):
        def phase_started(self, state):
            optimisers.append(state.optimisers["critic"])

        def iteration_ended(self, state):
            rates.append(state.optimisers["critic"].param_groups[0]["lr"])

    nets = networks()
    train(phase(nets, optimiser=Adam(lr=1.0e-3, schedule=LinearDecay())), nets, [Note()])
    assert rates == pytest.approx([1e-3 * (1 - i / 20) for i in range(20)])
    assert len({id(optimiser) for optimiser in optimisers}) == 5
    steps = [{int(s["step"]) for s in optimiser.state.values()} for optimiser in optimisers]
    assert all(max(counts) == 4 for counts in steps), "four steps of each optimiser's own"


def test_averages_go_on_through_growth_and_replace_the_weights_in_the_end():
    trails = []

    class Trail(Callback):
        def __init__(self):
            self.weights = []

        def iteration_ended(self, state):
            self.weights.append(nn.utils.parameters_to_vector(state.networks["generator"].parameters()).detach())

    for ema in (None, 0.5):
        nets, trail = networks(), Trail()
        start = nn.utils.parameters_to_vector(nets["generator"].parameters()).detach()
        torch.manual_seed(1)
        train(phase(nets, ema=ema), nets, [trail])
        trails.append(trail.weights)
        final = nn.utils.parameters_to_vector(nets["generator"].parameters()).detach()
    plain, averaged = trails
    assert all(torch.equal(a, b) for a, b in zip(plain, averaged, strict=True)), "training sees raw weights throughout"
    by_hand = [nn.Parameter(start.clone())]
    ema = Ema(by_hand, 0.5)
    for weights in averaged:
        by_hand[0].data = weights
        ema.step()
    assert torch.allclose(final, ema.averages[0], atol=1e-6)
    assert not torch.allclose(final, averaged[-1], atol=1e-5)
