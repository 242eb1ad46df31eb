"""True and false positives at every threshold, from one pass over the sorted scores; metrics and curves use them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from oddgan._core.confusion import Floats, checked


@dataclass(frozen=True)
class Counts:
    """Flagged anomalies and flagged normals when everything at or above a score is flagged.

    Parameters
    ----------
    scores : (g,) the distinct scores, falling.
    flagged_anomalies : (..., g) how many anomalies score at least that; one row for each resample.
    flagged_normals : (..., g) how many normals score at least that.
    """

    scores: Floats
    flagged_anomalies: Floats
    flagged_normals: Floats

    @property
    def n_anomalies(self) -> Floats:
        """All anomalies, (..., 1)."""
        return self.flagged_anomalies[..., -1:]

    @property
    def n_normals(self) -> Floats:
        """All normals, (..., 1)."""
        return self.flagged_normals[..., -1:]

    def roc(self) -> tuple[Floats, Floats]:
        """False-alarm rate and recall, (..., g + 1) each, from (0, 0) to (1, 1)."""
        return _from_zero(self.flagged_normals / self.n_normals), _from_zero(self.flagged_anomalies / self.n_anomalies)

    def precision_recall(self) -> tuple[Floats, Floats]:
        """Precision and recall at every distinct score, (..., g) each; precision is 0 where nothing is flagged."""
        flagged = self.flagged_anomalies + self.flagged_normals
        return self.flagged_anomalies / np.maximum(flagged, 1), self.flagged_anomalies / self.n_anomalies

    def at(self, threshold: float) -> tuple[Floats, Floats]:
        """Flagged anomalies and flagged normals, (...) each, where flagged means score > threshold, strictly."""
        above = int(np.count_nonzero(self.scores > threshold))
        if above == 0:
            zero = np.zeros(self.flagged_anomalies.shape[:-1])
            return zero, zero.copy()
        return self.flagged_anomalies[..., above - 1], self.flagged_normals[..., above - 1]


def counts(scores: ArrayLike, is_anomaly: ArrayLike) -> Counts:
    """Count flagged anomalies and normals at every distinct score.

    Parameters
    ----------
    scores : (n,) finite, higher = more anomalous.
    is_anomaly : (n,) booleans, both values present.

    Raises
    ------
    InputError
        If lengths differ, a score is not finite, the labels are not boolean, or one class is missing.
    """
    values, labels = checked(scores, is_anomaly)
    distinct, group = np.unique(-values, return_inverse=True)
    g = len(distinct)
    anomalies = np.bincount(group[labels], minlength=g).cumsum().astype(np.float64)
    normals = np.bincount(group[~labels], minlength=g).cumsum().astype(np.float64)
    return Counts(-distinct, anomalies, normals)


def _from_zero(values: Floats) -> Floats:
    return np.concatenate([np.zeros((*values.shape[:-1], 1)), values], axis=-1)
