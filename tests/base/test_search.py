"""Detectors that search: what they tell while they do, budgets, drafts in half precision, starts from a bank."""

import numpy as np
import pytest
import torch

from oddgan import AnoGAN, FAnoGAN, InputError, load
from oddgan.base import Progress
from oddgan.inversion import Hybrid, LatentAdam, LatentSearch
from oddgan.networks import MLP, ConvLadder
from oddgan.scores import WeightedSum
from oddgan.similarities import L2, RBF

SMALL = {"epochs": 2, "latent_dim": 3, "backbone": MLP(hidden=(16,)), "random_state": 0}
PLAIN = {"search_loss": WeightedSum(residual=1.0), "similarity": L2()}


def search(n_max=30, lr=0.05, **settings):
    return LatentSearch(n_max=n_max, optimiser=LatentAdam(lr=lr), **settings)


def rows(n, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 2)) @ np.array([[1.0, 2, 0, -1], [0, 1, 1, 1]]) + 0.1 * rng.normal(size=(n, 4))


@pytest.fixture(scope="module")
def detector():
    return AnoGAN(**SMALL, **PLAIN, inversion=search()).fit(rows(200))


def fresh(detector, **settings):
    for name, value in settings.items():
        setattr(detector, name, value)
    return detector


def test_progress_counts_rows_once_and_tells_of_the_search(detector):
    told = []
    X = rows(150, seed=1)
    eps = float(np.median(detector.anomaly_score(X)))
    fresh(detector, inversion=search(eps=eps))
    detector.anomaly_score(X, report=told.append)
    found = detector.invert(X)
    fresh(detector, inversion=search())
    assert all(isinstance(p, Progress) for p in told)
    assert [p.rows for p in told] == sorted(p.rows for p in told)
    assert told[-1].rows == 150
    assert told[-1].steps == pytest.approx(found.steps.mean())
    assert told[-1].converged == pytest.approx(found.converged.mean())
    assert 0 < told[-1].converged < 1
    assert len(told) > 2  # while it searches, not only at the end


def test_several_starts_are_one_row():
    told = []
    AnoGAN(**SMALL, n_seed=3, inversion=search(n_max=2)).fit(rows(70)).anomaly_score(rows(20), report=told.append)
    assert told[-1].rows == 20


@pytest.mark.parametrize("slots", [64, 1])
def test_early_stops_leave_no_trace_of_company(detector, slots):
    # Rows stop at different steps, so that their neighbours in the slots change all the time.
    X = rows(200, seed=2)
    eps = float(np.median(detector.anomaly_score(X)))
    fresh(detector, inversion=search(n_max=60, eps=eps), slots=slots)
    scores, found = detector.anomaly_score(X), detector.invert(X)
    order = np.random.default_rng(0).permutation(200)
    shuffled, alone = detector.anomaly_score(X[order]), detector.anomaly_score(X[7:8])
    fresh(detector, inversion=search(), slots=64)
    assert len(set(found.steps.tolist())) > 5
    assert np.array_equal(shuffled, scores[order])
    assert np.array_equal(alone, scores[7:8])


def test_what_inversion_returns(detector):
    X = rows(9, seed=3)
    found = detector.invert(X)
    assert found.z.shape == (9, 3)
    assert found.steps.tolist() == [30] * 9
    assert not found.converged.any()
    assert np.array_equal(found.reconstruction, detector.reconstruct(X))
    assert np.array_equal(found.z, detector.encode(X))
    assert np.array_equal(found.loss, detector.score_components(X)["search"])


def test_half_precision_searches_roughly_and_scores_exactly(detector):
    X = rows(64, seed=4)
    full = detector.invert(X)
    fresh(detector, inversion=search(precision="bf16"))
    rough = detector.invert(X)
    fresh(detector, inversion=search())
    assert not np.array_equal(rough.z, full.z)
    assert np.median(np.abs(rough.loss - full.loss)) < 0.05 * full.loss.mean()
    # The loss is that of the reported reconstruction in full precision: its squared residual on the network's scale.
    residual = detector.scaling_(rough.reconstruction) - detector.scaling_(X)
    assert rough.loss == pytest.approx(np.square(residual).mean(1), rel=1e-4)


