"""Cut the small sets of heartbeats that oddgan ships as `builtin:ecg`.

Run `python examples/cut_ecg.py [FOLDER] [OUT]`, where FOLDER holds the records of MIT-BIH; without it, the cache folder
or PhysioNet. OUT is a folder. Nothing is random: two runs write the same bytes.

Training beats: 60 normal ones from each patient of DS1. Test beats: 30 normal ones, and up to 15 of each anomalous
class, from each patient of DS2. They are evenly spaced over the recording; windows, from which the patient's median
beat is subtracted, over what follows the five minutes of that median. DS1 and DS2 are the division of de Chazal et al.
2004 by record; 201 is left out of DS1 because 201 (DS1) and 202 (DS2) are the same person.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from oddgan._core.files import new_file
from oddgan.data.ecg import DS1, DS2, Beats, EcgOptions, Recording, cut, mitbih_folder, read_record

SAME_PERSON = "201"
NORMAL, ANOMALOUS = 0, (1, 2, 3)  # AAMI classes: N; S, V, F. Q (paced, unclassifiable) is left out.
HALVES = {
    "train": ([name for name in DS1 if name != SAME_PERSON], {NORMAL: 60}),
    "test": (DS2, {NORMAL: 30} | dict.fromkeys(ANOMALOUS, 15)),
}
EVERY = 3  # of 360 samples a second, which leaves 120
ADAPT = 60 * 5.0  # seconds
OUT = Path(__file__).parents[1] / "src" / "oddgan" / "data" / "files"
Arrays = dict[str, np.ndarray]


def published(recording: Recording, wanted: dict[int, int]) -> Arrays:
    """Beats as in the published set: k / r.

    Parameters
    ----------
    recording : to cut.
    wanted : how many beats of each class.
    """
    beats = cut(recording, EcgOptions(cut="beat-to-beat"))
    beats = beats.take(_rows(beats, wanted))
    spans = [slice(s, s + EVERY * n, EVERY) for s, n in zip(beats.sample.tolist(), beats.length.tolist(), strict=True)]
    return _arrays(recording, beats, spans)


def windows(recording: Recording, wanted: dict[int, int]) -> Arrays:
    """Windows k / r less the patient's own beat, and channels of rhythm.

    Parameters
    ----------
    recording : to cut.
    wanted : how many beats of each class.
    """
    plain = cut(recording, EcgOptions(adapt=0, rhythm=False))
    rhythm = cut(recording, EcgOptions(adapt=0)).x[:, 1:, 0]
    own = np.median(plain.x[plain.seconds < ADAPT, 0], axis=0)
    rows = _rows(plain, wanted, plain.seconds >= ADAPT)
    beats = plain.take(rows)
    before, after = (round(s * recording.rate) for s in (EcgOptions().before, EcgOptions().after))
    spans = [slice(s - before, s + after, EVERY) for s in beats.sample.tolist()]
    return _arrays(recording, beats, spans) | {"own": own[None].astype(np.float32), "rhythm": rhythm[rows]}


def choose(folder: Path, of: Callable[[Recording, dict[int, int]], Arrays]) -> Arrays:
    """Choose beats; the keys have `_train` or `_test` behind.

    Parameters
    ----------
    folder : where the records are.
    of : `published` or `windows`.
    """
    found = {
        part: [of(read_record(folder / name), wanted) for name in records] for part, (records, wanted) in HALVES.items()
    }
    return {
        f"{key}_{part}": np.concatenate([arrays[key] for arrays in each])
        for part, each in found.items()
        for key in each[0]
    }


def _arrays(recording: Recording, beats: Beats, spans: list[slice]) -> Arrays:
    """The beats in counts of the converter above their lowest, and from there to their highest."""
    height = np.array([int(np.ptp(recording.signal[0, span])) for span in spans])
    return {
        "k": np.rint(beats.x[:, 0] * height[:, None].astype(np.float64)).astype(np.int16),
        "r": height.astype(np.int16),
        "y": beats.label.astype(np.uint8),
        "record": beats.record.astype(np.int16),
        "sample": beats.sample.astype(np.int32),
        "symbol": beats.symbol,
    }


def _rows(beats: Beats, wanted: dict[int, int], among: np.ndarray | bool = True) -> np.ndarray:
    chosen = []
    for label, count in wanted.items():
        rows = np.flatnonzero((beats.label == label) & among)
        take = min(count, len(rows))
        chosen.append(rows[np.arange(take) * len(rows) // max(take, 1)])
    return np.sort(np.concatenate(chosen))


FILES = {"ecg.npz": published, "ecg-windows.npz": windows}


def main() -> None:
    """Read the folder named on the command line, write the files."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else mitbih_folder()
    out = Path(sys.argv[2]) if len(sys.argv) > 2 else OUT
    for name, of in FILES.items():
        with new_file(out / name, force=True) as path, path.open("wb") as file:
            np.savez_compressed(file, **choose(folder, of))


if __name__ == "__main__":
    main()
