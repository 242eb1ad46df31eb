"""Composing a fitted detector's components anew."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import torch
from scipy import stats

from oddgan import AnoGAN, AutoEncoder, BetaVAEGAN, InputError, load
from oddgan.inversion import LatentSearch
from oddgan.networks import MLP
from oddgan.priors import Uniform
from oddgan.scores import Composition, RankAverage, WeightedSum, empirical_mode, empirical_tail
from oddgan.thresholds import Fixed

SMALL = {"latent_dim": 2, "epochs": 2, "backbone": MLP(hidden=(8,)), "random_state": 0}
RNG = np.random.default_rng(0)
X, ODD = RNG.normal(size=(60, 4)), 4 + RNG.normal(size=(20, 4))
MIXED, LABELS = np.concatenate([X[:20], ODD]), np.repeat([0, 1], 20)


@dataclass(frozen=True)
class Difference(Composition):
    """How much more the labelled anomalies have of one component; learns from labels."""

    needs_labels: ClassVar[bool] = True
    name: str = "residual"
    shift: float = 0.0
    normal_mean: float = 0.0

    @property
    def uses(self):
        return (self.name,)

    def fit(self, normals, labelled=None):
        parts, y = labelled
        means = [parts[self.name][y == label].mean() for label in (0, 1)]
        return Difference(self.name, means[1] - means[0], normals[self.name].mean())

    def __call__(self, components):
        return components[self.name] - self.shift


def autoencoder(**settings):
    return AutoEncoder(**SMALL | settings).fit(X)


def test_composing_trains_nothing_and_renews_scores_and_threshold():
    detector, direct = autoencoder(), autoencoder(composition=WeightedSum(residual=1.0, latent_norm=0.5))
    weights = {k: v.clone() for k, v in detector.networks_.state_dict().items()}
    assert detector.compose(WeightedSum(residual=1.0, latent_norm=0.5)) is detector
    assert all(torch.equal(v, weights[k]) for k, v in detector.networks_.state_dict().items())
    np.testing.assert_array_equal(detector.anomaly_score(X), direct.anomaly_score(X))
    np.testing.assert_array_equal(detector.calibration_scores_, direct.calibration_scores_)
    assert detector.threshold_ == direct.threshold_
    assert not detector.semi_supervised_


def test_the_rule_and_the_rate_of_the_threshold_stay():
    detector = autoencoder().set_threshold(rate=0.3).compose(WeightedSum(latent_norm=1.0))
    assert (detector.predict(X) == -1).mean() == pytest.approx(0.3, abs=0.02)


def test_components_of_the_calibration_rows_are_kept():
    detector = autoencoder(calibration=0.5)
    found = detector.score_components(X[detector.calibration_rows_], extra="all")
    assert found.keys() > detector.calibration_components_.keys() == {"residual", "latent", "latent_norm"}
    for name, values in detector.calibration_components_.items():
        np.testing.assert_array_equal(values, found[name])


def test_scores_follow_from_components_that_are_known():
    detector = autoencoder().compose(WeightedSum(residual=1.0, latent_norm_empirical_signed=0.5))
    found = detector.score_components(X, extra="all")
    assert set(detector.component_names_) == found.keys()
    np.testing.assert_array_equal(detector.score_from(found), detector.anomaly_score(X))
    del found["residual"]
    with pytest.raises(InputError, match=r"residual is not among the components given"):
        detector.score_from(found)


def test_labels_make_it_semi_supervised():
    detector = autoencoder().compose(Difference(), MIXED, LABELS)
    assert detector.semi_supervised_
    parts = detector.score_components(MIXED)["residual"]
    assert detector.composition_.shift == pytest.approx(parts[20:].mean() - parts[:20].mean())
    assert detector.composition_.normal_mean == pytest.approx(detector.calibration_components_["residual"].mean())
    # Components that are at hand are not computed again, and give the same.
    again = autoencoder().compose(Difference(), detector.score_components(MIXED), LABELS)
    assert again.composition_ == detector.composition_
    assert not detector.compose(WeightedSum(residual=1.0)).semi_supervised_


def test_a_composition_outlives_the_process(tmp_path):
    detector = autoencoder().compose(WeightedSum(residual=2.0, latent=1.0))
    again = load(detector.save(tmp_path / "model"))
    np.testing.assert_array_equal(again.anomaly_score(X), detector.anomaly_score(X))
    assert again.composition_ == detector.composition_
    np.testing.assert_array_equal(
        again.compose(WeightedSum(latent=1.0)).calibration_scores_,
        detector.compose(WeightedSum(latent=1.0)).calibration_scores_,
    )


def test_a_search_is_not_repeated_nor_changed(monkeypatch):
    detector = AnoGAN(**SMALL).fit(X)
    found = detector.invert(X)
    monkeypatch.setattr(AnoGAN, "_invert", lambda *_: pytest.fail("searched"))
    detector.compose(WeightedSum(residual=1.0))
    monkeypatch.undo()
    np.testing.assert_array_equal(detector.invert(X).z, found.z)
    np.testing.assert_array_equal(detector.anomaly_score(X), detector.score_components(X)["residual"])


def test_only_wanted_components_are_computed():
    detector = autoencoder()
    seen = []
    detector.networks_.prepared("encoder").register_forward_hook(lambda *_: seen.append(1))
    detector.anomaly_score(X[:5])
    assert len(seen) == 1
    detector.score_components(X[:5], extra=["latent"])  # E(x̂), besides E(x)
    assert len(seen) == 3


def test_the_best_cut_on_labelled_rows():
    detector = autoencoder().tune_threshold(MIXED, LABELS, metric="youden")
    flagged = detector.predict(MIXED) == -1
    assert isinstance(detector.threshold_rule_, Fixed)
    assert detector.semi_supervised_
    # No cut between two scores separates the labels better.
    scores = np.sort(detector.anomaly_score(MIXED))
    cuts = [-np.inf, *((scores[:-1] + scores[1:]) / 2), np.inf]
    found = detector.anomaly_score(MIXED)

    def balanced(flags):
        return np.mean([flags[LABELS == 1].mean(), 1 - flags[LABELS == 0].mean()])

    assert balanced(flagged) == pytest.approx(max(balanced(found > cut) for cut in cuts))


def test_components_that_follow_from_others():
    detector = BetaVAEGAN(latent_dim=3, epochs=2, backbone=MLP(hidden=(8,)), random_state=0).fit(X)
    found, known = detector.score_components(ODD, extra="all"), detector.calibration_components_
    norm = found["latent_norm"]
    np.testing.assert_allclose(found["critic_centred"], found["critic"] - known["critic"].mean())
    np.testing.assert_allclose(found["latent_norm_signed"], norm - np.sqrt(2))  # the mode of χ with 3 degrees
    np.testing.assert_allclose(found["latent_norm_absolute"], abs(norm - np.sqrt(2)))
    p = 2 * np.minimum(stats.chi.cdf(norm, 3), stats.chi.sf(norm, 3))
    np.testing.assert_allclose(found["latent_norm_tail"], -np.log(p))
    mode = empirical_mode(known["latent_norm"])
    np.testing.assert_allclose(found["latent_norm_empirical_signed"], norm - mode)
    np.testing.assert_allclose(found["latent_norm_empirical_absolute"], abs(norm - mode))
    tails = empirical_tail(torch.from_numpy(norm), np.sort(known["latent_norm"]))
    np.testing.assert_array_equal(found["latent_norm_empirical_tail"], tails)
    # They can be asked for by name, scored with, and told apart from what a method does not have.
    few = detector.score_components(ODD, extra=["latent_norm_tail"])
    assert list(few) == ["residual", "latent_norm_tail"]
    detector.compose(WeightedSum(latent_norm_signed=1.0))
    np.testing.assert_array_equal(detector.anomaly_score(ODD), found["latent_norm_signed"])


def test_only_codes_with_a_normal_prior_are_compared_with_chi():
    bounded = AnoGAN(**SMALL, prior=Uniform(), inversion=LatentSearch(n_max=2)).fit(X)
    for detector in (autoencoder(), bounded):
        names = detector.score_components(X, extra="all").keys()
        assert "latent_norm_empirical_signed" in names
        assert "latent_norm_signed" not in names
        with pytest.raises(InputError, match="has no component latent_norm_signed: it has"):
            detector.score_components(X, extra=["latent_norm_signed"])


def test_compositions_of_all_components_take_those_of_the_method():
    detector = autoencoder().compose(RankAverage())
    assert detector.composition_.components == ("latent", "latent_norm", "residual")


def test_a_fixed_threshold_does_not_outlive_its_score():
    detector = autoencoder().set_threshold(Fixed(value=1e9)).compose(WeightedSum(latent=1.0))
    assert (detector.predict(X) == -1).mean() == pytest.approx(0.1, abs=0.02)
    tuned = autoencoder().tune_threshold(MIXED, LABELS)
    assert tuned.semi_supervised_
    assert not tuned.set_threshold().semi_supervised_


@pytest.mark.parametrize(
    ("composition", "given", "message"),
    [
        (Difference(), (), r"Difference learns from labels: give rows X_val and labels y_val"),
        (Difference(), (MIXED,), r"Difference learns from labels"),
        (Difference(), (MIXED, np.zeros(40)), r"y_val must hold 0 \(normal\) and 1 \(anomalous\), and both"),
        (Difference(), (MIXED, np.arange(40)), r"y_val must hold 0"),
        (Difference(), (MIXED, LABELS[1:]), r"X_val has 40 rows, but y_val has 39 labels"),
        (Difference(name="depth"), (MIXED, LABELS), r"AutoEncoder has no component depth: it has latent, latent_norm"),
        (WeightedSum(residual=1.0), (MIXED, LABELS), r"WeightedSum looks at no labels: leave X_val and y_val out"),
        (WeightedSum(depth=1.0), (), r"needs the component depth, but there are: latent"),
    ],
    ids=["no rows", "no labels", "one label", "other labels", "fewer labels", "unknown", "in vain", "unknown weight"],
)
def test_what_is_refused_changes_nothing(composition, given, message):
    detector = autoencoder()
    before = detector.anomaly_score(X), detector.threshold_, detector.composition_, detector.semi_supervised_
    with pytest.raises(InputError, match=message):
        detector.compose(composition, *given)
    np.testing.assert_array_equal(detector.anomaly_score(X), before[0])
    assert (detector.threshold_, detector.composition_, detector.semi_supervised_) == before[1:]


def test_fit_sees_no_labels():
    with pytest.raises(InputError, match=r"Difference learns from labels.*compose"):
        AutoEncoder(**SMALL, composition=Difference()).fit(X)
