"""Accuracy on MNIST, one class normal: minutes of training, run by `make bench`."""

import os
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from oddgan import GANomaly
from oddgan.networks import ConvLadder
from oddgan.scores import WeightedSum
from oddgan.similarities import L2, Blurred, Relative
from oddgan.training import Adam, CosineDecay

ROOT = Path(__file__).resolve().parents[2]
FILE = Path(os.environ.get("ODDGAN_DATA", ROOT.parent / "shared" / "data")) / "mnist.npz"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.data,
    pytest.mark.skipif(not FILE.exists(), reason="MNIST is not there: set ODDGAN_DATA to the folder with mnist.npz"),
]


# The bounds are what k nearest neighbours in pixel space reach on the same rows, less the spread over seeds on digit 0.
@pytest.mark.parametrize(("digit", "bound"), [(0, 0.99), (8, 0.90)])
def test_ganomaly_with_a_small_latent_space_beats_nearest_neighbours(digit, bound):
    with np.load(FILE) as file:
        data = {k: np.pad(v, ((0, 0), (2, 2), (2, 2)))[:, None] if v.ndim == 3 else v for k, v in file.items()}
    detector = GANomaly(
        backbone=ConvLadder(width=16),
        epochs=20,
        latent_dim=16,
        similarity=L2(),
        residual=Relative(Blurred(L2(), sigma=1.0)),
        composition=WeightedSum(residual=1.0),
        optimiser=Adam(lr=1e-3, schedule=CosineDecay()),
        random_state=0,
    ).fit(data["x_train"][data["y_train"] == digit])
    assert roc_auc_score(data["y_test"] != digit, detector.anomaly_score(data["x_test"])) > bound
