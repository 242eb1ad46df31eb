"""Recordings in the WFDB format: signals and annotated beats. Needs the extra `ecg`."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddgan._core.errors import InputError
from oddgan._core.extras import load_extra

SUFFIXES = (".hea", ".dat", ".atr")


@dataclass(frozen=True)
class Recording:
    """One recording of a patient.

    Parameters
    ----------
    name : of the record.
    signal : (leads, time) counts of the converter; NaN where the recording has a gap.
    rate : samples a second.
    leads : names of the leads.
    gain : (leads,) counts a millivolt.
    zero : (leads,) counts at zero millivolts.
    marks : (m,) positions of all annotations, rising, beats or not; None without an annotation file.
    symbols : (m,) the annotations' WFDB symbols, e.g. N or V; None like `marks`.
    """

    name: str
    signal: NDArray[np.float64]
    rate: float
    leads: tuple[str, ...]
    gain: NDArray[np.float64]
    zero: NDArray[np.float64]
    marks: NDArray[np.int64] | None = None
    symbols: NDArray[np.str_] | None = None

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
            self, signal=self.signal[one], leads=self.leads[one], gain=self.gain[one], zero=self.zero[one]
        )


def record_paths(source: str | Path) -> list[Path]:
    """The records of a folder, or the one that a path names, each as its path without a suffix.

    Parameters
    ----------
    source : a folder with .hea files; or one record, with the suffix .hea, .dat or .atr or without.

    Returns
    -------
    the paths in the order of their names; none if `source` is neither.
    """
    path = Path(source)
    if path.is_dir():
        return sorted(header.with_suffix("") for header in path.glob("*.hea"))
    stem = path.with_suffix("") if path.suffix.lower() in SUFFIXES else path
    return [stem] if stem.with_name(f"{stem.name}.hea").is_file() else []


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


def read_record(path: str | Path) -> Recording:
    """Read one record with its annotations (.atr), if there are any.

    Parameters
    ----------
    path : the record without a suffix, e.g. `mitdb/100`.

    Raises
    ------
    InputError
        If a file is missing, damaged or holds no signal.
    MissingExtraError
        Without the extra `ecg`.
    """
    wfdb = load_extra("wfdb", "ecg")
    path = Path(path)
    try:
        record = wfdb.rdrecord(str(path))
        notes = wfdb.rdann(str(path), "atr") if path.with_name(f"{path.name}.atr").exists() else None
    except (OSError, ValueError, IndexError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"Record {path} can't be read: a file is missing, damaged or cut short ({error}).") from error
    if record.p_signal is None:
        raise InputError(f"Record {path} holds no signal.")
    return _recording(path.name, record, notes)


def _recording(name: str, record: Any, notes: Any) -> Recording:
    gain, zero = (np.array(values, dtype=np.float64) for values in (record.adc_gain, record.baseline))
    # wfdb says in millivolts what was stored as whole numbers; rounding gives these back exactly, and keeps gaps.
    counts = np.rint(record.p_signal.T * gain[:, None] + zero[:, None])
    return Recording(
        name=name,
        signal=counts,
        rate=float(record.fs),
        leads=tuple(str(lead) for lead in record.sig_name),
        gain=gain,
        zero=zero,
        marks=None if notes is None else np.asarray(notes.sample, dtype=np.int64),
        symbols=None if notes is None else np.array(notes.symbol, dtype=np.str_),
    )
