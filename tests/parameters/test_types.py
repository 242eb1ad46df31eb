"""Hyperparameters of a wrong type are refused by `fit` in one sentence, in a detector, in its parts, and in methods."""

import numpy as np
import pytest
from sklearn.base import clone

import oddgan
from oddgan import InputError, detectors
from oddgan.detectors import KNN, AutoEncoder, Ensemble, GANomaly
from oddgan.networks import MLP, Auto
from oddgan.scaling import MinMax
from oddgan.training import Adam

X = np.random.default_rng(0).normal(size=(24, 3))
DETECTORS = sorted(set(detectors.__all__) - {"load"})


def refusal(act) -> str:
    with pytest.raises(InputError) as caught:
        act()
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", DETECTORS)
def test_no_hyperparameter_may_be_of_any_type(name):
    """No hyperparameter of any detector takes all of these: each gets a sentence that names it."""
    cls = getattr(oddgan, name)
    for parameter in cls._get_param_names():
        text = refusal(lambda parameter=parameter: cls(**{parameter: object()}).fit(X))
        assert text.startswith(f"{name} got {parameter}=<object"), text


@pytest.mark.parametrize(
    ("detector", "text"),
    [
        (AutoEncoder(scaling="minmax"), "AutoEncoder got scaling='minmax', but takes Scaling, e.g. scaling=Auto"),
        (AutoEncoder(scaling=MinMax), "but takes MinMax(), not the class."),
        (AutoEncoder(optimiser=None), "got optimiser=None, but takes Optimiser, e.g. optimiser=Adam(lr=0.001"),
        (AutoEncoder(optimiser=Adam(lr="x")), "got optimiser__lr='x', but takes float, e.g. optimiser__lr=0.0002."),
        (AutoEncoder(optimiser=Adam(betas=(0.5,))), "got optimiser__betas=(0.5,), but takes tuple[float, float]"),
        (AutoEncoder(backbone=Auto(table=MLP(bias="no"))), "got backbone__table__bias='no', but takes bool"),
        (AutoEncoder(epochs=1.5), "got epochs=1.5, but takes int"),
        (AutoEncoder(epochs=True), "got epochs=True, but takes int"),
        (GANomaly(stabilisers=("spectral",)), "but takes tuple[Stabiliser, ...]."),
        (KNN(threshold=0.5), "got threshold=0.5, but takes Threshold | None."),
        (KNN(random_state=-1), "random_state is -1, but must be a whole number from 0"),
        (Ensemble(detectors=KNN()), "got detectors=KNN(), but takes tuple[Detector, ...]."),
        (Ensemble(detectors=(KNN(n_neighbors="x"),)), "KNN got n_neighbors='x', but takes int, e.g. n_neighbors=5."),
        (AutoEncoder(optimiser=Adam(lr=-1.0)), "Adam can't be used: invalid learning rate: -1.0."),
        (GANomaly(latent_dim=0), "latent_dim must be a whole number of at least 1, not 0"),
    ],
)
def test_fit_says_what_is_wrong(detector, text):
    assert text in refusal(lambda: clone(detector).fit(X))


def test_set_params_says_so_where_a_part_refuses_to_be_built():
    text = refusal(lambda: AutoEncoder().set_params(backbone__table__slope="x"))
    assert text.startswith("AutoEncoder got backbone__table__slope='x', but takes float")


def test_numbers_of_numpy_and_lists_are_as_good_as_pythons():
    by_python = AutoEncoder(random_state=0, epochs=1, backbone=Auto(table=MLP(hidden=(8, 4))), optimiser=Adam(lr=0.5))
    by_numpy = AutoEncoder(
        random_state=np.int64(0),
        epochs=np.int32(1),
        backbone=Auto(table=MLP(hidden=[8, 4])),
        optimiser=Adam(lr=np.float64(0.5)),
    )
    assert np.array_equal(by_python.fit(X).anomaly_score(X), by_numpy.fit(X).anomaly_score(X))


def test_methods_of_a_fitted_detector_refuse_wrong_types_and_change_nothing():
    detector = AutoEncoder(random_state=0, epochs=1).fit(X)
    before = detector.anomaly_score(X), detector.threshold_
    assert "set_threshold got rule='evt'" in refusal(lambda: detector.set_threshold("evt"))
    assert "set_threshold got rate='low'" in refusal(lambda: detector.set_threshold(rate="low"))
    assert "compose got composition='max'" in refusal(lambda: detector.compose("max"))
    assert "partial_fit got epochs='x'" in refusal(lambda: detector.partial_fit(X, epochs="x"))
    assert "callbacks is [" in refusal(lambda: detector.partial_fit(X, callbacks=[print]))
    detector.set_params(optimiser__lr="x")
    assert "AutoEncoder got optimiser__lr='x'" in refusal(lambda: detector.partial_fit(X))
    assert np.array_equal(detector.anomaly_score(X), before[0])
    assert detector.threshold_ == before[1]
