"""Small recordings: one by hand, one that is written as WFDB files."""

import os
from pathlib import Path

import numpy as np
import pytest

from oddgan.data.ecg import Recording

DATA = Path(os.environ.get("ODDGAN_DATA", Path(__file__).parents[3].parent / "shared" / "data"))
needs_mitbih = pytest.mark.skipif(not (DATA / "mitdb" / "100.hea").exists(), reason="ODDGAN_DATA has no mitdb")

RATE, PERIOD, BEATS = 360, 300, 24
PEAKS = np.arange(1, BEATS + 1) * PERIOD


def recording(signal, marks, symbols, *, rate=360.0, name="r"):
    """A recording of one lead: 200 counts a millivolt, 1024 counts at zero."""
    return Recording(
        name=name,
        signal=np.array([signal], dtype=float),
        rate=rate,
        leads=("MLII",),
        gain=np.array([200.0]),
        zero=np.array([1024.0]),
        marks=np.array(marks, dtype=np.int64),
        symbols=np.array(symbols, dtype=np.str_),
    )


def heart(n=(BEATS + 1) * PERIOD):
    """Sharp R waves of 1 mV at PEAKS, and T waves of 0.2 mV after them."""
    t = np.arange(n)
    return sum(np.exp(-(((t - p) / 4) ** 2)) + 0.2 * np.exp(-(((t - p - 90) / 20) ** 2)) for p in PEAKS)


def symbols():
    """All normal but the seventh beat, V, and the eighth, A."""
    found = ["N"] * BEATS
    found[6], found[7] = "V", "A"
    return found


def write_record(folder, name="100", *, leads=("MLII", "V1"), annotated=True):
    """Write a record of two leads, the second upside down and half as high."""
    wfdb = pytest.importorskip("wfdb")
    folder.mkdir(parents=True, exist_ok=True)
    signal = np.stack([heart(), -0.5 * heart()], axis=1)
    options = {"fmt": ["16", "16"], "adc_gain": [200, 200], "baseline": [0, 0], "write_dir": str(folder)}
    wfdb.wrsamp(name, fs=RATE, units=["mV", "mV"], sig_name=list(leads), p_signal=signal, **options)
    if annotated:
        # a change of rhythm, which is no beat, comes first
        wfdb.wrann(name, "atr", np.append(5, PEAKS), ["+", *symbols()], write_dir=str(folder))
    return folder / name
