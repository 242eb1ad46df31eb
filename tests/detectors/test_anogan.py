import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import softplus

from oddgan import InputError
from oddgan.detectors import AnoGAN
from oddgan.families import Stored
from oddgan.inversion import LatentAdam, LatentSearch
from oddgan.objectives import R1, WGANGP, NonSaturating, Wasserstein
from oddgan.priors import Gaussian, Uniform
from oddgan.scores import WeightedSum
from oddgan.similarities import DTW, L1, L2, SoftDTW

X = np.random.default_rng(0).normal(size=(30, 3))
SMALL = {"latent_dim": 2, "epochs": 1, "random_state": 0}


@pytest.fixture
def detector(ready, linear, judge):
    """G(z) = 2z; f(x) = (x1, x1 + x2), D = x1 + (x1 + x2); one start at 0."""
    return ready(
        AnoGAN(
            latent_dim=2,
            prior=Gaussian(),
            objective=NonSaturating(),
            similarity=L1(reduction="sum"),
            inversion=LatentSearch(n_max=300, optimiser=LatentAdam(lr=0.02)),
        ),
        2,
        generator=linear([[2.0, 0.0], [0.0, 2.0]]),
        critic=judge([[1.0, 0.0], [1.0, 1.0]], [1.0, 1.0]),
        starts=Stored(torch.zeros(1, 2)),
    )


def compare(detector, x, y):
    x, y = torch.tensor(x), torch.tensor(y)
    critic = detector.networks_["critic"]
    return detector._compare(critic(y), critic(x).features, detector._similarity()(x, y))


def test_losses_by_hand(detector):
    # Equations 2 and 4 of the paper: R = |1 - 2| + |3 - 1| = 3; f = (1, 4) and (2, 3), so F = 1 + 1 = 2; and the
    # discriminator loss of equation 3, -log σ(D(G(z))), with D = 2 + 3 = 5.
    parts = compare(detector, [[1.0, 3.0]], [[2.0, 1.0]])
    assert parts["residual"].item() == 3
    assert parts["features"].item() == 2
    assert parts["critic_cross_entropy"].item() == pytest.approx(np.log1p(np.exp(-5)))
    # Equation 5 with λ = 0.1.
    assert detector.search_loss(parts).item() == pytest.approx(0.9 * 3 + 0.1 * 2)


def test_score_is_the_loss_at_the_point_found():
    detector = AnoGAN(**SMALL, inversion=LatentSearch(n_max=5)).fit(X)
    found = detector._invert(torch.from_numpy(detector.scaling_(X)))
    np.testing.assert_allclose(detector.anomaly_score(X), found.loss.double(), rtol=1e-6)


def test_search_reaches_what_the_generator_can_draw(detector):
    # G(z) = 2z draws everything: z* = x/2 and both losses vanish, to within Adam's step.
    x = np.array([[1.0, -0.6], [0.4, 2.0]])
    np.testing.assert_allclose(detector.encode(x), x / 2, atol=0.02)
    np.testing.assert_allclose(detector.reconstruct(x), x, atol=0.04)
    assert (detector.anomaly_score(x) < 0.1).all()


def test_perfect_start_scores_zero_without_a_step(detector):
    detector.networks_["starts"] = Stored(torch.tensor([[0.5, 1.0]]))
    assert detector.anomaly_score([[1.0, 2.0]]) == 0
    assert detector._invert(torch.tensor([[1.0, 2.0]])).steps == 0


def test_constant_critic_adds_nothing(detector, judge):
    detector.networks_["critic"] = judge([[0.0, 0.0]], [1.0])
    detector.set_params(inversion=LatentSearch(n_max=1))
    parts = detector.score_components(X[:, :2], extra="all")
    assert not parts["features"].any()
    np.testing.assert_allclose(parts["critic_cross_entropy"], np.log(2), rtol=1e-6)  # the critic can't tell: σ(0) = ½
    np.testing.assert_allclose(detector.anomaly_score(X[:, :2]), 0.9 * parts["residual"])


