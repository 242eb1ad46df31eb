"""Checks of what `fit` and the scoring methods take and refuse."""

import re

import numpy as np
import torch

from oddgan._core.errors import InputError
from oddgan.base import Kind
from oddgan.families import NeuralDetector
from oddgan.testing.checks import check, every_kind, raises, require, require_same
from oddgan.testing.subject import Subject, normals, observe


class Rows:
    """A map-style dataset that gives a sample and a label."""

    def __init__(self, X: np.ndarray) -> None:
        self.X = X

    def __len__(self) -> int:
        return len(self.X)

    def __getitem__(self, i: int) -> tuple[torch.Tensor, int]:
        return torch.from_numpy(self.X[i]), 0


@check(every_kind)
def tensors_and_lists_give_the_same_fit(subject: Subject, kind: Kind) -> None:
    """Rows may be an array, a tensor or a list: the same fit, the same scores."""
    X, new = normals(kind, 24), normals(kind, 9, seed=1)
    for detector, rows in (
        (subject.make(slots=7).fit(torch.from_numpy(X)), torch.from_numpy(new)),
        (subject.make(slots=7).fit(X.tolist()), new.tolist()),
    ):
        require_same(observe(detector, rows), subject.seen(kind), f"With a {type(rows).__name__}")


@check(every_kind, of=NeuralDetector)
def datasets_give_the_same_fit(subject: Subject, kind: Kind) -> None:
    """Rows may be a map-style dataset: the same fit, the same scores."""
    X, new = normals(kind, 24), normals(kind, 9, seed=1)
    detector = subject.make(slots=7).fit(Rows(X))
    require_same(observe(detector, new), subject.seen(kind), "With a dataset")
    require(np.array_equal(detector.anomaly_score(Rows(new)), detector.anomaly_score(new)), "Scores of one differ.")


@check(every_kind)
def wrong_shapes_are_refused(subject: Subject, kind: Kind) -> None:
    """Rows of another shape than in `fit` are refused in a sentence that names the class."""
    detector, X = subject.fitted(kind), normals(kind, 3)
    with raises(ValueError, re.escape(subject.cls.__name__)):
        detector.anomaly_score(np.concatenate([X, X], axis=-1))
    with raises(ValueError, r"shape|dimension"):
        detector.anomaly_score(X[..., None])


@check(every_kind)
def bad_values_are_refused(subject: Subject, kind: Kind) -> None:
    """NaN and infinity are refused in a sentence that names the rows, by `fit` and by scoring."""
    for bad in (np.nan, np.inf):
        X = normals(kind, 9)
        X[[2, 5]] = bad
        for call in (subject.make().fit, subject.fitted(kind).anomaly_score):
            with raises(InputError, r"2 of 9 rows hold NaN or infinity \(rows 2, 5\)"):
                call(X)
