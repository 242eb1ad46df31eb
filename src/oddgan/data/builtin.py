"""Real data that needs no download: scikit-learn's digits and breast cancer, and heartbeats that oddgan ships."""

import importlib
from importlib import resources

import numpy as np

from oddgan._core.names import resolve
from oddgan.data.dataset import Encoding, Raw
from oddgan.data.ecg.beats import CLASSES
from oddgan.options import SplitName

NAMES = ("digits", "breast-cancer", "ecg")
_TRAIN_SHARE = 0.7
_SEED = 0


def load_builtin(name: str, split: SplitName) -> Raw:
    """Load a built-in data set.

    - `digits`: 1797 images (1, 8, 8) of handwritten digits, uint8 in 0..16; labels 0 to 9. Splits: 70% of each class,
      drawn with a fixed seed, are train.
    - `breast-cancer`: 569 rows of 30 measurements of cell nuclei; labels 0 benign, 1 malignant (scikit-learn has them
      the other way round). Splits as above.
    - `ecg`: heartbeats (1, 187) of the MIT-BIH Arrhythmia Database at 120 Hz, each scaled to 0..1 by its own minimum
      and maximum and filled with zeros at the end; labels 0 N, 1 S, 2 V, 3 F. train: 1260 normal beats of 21 patients;
      test: 660 normal and 350 anomalous beats of 22 other patients. The ids are `record/sample`. ODC-By 1.0; see
      `files/ecg.LICENSE.txt` for the sources and how it was cut.

    Parameters
    ----------
    name : the set; case and punctuation don't matter.
    split : train or test.

    Raises
    ------
    InputError
        If there is no such set.
    """
    load = {"digits": _digits, "breast-cancer": _breast_cancer, "ecg": _ecg}
    return load[resolve(name, NAMES, "built-in data set")](split)


def _digits(split: SplitName) -> Raw:
    loaded = importlib.import_module("sklearn.datasets").load_digits()  # imported here: it takes seconds
    rows = _rows(loaded.target, split)
    x = loaded.images[rows].astype(np.uint8)[:, None]
    return Raw("builtin:digits", x, loaded.target[rows], rows.astype(np.str_), kind="image", split=split)


def _breast_cancer(split: SplitName) -> Raw:
    loaded = importlib.import_module("sklearn.datasets").load_breast_cancer()
    y = 1 - loaded.target
    rows = _rows(y, split)
    columns = tuple(str(name) for name in loaded.feature_names)
    return Raw(
        source="builtin:breast-cancer",
        x=loaded.data[rows],
        y=y[rows],
        ids=rows.astype(np.str_),
        kind="table",
        split=split,
        encoding=Encoding(columns=columns, categories=(None,) * len(columns)),
    )


def _ecg(split: SplitName) -> Raw:
    with (
        resources.files("oddgan.data").joinpath("files/ecg.npz").open("rb") as stream,
        np.load(stream, allow_pickle=False) as file,
    ):
        k, r, y, record, sample = (file[f"{key}_{split}"] for key in ("k", "r", "y", "record", "sample"))
    ids = np.array([f"{a}/{b}" for a, b in zip(record, sample, strict=True)])
    x = (k / r[:, None]).astype(np.float32)[:, None]
    return Raw("builtin:ecg", x, y, ids, kind="series", split=split, classes=CLASSES)


def _rows(y: np.ndarray, split: SplitName) -> np.ndarray:
    generator = np.random.default_rng(_SEED)
    chosen = []
    for label in np.unique(y):
        rows = generator.permutation(np.flatnonzero(y == label))
        cut = round(_TRAIN_SHARE * len(rows))
        chosen.append(rows[:cut] if split == "train" else rows[cut:])
    return np.sort(np.concatenate(chosen))
