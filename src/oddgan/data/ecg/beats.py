"""Cut recordings into beats."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from oddgan._core.errors import InputError
from oddgan.data.ecg.filters import band_pass, find_peaks, without_baseline, without_mains
from oddgan.data.ecg.options import EcgOptions, Scale
from oddgan.data.ecg.records import Recording
from oddgan.data.ecg.rhythm import own_beat_removed, rhythm_channels, rr_intervals

CLASSES = ("N", "S", "V", "F", "Q")
# ANSI/AAMI EC57: from WFDB's symbols of beats to five classes.
AAMI = dict(zip("NLRBejAaJSnVErF/fQ?", map(CLASSES.index, "NNNNNNSSSSSVVVFQQQQ"), strict=True))
# BeatGAN counts escape beats as S, not as N.
BEATGAN = AAMI | {"e": CLASSES.index("S"), "j": CLASSES.index("S")}
UNLABELLED = -1

LENGTH, RATE = 187, 120  # of the published beats
_PAST_NEXT = 0.2  # share of the interval after the next beat that still belongs to a beat
_MATCH = 0.15  # seconds between a detected and an annotated beat that are the same (ANSI/AAMI EC57)
_BEATGAN_BEFORE, _BEATGAN_AFTER, _BEATGAN_RATE, _BEATGAN_NEAR = 140, 180, 360, 10


@dataclass(frozen=True)
class Beats:
    """Heartbeats and where they come from.

    Parameters
    ----------
    x : (n, c, t) float32 values.
    label : (n,) AAMI classes, positions in `CLASSES`; -1 where nothing is known.
    symbol : (n,) WFDB annotations; empty where nothing is known.
    record : (n,) names of the records.
    sample : (n,) positions of the beats in the records.
    seconds : (n,) the same in seconds.
    length : (n,) values of each beat before it was cut or filled up with zeros.
    rr : (n, 3) seconds since the beat before, seconds to the next, and the first relative to the mean around it.
    """

    x: NDArray[np.float32]
    label: NDArray[np.int64]
    symbol: NDArray[np.str_]
    record: NDArray[np.str_]
    sample: NDArray[np.int64]
    seconds: NDArray[np.float64]
    length: NDArray[np.int64]
    rr: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.x)

    @property
    def ids(self) -> NDArray[np.str_]:
        """Names of the beats, `record/sample`."""
        return np.array([f"{a}/{b}" for a, b in zip(self.record, self.sample, strict=True)], dtype=np.str_)

    @property
    def mask(self) -> NDArray[np.bool_]:
        """Where x holds a beat and not the zeros behind it, (n, 1, t)."""
        return np.arange(self.x.shape[2]) < self.length[:, None, None]

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> "Beats":
        """Some of the beats, by row numbers or a boolean (n,)."""
        return Beats(**{f.name: getattr(self, f.name)[rows] for f in dataclasses.fields(self)})

    @classmethod
    def join(cls, parts: Sequence["Beats"]) -> "Beats":
        """The beats of several recordings, one after another."""
        return cls(**{f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in dataclasses.fields(cls)})


class Segment(NamedTuple):
    """The span of one beat.

    Parameters
    ----------
    at : which of the recording's beats it is.
    start, stop : positions in the recording, the second exclusive.
    """

    at: int
    start: int
    stop: int


class _Marks(NamedTuple):
    """Beats of a recording: positions, symbols, and what else may end a beat."""

    sample: NDArray[np.int64]
    symbol: NDArray[np.str_]
    every: NDArray[np.int64]


def cut(recording: Recording, options: EcgOptions | None = None) -> Beats:
    """Cut one recording into beats.

    Parameters
    ----------
    recording : with annotations, unless the options ask for detected peaks.
    options : how; None cuts like the published set of beats.

    Raises
    ------
    InputError
        If the lead is not there, annotations are missing, or no beat can be cut.
    """
    options = options or EcgOptions()
    lead = options.lead if options.lead is not None else "MLII" if options.cut == "beatgan" else 0
    one = _filtered(recording.select(lead), options)
    marks = _marks(one, options)
    segments = [s for s in _segments(one, marks, options) if np.isfinite(one.signal[0, s.start : s.stop]).all()]
    if not segments:
        raise InputError(f"Record {recording.name} holds no whole beat.")
    step = max(1, round(one.rate / RATE)) if options.cut == "beat-to-beat" else 1
    values = [one.signal[0, s.start : s.stop : step] for s in segments]
    x = _filled(_scaled(values, one, options), LENGTH if options.cut == "beat-to-beat" else len(values[0]))
    chosen = np.array([s.at for s in segments])
    rr = rr_intervals(marks.sample / one.rate)[chosen]
    seconds = marks.sample[chosen] / one.rate
    if options.adapt:
        x = own_beat_removed(x, seconds < 60 * options.adapt, recording.name)
    if options.rhythm:
        x = np.concatenate([x, rhythm_channels(rr, x.shape[2])], axis=1)
    classes = BEATGAN if options.cut == "beatgan" else AAMI
    return Beats(
        x=x,
        label=np.array([classes.get(s, UNLABELLED) for s in marks.symbol[chosen].tolist()], dtype=np.int64),
        symbol=marks.symbol[chosen],
        record=np.full(len(chosen), recording.name),
        sample=marks.sample[chosen],
        seconds=seconds,
        length=np.array([len(v) for v in values], dtype=np.int64),
        rr=rr,
    )


def beat_to_beat(marks: NDArray[np.int64], is_beat: NDArray[np.bool_], end: int) -> list[Segment]:
    """Spans from each beat to a fifth of the next interval past the next mark; the last mark has none.

    A mark at a_k gives [a_k, a_(k+1) + ⌊0.2 (a_(k+2) - a_(k+1))⌋), with the recording's end in place of a_(k+2) where
    there is no such mark.

    Parameters
    ----------
    marks : (m,) rising positions of all annotations, of which some are no beats.
    is_beat : (m,) which are.
    end : length of the recording.
    """
    following = np.append(marks, end)
    stops = following[1:-1] + (_PAST_NEXT * (following[2:] - following[1:-1])).astype(np.int64)
    number = np.cumsum(is_beat) - 1
    return [Segment(int(number[k]), int(marks[k]), int(stops[k])) for k in np.flatnonzero(is_beat[:-1])]


def windows(sample: NDArray[np.int64], before: int, after: int, end: int) -> list[Segment]:
    """Spans from `before` to `after` each position; those that leave the recording are left out.

    Parameters
    ----------
    sample : (n,) positions of the beats.
    before, after : how many values; the one at the position is the first of the second part.
    end : length of the recording.
    """
    return [Segment(i, s - before, s + after) for i, s in enumerate(sample.tolist()) if s >= before and s + after < end]


def _filtered(recording: Recording, options: EcgOptions) -> Recording:
    if options.baseline is not None:
        recording = without_baseline(recording, options.baseline)
    if options.mains is not None:
        recording = without_mains(recording, options.mains)
    return band_pass(recording) if options.cut == "beatgan" else recording


def _marks(recording: Recording, options: EcgOptions) -> _Marks:
    if options.peaks == "detected":
        peaks = find_peaks(recording)
        return _Marks(peaks, _symbols_near(recording, peaks), peaks)
    if recording.marks is None or recording.symbols is None:
        raise InputError(
            f"Record {recording.name} has no annotated beats ({recording.name}.atr): find them with peaks=detected."
        )
    is_beat = np.isin(recording.symbols, list(AAMI))
    return _Marks(recording.marks[is_beat], recording.symbols[is_beat], recording.marks)


def _symbols_near(recording: Recording, peaks: NDArray[np.int64]) -> NDArray[np.str_]:
    """The symbol of the annotated beat that each peak is; empty where there is none within 150 ms."""
    unknown = np.full(len(peaks), "", dtype="<U1")
    if recording.marks is None or recording.symbols is None:
        return unknown
    is_beat = np.isin(recording.symbols, list(AAMI))
    if not is_beat.any():
        return unknown
    marks, symbols = recording.marks[is_beat], recording.symbols[is_beat]
    nearest = _nearest(peaks, marks)
    return np.where(np.abs(marks[nearest] - peaks) <= _MATCH * recording.rate, symbols[nearest], "")


def _nearest(points: NDArray[np.int64], marks: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each point the position, in rising `marks`, of the mark that is nearest; of two, the earlier one."""
    right = np.clip(np.searchsorted(marks, points), 1, max(len(marks) - 1, 1))
    left = right - 1
    right = np.minimum(right, len(marks) - 1)
    return np.where(points - marks[left] <= marks[right] - points, left, right)


