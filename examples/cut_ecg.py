"""Cut the small set of heartbeats that oddgan ships as `builtin:ecg`.

Run `python examples/cut_ecg.py [FOLDER] [OUT.npz]`, where FOLDER holds the records of MIT-BIH; without it, the cache
folder or PhysioNet. Nothing is random: two runs write the same bytes.

Training beats: 60 normal ones from each patient of DS1. Test beats: 30 normal ones, and up to 15 of each anomalous
class, from each patient of DS2. They are evenly spaced over the recording. DS1 and DS2 are the division of de Chazal
et al. 2004 by record; 201 is left out of DS1 because 201 (DS1) and 202 (DS2) are the same person.
"""

import sys
from pathlib import Path

import numpy as np

from oddgan._core.files import new_file
from oddgan.data.ecg import DS1, DS2, Beats, Recording, cut, mitbih_folder, read_record

SAME_PERSON = "201"
NORMAL, ANOMALOUS = 0, (1, 2, 3)  # AAMI classes: N; S, V, F. Q (paced, unclassifiable) is left out.
OUT = Path(__file__).parents[1] / "src" / "oddgan" / "data" / "files" / "ecg.npz"


def choose(folder: Path) -> dict[str, np.ndarray]:
    """Choose the beats; keys are k, r, y, record, sample and symbol with `_train` or `_test` behind.

    Parameters
    ----------
    folder : where the records are.
    """
    train = [name for name in DS1 if name != SAME_PERSON]
    parts = {"train": (train, {NORMAL: 60}), "test": (DS2, {NORMAL: 30} | dict.fromkeys(ANOMALOUS, 15))}
    return {
        f"{key}_{part}": np.concatenate(values)
        for part, (records, wanted) in parts.items()
        for key, values in _arrays([_from_record(folder / name, wanted) for name in records]).items()
    }


def _arrays(found: list[dict[str, np.ndarray]]) -> dict[str, list[np.ndarray]]:
    return {key: [arrays[key] for arrays in found] for key in found[0]}


def _from_record(path: Path, wanted: dict[int, int]) -> dict[str, np.ndarray]:
    recording = read_record(path)
    beats = cut(recording)
    beats = beats.take(_rows(beats, wanted))
    height = np.array([_height(recording, int(s), int(n)) for s, n in zip(beats.sample, beats.length, strict=True)])
    return {
        "k": np.rint(beats.x[:, 0] * height[:, None].astype(np.float64)).astype(np.int16),
        "r": height.astype(np.int16),
        "y": beats.label.astype(np.uint8),
        "record": beats.record.astype(np.int16),
        "sample": beats.sample.astype(np.int32),
        "symbol": beats.symbol,
    }


def _height(recording: Recording, start: int, length: int) -> int:
    """From the lowest to the highest of a beat's values, which are every third, in counts of the converter."""
    return int(np.ptp(recording.signal[0, start : start + 3 * length : 3]))


def _rows(beats: Beats, wanted: dict[int, int]) -> np.ndarray:
    chosen = []
    for label, count in wanted.items():
        rows = np.flatnonzero(beats.label == label)
        take = min(count, len(rows))
        chosen.append(rows[np.arange(take) * len(rows) // max(take, 1)])
    return np.sort(np.concatenate(chosen))


def main() -> None:
    """Read the folder named on the command line, write the file."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else mitbih_folder()
    with new_file(sys.argv[2] if len(sys.argv) > 2 else OUT, force=True) as path, path.open("wb") as file:
        np.savez_compressed(file, **choose(folder))


if __name__ == "__main__":
    main()
