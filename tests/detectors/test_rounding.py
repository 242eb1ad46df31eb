"""Exact scores of classical detectors: to the last bit the same wherever a row stands, whatever the slots."""

import numpy as np
import pytest

from oddgan import detectors
from oddgan.families import ClassicalDetector

CLASSICAL = [cls for cls in detectors.classes().values() if issubclass(cls, ClassicalDetector)]


@pytest.mark.parametrize("cls", CLASSICAL)
@pytest.mark.parametrize("d", [2, 17, 64])
def test_place_and_slots_do_not_matter(cls, d):
    rng = np.random.default_rng(0)
    rows, new = rng.normal(size=(40, d)), rng.normal(size=(100, d))
    detector = cls(**dict(cls.tiny) | {"random_state": 0}).fit(rows)
    scores = detector.anomaly_score(new)
    order = rng.permutation(len(new))
    assert np.array_equal(detector.anomaly_score(new[order]), scores[order])
    for slots in (1, 7, 100):
        assert np.array_equal(detector.set_params(slots=slots).anomaly_score(new), scores)
