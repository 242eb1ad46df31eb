"""Detectors that search: what they tell while they do, budgets, drafts in half precision, starts from a bank."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import stats

from oddgan import ADGAN, AnoGAN, FAnoGAN, InputError, load
from oddgan.base import Progress
from oddgan.inversion import Accepted, Hybrid, JointSearch, LatentAdam, LatentSearch, Projected, SupportPenalty
from oddgan.networks import MLP, ConvLadder
from oddgan.priors import Shell, TruncatedNormal, Uniform
from oddgan.scores import SVM, Average, Standardised, WeightedSum
from oddgan.similarities import L2, RBF
from oddgan.thresholds import Quantile
from oddgan.training import Callback

SMALL = {"epochs": 2, "latent_dim": 3, "backbone": MLP(hidden=(16,)), "random_state": 0}
PLAIN = {"search_loss": WeightedSum(residual=1.0), "similarity": L2()}


def search(n_max=30, lr=0.05, **settings):
    return LatentSearch(n_max=n_max, optimiser=LatentAdam(lr=lr), **settings)


def rows(n, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 2)) @ np.array([[1.0, 2, 0, -1], [0, 1, 1, 1]]) + 0.1 * rng.normal(size=(n, 4))


@pytest.fixture(scope="module")
def detector():
    return AnoGAN(**SMALL, **PLAIN, n_seed=1, inversion=search()).fit(rows(200))


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


@pytest.fixture(scope="module")
def trained():
    """One fitted detector of each kind of inversion."""
    made = {
        "search": AnoGAN(**SMALL, **PLAIN, inversion=search(n_max=5), n_seed=2),
        "encoder": FAnoGAN(**SMALL, encoder_output="linear"),
        "hybrid": FAnoGAN(**SMALL, inversion=Hybrid(search(n_max=3))),
        "joint": ADGAN(**SMALL, n_seed=3, inversion=JointSearch(steps=3)),
    }
    return {name: made[name].fit(rows(80)) for name in made}


def restricted(detector, rule):
    """The detector's inversion with a restriction."""
    inversion = detector.inversion
    if isinstance(inversion, Hybrid):
        return Hybrid(replace(inversion.search, restriction=rule))
    return replace(inversion, restriction=rule)


@pytest.mark.parametrize("support", [TruncatedNormal(limit=0.3), Uniform(low=-0.2, high=0.4), Shell(k=0.2)])
@pytest.mark.parametrize("kind", ["search", "encoder", "hybrid", "joint"])
def test_a_restriction_is_set_without_training_again(trained, kind, support, tmp_path):
    detector, X, rule = copy.deepcopy(trained[kind]), rows(20, seed=1), Projected(support)
    weights = {k: v.clone() for k, v in detector.networks_.state_dict().items()}
    before = detector.anomaly_score(X)
    assert not rule.contains(torch.from_numpy(detector.encode(X)).float()).all()
    assert detector.set_inversion(restricted(detector, rule), X) is detector
    assert rule.contains(torch.from_numpy(detector.encode(X)).float()).all()
    assert all(torch.equal(v, weights[k]) for k, v in detector.networks_.state_dict().items())
    after = detector.anomaly_score(X)
    assert not np.array_equal(after, before)
    # What scores are compared with comes from the new search.
    assert np.array_equal(detector.calibration_scores_, np.sort(after))
    assert detector.threshold_ == detector.threshold_rule_(np.sort(after), 0.1)
    assert np.array_equal(detector.anomaly_score(X[5:6]), after[5:6])
    assert {"latent_norm_tail", "latent_norm_empirical_tail"} <= set(detector.component_names_)
    assert all(np.isfinite(v).all() for v in detector.score_components(X, extra="all").values())
    again = load(detector.save(tmp_path / "model"))
    assert again.inversion == detector.inversion
    assert np.array_equal(again.anomaly_score(X), after)


