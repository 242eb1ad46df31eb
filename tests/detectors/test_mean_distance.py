import numpy as np

from oddgan.detectors import MeanDistance
from oddgan.scaling import Identity


def test_by_hand():
    # The mean is (1, 4).
    detector = MeanDistance(scaling=Identity()).fit([[0.0, 2.0], [2.0, 6.0]])
    rows = [[1.0, 4.0], [0.0, 7.0]]
    np.testing.assert_array_equal(detector.score_components(rows)["residual"], [0, 1 + 3])
    np.testing.assert_array_equal(detector.reconstruct(rows), [[1, 4], [1, 4]])
    np.testing.assert_array_equal(detector.anomaly_map(rows), [[0, 0], [1, 3]])


def test_the_mean_image_is_the_reconstruction_of_all():
    images = np.random.default_rng(0).uniform(size=(20, 3, 8, 8))
    detector = MeanDistance().fit(images)
    np.testing.assert_allclose(
        detector.reconstruct(images), np.broadcast_to(images.mean(axis=0), images.shape), atol=1e-6
    )
    assert detector.anomaly_map(images).shape == (20, 8, 8)