def test_search_minimises_its_own_loss(detector):
    # |x - 2z| alone leads to z = x/2; the critic alone, which falls with D(G(z)) for ever, leads further each step.
    x = np.array([[0.2, 0.2]])
    detector.set_params(
        search_loss=WeightedSum(critic_cross_entropy=1.0),
        inversion=LatentSearch(n_max=200, optimiser=LatentAdam(lr=0.1)),
    )
    assert detector.score_components(x, extra="all")["critic_cross_entropy"] < 1e-3
    assert detector.score_components(x, extra="all")["residual"] > 1


def test_more_starts_never_score_higher(detector):
    detector.set_params(inversion=LatentSearch(n_max=3))
    one = detector.anomaly_score(X[:, :2])
    detector.networks_["starts"] = Stored(torch.cat([torch.zeros(1, 2), torch.randn(7, 2)]))
    many = detector.anomaly_score(X[:, :2])
    assert (many <= one).all()
    assert (many < one).any()


def test_starts_are_drawn_in_fit_and_repeat():
    detector = AnoGAN(**SMALL, n_seed=3, prior=Uniform(low=2, high=3), inversion=LatentSearch(n_max=2)).fit(X)
    starts = detector._stored("starts")
    assert starts.shape == (3, 2)
    assert ((starts >= 2) & (starts <= 3)).all()
    codes = detector.encode(X)
    assert ((codes >= 2) & (codes <= 3)).all()  # the search stays on the support
    assert np.array_equal(detector.encode(X), codes)


def test_similarity_is_the_residual(detector):
    detector.set_params(similarity=L2(reduction="sum"))
    parts = compare(detector, [[1.0, 3.0]], [[2.0, 1.0]])
    assert parts["residual"].item() == 1 + 4


def test_search_and_score_by_two_similarities(detector):
    # One sees the first column alone, the other both: the search from 0 moves z1 alone, by Adam's step to .5, where
    # G(z) = (1, 0) has the first column of x = (1, 3) and misses the second by 3.
    detector.set_params(
        search_loss=WeightedSum(residual=1.0),
        search_similarity=lambda x, y: (x[:, 0] - y[:, 0]).abs(),
        inversion=LatentSearch(n_max=1, optimiser=LatentAdam(lr=0.5)),
    )
    x = np.array([[1.0, 3.0]])
    found = detector.score_components(x, extra="all")
    np.testing.assert_allclose(detector.encode(x), [[0.5, 0.0]], rtol=1e-6)
    assert detector.invert(x).loss < 1e-6, "what the search saw"
    assert found["residual"].item() == pytest.approx(3)
    assert found["search"].item() == pytest.approx(3), "what the search left, by the other similarity"
    detector.set_params(search_similarity=None)
    assert detector.encode(x)[0, 1] != 0


def test_other_parts_of_the_search_loss_count_in_the_score_too(detector):
    detector.set_params(search_similarity=L2(), inversion=LatentSearch(n_max=4))
    found = detector.score_components(X[:, :2], extra="all")
    np.testing.assert_allclose(found["search"], 0.9 * found["residual"] + 0.1 * found["features"], rtol=1e-6)


def test_series_are_searched_by_soft_dtw_and_scored_by_dtw():
    series = np.random.default_rng(1).normal(size=(24, 1, 16))
    settings = SMALL | {"inversion": LatentSearch(n_max=3), "search_similarity": SoftDTW()}
    detector = AnoGAN(**settings, similarity=DTW(), search_loss=WeightedSum(residual=1.0)).fit(series)
    x = torch.from_numpy(detector.scaling_(series)).float()
    drawn = detector._invert(x).x
    np.testing.assert_allclose(detector.anomaly_score(series), DTW()(x, drawn), rtol=1e-5)


def test_the_critics_target(detector):
    # D(x) = 2 x1 + x2 = 4: equation 5 of the survey with α = ½ has log(1 + e⁴) - ½·4.
    detector.networks_["starts"] = Stored(torch.tensor([[0.5, 1.0]]))
    detector.set_params(critic_target=0.5, inversion=LatentSearch(n_max=1))
    found = detector.score_components([[1.0, 2.0]], extra="all")
    assert found["critic_cross_entropy"].item() == pytest.approx(np.log1p(np.exp(4)) - 2)
    # The search goes to where the critic can't tell, D(G(z)) = 0, instead of upwards for ever.
    search = LatentSearch(n_max=300, optimiser=LatentAdam(lr=0.05))
    detector.set_params(search_loss=WeightedSum(critic_cross_entropy=1.0), inversion=search)
    assert detector.score_components([[1.0, 2.0]])["search"].item() == pytest.approx(np.log(2), abs=1e-3)


