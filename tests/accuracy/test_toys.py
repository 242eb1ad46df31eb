"""Two-dimensional data whose shape anyone can see: detectors of density must find what lies off it."""

import numpy as np
import pytest
from sklearn.datasets import make_circles, make_moons
from sklearn.metrics import roc_auc_score

from oddgan import GMM, KDE, KNN, OCSVM

TOYS = {
    "moons": lambda seed: make_moons(1000, noise=0.05, random_state=seed)[0],
    "ring": lambda seed: make_circles(1000, noise=0.03, factor=0.99, random_state=seed)[0],
}
DETECTORS = {
    "KDE": KDE(bandwidths=(0.1,)),
    "GMM": GMM(sizes=(12,)),
    "KNN": KNN(),
    "OCSVM": OCSVM(gamma=20.0, nu=0.05),
}


@pytest.mark.parametrize("toy", sorted(TOYS))
@pytest.mark.parametrize("name", sorted(DETECTORS))
def test_noise_around_a_curve_is_found(toy, name):
    detector = DETECTORS[name].set_params(random_state=0).fit(TOYS[toy](0))
    noise = np.random.default_rng(1).uniform(-4, 4, size=(1000, 2))
    x, y = np.concatenate([TOYS[toy](2), noise]), np.repeat([0, 1], 1000)
    assert roc_auc_score(y, detector.anomaly_score(x)) > 0.95
