"""Rhythm channels from a beat's neighbours, and scores adapted to a patient's own first minutes."""

import numpy as np
from numpy.typing import NDArray

from oddgan._core.errors import InputError

_AROUND = 10  # intervals that make up the local mean
_LONGEST = 2.0  # seconds, or times the local mean, that a rhythm channel shows
_IQR_OF_NORMAL = 1.349  # the interquartile range of a standard normal variable


def rr_intervals(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intervals between beats, (n, 3): since the one before, to the next, and the first relative to the mean around it.

    The mean is that of the ten intervals around the beat, of fewer at the ends; a first beat takes the interval after
    it for the one before it, a last beat the other way round, and a single beat one second for both.

    Parameters
    ----------
    seconds : (n,) rising times of the beats of one recording.
    """
    gaps = np.diff(seconds) if len(seconds) > 1 else np.ones(1)
    before, after = np.append(gaps[:1], gaps)[: len(seconds)], np.append(gaps, gaps[-1:])[: len(seconds)]
    total = np.append(0.0, np.cumsum(gaps))
    beat = np.arange(len(seconds))
    low, high = np.clip(beat - _AROUND // 2, 0, len(gaps) - 1), np.clip(beat + _AROUND // 2, 1, len(gaps))
    mean = (total[high] - total[low]) / (high - low)
    return np.stack([before, after, before / np.where(mean > 0, mean, 1.0)], axis=1)


def rhythm_channels(rr: NDArray[np.float64], length: int) -> NDArray[np.float32]:
    """Intervals (n, 3) as constant channels (n, 3, length) in 0..1: cut at 2, then halved."""
    return np.repeat((np.clip(rr, 0, _LONGEST) / _LONGEST)[:, :, None], length, axis=2).astype(np.float32)


def own_beat_removed(x: NDArray[np.float32], reference: NDArray[np.bool_], name: str) -> NDArray[np.float32]:
    """Subtract a patient's median beat.

    Parameters
    ----------
    x : (n, c, t) beats of one recording.
    reference : (n,) which of them make up the median.
    name : of the record, for the message.

    Raises
    ------
    InputError
        If no beat is in the reference.
    """
    if not reference.any():
        raise InputError(
            f"Record {name} has no beat in the minutes that adapt to its patient: give more, e.g. --ecg adapt=10."
        )
    return np.asarray(x - np.median(x[reference], axis=0)).astype(np.float32)


def adapted_scores(
    scores: NDArray[np.float64], record: NDArray[np.str_], reference: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Scores relative to each patient's own: less the median of the reference beats, in units of their spread.

    The spread is the interquartile range over 1.349, which is the standard deviation for normally distributed scores.
    No label is read; beats of the reference should be left out of a test.

    Parameters
    ----------
    scores : (n,) higher = more anomalous.
    record : (n,) which recording a beat is of.
    reference : (n,) beats to compare with, e.g. `beats.seconds < 300`.

    Raises
    ------
    InputError
        If a recording has fewer than 4 beats in the reference.
    """
    adapted = np.empty(len(scores))
    for name in np.unique(record):
        rows = record == name
        own = scores[rows & reference]
        if len(own) < 4:
            raise InputError(f"Record {name} has {len(own)} beats in the reference; at least 4 are needed.")
        first, middle, third = np.quantile(own, [0.25, 0.5, 0.75])
        adapted[rows] = (scores[rows] - middle) / ((third - first) / _IQR_OF_NORMAL or 1.0)
    return adapted
