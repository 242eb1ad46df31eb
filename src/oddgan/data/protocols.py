"""One-class protocols: labelled data in, training samples and a labelled test set out, each protocol by name."""

from dataclasses import dataclass

import numpy as np

from oddgan._core.errors import InputError
from oddgan._core.names import resolve
from oddgan.data.dataset import Dataset
from oddgan.data.labels import describe_labels, is_anomaly

PROTOCOLS = ("OC-std", "OC-5000", "P1-80/20", "LOO")
_TRAIN_SHARE = 0.8
_TEST_ITEMS = 5000


@dataclass(frozen=True)
class Split:
    """Training samples and a labelled test set.

    Parameters
    ----------
    protocol : the protocol's name, for every result.
    x_train : normal samples.
    x_test : samples to score.
    is_anomaly : (n_test,) bool, what each test sample is.
    """

    protocol: str
    x_train: np.ndarray
    x_test: np.ndarray
    is_anomaly: np.ndarray


def one_class(
    train: Dataset,
    test: Dataset,
    label: str | int,
    protocol: str = "OC-std",
    seed: int = 0,
    anomalous_share: float = 0.5,
) -> Split:
    """Make a one-class problem of labelled data.

    - `OC-std`: train on one class of the training part, test on the whole test part (Deep SVDD, OCGAN protocol 2);
      `OC-5000`: on 5000 random items of it (ADGAN).
    - `P1-80/20`: pooled; train on 80% of the class, test on its rest and as many random others as make up
      `anomalous_share` of the test set (OCGAN protocol 1, GPND).
    - `LOO`: one class is the *anomaly*; pooled; train on 80% of the others, test on the rest and all of that class
      (EGBAD, GANomaly). Not comparable with `OC-std`.

    Parameters
    ----------
    train, test : the published parts, labelled.
    label : the class: the normal one, in `LOO` the anomalous one.
    protocol : one of the above; case and punctuation don't matter.
    seed : of every random choice; `OC-std` has none.
    anomalous_share : share of anomalies in the test set of `P1-80/20`, above 0 and below 1; no other reads it.

    Raises
    ------
    InputError
        If labels are missing, the class or the protocol is not there, or samples are too few.
    """
    name = resolve(protocol, PROTOCOLS, "protocol")
    generator, others_train, others_test = np.random.default_rng(seed), _is_other(train, label), _is_other(test, label)
    if name in {"OC-std", "OC-5000"}:
        rows = np.arange(len(test))
        rows = rows if name == "OC-std" else np.sort(_draw(generator, rows, _TEST_ITEMS, "test items"))
        return Split(name, train.x[~others_train], test.x[rows], others_test[rows])
    x, other = np.concatenate([train.x, test.x]), np.concatenate([others_train, others_test])
    anomalous, share = (~other, None) if name == "LOO" else (other, anomalous_share)
    train_rows, test_rows = _pooled(generator, anomalous, share)
    return Split(name, x[train_rows], x[test_rows], anomalous[test_rows])


def _pooled(
    generator: np.random.Generator, anomalous: np.ndarray, share: float | None
) -> tuple[np.ndarray, np.ndarray]:
    normals, anomalies = generator.permutation(np.flatnonzero(~anomalous)), np.flatnonzero(anomalous)
    cut = round(_TRAIN_SHARE * len(normals))
    if share is not None:
        anomalies = _draw(generator, anomalies, _wanted(len(normals) - cut, share), "anomalies")
    return np.sort(normals[:cut]), np.sort(np.concatenate([normals[cut:], anomalies]))


def _is_other(dataset: Dataset, label: str | int) -> np.ndarray:
    if dataset.y is None:
        raise InputError("One-class protocols need labels in the training part and in the test part.")
    other = is_anomaly(dataset.y, label)
    if other.all():
        raise InputError(f"No row has the label {label!r}; the labels are {describe_labels(dataset.y)}.")
    return other


def _wanted(normals: int, anomalous_share: float) -> int:
    if not 0 < anomalous_share < 1:
        raise InputError(f"anomalous_share is {anomalous_share}; expected a number above 0 and below 1.")
    return round(normals * anomalous_share / (1 - anomalous_share))


def _draw(generator: np.random.Generator, rows: np.ndarray, count: int, what: str) -> np.ndarray:
    if count > len(rows):
        raise InputError(f"The protocol needs {count} {what}, but there are {len(rows)}.")
    return generator.choice(rows, count, replace=False)
