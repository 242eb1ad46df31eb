"""Recordings in the WFDB format: signals and annotated beats. Needs the extra `ecg`."""

import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddgan._core.damage import told
from oddgan._core.errors import InputError
from oddgan._core.extras import load_extra
from oddgan._core.memory import afford
from oddgan._core.paths import regular_file, walk
from oddgan.data.ecg.headers import Header, Signal, read_header, segment_names

SUFFIXES = (".hea", ".dat", ".atr")
# The count that stands for a sample that is missing, by format (signal(5) of the WFDB manual).
_GAPS = {"80": -(2**7), "310": -(2**9), "311": -(2**9), "212": -(2**11), "24": -(2**23), "32": -(2**31)}
_GAPS |= {"508": -(2**7), "524": -(2**23)} | dict.fromkeys(("16", "61", "160", "516"), -(2**15))


@dataclass(frozen=True)
class Recording:
    """One recording of a patient.

    Parameters
    ----------
    name : of the record.
    signal : (leads, time) counts of the converter; NaN where the recording has a gap.
    rate : samples a second.
    leads : names of the leads.
    gain : (leads,) counts a millivolt; NaN where the header gives no gain, or the unit is no voltage.
    zero : (leads,) counts at zero millivolts.
    marks : (m,) positions of all annotations, rising, beats or not; None without an annotation file.
    symbols : (m,) the annotations' WFDB symbols, e.g. N or V; None like `marks`.
    units : units of the leads, as their header names them; none given means millivolts.
    """

    name: str
    signal: NDArray[np.float64]
    rate: float
    leads: tuple[str, ...]
    gain: NDArray[np.float64]
    zero: NDArray[np.float64]
    marks: NDArray[np.int64] | None = None
    symbols: NDArray[np.str_] | None = None
    units: tuple[str, ...] = ()

    def select(self, lead: int | str) -> "Recording":
        """The recording with one lead only.

        Parameters
        ----------
        lead : its number, from 0, or its name.

        Raises
        ------
        InputError
            If there is no such lead; the message lists those that there are.
        """
        found = self.leads.index(lead) if lead in self.leads else lead
        if not isinstance(found, int) or not 0 <= found < len(self.leads):
            listed = ", ".join(f"{i} {name}" for i, name in enumerate(self.leads))
            raise InputError(f"Record {self.name} has no lead {lead!r}; it has {listed}.")
        one = slice(found, found + 1)
        return dataclasses.replace(
            self,
            signal=self.signal[one],
            leads=self.leads[one],
            gain=self.gain[one],
            zero=self.zero[one],
            units=self.units[one],
        )


def record_paths(source: str | Path, *, segments: bool = False) -> list[Path]:
    """The records of a folder and its sub-folders, or the one that a path names, each as its path without a suffix.

    Parameters
    ----------
    source : a folder with .hea files; or one record, with the suffix .hea, .dat or .atr or without.
    segments : list records that are segments of others, too.

    Returns
    -------
    the paths in their order; none if `source` is neither.
    """
    path = Path(source)
    if path.is_dir():
        found = sorted(file.with_suffix("") for file in walk(path) if file.suffix == ".hea")
        inside = set() if segments else {file.with_name(name) for file in found for name in segment_names(file)}
        return [record for record in found if record not in inside]
    stem = path.with_suffix("") if path.suffix.lower() in SUFFIXES else path
    return [stem] if stem.name and stem.with_name(f"{stem.name}.hea").is_file() else []


def read_records(source: str | Path) -> Iterator[Recording]:
    """Read the records of a folder, or a single one, one after another.

    Raises
    ------
    InputError
        If there is none, or one can't be read.
    MissingExtraError
        Without the extra `ecg`.
    """
    paths = record_paths(source)
    if not paths:
        raise InputError(f"{source} is no WFDB record, nor a folder of records: there is no .hea file.")
    return (read_record(path) for path in paths)


def read_record(path: str | Path, name: str | None = None, max_memory: int | None = None) -> Recording:
    """Read one record with its annotations (.atr), if there are any.

    Parameters
    ----------
    path : the record without a suffix, e.g. `mitdb/100`.
    name : what the recording is called; None takes the last part of the path.
    max_memory : bytes that it may take; None goes by the size of its files.

    Raises
    ------
    InputError
        If a file is missing, damaged or holds no signal, or the header asks for what can't be right.
    MissingExtraError
        Without the extra `ecg`.
    """
    wfdb = load_extra("wfdb", "ecg")
    path = Path(path)
    name = path.name if name is None else name
    header = read_header(path)
    _afford(path, header, max_memory)
    found = _joined(wfdb, name, header, path) if header.segments else _single(wfdb, name, header, path)
    marks = path.with_name(f"{path.name}.atr")
    return _annotated(wfdb, path, found) if marks.exists() or marks.is_symlink() else found


