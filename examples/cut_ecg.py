"""Cut the small set of heartbeats that oddgan ships as `builtin:ecg`.

Run `python examples/cut_ecg.py DATA_FOLDER [OUT.npz]`, where DATA_FOLDER (default: ODDGAN_DATA) holds
heartbeat_mitbih_train.npz and heartbeat_mitbih_test.npz. Nothing is random: two runs write the same bytes.

Training beats: 60 normal ones from each patient of DS1. Test beats: 30 normal ones, and up to 15 of each anomalous
class, from each patient of DS2. They are evenly spaced over the recording. DS1 and DS2 are the division of de Chazal
et al. 2004 by record; 201 is left out of DS1 because 201 (DS1) and 202 (DS2) are the same person. Quoted from memory:
check the record lists against the paper before you publish numbers.
"""

import os
import sys
from pathlib import Path

import numpy as np

from oddgan._core.files import new_file

DS1 = (101, 106, 108, 109, 112, 114, 115, 116, 118, 119, 122, 124, 203, 205, 207, 208, 209, 215, 220, 223, 230)
DS2 = (100, 103, 105, 111, 113, 117, 121, 123, 200, 202, 210, 212, 213, 214, 219, 221, 222, 228, 231, 232, 233, 234)
NORMAL, ANOMALOUS = 0, (1, 2, 3)  # AAMI classes: N; S, V, F. Q (paced, unclassifiable) is left out.
KEYS = ("k", "r", "y", "record", "sample", "symbol")
OUT = Path(__file__).parents[1] / "src" / "oddgan" / "data" / "files" / "ecg.npz"


def cut(folder: Path) -> dict[str, np.ndarray]:
    """Choose the beats; keys are the source's with `_train` or `_test` behind.

    Parameters
    ----------
    folder : where the two source files are.
    """
    beats = _all_beats(folder)
    train = _rows(beats, DS1, {NORMAL: 60})
    test = _rows(beats, DS2, {NORMAL: 30} | dict.fromkeys(ANOMALOUS, 15))
    return {f"{key}_{name}": beats[key][rows] for name, rows in (("train", train), ("test", test)) for key in KEYS}


def _all_beats(folder: Path) -> dict[str, np.ndarray]:
    parts = [np.load(folder / f"heartbeat_mitbih_{name}.npz", allow_pickle=False) for name in ("train", "test")]
    beats = {key: np.concatenate([part[key] for part in parts]) for key in KEYS}
    order = np.lexsort((beats["sample"], beats["record"]))
    return {key: values[order] for key, values in beats.items()}


def _rows(beats: dict[str, np.ndarray], records: tuple[int, ...], wanted: dict[int, int]) -> np.ndarray:
    chosen = []
    for record in records:
        for label, count in wanted.items():
            rows = np.flatnonzero((beats["record"] == record) & (beats["y"] == label))
            take = min(count, len(rows))
            chosen.append(rows[np.arange(take) * len(rows) // max(take, 1)])
    return np.sort(np.concatenate(chosen))


def main() -> None:
    """Read the folder named on the command line, write the file."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ["ODDGAN_DATA"])
    with new_file(sys.argv[2] if len(sys.argv) > 2 else OUT, force=True) as path, path.open("wb") as file:
        np.savez_compressed(file, **cut(folder))


if __name__ == "__main__":
    main()