def _segments(recording: Recording, marks: _Marks, options: EcgOptions) -> list[Segment]:
    end = recording.signal.shape[1]
    if options.cut == "beat-to-beat":
        return beat_to_beat(marks.every, np.isin(marks.every, marks.sample), end)
    if options.cut == "window":
        before, after = (round(seconds * recording.rate) for seconds in (options.before, options.after))
        return windows(marks.sample, before, after, end)
    if recording.rate != _BEATGAN_RATE:
        raise InputError(f"Record {recording.name} has {recording.rate:g} samples a second; cut=beatgan expects 360.")
    return _confirmed(recording, marks, windows(marks.sample, _BEATGAN_BEFORE, _BEATGAN_AFTER, end))


def _confirmed(recording: Recording, marks: _Marks, segments: list[Segment]) -> list[Segment]:
    """Leave out normal beats that have no detected peak near."""
    peaks = find_peaks(recording, upward=True)
    near = np.abs(peaks[_nearest(marks.sample, peaks)] - marks.sample) < _BEATGAN_NEAR
    abnormal = np.array([BEATGAN[s] != 0 for s in marks.symbol.tolist()])
    return [s for s in segments if near[s.at] or abnormal[s.at]]


def _scaled(values: list[NDArray[np.float64]], recording: Recording, options: EcgOptions) -> list[NDArray[np.float64]]:
    scale: Scale = options.scale or "beat"
    if scale == "beat":
        unit = [_by_range(v, float(v.min()), float(v.max())) for v in values]
        return [2 * v - 1 for v in unit] if options.cut == "beatgan" and options.scale is None else unit
    lead = recording.signal[0][np.isfinite(recording.signal[0])]
    if scale == "record":
        low, high = float(lead.min()), float(lead.max())
        return [_by_range(v, low, high) for v in values]
    if scale == "robust":
        first, middle, third = np.quantile(lead, [0.25, 0.5, 0.75])
        return [(v - middle) / ((third - first) or 1.0) for v in values]
    return [(v - recording.zero[0]) / recording.gain[0] for v in values]


def _by_range(values: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    return (values - low) / ((high - low) or 1.0)


def _filled(values: list[NDArray[np.float64]], length: int) -> NDArray[np.float32]:
    """Beats of one length (n, 1, length): cut, or filled up with zeros."""
    x = np.zeros((len(values), 1, length), dtype=np.float32)
    for row, beat in zip(x[:, 0], values, strict=True):
        row[: min(len(beat), length)] = beat[:length]
    return x
