"""Published ways of dividing the beats of MIT-BIH, by name."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from oddgan._core.errors import InputError
from oddgan._core.names import resolve
from oddgan._core.npy import Archive
from oddgan.data.ecg.beats import CLASSES, Beats

Rows = NDArray[np.int64]

PROTOCOLS = ("patient-wise", "de-chazal", "published", "random", "ecgan", "beatgan")
FOLDS = 5
# de Chazal et al., IEEE Transactions on Biomedical Engineering 51(7), 2004; the four paced records are in neither.
_DS1 = (101, 106, 108, 109, 112, 114, 115, 116, 118, 119, 122, 124, 201, 203, 205, 207, 208, 209, 215, 220, 223, 230)
_DS2 = (100, 103, 105, 111, 113, 117, 121, 123, 200, 202, 210, 212, 213, 214, 219, 221, 222, 228, 231, 232, 233, 234)
DS1, DS2 = tuple(map(str, _DS1)), tuple(map(str, _DS2))
PACED = ("102", "104", "107", "217")
_SAME_PERSON = "201"  # as 202, which is in DS2
_TEST_SHARE, _ECGAN_TRAINING, _BEATGAN_VALIDATION = 0.2, 0.85, 0.1


@dataclass(frozen=True)
class BeatSplit:
    """Rows of beats by their use; no row has two.

    Parameters
    ----------
    protocol : the name, for every result.
    train : beats to train on; only normal ones where the protocol says so.
    validation : labelled beats for choices that need labels; empty where the protocol has none.
    test : beats to score.
    """

    protocol: str
    train: Rows
    validation: Rows
    test: Rows


def split_beats(
    beats: Beats, protocol: str, *, seed: int = 0, fold: int = 0, published: str | Path | None = None
) -> BeatSplit:
    """Divide the beats of MIT-BIH.

    - `patient-wise`: DS1 to train, DS2 to test, without record 201, who is the person of 202; the beats of every
      fifth record of DS1, from `fold` on, are validation. Nobody is in two parts.
    - `de-chazal`: the same with 201, as published (2004).
    - `random`: 20% of each class are the test; patients are in both parts.
    - `published`: the test part of the published set of beats (Kachuee et al. 2018), also random; its members are
      read from `published`.
    - `ecgan`: 85% of the normal beats in 5 folds to train and validate, the others to test; anomalies are divided
      between validation and test in the ratio of their normal beats. Of the published set's 109446 beats, 22427 are
      the test: 13588 normal and 8839 anomalous ones.
    - `beatgan`: a fifth of the normal beats, by `fold`, is the test, and a tenth of the rest validation; a tenth of
      each anomalous class is validation, the rest test. Records 102, 104, 107 and 217 are left out.

    Parameters
    ----------
    beats : all beats that were cut, labelled.
    protocol : one of the above; case and punctuation don't matter.
    seed : of every random choice.
    fold : 0 to 4, where there are folds.
    published : an npz file with the arrays record and sample of the test part.

    Raises
    ------
    InputError
        If the protocol is unknown, the fold is out of range, a part would be empty, or the members are not known.
    """
    name = resolve(protocol, PROTOCOLS, "protocol")
    if not 0 <= fold < FOLDS:
        raise InputError(f"fold is {fold}; expected 0 to {FOLDS - 1}.")
    if name in {"patient-wise", "de-chazal"}:
        parts = _by_patient(beats, fold, without=_SAME_PERSON if name == "patient-wise" else "")
    elif name == "published":
        parts = _published(beats, published)
    else:
        generator = np.random.default_rng(seed)
        parts = {"random": _random, "ecgan": _ecgan, "beatgan": _beatgan}[name](beats, generator, fold)
    split = BeatSplit(name, *(np.sort(rows) for rows in parts))
    for part, rows in (("train", split.train), ("test", split.test)):
        if not len(rows):
            raise InputError(f"{name} leaves nothing to {part}: are the beats those of MIT-BIH's records?")
    return split


def _by_patient(beats: Beats, fold: int, without: str) -> tuple[Rows, Rows, Rows]:
    records = [name for name in DS1 if name != without]
    held = records[fold::FOLDS]
    kept = [name for name in records if name not in held]
    train, validation, test = (np.flatnonzero(np.isin(beats.record, names)) for names in (kept, held, DS2))
    return train, validation, test


def _published(beats: Beats, path: str | Path | None) -> tuple[Rows, Rows, Rows]:
    if path is None or not Path(path).is_file():
        raise InputError(
            "The published split has no rule: which beats it tests is read from an npz file with the arrays record and "
            f"sample, but {'none was given' if path is None else f'{path} is not there'}; 'random' divides alike."
        )
    with Archive(Path(path)) as file:
        if not {"record", "sample"} <= set(file.keys):
            raise InputError(f"{path} has the arrays {', '.join(file.keys)}; expected record and sample.")
        record, sample = file.read("record"), file.read("sample")
    if record.ndim != 1 or record.shape != sample.shape:
        raise InputError(f"{path} has records of shape {record.shape} and samples of shape {sample.shape}.")
    members = {f"{a}/{b}" for a, b in zip(record.tolist(), sample.tolist(), strict=True)}
    tested = np.isin(beats.ids, list(members))
    return np.flatnonzero(~tested), np.empty(0, np.int64), np.flatnonzero(tested)


def _random(beats: Beats, generator: np.random.Generator, fold: int) -> tuple[Rows, Rows, Rows]:
    del fold
    parts = [_cut_off(_of_class(beats, c, generator), _TEST_SHARE) for c in range(len(CLASSES))]
    train, test = (np.concatenate(rows) for rows in zip(*parts, strict=True))
    return train, np.empty(0, np.int64), test


def _ecgan(beats: Beats, generator: np.random.Generator, fold: int) -> tuple[Rows, Rows, Rows]:
    normal = generator.permutation(np.flatnonzero(beats.label == 0))
    anomalies = generator.permutation(np.flatnonzero(beats.label > 0))
    kept, test = np.split(normal, [math.ceil(_ECGAN_TRAINING * len(normal))])
    size = math.ceil(len(kept) / FOLDS)
    held = kept[fold * size : (fold + 1) * size]
    tested = math.ceil(len(anomalies) * (len(test) / max(len(test) + size, 1)))
    train = np.setdiff1d(kept, held)
    return train, np.append(held, anomalies[tested:]), np.append(test, anomalies[:tested])


def _beatgan(beats: Beats, generator: np.random.Generator, fold: int) -> tuple[Rows, Rows, Rows]:
    included = ~np.isin(beats.record, PACED)
    groups = [rows[included[rows]] for rows in (_of_class(beats, c, generator) for c in range(len(CLASSES)))]
    size = len(groups[0]) // FOLDS
    test = groups[0][fold * size : (fold + 1) * size]
    train, held = _cut_off(np.setdiff1d(groups[0], test), _BEATGAN_VALIDATION, generator)
    divided = [_cut_off(rows, _BEATGAN_VALIDATION) for rows in groups[1:]]
    return (
        train,
        np.concatenate([held, *(validation for _, validation in divided)]),
        np.concatenate([test, *(tested for tested, _ in divided)]),
    )


def _of_class(beats: Beats, label: int, generator: np.random.Generator) -> Rows:
    return generator.permutation(np.flatnonzero(beats.label == label))


def _cut_off(rows: Rows, share: float, generator: np.random.Generator | None = None) -> tuple[Rows, Rows]:
    """Divide rows in two, the second a share of all, after shuffling them with a generator."""
    rows = rows if generator is None else generator.permutation(rows)
    cut = len(rows) - round(share * len(rows))
    return rows[:cut], rows[cut:]
