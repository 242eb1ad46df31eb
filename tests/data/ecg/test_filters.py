import dataclasses

import numpy as np
import pytest

from oddgan import InputError
from oddgan.data.ecg import band_pass, find_peaks, without_baseline, without_mains

from .conftest import PEAKS, heart, recording

TIME = np.arange(len(heart())) / 360
MIDDLE = slice(720, -720)  # filters need some room at the ends


def power(x, frequency):
    """Amplitude of one frequency."""
    return 2 * abs(np.mean(x[MIDDLE] * np.exp(-2j * np.pi * frequency * TIME[MIDDLE])))


@pytest.mark.parametrize("how", ["median", "high-pass"])
def test_the_wander_goes_and_the_beats_stay(how):
    drift = 100 * np.sin(2 * np.pi * 0.1 * TIME)
    changed = without_baseline(recording(200 * heart() + drift, [], []), how).signal[0]
    assert power(changed, 0.1) < 5
    assert changed[PEAKS[5]] - np.median(changed) == pytest.approx(200, rel=0.15)
    with pytest.raises(InputError, match="baseline is 'mean'; expected median or high-pass"):
        without_baseline(recording(heart(), [], []), "mean")


@pytest.mark.parametrize("mains", [50, 60])
def test_the_hum_goes(mains):
    hum = 100 * np.sin(2 * np.pi * mains * TIME)
    quiet = without_mains(recording(200 * heart() + hum, [], []), mains).signal[0]
    assert power(quiet, mains) < 2
    assert quiet[PEAKS[5]] == pytest.approx(200, rel=0.1)
    with pytest.raises(InputError, match="Record r has 100 samples a second, too few for"):
        without_mains(recording(heart(), [], [], rate=100.0), mains)


def test_a_band_is_kept():
    waves = {f: 100 * np.sin(2 * np.pi * f * TIME) for f in (0.5, 15, 80)}
    changed = band_pass(recording(sum(waves.values()), [], [])).signal[0]
    assert [round(power(changed, f) / 100, 1) for f in waves] == [0.0, 1.0, 0.0]


def test_gaps_stay_gaps():
    x = 200 * heart()
    x[1000:1010] = np.nan
    for change in (band_pass, without_baseline, lambda r: without_mains(r, 50)):
        assert np.flatnonzero(np.isnan(change(recording(x, [], [])).signal[0])).tolist() == list(range(1000, 1010))
    empty = recording(np.full(100, np.nan), [], [])
    assert np.isnan(band_pass(empty).signal).all()


@pytest.mark.parametrize("sign", [1, -1])
def test_peaks_are_found_whichever_way_they_point(sign):
    x = recording(1024 + sign * 200 * heart(), [], [])
    assert find_peaks(x).tolist() == PEAKS.tolist()  # the lower T waves are none


def test_upward_takes_the_highest_value():
    x = 200 * heart()
    x[PEAKS + 8] = 500  # a spike beside each peak, within 50 ms
    assert find_peaks(recording(x, [], []), upward=True).tolist() == (PEAKS + 8).tolist()


def test_no_peaks():
    flat = dataclasses.replace(recording(np.zeros(3600), [], []))
    with pytest.raises(InputError, match="No R peak was found in record r"):
        find_peaks(flat)


@pytest.mark.parametrize("gap", [(100, 5000), (2000, 3800), (6000, 7000)])
def test_a_gap_hides_no_beat_beside_it(gap):
    n = len(heart())
    marks = np.concatenate([PEAKS + i * n for i in range(4)])
    for seed in range(3):  # rounding decides whether a running sum ends below 0, and noise decides rounding
        x = np.tile(heart(), 4) + np.random.default_rng(seed).normal(0, 0.01, 4 * n)
        x[slice(*gap)] = np.nan
        found = find_peaks(recording(x, [], []))
        outside = marks[(marks < gap[0] - 54) | (marks > gap[1] + 54)]
        assert max(np.abs(found - mark).min() for mark in outside) < 54  # 150 ms, as beats are compared
