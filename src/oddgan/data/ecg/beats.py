"""Cut recordings into beats."""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from oddgan._core.errors import InputError
from oddgan._core.notices import notice
from oddgan.data.ecg.filters import band_pass, find_peaks, without_baseline, without_mains
from oddgan.data.ecg.headers import in_millivolts
from oddgan.data.ecg.records import Recording
from oddgan.data.ecg.rhythm import own_beat_removed, rhythm_channels, rr_intervals
from oddgan.data.ecg.spans import Segment, beat_to_beat, windows
from oddgan.options.data import EcgOptions, Scale

CLASSES = ("N", "S", "V", "F", "Q")
# ANSI/AAMI EC57: from WFDB's symbols of beats to five classes.
AAMI = dict(zip("NLRBejAaJSnVErF/fQ?", map(CLASSES.index, "NNNNNNSSSSSVVVFQQQQ"), strict=True))
# BeatGAN counts escape beats as S, not as N.
BEATGAN = AAMI | {"e": CLASSES.index("S"), "j": CLASSES.index("S")}
UNLABELLED = -1

LENGTH, RATE = 187, 120  # of the published beats
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


class _Marks(NamedTuple):
    """Beats of a recording: positions, symbols, and what else may end a beat."""

    sample: NDArray[np.int64]
    symbol: NDArray[np.str_]
    every: NDArray[np.int64]


class Cut(NamedTuple):
    """The beats of a recording, and how many marks gave none.

    Parameters
    ----------
    beats : those that were cut.
    gaps : beats with a gap of the signal in them.
    ends : beats that begin before the recording, or end after it.
    unconfirmed : normal beats without a detected peak, which BeatGAN leaves out.
    lead : the name of the lead.
    rate : values a second of the beats.
    unsearched : seconds of gaps of the signal, where no peak can be detected; 0 for annotated beats.
    """

    beats: Beats
    gaps: int
    ends: int
    unconfirmed: int
    lead: str
    rate: float
    unsearched: float


def cut(recording: Recording, options: EcgOptions | None = None) -> Beats:
    """Cut one recording into beats; those in gaps of the signal are left out, with a notice.

    Parameters
    ----------
    recording : with annotations, unless the options ask for detected peaks.
    options : how; None takes windows around the beats, less the patient's usual beat, with the rhythm.

    Raises
    ------
    InputError
        If the lead is not there or no voltage, annotations are missing, or no beat can be cut.
    """
    found = cut_and_count(recording, options or EcgOptions())
    if found.gaps:
        notice(f"{found.gaps} beats of record {recording.name} were left out: they lie in gaps of the signal.")
    return found.beats


def cut_and_count(recording: Recording, options: EcgOptions) -> Cut:
    """Cut one recording into beats, and count those that are left out.

    Parameters
    ----------
    recording, options : as for `cut`.

    Raises
    ------
    InputError
        As `cut` does.
    """
    lead = options.lead if options.lead is not None else "MLII" if options.cut == "beatgan" else 0
    one = _filtered(_voltage(recording.select(lead), options), options)
    marks = _marks(one, options)
    spans = _segments(one, marks, options)
    confirmed = _confirmed(one, marks, spans) if options.cut == "beatgan" else spans
    known = np.isfinite(one.signal[0])
    segments = [s for s in confirmed if known[s.start : s.stop].all()]
    if not segments:
        raise InputError(f"Record {recording.name} holds no whole beat.")
    return Cut(
        _beats(one, marks, segments, options),
        gaps=len(confirmed) - len(segments),
        ends=len(marks.sample) - len(spans),
        unconfirmed=len(spans) - len(confirmed),
        lead=one.leads[0],
        rate=(options.cut == "window" and options.rate) or one.rate / _step(one, options),
        unsearched=float((~known).sum() / one.rate) if options.peaks == "detected" else 0.0,
    )


def _step(one: Recording, options: EcgOptions) -> int:
    """Of how many samples a beat has one."""
    return max(1, round(one.rate / RATE)) if options.cut == "beat-to-beat" else 1


def _beats(one: Recording, marks: _Marks, segments: list[Segment], options: EcgOptions) -> Beats:
    values = _values(one, marks, segments, options)
    x = _filled(_scaled(values, one, options), LENGTH if options.cut == "beat-to-beat" else len(values[0]))
    chosen = np.array([s.at for s in segments])
    rr = rr_intervals(marks.sample / one.rate)[chosen]
    seconds = marks.sample[chosen] / one.rate
    if options.adapt:
        x = own_beat_removed(x, seconds < 60 * options.adapt, one.name)
    if options.rhythm:
        x = np.concatenate([x, rhythm_channels(rr, x.shape[2])], axis=1)
    classes = BEATGAN if options.cut == "beatgan" else AAMI
    return Beats(
        x=x,
        label=np.array([classes.get(s, UNLABELLED) for s in marks.symbol[chosen].tolist()], dtype=np.int64),
        symbol=marks.symbol[chosen],
        record=np.full(len(chosen), one.name),
        sample=marks.sample[chosen],
        seconds=seconds,
        length=np.array([len(v) for v in values], dtype=np.int64),
        rr=rr,
    )


def _values(one: Recording, marks: _Marks, segments: list[Segment], options: EcgOptions) -> list[NDArray[np.float64]]:
    """What the recording holds in each span, at the rate of the beats."""
    if options.cut != "window" or not options.rate:
        return [one.signal[0, s.start : s.stop : _step(one, options)] for s in segments]
    before, after = (round(seconds * options.rate) for seconds in (options.before, options.after))
    offsets = np.arange(-before, after) * (one.rate / options.rate)
    return [
        np.interp(marks.sample[s.at] + offsets, np.arange(s.start, s.stop), one.signal[0, s.start : s.stop])
        for s in segments
    ]


def _voltage(one: Recording, options: EcgOptions) -> Recording:
    """Refuse a lead that is no electrocardiogram, such as a blood pressure."""
    unit = one.units[0] if one.units else "mV"
    if math.isnan(in_millivolts(unit)):
        raise InputError(
            f"Lead {one.leads[0]} of record {one.name} is in {unit}; expected a voltage in V, mV, uV or nV: choose "
            "another lead, e.g. by --ecg lead=1."
        )
    if options.scale == "millivolts" and not np.isfinite(one.gain[0]):
        raise InputError(
            f"Lead {one.leads[0]} of record {one.name} has no gain in its header, so that millivolts are not known: "
            "choose another scale."
        )
    return one


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
        found = beat_to_beat(marks.every, np.isin(marks.every, marks.sample), end)
        return [span for span in found if span.start < span.stop]  # two marks of one position leave nothing
    if options.cut == "window":
        before, after = (round(seconds * recording.rate) for seconds in (options.before, options.after))
        return windows(marks.sample, before, after, end)
    if recording.rate != _BEATGAN_RATE:
        raise InputError(f"Record {recording.name} has {recording.rate:g} samples a second; cut=beatgan expects 360.")
    return windows(marks.sample, _BEATGAN_BEFORE, _BEATGAN_AFTER, end)


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