@pytest.mark.parametrize("form", [SupportPenalty, Accepted])
@pytest.mark.parametrize("kind", ["search", "hybrid", "joint"])
def test_soft_restrictions_work_in_every_search(trained, kind, form):
    detector, X = copy.deepcopy(trained[kind]), rows(20, seed=1)
    outside = detector.score_components(X, extra="all")["latent_norm_tail"]
    detector.set_inversion(restricted(detector, form(Shell(k=0.3))), X)
    parts = detector.score_components(X, extra="all")
    assert all(np.isfinite(v).all() for v in parts.values())
    # Codes are nearer to where norms of the prior concentrate; the tail's -log p is 0 at their median.
    assert parts["latent_norm_tail"].mean() < outside.mean()
    assert np.array_equal(detector.anomaly_score(X[[7, 3]]), detector.anomaly_score(X)[[7, 3]])


def test_the_norm_is_compared_with_chi_for_normal_priors_only():
    made = AnoGAN(**SMALL, **PLAIN, inversion=search(n_max=2), prior=Shell()).fit(rows(60))
    parts = made.score_components(rows(9), extra="all")
    z = made.encode(rows(9))
    squared = np.square(z).sum(1)
    tail = 2 * np.minimum(stats.chi2.cdf(squared, 3), stats.chi2.sf(squared, 3))
    assert parts["latent_norm_tail"] == pytest.approx(-np.log(tail), rel=1e-4)
    boxed = AnoGAN(**SMALL, **PLAIN, inversion=search(n_max=2), prior=Uniform()).fit(rows(60))
    assert "latent_norm_tail" not in boxed.component_names_
    assert "latent_norm_empirical_tail" in boxed.component_names_


def test_an_inversion_of_another_kind_is_refused_and_changes_nothing(trained):
    detector = copy.deepcopy(trained["search"])
    before = detector.anomaly_score(rows(9)), detector.threshold_
    with pytest.raises(InputError, match="but takes LatentSearch"):
        detector.set_inversion(Hybrid(), rows(40))
    with pytest.raises(ValueError, match="4 features"):
        detector.set_inversion(search(n_max=1), rows(40)[:, :2])
    assert np.array_equal(detector.anomaly_score(rows(9)), before[0])
    assert (detector.inversion.n_max, detector.threshold_) == (5, before[1])
    with pytest.raises(InputError, match="but takes EncoderInversion or Hybrid"):
        copy.deepcopy(trained["encoder"]).set_inversion(search(), rows(40))


def test_a_threshold_that_was_a_number_does_not_outlive_the_search_it_was_for(trained):
    detector, X = copy.deepcopy(trained["search"]), rows(60, seed=1)
    detector.tune_threshold(X, np.arange(60) % 2)
    assert detector.semi_supervised_
    detector.set_inversion(search(n_max=9), X)
    assert not detector.semi_supervised_
    assert isinstance(detector.threshold_rule_, Quantile)


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (
            Standardised(WeightedSum(residual=1.0)),
            "search_loss is Standardised, which has to learn from component values",
        ),
        (Average(components=("residual",)), "search_loss is Average, which has to learn"),
        (SVM(components=("residual",)), "search_loss is SVM, which has to learn"),
        (
            WeightedSum(residual=1.0, latent_norm=1.0),
            "uses latent_norm, which a search does not know: give a composition",
        ),
        (
            None,
            r"search_loss=None, but takes Composition, e\.g\. search_loss=WeightedSum\(",
        ),
        ("residual", "search_loss='residual', but takes Composition"),
    ],
)
def test_a_search_minimises_nothing_that_it_can_not_know(loss, message):
    """Refused before anything is trained."""
    trained = []
    detector = AnoGAN(**SMALL, search_loss=loss, inversion=search())
    with pytest.raises(InputError, match=message) as caught:
        detector.fit(rows(20), callbacks=[Noted(trained)])
    assert "\n" not in str(caught.value)
    assert not trained
    assert not hasattr(detector, "networks_")


class Noted(Callback):
    """Notes that training began."""

    def __init__(self, trained):
        self.trained = trained

    def fit_started(self, method, n):
        self.trained.append(method)
