"""Confusion counts and metrics (MCC, F-beta, AUROC, average precision) at all thresholds at once."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from oddgan._core.errors import InputError

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


class Confusion(NamedTuple):
    """Counts at one or many cuts; arrays of one shape, float64.

    Parameters
    ----------
    tp : anomalies that are flagged.
    fp : normals that are flagged.
    fn : anomalies that are missed.
    tn : normals that are left alone.
    """

    tp: Floats
    fp: Floats
    fn: Floats
    tn: Floats


def f_beta(c: Confusion, beta: float = 1.0) -> Floats:
    """F-beta of the anomalies at each cut, (k, n + 1): (1 + β²) TP / ((1 + β²) TP + β² FN + FP)."""
    weighted = (1 + beta**2) * c.tp
    return weighted / (weighted + beta**2 * c.fn + c.fp)


def mcc(c: Confusion) -> Floats:
    """Matthews correlation at each cut, (k, n + 1), 0 if everything or nothing is flagged.

    (TP·TN - FP·FN) / √((TP+FP)(TP+FN)(TN+FP)(TN+FN)).
    """
    margins = (c.tp + c.fp) * (c.tp + c.fn) * (c.tn + c.fp) * (c.tn + c.fn)
    return np.where(margins > 0, (c.tp * c.tn - c.fp * c.fn) / np.sqrt(np.maximum(margins, 1)), 0.0)


def balanced_accuracy(c: Confusion) -> Floats:
    """Balanced accuracy at each cut, (k, n + 1): (TP / (TP + FN) + TN / (TN + FP)) / 2."""
    return (c.tp / (c.tp + c.fn) + c.tn / (c.tn + c.fp)) / 2


class Sweep(NamedTuple):
    """Every way to cut k lists of the same n rows: column j is the cut that flags the j highest scores.

    Parameters
    ----------
    scores : (k, n), falling.
    is_anomaly : (k, n) the labels in that order.
    possible : (k, n + 1) False where the cut would fall between equal scores.
    confusion : what each cut does, (k, n + 1) each.
    """

    scores: Floats
    is_anomaly: Bools
    possible: Bools
    confusion: Confusion

    def best(self, values: Floats) -> tuple[int, float, float]:
        """Return the list with the highest of `values` (k, n + 1), that value, and its cut.

        Of equal ones the first list counts, and the highest cut. A cut lies half way between the scores on its two
        sides, is the highest score if nothing is flagged, and right below the lowest if everything is.
        """
        allowed = np.where(self.possible, values, -np.inf)
        row, j = np.unravel_index(int(np.argmax(allowed)), allowed.shape)
        scores, n = self.scores[row], self.scores.shape[1]
        if j == 0:
            cut = scores[0]
        elif j == n:
            cut = np.nextafter(scores[-1], -np.inf)
        else:
            middle = scores[j] + (scores[j - 1] - scores[j]) / 2
            cut = middle if middle < scores[j - 1] else scores[j]  # neighbours among floats have no middle
        return int(row), float(allowed[row, j]), float(cut)

    def auroc(self) -> Floats:
        """Area under the ROC curve of each list, (k,), from mean ranks: ties count half."""
        first, last = self._ties()
        n = self.scores.shape[1]
        rank = n + 1 - (first + last) / 2  # of the lowest score: 1
        anomalies = self.is_anomaly.sum(axis=1)
        won = np.where(self.is_anomaly, rank, 0.0).sum(axis=1) - anomalies * (anomalies + 1) / 2
        return np.asarray(won / (anomalies * (n - anomalies)), dtype=np.float64)

    def average_precision(self) -> Floats:
        """Mean over the anomalies of the precision at their scores, (k,)."""
        _, last = self._ties()
        precision = np.take_along_axis(self.confusion.tp, last, axis=1) / last
        return np.asarray(np.where(self.is_anomaly, precision, 0.0).sum(axis=1) / self.is_anomaly.sum(axis=1))

    def _ties(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The first and last place, from 1, among the scores that equal each score, (k, n) each."""
        place = np.arange(1, self.scores.shape[1] + 1)
        first = np.maximum.accumulate(np.where(self.possible[:, :-1], place, 0), axis=1)
        ends = np.where(self.possible[:, 1:], place, len(place) + 1)
        return first, np.minimum.accumulate(ends[:, ::-1], axis=1)[:, ::-1]


def sweep(scores: Floats, is_anomaly: Bools) -> Sweep:
    """Sort each of k lists of scores (k, n) of the same labelled rows once, and count at every cut.

    Parameters
    ----------
    scores : (k, n) finite, higher = more anomalous.
    is_anomaly : (n,) booleans, both values present.
    """
    order = np.argsort(-scores, axis=1, kind="stable")
    falling, labels = np.take_along_axis(scores, order, axis=1), is_anomaly[order]
    k, n = scores.shape
    tp = np.zeros((k, n + 1))
    np.cumsum(labels, axis=1, out=tp[:, 1:])
    fp = np.arange(n + 1) - tp
    possible = np.ones((k, n + 1), dtype=np.bool_)
    possible[:, 1:-1] = falling[:, :-1] > falling[:, 1:]
    return Sweep(falling, labels, possible, Confusion(tp, fp, tp[:, -1:] - tp, fp[:, -1:] - fp))


def checked(scores: ArrayLike, is_anomaly: ArrayLike, *, both: bool = True) -> tuple[Floats, Bools]:
    """Return scores as float64 and labels as booleans, or say what is wrong with them.

    Parameters
    ----------
    scores : (n,) finite, higher = more anomalous.
    is_anomaly : (n,) booleans.
    both : refuse rows of one class only; none at all are refused anyway.
    """
    values, labels = np.asarray(scores, dtype=np.float64), np.asarray(is_anomaly)
    if values.ndim != 1 or labels.shape != values.shape:
        raise InputError(
            f"Scores have the shape {values.shape} and labels {labels.shape}: give one of each for every row, (n,)."
        )
    if labels.dtype != np.bool_:
        raise InputError(f"Labels are {labels.dtype}: give booleans, True for an anomaly (e.g. y != normal_class).")
    bad = int(np.count_nonzero(~np.isfinite(values)))
    if bad:
        raise InputError(f"{bad} of {len(values)} scores are NaN or infinite: metrics need finite scores.")
    anomalies = int(np.count_nonzero(labels))
    if (both or not len(labels)) and anomalies in {0, len(labels)}:
        missing = "anomalies" if anomalies == 0 else "normals"
        raise InputError(f"The {len(labels)} labelled rows hold no {missing}: metrics need both classes.")
    return values, labels
