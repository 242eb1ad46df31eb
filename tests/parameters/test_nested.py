"""Fields of parts by double underscore, in get_params, set_params and searches."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from oddgan import InputError
from oddgan.detectors import KNN, AnoGAN, AutoEncoder, Ensemble, IForest
from oddgan.networks import Auto
from oddgan.priors import Gaussian, Uniform
from oddgan.scaling import Standard
from oddgan.scores import WeightedSum
from oddgan.thresholds import MeanSigma
from oddgan.training import Adam, RMSProp, StepDecay, TwoTimescale

X = np.random.default_rng(0).normal(size=(24, 3))


def test_fields_of_parts_are_parameters_on_every_level():
    found = AnoGAN(prior=Uniform(low=-2), optimiser=Adam(schedule=StepDecay(factor=0.3))).get_params()
    assert found["prior__low"] == -2
    assert found["optimiser__lr"] == Adam().lr
    assert found["optimiser__schedule__factor"] == 0.3
    assert found["backbone__table__hidden"] == Auto().table.hidden
    assert found["search_loss__residual"] == 0.9


def test_what_a_part_learns_is_no_parameter():
    assert [name for name in KNN(scaling=Standard()).get_params() if name.startswith("scaling__")] == ["scaling__per"]


def test_shallow_parameters_are_those_of_the_constructor():
    assert not [name for name in AnoGAN().get_params(deep=False) if "__" in name]
    deep = AnoGAN().get_params()
    assert {name: deep[name] for name in AnoGAN().get_params(deep=False)} == AnoGAN().get_params(deep=False)


def test_setting_a_field_replaces_the_part_and_leaves_others_alone():
    detector, other = AutoEncoder(), AutoEncoder()
    assert detector.optimiser is other.optimiser
    assert detector.set_params(optimiser__lr=0.5, backbone__table__hidden=(7,)) is detector
    assert detector.optimiser == Adam(lr=0.5, betas=other.optimiser.betas)
    assert detector.backbone.table.hidden == (7,)
    assert detector.backbone.image == Auto().image
    assert other.optimiser == AutoEncoder().optimiser


@pytest.mark.parametrize("turn", [1, -1])
def test_of_a_part_and_its_fields_the_part_comes_first(turn):
    given = {"prior": Uniform(), "prior__low": -3.0, "optimiser__lr": 0.1, "optimiser": RMSProp(alpha=0.5)}
    detector = AnoGAN().set_params(**dict(list(given.items())[::turn]))
    assert detector.prior == Uniform(low=-3.0)
    assert detector.optimiser == RMSProp(lr=0.1, alpha=0.5)


def test_fields_that_only_fit_together_are_set_together():
    """low must be below high: one after the other would be refused."""
    assert AnoGAN(prior=Uniform()).set_params(prior__low=5.0, prior__high=9.0).prior == Uniform(low=5.0, high=9.0)


def test_weights_may_be_added():
    detector = AnoGAN().set_params(composition__search=0.5, composition__features=2)
    assert detector.composition == WeightedSum(search=0.5, features=2)


def test_detectors_and_parts_in_a_tuple_go_by_their_place():
    pair = Ensemble(detectors=(KNN(), AutoEncoder(stabilisers=(TwoTimescale(),))))
    found = pair.get_params()
    assert found["detectors__0"] is pair.detectors[0]
    assert found["detectors__0__n_neighbors"] == 5
    assert "detectors__1__stabilisers__0" in found
    first = pair.detectors[0]
    pair.set_params(detectors__0__n_neighbors=2, detectors__1__optimiser__lr=0.25)
    assert (pair.detectors[0].n_neighbors, pair.detectors[1].optimiser.lr, first.n_neighbors) == (2, 0.25, 5)
    assert isinstance(pair.set_params(detectors__1=IForest(), detectors__1__slots=64).detectors[1], IForest)
    assert pair.detectors[1].slots == 64


def test_notebooks_mark_only_what_was_set():
    shown = AnoGAN(latent_dim=3)._repr_html_()
    assert shown.count('class="user-set"') <= 1  # older versions of scikit-learn mark nothing
    assert "optimiser__lr" not in shown


def test_a_clone_keeps_what_was_set():
    detector = AnoGAN(prior=Uniform()).set_params(prior__low=-2.0, threshold=MeanSigma(), threshold__k=2.0)
    assert clone(detector).get_params() == detector.get_params()


def test_grid_search_over_fields():
    """A tiny learning rate leaves the networks where they start; a usable one lowers the reconstruction error."""
    grid = {"optimiser__lr": [1e-9, 1e-2], "optimiser": [Adam(betas=(0.9, 0.999))]}
    detector = AutoEncoder(latent_dim=1, epochs=20, batch_size=8, scoring="fast", random_state=0)
    search = GridSearchCV(detector, grid, cv=2, scoring=lambda d, rows: d.score_samples(rows).mean())
    best = search.fit(np.outer(np.linspace(-1, 1, 40), [1.0, -1.0, 2.0])).best_estimator_
    assert best.optimiser == Adam(lr=1e-2, betas=(0.9, 0.999))


def test_pipelines_reach_into_parts():
    line = make_pipeline(StandardScaler(), AnoGAN()).set_params(anogan__inversion__n_max=3)
    assert line[-1].inversion.n_max == 3


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("epoch", "Invalid parameter 'epoch' for estimator AnoGAN: AnoGAN has .*; did you mean 'epochs'"),
        (
            "optimiser__rate",
            "Invalid parameter 'optimiser__rate' for estimator AnoGAN: Adam has betas, lr, schedule, we",
        ),
        ("optimizer__lr", "'optimizer__lr' for estimator AnoGAN: .*; did you mean 'optimiser__lr'"),
        ("prior__low", r"prior is Gaussian\(\), which has no fields, so set prior as a whole"),
        ("threshold__k", "threshold is None, which has no fields"),
        ("epochs__x", "epochs is None, which has no fields"),
        ("search_loss__a__b", "'search_loss__a__b' for estimator AnoGAN: WeightedSum has features, residual"),
    ],
)
def test_unknown_names_are_refused_in_one_line_and_nothing_is_set(name, message):
    detector = AnoGAN()
    with pytest.raises(InputError, match=message) as caught:
        detector.set_params(**{"latent_dim": 3, "optimiser__lr": 1.0, name: 1})
    assert "\n" not in str(caught.value)
    assert detector.get_params() == AnoGAN().get_params()


def test_unknown_places_in_a_tuple_are_refused():
    with pytest.raises(InputError, match=r"'detectors__2__slots' for .*: detectors \(a tuple\) has 0, 1\."):
        Ensemble(detectors=(KNN(), IForest())).set_params(detectors__2__slots=1)


def test_a_value_that_a_part_refuses_changes_nothing():
    detector = AnoGAN()
    with pytest.raises(InputError, match="give a finite number"):
        detector.set_params(latent_dim=3, prior=Uniform(), search_loss__residual=np.nan)
    assert (detector.latent_dim, detector.prior) == (AnoGAN.latent_dim, Gaussian())
