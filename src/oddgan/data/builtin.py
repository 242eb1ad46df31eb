"""Real data that needs no download: scikit-learn's digits and breast cancer, and heartbeats that oddgan ships."""

import importlib
from importlib import resources

import numpy as np

from oddgan._core.errors import InputError
from oddgan._core.names import canonical, resolve
from oddgan.data.dataset import Encoding, Raw, Reading
from oddgan.data.ecg.beats import CLASSES
from oddgan.options import EcgOptions, SplitName

NAMES = ("digits", "breast-cancer", "ecg")
PROTOCOLS = ("patient-wise", "random")  # of the heartbeats
_TRAIN_SHARE = 0.7
_SEED = 0
_WINDOW, _BEAT_TO_BEAT = EcgOptions(), EcgOptions(cut="beat-to-beat")


def ecg_cut(name: str, ecg: EcgOptions | None, like: Reading | None) -> EcgOptions | None:
    """The cut that heartbeats are wanted in; None for other sets.

    Parameters
    ----------
    name : of the built-in set.
    ecg : what the user says.
    like : the reading of a fitted model, which has no cut if it learned from arrays, or from an earlier version's
        built-in beats.

    Raises
    ------
    InputError
        If they are not there in this cut.
    """
    if canonical(name) != "ecg":
        return None
    fitted = None if like is None else like.ecg or _BEAT_TO_BEAT
    if ecg is None and fitted is not None:
        ecg = next((cut for cut in (_WINDOW, _BEAT_TO_BEAT) if cut.cut == fitted.cut), fitted)
    ecg = ecg or _WINDOW
    if ecg not in (_WINDOW, _BEAT_TO_BEAT):
        raise InputError(
            "builtin:ecg has beats in two cuts, the default one and --ecg cut=beat-to-beat; other cuts need the "
            "records: give mitbih."
        )
    return ecg


def ecg_protocol(asked: str | None, like: Reading | None) -> str:
    """How the heartbeats are divided.

    Parameters
    ----------
    asked : what the user says.
    like : the reading of a fitted model.

    Raises
    ------
    InputError
        If they can't be divided in this way.
    """
    if asked is not None:
        return resolve(asked, PROTOCOLS, "protocol of builtin:ecg")
    return like.protocol if like is not None and like.protocol in PROTOCOLS else PROTOCOLS[0]


def load_builtin(name: str, split: SplitName, ecg: EcgOptions | None = None, protocol: str = PROTOCOLS[0]) -> Raw:
    """Load a built-in data set.

    - `digits`: 1797 images (1, 8, 8) of handwritten digits, uint8 in 0..16; labels 0 to 9. Splits: 70% of each class,
      drawn with a fixed seed, are train.
    - `breast-cancer`: 569 rows of 30 measurements of cell nuclei; labels 0 benign, 1 malignant (scikit-learn has them
      the other way round). Splits as above.
    - `ecg`: heartbeats (4, 108) of the MIT-BIH Arrhythmia Database, cut as `EcgOptions()` does: 0.9 s at 120 Hz, less
      the patient's median beat, and three constant channels of rhythm; labels 0 N, 1 S, 2 V, 3 F. train: 1260 normal
      beats of 21 patients; test: 660 normal and 336 anomalous beats of 22 other patients, all after the five minutes
      that the median beat is of. With `cut="beat-to-beat"` they are (1, 187), 350 of them anomalous, each scaled to
      0..1 by its own minimum and maximum and filled with zeros at the end. The ids are `record/sample`. ODC-By 1.0; see
      `files/ecg.LICENSE.txt` for the sources and how it was cut. These halves are `patient-wise`; in the protocol
      `random` 70% of the normal beats of all 43 patients are train, and the others test: a detector that knows its
      patients.

    Parameters
    ----------
    name : the set; case and punctuation don't matter.
    split : train or test.
    ecg : the cut of heartbeats, as `ecg_cut` gives it; None takes the default.
    protocol : how heartbeats are divided, as `ecg_protocol` gives it.

    Raises
    ------
    InputError
        If there is no such set.
    """
    found = resolve(name, NAMES, "built-in data set")
    if found == "ecg":
        return _ecg(split, ecg or _WINDOW, protocol)
    return {"digits": _digits, "breast-cancer": _breast_cancer}[found](split)


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


def _ecg(split: SplitName, cut: EcgOptions, protocol: str) -> Raw:
    halves: tuple[SplitName, ...] = (split,) if protocol == "patient-wise" else ("train", "test")
    x, y, ids = (np.concatenate(parts) for parts in zip(*(_beats(half, cut) for half in halves), strict=True))
    if protocol == "random":
        wanted = np.isin(np.arange(len(y)), _rows(y, split)) & (y == 0)
        rows = wanted if split == "train" else wanted | (y > 0)
        x, y, ids = x[rows], y[rows], ids[rows]
    return Raw("builtin:ecg", x, y, ids, kind="series", split=split, ecg=cut, protocol=protocol, classes=CLASSES)


def _beats(split: SplitName, cut: EcgOptions) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Beats x (n, c, t), classes (n,) and ids (n,) of a half."""
    name = "ecg-windows.npz" if cut == _WINDOW else "ecg.npz"
    with (
        resources.files("oddgan.data").joinpath("files", name).open("rb") as stream,
        np.load(stream, allow_pickle=False) as file,
    ):
        found = {key.removesuffix(f"_{split}"): file[key] for key in file.files if key.endswith(split)}
    record, k, r = found["record"], found["k"], found["r"]
    x = (k / r[:, None]).astype(np.float32)[:, None]
    if cut == _WINDOW:
        own = found["own"][np.unique(record, return_inverse=True)[1]]
        rhythm = np.repeat(found["rhythm"][:, :, None], x.shape[2], axis=2)
        x = np.concatenate([x - own[:, None], rhythm], axis=1)
    ids = np.array([f"{a}/{b}" for a, b in zip(record, found["sample"], strict=True)])
    return x, found["y"], ids


def _rows(y: np.ndarray, split: SplitName) -> np.ndarray:
    generator = np.random.default_rng(_SEED)
    chosen = []
    for label in np.unique(y):
        rows = generator.permutation(np.flatnonzero(y == label))
        cut = round(_TRAIN_SHARE * len(rows))
        chosen.append(rows[:cut] if split == "train" else rows[cut:])
    return np.sort(np.concatenate(chosen))
