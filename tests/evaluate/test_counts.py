import numpy as np
import pytest

from oddgan.evaluate import counts


def test_curves_by_hand():
    # Falling scores: anomaly, normal, anomaly.
    c = counts([3.0, 2.0, 1.0], [True, False, True])
    alarm_rate, hit_rate = c.roc()
    assert alarm_rate.tolist() == [0, 0, 1, 1]
    assert hit_rate.tolist() == [0, 0.5, 0.5, 1]
    precision, recall = c.precision_recall()
    assert precision == pytest.approx([1, 0.5, 2 / 3])
    assert recall.tolist() == [0.5, 0.5, 1]
    assert c.at(3.0) == (0, 0)
    assert c.at(1.5) == (1, 1)


def test_ties_are_one_threshold():
    c = counts([2.0, 2.0, 1.0], [True, False, False])
    assert c.scores.tolist() == [2, 1]
    assert c.flagged_anomalies.tolist() == [1, 1]
    assert c.flagged_normals.tolist() == [1, 2]


def test_nothing_above_the_highest_score():
    c = counts([np.pi, 1.0], [True, False])
    assert c.at(np.pi) == (0, 0)
    assert c.at(np.nextafter(np.pi, 0)) == (1, 0)
