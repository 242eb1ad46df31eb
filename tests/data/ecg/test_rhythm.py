import numpy as np
import pytest

from oddgan import InputError
from oddgan.data.ecg import adapted_scores
from oddgan.data.ecg.rhythm import own_beat_removed, rhythm_channels, rr_intervals


def test_intervals():
    # Beats at 0, 1, 3 s: intervals 1 and 2, whose mean is 1.5; the ends take the interval that they have.
    found = rr_intervals(np.array([0.0, 1.0, 3.0]))
    assert found.tolist() == [[1, 1, 1 / 1.5], [1, 2, 1 / 1.5], [2, 2, 2 / 1.5]]


def test_the_mean_is_local():
    seconds = np.cumsum([0.0] + [1.0] * 20 + [0.5] * 20)
    # Ten intervals around beat 20, the last of the slow ones: five of 1 s and five of 0.5 s.
    assert rr_intervals(seconds)[20].tolist() == [1, 0.5, 1 / 0.75]
    assert rr_intervals(seconds)[10, 2] == rr_intervals(seconds)[30, 2] == 1


@pytest.mark.parametrize("seconds", [[5.0], [5.0, 5.0]])
def test_few_beats(seconds):
    found = rr_intervals(np.array(seconds))
    assert found.shape == (len(seconds), 3)
    assert np.isfinite(found).all()


def test_channels_lie_in_0_to_1():
    assert rhythm_channels(np.array([[0.5, 3.0, 1.0]]), 2).tolist() == [[[0.25, 0.25], [1, 1], [0.5, 0.5]]]


def test_the_median_beat_is_subtracted():
    x = np.array([[[1.0, 2.0]], [[3.0, 2.0]], [[9.0, 9.0]]], dtype=np.float32)
    removed = own_beat_removed(x, np.array([True, True, False]), "r")
    assert removed.tolist() == [[[-1, 0]], [[1, 0]], [[7, 7]]]
    with pytest.raises(InputError, match="Record r has no beat in the minutes"):
        own_beat_removed(x, np.zeros(3, dtype=bool), "r")


def test_scores_relative_to_the_patients_own():
    scores = np.array([0.0, 1, 2, 3, 4, 10, 100, 100, 100, 100, 100])
    record = np.array(["a"] * 6 + ["b"] * 5)
    reference = np.array([True] * 5 + [False] + [True] * 5)
    adapted = adapted_scores(scores, record, reference)
    # Median 2 and quartiles 1 and 3: 10 is 8 above, in units of 2 / 1.349. Record b has no spread: units of 1.
    assert adapted[5] == pytest.approx(8 / (2 / 1.349))
    assert adapted[6:].tolist() == [0] * 5
    with pytest.raises(InputError, match="Record a has 3 beats in the reference; at least 4"):
        adapted_scores(scores, record, reference & (scores != 0) & (scores != 1))
