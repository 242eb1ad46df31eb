"""Compositions at work in a detector."""

import numpy as np
import pytest

from oddgan import GANomaly, load
from oddgan.scores import (
    SVM,
    Average,
    Fisher,
    GridSearch,
    Logistic,
    Maximum,
    Mixture,
    OneClass,
    RankAverage,
    Standardised,
    WeightedSum,
)

NAMES = ("features", "latent", "residual")
X = np.random.default_rng(0).normal(size=(60, 4))
X_VAL, Y_VAL = np.concatenate([X[:10], X[:10] + 3]), np.arange(20) >= 10


@pytest.fixture(scope="module")
def detector():
    return GANomaly(**GANomaly.tiny, calibration=0.5, random_state=0).fit(X)


@pytest.mark.parametrize(
    "composition",
    [
        Standardised(WeightedSum(latent=1, residual=1)),
        Average(components=NAMES),
        Maximum(components=NAMES),
        RankAverage(components=NAMES),
        Fisher(components=NAMES),
        OneClass(components=NAMES),
        Mixture(components=NAMES, n_components=2),
        GridSearch(components=NAMES, step=0.5),
        Logistic(components=NAMES),
        SVM(components=NAMES),
    ],
    ids=lambda c: type(c).__name__,
)
def test_composed_stored_and_loaded(detector, composition, tmp_path):
    labels = (X_VAL, Y_VAL.astype(int)) if composition.needs_labels else ()
    before = detector.composition_
    detector.compose(composition, *labels)
    assert type(detector.composition_) is type(composition)
    assert detector.composition_ != before
    assert detector.semi_supervised_ == composition.needs_labels
    scores = detector.anomaly_score(X)
    assert scores.shape == (60,)
    assert np.isfinite(scores).all()
    assert detector.anomaly_score(X[7:8])[0] == scores[7]
    again = load(detector.save(tmp_path / "model"))
    assert again.composition_ == detector.composition_
    assert (again.anomaly_score(X) == scores).all()
