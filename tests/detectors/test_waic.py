import pickle

import numpy as np
import pytest
import torch
from scipy import stats

from oddgan import InputError
from oddgan.detectors import WAIC
from oddgan.families import Stored, ensemble
from oddgan.scores import WeightedSum
from oddgan.training import Callback

# Two models p(z) = N(0, 1), p(x|z) = N(wz, 1): x ~ N(0, w² + 1).
MODELS = (1.5, 0.5)
PAPER = WeightedSum(waic=1.0)
X = np.array([[0.0], [1.0], [-3.0]])
EVERY = np.stack([stats.norm.logpdf(X[:, 0], scale=np.sqrt(w**2 + 1)) for w in MODELS], axis=1)


@pytest.fixture(params=["vae", "unit_vae"])
def vaes(request, ready, linear):
    """Members whose q(z|x) is the true posterior N(wx/(w² + 1), 1/(w² + 1)), where all weights are p(x)."""
    networks = {}
    for i, w in enumerate(MODELS):
        variance = 1 / (w**2 + 1)
        networks[f"encoder{i}"] = linear([[w * variance], [0.0]], bias=[0.0, np.log(variance)])
        networks[f"generator{i}"] = linear([[w], [0.0]] if request.param == "vae" else [[w]])
    stored = {"noise": Stored(torch.tensor([[0.3], [-1.2], [2.0]]))}
    stored |= {"centre": Stored(torch.zeros(2)), "level": Stored(torch.tensor(-1.0))}
    return ready(WAIC(latent_dim=1, n_members=2, members=request.param, composition=PAPER), 1, **networks, **stored)


@pytest.fixture
def critics(ready, judge):
    networks = {f"critic{i}": judge([[w]], [1.0]) for i, w in enumerate(MODELS)}
    stored = {"centre": Stored(torch.zeros(2)), "level": Stored(torch.zeros(()))}
    return ready(WAIC(latent_dim=1, n_members=2, members="critic", composition=PAPER), 1, **networks, **stored)


@pytest.mark.parametrize("bound", ["iwae", "elbo"])
def test_both_bounds_are_log_p_at_the_true_posterior(vaes, bound):
    parts = vaes.set_params(bound=bound).score_components(X, extra="all")
    variance = EVERY.var(axis=1, ddof=1)
    np.testing.assert_allclose(parts["mean"], -EVERY.mean(axis=1), rtol=1e-5)
    np.testing.assert_allclose(parts["variance"], variance, rtol=1e-4)
    np.testing.assert_allclose(parts["waic"], variance - EVERY.mean(axis=1), rtol=1e-5)
    np.testing.assert_allclose(parts["typicality"], np.abs(EVERY.mean(axis=1) + 1.0), rtol=1e-4)
    assert np.array_equal(vaes.anomaly_score(X), parts["waic"])


def test_bounds_where_q_is_the_prior(vaes, linear):
    # Then w_k = p(x|z_k): the mean of its logarithm, or the logarithm of its mean.
    for i in range(2):
        vaes.networks_[f"encoder{i}"] = linear([[0.0], [0.0]])
    log_w = np.stack([stats.norm.logpdf(X[:, 0], loc=w * np.array([[0.3], [-1.2], [2.0]])) for w in MODELS])
    expected = {"elbo": log_w.mean(axis=1), "iwae": np.log(np.exp(log_w).mean(axis=1))}
    for bound, each in expected.items():
        found = vaes.set_params(bound=bound).score_components(X, extra="all")["mean"]
        np.testing.assert_allclose(found, -each.mean(axis=0), rtol=1e-5)


def test_critics_count_from_their_training_mean(critics):
    # Logits 1.5x and 0.5x of rows 2 and 4: means 4.5 and 1.5.
    critics._calibrate(torch.tensor([[2.0], [4.0]]))
    assert critics.networks_["centre"].value.tolist() == [4.5, 1.5]
    assert critics.networks_["level"].value == 0
    parts = critics.score_components(np.array([[3.0], [5.0]]), extra="all")
    # At 3 both are at their mean; at 5 they say 3 and 1: mean 2, unbiased variance 2.
    np.testing.assert_allclose(parts["mean"], [0, -2], atol=1e-6)
    np.testing.assert_allclose(parts["variance"], [0, 2], atol=1e-6)
    np.testing.assert_allclose(parts["waic"], [0, 0], atol=1e-6)
    np.testing.assert_allclose(parts["typicality"], [0, 2], atol=1e-6)