@pytest.mark.parametrize("wrong", [-0.1, 1.1, float("nan")])
def test_a_target_is_a_probability(wrong):
    with pytest.raises(InputError, match="critic_target must be a number from 0 to 1"):
        AnoGAN(**SMALL, critic_target=wrong).fit(X)


def test_step_by_hand(detector, losses):
    x = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    torch.manual_seed(0)
    found = losses(detector._adversarial, x)
    torch.manual_seed(0)
    fake = 2 * torch.randn(2, 2)
    real, drawn = 2 * x[:, 0] + x[:, 1], 2 * fake[:, 0] + fake[:, 1]
    assert list(found) == ["critic", "generator"]
    torch.testing.assert_close(found["critic"], softplus(-real) + softplus(drawn))
    torch.testing.assert_close(found["generator"], softplus(-drawn))


def test_generator_loss_raises_the_critic(detector, losses):
    G, D = detector._nets("generator", "critic")
    z = torch.randn(50, 2)
    before = D(G(z)).logit.mean()
    losses(detector._adversarial, torch.zeros(50, 2))["generator"].mean().backward()
    with torch.no_grad():
        for weight in G.parameters():
            weight.sub_(weight.grad, alpha=0.1)
    assert D(G(z)).logit.mean() > before


@pytest.mark.parametrize("n_critic", [1, 3])
def test_generator_waits_for_n_critic_updates(detector, losses, n_critic):
    detector.set_params(n_critic=n_critic)
    played = [list(losses(detector._adversarial, torch.zeros(2, 2), iteration=i)) for i in range(6)]
    assert [("generator" in p) for p in played] == [(i + 1) % n_critic == 0 for i in range(6)]
    assert all(p[0] == "critic" for p in played)


def test_penalty_and_bounds_come_from_the_objective(detector, losses):
    # D = 2·x1 + x2 has the slope √5 everywhere: the penalty is 10·(√5 - 1)².
    x = torch.zeros(3, 2)
    torch.manual_seed(0)
    plain = losses(detector.set_params(objective=Wasserstein(clip=None))._adversarial, x)["critic"]
    torch.manual_seed(0)
    found = losses(detector.set_params(objective=WGANGP())._adversarial, x)["critic"]
    torch.testing.assert_close(found - plain, torch.full((3,), 10 * (5**0.5 - 1) ** 2), rtol=1e-5, atol=1e-5)
    torch.manual_seed(0)
    found = losses(detector.set_params(objective=NonSaturating(regulariser=R1(weight=4)))._adversarial, x)
    assert found["critic"].shape == (3,)
    losses(detector.set_params(objective=Wasserstein(clip=0.01))._adversarial, x)
    assert max(w.abs().max() for w in detector.networks_["critic"].parameters()) <= 0.011


def test_samples_are_draws_of_the_generator(detector):
    detector.set_params(prior=Uniform(low=3, high=4))
    drawn = detector.sample(20, random_state=0)
    assert ((drawn >= 6) & (drawn <= 8)).all()  # G(z) = 2z


@pytest.mark.parametrize("wrong", [{"n_critic": 0}, {"n_seed": 0}, {"latent_dim": 0}])
def test_counts_below_one_are_refused_before_training(wrong):
    with pytest.raises(InputError, match="at least 1, not 0"):
        AnoGAN(**SMALL | wrong).fit(X)


def test_networks_have_the_shapes_of_the_data():
    detector = AnoGAN(**SMALL, inversion=LatentSearch(n_max=1)).fit(X)
    assert isinstance(detector.networks_, nn.ModuleDict)
    assert detector.networks_["generator"](torch.zeros(4, 2)).shape == (4, 3)
    assert [record.phase for record in detector.history_] == ["adversarial"]
