import numpy as np
import pytest

from oddgan import InputError
from oddgan.data.ecg import AAMI, CLASSES, Beats, EcgOptions, cut, read_beats
from oddgan.data.ecg.beats import BEATGAN, beat_to_beat, windows

from .conftest import DATA, PEAKS, heart, needs_mitbih, recording, symbols

WHOLE = recording(1024 + 200 * heart(), PEAKS, symbols())
PUBLISHED = EcgOptions(cut="beat-to-beat")
PLAIN = {"rate": 0, "adapt": 0, "rhythm": False}  # what a window is made of


def test_spans_from_beat_to_beat():
    # Marks at 0, 10, 25 in 100 values. The first beat ends at 10 + int(0.2 * 15) = 13. No mark follows 25, so the
    # second ends at 25 + int(0.2 * (100 - 25)) = 40. The last has no next mark and is left out.
    marks = np.array([0, 10, 25])
    assert beat_to_beat(marks, np.array([True, True, True]), 100) == [(0, 0, 13), (1, 10, 40)]
    # A mark that is no beat ends beats, but has none of its own.
    assert beat_to_beat(marks, np.array([True, False, True]), 100) == [(0, 0, 13)]
    assert beat_to_beat(marks, np.array([False, True, True]), 100) == [(0, 10, 40)]


def test_windows_that_leave_the_recording_are_left_out():
    # 3 before and 4 after: [0, 7) fits; a beat at 2 begins too early, one at 16 would end at the recording's end.
    assert windows(np.array([2, 3, 15, 16]), 3, 4, 20) == [(1, 0, 7), (2, 12, 19)]


def test_every_third_value_scaled_and_filled_with_zeros():
    signal = np.zeros(1000)
    signal[100:106] = [0, 9, 9, 40, 9, 9]
    # From 100 to 106 + int(0.2 * (111 - 106)) = 107: every third value is at 100, 103 and 106.
    beats = cut(recording(signal, [100, 106, 111], ["N", "/", "V"]), PUBLISHED)
    assert beats.x.shape == (2, 1, 187)
    assert beats.x[0, 0, :4].tolist() == [0, 1, 0, 0]
    assert beats.length.tolist()[0] == 3
    assert beats.mask[0, 0].sum() == 3
    assert (beats.label.tolist(), beats.symbol.tolist()) == ([0, 4], ["N", "/"])
    assert beats.ids.tolist() == ["r/100", "r/106"]
    assert (beats.x[1] == 0).all()  # nothing moves in it: no division by zero


def test_the_rate_decides_the_step():
    # At 250 samples a second every second value is 125 Hz, the nearest to 120 Hz.
    signal = np.arange(1000.0)
    beats = cut(recording(signal, [0, 100, 200], list("NNN"), rate=250.0), PUBLISHED)
    assert beats.length[0] == (100 + 20) // 2


def test_classes():
    members = {c: "".join(sorted(s for s in AAMI if CLASSES[AAMI[s]] == c)) for c in CLASSES}
    assert members == {"N": "BLNRej", "S": "AJSan", "V": "EVr", "F": "F", "Q": "/?Qf"}
    assert {s for s in AAMI if AAMI[s] != BEATGAN[s]} == {"e", "j"}
    assert {BEATGAN["e"], BEATGAN["j"]} == {CLASSES.index("S")}


@pytest.mark.parametrize(
    ("scale", "low", "high"),
    # The window around a beat rises from 0 to 1 mV; the baseline is the median, and half of the values are within
    # what the T wave leaves.
    [("beat", 0, 1), ("record", 0, 1), ("millivolts", 0, 1), ("robust", 0, None)],
)
def test_scales(scale, low, high):
    x = cut(WHOLE, EcgOptions(cut="window", before=0.1, after=0.1, scale=scale, **PLAIN)).x
    assert x.shape == (24, 1, 72)
    assert x.min() == pytest.approx(low, abs=0.05)
    quartiles = np.quantile(WHOLE.signal, [0.25, 0.5, 0.75])
    expected = (WHOLE.signal.max() - quartiles[1]) / (quartiles[2] - quartiles[0])
    assert x.max() == pytest.approx(expected if high is None else high, rel=1e-6)