def test_by_default_both_terms_count_by_their_spread():
    # Held-out means 0, 2, 4 and variances 100, 100, 400: spreads √(8/3) and √20000, averages 2 and 200.
    normals = {"mean": np.array([0.0, 2.0, 4.0]), "variance": np.array([100.0, 100.0, 400.0])}
    score = WAIC().composition.fit(normals)({"mean": torch.tensor([6.0]), "variance": torch.tensor([500.0])})
    assert score.item() == pytest.approx(4 / np.sqrt(8 / 3) + 300 / np.sqrt(20_000) / 4)


def test_typicality_is_two_sided(vaes):
    # The most probable sample is as far from the typical level as one that is too improbable by as much.
    vaes._calibrate(torch.tensor([[1.5]]))
    parts = vaes.score_components(np.array([[0.0], [1.5], [4.0]]), extra="all")
    assert (np.diff(parts["mean"]) > 0).all()
    assert parts["typicality"][1] == pytest.approx(0, abs=1e-6)
    assert (parts["typicality"][[0, 2]] > 0.1).all()


def test_negative_elbo_is_trained(vaes, losses):
    # At the true posterior -ELBO = -log p(x) on average over q; one draw gives log p(x|z) - KL.
    torch.manual_seed(0)
    step, x = vaes._variational, torch.full((20_000, 1), -3.0)
    loss = losses(lambda rows, clock: step(0, rows, clock), x)["vae"]
    assert loss.mean().item() == pytest.approx(-EVERY[2, 0], rel=0.02)


def rows(n=24):
    return np.random.default_rng(0).normal(size=(n, 3))


@pytest.mark.parametrize("members", ["unit_vae", "vae", "critic"])
def test_members_are_trained_apart(members):
    # Each member has its own start and its own rows' order.
    tiny = WAIC.tiny | {"members": members, "n_members": 3, "random_state": 0}
    detector = WAIC(**tiny).fit(rows())
    first = [next(detector.networks_[f"generator{i}"].parameters()) for i in range(3)]
    assert not torch.equal(first[0], first[1])
    assert not torch.equal(first[1], first[2])
    assert [record.phase_index for record in detector.history_] == [0, 1, 2]


def compare(one, two):
    assert one.networks_.state_dict().keys() == two.networks_.state_dict().keys()
    for name, value in one.networks_.state_dict().items():
        assert torch.equal(two.networks_.state_dict()[name], value), name
    assert np.array_equal(one.anomaly_score(rows(5)), two.anomaly_score(rows(5)))
    assert [r.losses for r in one.history_] == [r.losses for r in two.history_]


@pytest.mark.parametrize("members", ["unit_vae", "vae", "critic"])
def test_copies_learn_the_same(members, monkeypatch):
    # What another process does, without its start: it gets everything pickled.
    settings = WAIC.tiny | {"members": members, "random_state": 0}
    here = WAIC(**settings).fit(rows())

    def parallel(n_jobs):
        assert n_jobs == 2
        return lambda jobs: [pickle.loads(pickle.dumps(f))(*args, **named) for f, args, named in jobs]  # noqa: S301

    monkeypatch.setattr(ensemble, "Parallel", parallel)
    compare(here, WAIC(**settings, n_jobs=2).fit(rows()))


@pytest.mark.slow
def test_processes():
    one, two = (WAIC(**WAIC.tiny, random_state=0, n_jobs=n).fit(rows()) for n in (1, 2))
    compare(one, two)


def test_callbacks_see_epochs_in_one_process():
    class Count(Callback):
        seen = 0

        def epoch_ended(self, state, record):
            self.seen += 1

    count = Count()
    WAIC(**WAIC.tiny | {"epochs": 3}, random_state=0).fit(rows(), callbacks=[count])
    assert count.seen == 6


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"n_members": 1}, "n_members must be a whole number of at least 2"),
        ({"members": "flow"}, "members must be one of unit_vae, vae, critic"),
        ({"bound": "exact"}, "bound must be one of iwae, elbo"),
        ({"n_draws": 0}, "n_draws must be"),
        ({"n_jobs": 0}, "n_jobs must be at least 1, or -1"),
    ],
)
def test_wrong_settings(wrong, message):
    with pytest.raises(InputError, match=message):
        WAIC(**WAIC.tiny | wrong).fit(rows())
