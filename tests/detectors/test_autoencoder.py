import numpy as np
import pytest
import torch

from oddgan.detectors import AutoEncoder
from oddgan.networks import MLP
from oddgan.similarities import L1
from oddgan.training import Adam


@pytest.fixture
def detector(ready, linear):
    """Of x = (1, 3): z = 1 and x̂ = (1, 2)."""
    return ready(
        AutoEncoder(latent_dim=1), 2, encoder=linear([[1.0, 0.0]]), decoder=linear([[1.0], [1.0]], bias=[0.0, 1.0])
    )


def test_loss_and_score_by_hand(detector, losses):
    found = losses(detector._reconstruction, torch.tensor([[1.0, 3.0], [1.0, 2.0]]))
    assert {name: loss.tolist() for name, loss in found.items()} == {"autoencoder": [0.5, 0.0]}
    # The score is the loss, and 0 for what comes back unchanged.
    np.testing.assert_array_equal(detector.anomaly_score([[1.0, 3.0], [1.0, 2.0]]), [0.5, 0.0])
    np.testing.assert_array_equal(detector.encode([[1.0, 3.0]]), [[1.0]])
    np.testing.assert_array_equal(detector.reconstruct([[1.0, 3.0]]), [[1.0, 2.0]])
    np.testing.assert_array_equal(detector.anomaly_map([[1.0, 3.0]]), [[0.0, 1.0]])


def test_similarity_is_trained_and_scored(detector, losses):
    detector.set_params(similarity=L1(reduction="sum"))
    x = np.array([[1.0, 5.0]])
    assert detector.anomaly_score(x) == 3
    assert losses(detector._reconstruction, torch.tensor(x, dtype=torch.float32))["autoencoder"].item() == 3


def test_learns_the_subspace_of_the_data():
    # Rows on a line in three dimensions go through one number; a row off the line can't.
    rows = np.random.default_rng(0).normal(size=(200, 1)) * [[1.0, -2.0, 0.5]]
    detector = AutoEncoder(
        latent_dim=1, epochs=40, backbone=MLP(hidden=(16,)), optimiser=Adam(lr=1e-2), random_state=0
    ).fit(rows)
    # In units of each column's deviation the rows lie on (1, -1, 1)·t; (1, 1, 1)/2 is √(2/3) away from that line, a
    # mean square of 0.22.
    on, off = detector.anomaly_score([[0.5, -1.0, 0.25], [0.5, 1.0, 0.25]])
    assert on < 0.02
    assert off == pytest.approx(0.22, abs=0.1)