def test_a_record_scales_its_own_outliers():
    signal = 1024 + 200 * heart()
    signal[PEAKS[3]] += 200  # twice as high
    beats = cut(recording(signal, PEAKS, symbols()), EcgOptions(scale="record", **PLAIN))
    tops = beats.x.max(axis=(1, 2))
    assert tops[3] == 1
    assert tops[5] == pytest.approx(0.5)


def test_beatgans_beats():
    beats = cut(WHOLE, EcgOptions(cut="beatgan"))
    # All 24 beats but the first have 140 values before them, and it has too: 300 of them.
    assert (len(beats), beats.x.shape[2]) == (24, 320)
    assert (beats.x.min(axis=2) == -1).all()
    assert (beats.x.max(axis=2) == 1).all()
    assert (beats.x[:, 0].argmax(axis=1) == 140).all()
    shifted = WHOLE.marks.copy()
    shifted[[2, 6]] += 12  # normal beat 2 and beat 6, which is V, are now 12 samples from the detected peak
    beats = cut(recording(WHOLE.signal[0], shifted, symbols()), EcgOptions(cut="beatgan"))
    assert sorted(set(shifted.tolist()) - set(beats.sample.tolist())) == [shifted[2]]
    shifted[2] -= 3  # 9 samples are near enough
    assert len(cut(recording(WHOLE.signal[0], shifted, symbols()), EcgOptions(cut="beatgan"))) == 24
    with pytest.raises(InputError, match="has 250 samples a second; cut=beatgan expects 360"):
        cut(recording(WHOLE.signal[0], PEAKS, symbols(), rate=250.0), EcgOptions(cut="beatgan"))


def test_detected_peaks_take_the_label_of_the_annotated_beat():
    marks, names = np.delete(PEAKS, 4), np.delete(symbols(), 4)
    beats = cut(recording(WHOLE.signal[0], marks + 20, names), EcgOptions(cut="window", peaks="detected"))
    assert beats.sample.tolist() == PEAKS.tolist()
    assert beats.label.tolist() == [0, 0, 0, 0, -1, 0, 2, 1, *[0] * 16]  # nobody annotated the fifth
    far = cut(recording(WHOLE.signal[0], PEAKS + 55, symbols()), EcgOptions(cut="window", peaks="detected"))
    assert set(far.label.tolist()) == {-1}  # 55 samples are more than 150 ms
    bare = cut(recording(WHOLE.signal[0], [], []), EcgOptions(cut="window", peaks="detected"))
    assert set(bare.symbol.tolist()) == {""}


def test_filters_are_applied():
    drift = np.linspace(0, 4000, WHOLE.signal.shape[1])
    hum = 100 * np.sin(2 * np.pi * 50 / 360 * np.arange(len(drift)))
    plain = EcgOptions(scale="millivolts", **PLAIN)
    noisy = recording(WHOLE.signal[0] + drift + hum, PEAKS, symbols())
    cleaned = EcgOptions(scale="millivolts", baseline="median", mains=50, **PLAIN)
    distance = [np.abs(cut(noisy, o).x - cut(WHOLE, plain).x)[3:-3].mean() for o in (plain, cleaned)]
    assert distance[1] < 5.2  # what is left is the converter's zero, 1024 counts or 5.12 mV, which the median takes too
    assert distance[0] > 9


def test_beats_with_gaps_are_left_out():
    signal = WHOLE.signal[0].copy()
    signal[PEAKS[3]] = np.nan
    found = cut(recording(signal, PEAKS, symbols()), EcgOptions(cut="window"))
    assert sorted(set(PEAKS.tolist()) - set(found.sample.tolist())) == [PEAKS[3]]