def _afford(path: Path, header: Header, max_memory: int | None) -> None:
    """Refuse a record that would take too much memory: its counts, and the same as floats."""
    parts = [read_header(path.with_name(part)) for part, _ in dict(header.segments).items() if part != "~"] or [header]
    stored = sum(path.with_name(file).stat().st_size for part in parts for file in part.files if file != "~")
    width = sum(signal.samples for signal in header.signals)
    if not width:
        raise InputError(f"Record {path} holds no signal.")
    afford(f"Record {path}", (header.length or stored) * width * 16, stored, max_memory)


def _single(wfdb: Any, name: str, header: Header, path: Path) -> Recording:
    with told(f"Record {path} can't be read: a file is damaged or cut short"):
        counts = np.asarray(wfdb.rdrecord(str(path.absolute()), physical=False).d_signal)
    plain = all(signal.samples == 1 and not signal.skew for signal in header.signals)
    for signal, total in zip(header.signals, counts.sum(axis=0, dtype=np.int64).tolist(), strict=True):
        # A sum of 0 is what programs write that compute none.
        if plain and header.length and signal.checksum and (total - signal.checksum) % 2**16:
            raise InputError(f"Record {path} is damaged: its samples don't add up to the checksum in its header.")
    gaps = np.array([_GAPS.get(signal.format, math.nan) for signal in header.signals])
    return _described(name, header, np.where(counts == gaps, np.nan, counts).T)


def _joined(wfdb: Any, name: str, header: Header, path: Path) -> Recording:
    """The segments of a record one after another, each lead in the counts of the first segment that has it."""
    signal = np.full((len(header.signals), header.length or 0), np.nan)
    start = 0
    for part, length in header.segments:
        place = path.with_name(part)
        if part != "~":
            segment = _single(wfdb, part, read_header(place), place)
            for row, whole in enumerate(header.signals):
                if whole.lead in segment.leads:
                    signal[row, start : start + length] = _counts(segment.select(whole.lead), whole)[:length]
        start += length
    return _described(name, header, signal)


def _counts(one: Recording, whole: Signal) -> NDArray[np.float64]:
    """A segment's only lead (time,), in the counts of the whole record."""
    gain, zero = float(one.gain[0]), float(one.zero[0])
    if zero == whole.zero and (gain == whole.gain or (math.isnan(gain) and math.isnan(whole.gain))):
        return np.asarray(one.signal[0])
    return np.asarray((one.signal[0] - zero) / gain * whole.gain + whole.zero)


def _described(name: str, header: Header, signal: NDArray[np.float64]) -> Recording:
    return Recording(
        name=name,
        signal=signal,
        rate=header.rate,
        leads=tuple(signal.lead for signal in header.signals),
        gain=np.array([signal.gain for signal in header.signals]),
        zero=np.array([signal.zero for signal in header.signals], dtype=np.float64),
        units=tuple(signal.unit for signal in header.signals),
    )


def _annotated(wfdb: Any, path: Path, found: Recording) -> Recording:
    regular_file(path.with_name(f"{path.name}.atr"))
    with told(f"Record {path} can't be read: its annotations ({path.name}.atr) are damaged or cut short"):
        notes = wfdb.rdann(str(path.absolute()), "atr")
        marks = np.asarray(notes.sample, dtype=np.int64)
        symbols = np.array(notes.symbol, dtype=np.str_)
    end = found.signal.shape[1]
    if len(marks) and (marks.min() < 0 or marks.max() >= end or (np.diff(marks) < 0).any()):
        raise InputError(
            f"Record {path} can't be read: its annotations lie at {marks.min()} to {marks.max()} of {end} samples, or "
            f"go back in time: {path.name}.atr is damaged or belongs to another record."
        )
    if notes.fs is not None and not math.isclose(float(notes.fs), found.rate):
        raise InputError(f"Record {path} has {found.rate:g} samples a second, but its annotations count {notes.fs:g}.")
    return dataclasses.replace(found, marks=marks, symbols=symbols)
