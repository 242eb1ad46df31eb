"""Stabilisers: each formula by hand, in a game of critics and generators that are small enough to follow."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from oddgan import InputError
from oddgan.families import Game
from oddgan.networks import MLP, HalfPrecision, Judgement
from oddgan.objectives import R1, WGANGP, GradientPenalty, Hinge, LeastSquares, Minimax, NonSaturating, Wasserstein
from oddgan.training import (
    Adam,
    Callback,
    Clock,
    CosineDecay,
    CriticEnsemble,
    CriticWarmUp,
    FeatureMatching,
    InstanceNoise,
    LabelSmoothing,
    MinibatchDiscrimination,
    MinibatchStdDev,
    Penalised,
    Phase,
    Plan,
    Player,
    TensorSource,
    TwoTimescale,
    run,
)
from oddgan.training.stabilisers import Setting, check, rebuilt, stabilised

FIRST = Clock(0, 0, 10)


def critic_of(weight=3.0):
    """D(x) = w·relu(x) for one column, whose features are relu(x)."""
    critic = MLP(hidden=(1,), slope=0.0).critic((1,))
    hidden, head = critic.trunk[0], critic.head
    for layer, value in ((hidden, 1.0), (head, weight)):
        layer.weight.data.fill_(value)
        layer.bias.data.zero_()
    return critic


def game_of(*stabilisers, objective=None, clock=FIRST):
    critic = critic_of()
    for one in stabilisers:
        critic = one.rebuilt(critic)
    return Game(critic, objective or NonSaturating(), stabilisers, clock), critic


def rows(*values):
    return torch.tensor(values)[:, None]


# -- losses
def test_feature_matching_by_hand():
    game, _ = game_of(FeatureMatching(weight=0.5))
    real, fake = rows(1.0, 3.0), rows(5.0, 9.0).requires_grad_()
    game.critic_loss(real, fake)
    loss = game.generator_loss(fake)
    # Mean features 2 and 7: 0.5·(2 - 7)² = 12.5 beside -log σ(3·5) and -log σ(3·9), which are nearly 0.
    assert loss.tolist() == pytest.approx([12.5 + math.log1p(math.exp(-15)), 12.5], abs=1e-5)
    (slope,) = torch.autograd.grad(loss.mean(), fake)
    assert torch.allclose(slope, torch.full((2, 1), 0.5 * 2 * 5 / 2), atol=1e-5)


def test_feature_matching_in_place_of_the_loss():
    game, _ = game_of(FeatureMatching(weight=2.0, keep_adversarial=False))
    game.critic_loss(rows(0.0, 0.0), rows(1.0, 1.0))
    assert game.generator_loss(rows(1.0, 1.0)).tolist() == [2.0, 2.0]


def test_feature_matching_asks_the_critic_as_it_stands():
    game, D = game_of(FeatureMatching(keep_adversarial=False))
    game.critic_loss(rows(1.0, 1.0), rows(0.0, 0.0))
    D.trunk[0].weight.data.fill_(10.0)
    assert game.generator_loss(rows(0.0, 0.0)).tolist() == [100.0, 100.0]


def test_feature_matching_compares_what_the_critic_was_shown():
    game, _ = game_of(InstanceNoise(std=1.0, anneal=None), FeatureMatching(keep_adversarial=False))
    x = rows(5.0, 5.0, 5.0, 5.0)
    torch.manual_seed(0)
    real, _, fake = (x + torch.randn_like(x) for _ in range(3))  # the second draw is for fakes in the critic's loss
    torch.manual_seed(0)
    game.critic_loss(x, x)
    torch.testing.assert_close(game.generator_loss(x), (real.mean() - fake.mean()).square().expand(4))


def test_label_smoothing_by_hand():
    game, _ = game_of(LabelSmoothing(real=0.9))
    x = rows(0.0, 2.0)
    logit = 3 * x[:, 0]
    p = torch.sigmoid(logit)
    torch.testing.assert_close(game.on_real(x), -0.9 * p.log() - 0.1 * (1 - p).log())
    assert torch.equal(game.on_fake(x), functional.softplus(logit))
    assert torch.equal(game.generator_loss(x), functional.softplus(-logit))
    # The least loss lies where σ(D) is the target.
    best = rows(math.log(0.9 / 0.1) / 3).requires_grad_()
    (slope,) = torch.autograd.grad(game.on_real(best).sum(), best)
    assert slope.abs() < 1e-6


@pytest.mark.parametrize(
    "objective", [Wasserstein(), WGANGP(), Hinge(), LeastSquares()], ids=lambda o: type(o).__name__
)
def test_label_smoothing_needs_labels(objective):
    with pytest.raises(InputError, match=f"probabilities.*but X has {type(objective).__name__}"):
        LabelSmoothing().check(Setting("X", objective, fools=True))
    LabelSmoothing().check(Setting("X", Minimax(), fools=True))


def test_penalty_by_hand():
    game, _ = game_of(Penalised(regulariser=R1(weight=2.0)), objective=Hinge(regulariser=GradientPenalty(weight=1.0)))
    real = rows(1.0, 2.0)
    # Slope 3: R1 gives 2/2·9, and the objective's own penalty (3 - 1)².
    assert game.penalty(real, real).tolist() == pytest.approx([13.0, 13.0])


def test_lazy_penalty():
    lazy, real = Penalised(regulariser=R1(weight=2.0), every=4), rows(1.0, 2.0)
    games = (game_of(lazy, clock=Clock(step, 0, 1, 8))[0] for step in range(8))
    found = [game.penalty(real, real).mean().item() for game in games]
    assert found == pytest.approx([36.0, 0, 0, 0, 36.0, 0, 0, 0])


def test_instance_noise():
    torch.manual_seed(0)
    x, noise = torch.zeros(20000), InstanceNoise(std=0.5, anneal=0.5)
    clocks = [Clock(i, 0, 1, 100) for i in (0, 25, 50, 75)]
    assert [noise.inputs(x, clock).std().item() for clock in clocks] == pytest.approx([0.5, 0.25, 0.0, 0.0], abs=0.01)
    assert noise.inputs(x, clocks[3]) is x
    assert InstanceNoise(std=0.5, anneal=None).inputs(x, clocks[3]).std().item() == pytest.approx(0.5, abs=0.01)


def test_critics_see_noise_while_they_train():
    game, D = game_of(InstanceNoise(std=1.0))
    x = rows(5.0, 5.0)
    assert not torch.equal(game.judge(x).logit, torch.tensor([15.0, 15.0]))
    assert torch.equal(D(x).logit, torch.tensor([15.0, 15.0]))  # others who ask it see none
    D.eval()
    assert torch.equal(game.judge(x).logit, torch.tensor([15.0, 15.0]))


# -- networks
def several_of(*weights, stabilisers=(), objective=None):
    game, D = game_of(CriticEnsemble(n=len(weights)), *stabilisers, objective=objective)
    for one, weight in zip(D.critics, weights, strict=True):
        one.load_state_dict(critic_of(weight).state_dict())
    return game, D


def test_ensembles_take_the_mean_of_losses():
    game, D = several_of(1.0, -2.0)
    real, fake = rows(1.0, 2.0), rows(3.0, 4.0)
    loss, fooled = game.critic_loss(real, fake), game.generator_loss(fake)
    assert torch.allclose(game.on_real(real), _mean_softplus(-real, 2 * real))
    assert torch.allclose(game.on_fake(real), _mean_softplus(real, -2 * real))
    assert torch.allclose(loss, _mean_softplus(-real, 2 * real) + _mean_softplus(fake, -2 * fake))
    assert torch.allclose(fooled, _mean_softplus(-fake, 2 * fake))
    assert not torch.allclose(loss, functional.softplus(real / 2)[:, 0] + functional.softplus(-fake / 2)[:, 0])
    assert torch.allclose(D(real).logit, -real[:, 0] / 2)


def test_ensembles_play_in_half_precision():
    game, D = several_of(1.0, 1.0, stabilisers=(FeatureMatching(keep_adversarial=False), Penalised()))
    half = Game(HalfPrecision(D), NonSaturating(), game.stabilisers, FIRST)
    real, fake = rows(1.0, 2.0), rows(3.0, 4.0)  # numbers that bfloat16 holds
    for name in ("critic_loss", "penalty"):
        torch.testing.assert_close(getattr(half, name)(real, fake), getattr(game, name)(real, fake))
    torch.testing.assert_close(half.generator_loss(fake), game.generator_loss(fake))
    assert half.generator_loss(fake).dtype == torch.float32


def _mean_softplus(a, b):
    return (functional.softplus(a) + functional.softplus(b))[:, 0] / 2


def test_ensembles_are_penalised_one_by_one():
    game, _ = several_of(1.0, -3.0, objective=NonSaturating(regulariser=R1(weight=2.0)))
    real = rows(1.0, 2.0)
    # Slopes 1 and -3: the mean of 1 and 9. The slope of the mean logit is -1.
    assert game.penalty(real, real).tolist() == pytest.approx([5.0, 5.0])


def test_ensembles_match_features_one_by_one():
    game, D = several_of(1.0, 1.0, stabilisers=(FeatureMatching(keep_adversarial=False),))
    D.critics[1].trunk[0].weight.data.fill_(2.0)
    game.critic_loss(rows(1.0, 1.0), rows(2.0, 2.0))
    assert game.generator_loss(rows(2.0, 2.0)).tolist() == pytest.approx([2.5, 2.5])  # the mean of 1 and 4


def test_members_start_apart():
    D = CriticEnsemble(n=3).rebuilt(MLP(hidden=(4,)).critic((3,)))
    starts = {one.head.weight.detach().numpy().tobytes() for one in D.critics}
    assert len(starts) == 3


@pytest.mark.parametrize("stabiliser", [MinibatchDiscrimination(n_kernels=3, dim=2), MinibatchStdDev()])
def test_a_critic_that_sees_the_batch_notices_collapse(stabiliser):
    torch.manual_seed(0)
    D = stabiliser.rebuilt(MLP(hidden=(8,)).critic((2,)))
    data, collapsed = torch.randn(64, 2), torch.randn(1, 2).repeat(64, 1)
    told = [D.head.statistic.of_batch(D.trunk(x)).mean().item() for x in (data, collapsed)]
    assert abs(told[0] - told[1]) > 0.1
    # What one sample does to the others' logits is part of its slope.
    x = data[:4].clone().requires_grad_()
    (slope,) = torch.autograd.grad(D(x).logit[0], x)
    assert slope[1:].abs().max() > 0


# -- schedules and phases
def play(*stabilisers, epochs=3, batches=2):
    """The phase of a game as stabilisers change it, and who learned at which step of it."""
    own = {"critic": critic_of(), "generator": nn.Linear(1, 1)}
    networks = nn.ModuleDict(rebuilt(own, stabilisers, "X"))
    G, critic = networks["generator"], networks["critic"]

    def game_of_two(x, clock):
        yield from Game(critic, NonSaturating(), stabilisers, clock).updates(x, G(x))

    players = {
        "critic": Player(("critic",), Adam(lr=1.0, schedule=CosineDecay())),
        "generator": Player(("generator",), Adam(lr=2.0)),
    }
    phase = stabilised(Phase(game_of_two, players, epochs), networks, stabilisers)
    watcher = Watcher()
    run(phase, networks, TensorSource(torch.ones(2 * batches, 1)), Plan(batch_size=2, callbacks=[watcher]))
    return phase, watcher.seen


class Watcher(Callback):
    def __init__(self):
        self.seen = []

    def gradients_ready(self, state, player):
        self.seen.append((state.clock.iteration, player))


def idle(_x, _clock):
    return iter(())


def test_two_timescale():
    phase, _ = play(TwoTimescale(critic=0.3, generator=0.1))
    assert phase.players["critic"].optimiser == Adam(lr=0.3, schedule=CosineDecay())
    assert phase.players["generator"].optimiser == Adam(lr=0.1)


def test_critic_warm_up():
    seen = play(CriticWarmUp(steps=4))[1]
    assert [i for i, player in seen if player == "critic"] == list(range(6))
    assert [i for i, player in seen if player == "generator"] == [4, 5]


def test_phases_keep_their_name():
    assert play(CriticWarmUp())[0].name == "game of two"


def test_phases_without_a_critic_stay():
    phase = Phase(idle, {"encoder": Player(("encoder",))}, 1)
    assert stabilised(phase, nn.ModuleDict({"encoder": nn.Linear(1, 1)}), (TwoTimescale(),)) == phase


@pytest.mark.parametrize("one", [TwoTimescale(), CriticWarmUp()], ids=lambda one: type(one).__name__)
def test_a_critic_alone_has_no_opponent(one):
    phase = Phase(idle, {"critic": Player(("critic",))}, 1)
    with pytest.raises(InputError, match=f"{type(one).__name__} is about the opponents"):
        stabilised(phase, nn.ModuleDict({"critic": critic_of()}), (one,))


def test_several_at_once():
    stabilisers = (
        CriticEnsemble(n=2), MinibatchDiscrimination(n_kernels=2, dim=1), MinibatchStdDev(), FeatureMatching(),
        TwoTimescale(), CriticWarmUp(steps=1), Penalised(), Penalised(regulariser=GradientPenalty()), LabelSmoothing(),
        InstanceNoise(),
    )  # fmt: skip
    check(stabilisers, Setting("X", NonSaturating(), fools=True))
    assert len(play(*stabilisers)[1]) == 11  # the generator waits for one step of six


# -- errors
def test_twice_is_refused():
    check((Penalised(), Penalised(every=2)), Setting("X", Hinge(), fools=True))
    with pytest.raises(InputError, match="names TwoTimescale twice"):
        check((TwoTimescale(), TwoTimescale()), Setting("X", Hinge(), fools=True))


def test_feature_matching_needs_a_generator_that_fools():
    with pytest.raises(InputError, match="BeatGAN has none"):
        FeatureMatching().check(Setting("BeatGAN", NonSaturating(), fools=False))


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (MinibatchDiscrimination, {"n_kernels": 0}),
        (MinibatchDiscrimination, {"dim": 0}),
        (MinibatchStdDev, {"group": 1}),
        (CriticEnsemble, {"n": 1}),
        (FeatureMatching, {"weight": 0.0}),
        (FeatureMatching, {"weight": math.inf}),
        (TwoTimescale, {"critic": 0.0}),
        (TwoTimescale, {"generator": math.nan}),
        (CriticWarmUp, {"steps": 0}),
        (Penalised, {"every": 0}),
        (LabelSmoothing, {"real": 1.0}),
        (LabelSmoothing, {"real": 0.5}),
        (InstanceNoise, {"std": 0.0}),
        (InstanceNoise, {"anneal": 0.0}),
        (InstanceNoise, {"anneal": 1.5}),
    ],
    ids=str,
)
def test_ranges(kind, given):
    with pytest.raises(InputError, match=f"{kind.__name__} got .*{next(iter(given))}="):
        kind(**given)


def test_judgements_stay_judgements():
    _, D = game_of(MinibatchStdDev(), CriticEnsemble())
    assert isinstance(D(rows(1.0, 2.0)), Judgement)