def test_rhythm_channels_and_the_patients_own_beat():
    plain = cut(WHOLE, EcgOptions(adapt=0, rhythm=False))
    assert plain.rr[5].tolist() == pytest.approx([300 / 360, 300 / 360, 1])
    rhythm = cut(WHOLE, EcgOptions(adapt=0)).x
    assert rhythm.shape[1] == 4
    assert (rhythm[:, :1] == plain.x).all()
    assert rhythm[5, 1:, 0].tolist() == pytest.approx([300 / 720, 300 / 720, 0.5])
    assert (rhythm[:, 1:] == rhythm[:, 1:, :1]).all()
    own = cut(WHOLE, EcgOptions(adapt=0.1, rhythm=False)).x  # 6 s: the first seven beats
    assert own == pytest.approx(plain.x - np.median(plain.x[:7], axis=0))
    assert (cut(WHOLE, EcgOptions(adapt=0.1)).x == np.concatenate([own, rhythm[:, 1:]], axis=1)).all()
    with pytest.raises(InputError, match="Record r has no beat in the minutes that adapt to its patient"):
        cut(WHOLE, EcgOptions(adapt=0.001))


def test_windows_have_one_rate_whatever_the_recordings():
    every = cut(WHOLE, EcgOptions(rate=0, adapt=0, rhythm=False, scale="millivolts"))
    third = cut(WHOLE, EcgOptions(adapt=0, rhythm=False, scale="millivolts"))
    assert (every.x.shape[2], third.x.shape[2]) == (324, 108)
    assert third.x == pytest.approx(every.x[:, :, ::3], abs=1e-6)  # 120 of 360 values a second
    slow = recording(WHOLE.signal[0, ::3] * 2, PEAKS // 3, symbols(), rate=120.0)
    assert cut(slow, EcgOptions()).x == pytest.approx(cut(WHOLE, EcgOptions()).x, abs=1e-6)
    between = cut(slow, EcgOptions(rate=240, adapt=0, rhythm=False, scale="millivolts")).x[0, 0]
    assert between[1:-1:2] == pytest.approx((between[:-2:2] + between[2::2]) / 2, abs=1e-6)  # on straight lines


def test_what_can_not_be_cut():
    bare = recording(WHOLE.signal[0], [], [])
    with pytest.raises(InputError, match="Record r holds no whole beat"):
        cut(bare)
    without = type(bare)(**vars(bare) | {"marks": None, "symbols": None})
    with pytest.raises(InputError, match=r"Record r has no annotated beats \(r\.atr\): find them with peaks=detected"):
        cut(without)


def test_joined_and_taken():
    one = cut(WHOLE)
    both = Beats.join([one, one.take(np.arange(2))])
    assert len(both) == len(one) + 2
    assert both.take(both.label == 1).symbol.tolist() == ["A"]


@pytest.fixture(scope="module")
def published():
    parts = [np.load(DATA / f"heartbeat_mitbih_{name}.npz", allow_pickle=False) for name in ("train", "test")]
    beats = {key: np.concatenate([part[key] for part in parts]) for key in parts[0].files if key != "length"}
    order = np.lexsort((beats["sample"], beats["record"]))
    return {key: values[order] for key, values in beats.items()}


@pytest.mark.data
@needs_mitbih
@pytest.mark.parametrize("name", ["100", "102", "114", "201", "207", "231"])
def test_records_are_cut_as_the_published_set_is(published, name):
    beats = read_beats(DATA / "mitdb" / name, PUBLISHED)
    rows = published["record"] == int(name)
    assert beats.sample.tolist() == published["sample"][rows].tolist()
    assert beats.symbol.tolist() == published["symbol"][rows].tolist()
    assert beats.label.tolist() == published["y"][rows].tolist()
    x = (published["k"][rows] / published["r"][rows][:, None]).astype(np.float32)
    assert x.tobytes() == beats.x[:, 0].tobytes()


@pytest.mark.data
@needs_mitbih
def test_beatgan_keeps_about_as_many_beats_as_its_paper_says():
    beats = read_beats(DATA / "mitdb", EcgOptions(cut="beatgan"))
    assert len(set(beats.record)) == 44
    assert len(beats) == pytest.approx(97_568, rel=0.005)
