"""Two-dimensional data whose shape anyone can see: detectors of density must find what lies off it, in its hole too."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from oddgan.detectors import classes
from toys import SETTINGS, TOYS, N, points

# Some noise falls on the curves: the true density has 0.98, a blob without a hole 0.8.
REACHED = 0.95
QUICK = [(name, toy) for name in ("KDE", "GMM", "KNN", "OCSVM") for toy in TOYS]
NETWORKS = [(name, toy) for name in ("AutoEncoder", "VAE", "JointEncoderGAN") for toy in TOYS]
NETWORKS += [(name, "ring") for name in ("NAE", "DeepSVDD")]


@pytest.mark.parametrize(("name", "toy"), [*QUICK, *(pytest.param(*case, marks=pytest.mark.slow) for case in NETWORKS)])
def test_noise_around_a_curve_is_found(name, toy):
    detector = classes()[name](**SETTINGS.get(name, {}), random_state=0).fit(points(toy, N, 0))
    x, y = np.concatenate([points(toy, N, 2), TOYS[toy].uniform(N, 1)]), np.repeat([0, 1], N)
    assert roc_auc_score(y, detector.anomaly_score(x)) > REACHED


@pytest.mark.parametrize("toy", TOYS)
def test_the_square_holds_the_points_and_its_grid_goes_from_below(toy):
    square = TOYS[toy]
    inside = square.unit(points(toy, N, 0))
    assert ((inside > 0) & (inside < 1)).all()
    grid = square.unit(square.grid())
    assert grid[0] == pytest.approx([1 / 128, 1 / 128])
    assert grid[63] == pytest.approx([127 / 128, 1 / 128])  # along x first