def test_a_budget_is_kept_as_steps(tmp_path):
    detector = AnoGAN(**SMALL, **PLAIN, inversion=search(n_max=3), budget_ms=2.0).fit(rows(100))
    assert detector.budgeted_.n_max != 3
    assert detector.inversion.n_max == 3
    assert detector.invert(rows(5)).steps.tolist() == [detector.budgeted_.n_max] * 5
    again = load(detector.save(tmp_path / "model"))
    assert again.budgeted_ == detector.budgeted_
    assert np.array_equal(again.anomaly_score(rows(5)), detector.anomaly_score(rows(5)))


def test_a_budget_set_later_renews_the_threshold():
    detector, X = AnoGAN(**SMALL, **PLAIN, inversion=search()).fit(rows(200)), rows(80, seed=5)
    before = detector.threshold_
    detector.set_budget(1.0, X)
    steps = detector.budgeted_.n_max
    assert steps != 30
    assert len(detector.calibration_scores_) == 80
    assert detector.threshold_ != before
    assert (detector.predict(X) == -1).mean() == pytest.approx(0.1, abs=0.02)
    with pytest.raises(InputError, match="above 0"):
        detector.set_budget(-1.0, X)
    with pytest.raises(InputError, match="too short"):
        detector.set_budget(1e-6, X)
    assert detector.budgeted_.n_max == steps  # a refused budget changes nothing


def test_an_encoder_has_no_steps_to_spend():
    settings = {"epochs": 1, "latent_dim": 3, "n_critic": 1, "backbone": MLP(hidden=(16,))}
    detector = FAnoGAN(**settings, random_state=0).fit(rows(100))
    with pytest.raises(InputError, match="use Hybrid"):
        detector.set_budget(5.0, rows(20))
    codes = detector.encode(rows(20))
    plain = detector.score_components(rows(20))["residual"]
    detector.set_params(inversion=Hybrid(search(n_max=20)), kappa=0.0)
    found = detector.invert(rows(20))
    assert found.steps.tolist() == [20] * 20
    assert not np.array_equal(found.z, codes)
    assert (detector.score_components(rows(20))["residual"] <= plain).mean() > 0.9


def test_a_bank_starts_at_the_nearest_sample():
    detector = AnoGAN(**SMALL, **PLAIN, bank=50, n_seed=2, inversion=search(n_max=1, lr=1e-9)).fit(rows(100))
    X = rows(10, seed=6)
    codes, drawn = detector._stored("starts"), detector._stored("bank")
    assert torch.equal(drawn, detector._net("generator")(codes)) or torch.allclose(
        drawn, detector._net("generator")(codes), atol=1e-6
    )
    distances = np.square(detector.scaling_(X)[:, None] - drawn.numpy()[None]).sum(-1)
    nearest = codes.numpy()[distances.argmin(1)]
    assert detector.encode(X) == pytest.approx(nearest, abs=1e-6)
    with pytest.raises(InputError, match="bank"):
        AnoGAN(**SMALL, bank=2, n_seed=3).fit(rows(20))


def test_a_bandwidth_comes_from_the_training_rows(tmp_path):
    detector = AnoGAN(**SMALL, **PLAIN | {"similarity": RBF()}, inversion=search(n_max=2)).fit(rows(100))
    assert detector.similarity == RBF()
    fitted = detector.similarities_["similarity"]
    assert fitted.bandwidth == pytest.approx(RBF().fit(torch.from_numpy(detector.scaling_(rows(100)))).bandwidth)
    assert load(detector.save(tmp_path / "model")).similarities_ == {"similarity": fitted}


def test_series_and_images_search_too():
    X = np.random.default_rng(0).normal(size=(70, 1, 16))
    settings = {"epochs": 1, "latent_dim": 3, "backbone": ConvLadder(width=4), "random_state": 0}
    detector = AnoGAN(**settings, inversion=search(n_max=5, eps=20.0)).fit(X)
    scores = detector.anomaly_score(X)
    assert np.array_equal(detector.anomaly_score(X[::-1]), scores[::-1])
