"""Checks of numbers at the ends of their range.

Whatever the rows hold, a fit or a score ends in finite scores or in one of this package's own sentences, `predict`
agrees with the scores, p-values are in (0, 1], and a row far outside is at least as anomalous as those of training.
"""

import warnings
from collections.abc import Callable, Iterable

import numpy as np

from oddgan._core.errors import OddganError
from oddgan.base import Detector, Explanation
from oddgan.testing.checks import check, require
from oddgan.testing.subject import Subject, normals

Rows = tuple[np.ndarray, np.ndarray]
N = 24
SCALES = np.array([-300.0, -20, 0, 20, 300])


def put(rows: np.ndarray, cell: tuple[int | slice, ...], value: float) -> np.ndarray:
    """A copy of rows (n, ...) with another value in a cell, or in many."""
    rows = rows.copy()
    rows[cell] = value
    return rows


def _constant_columns(rows: np.ndarray, new: np.ndarray) -> Rows:
    rows, new = (put(put(x, (slice(None), 1), 0.0), (slice(None), 3), 1e9) for x in (rows, new))
    return rows, put(put(new, (0, 1), 1e300), (1, 3), -1e300)


TABLES: dict[str, Callable[[np.ndarray, np.ndarray], Rows]] = {
    "a huge cell in training": lambda rows, new: (put(rows, (3, 1), 1e200), new),
    "the largest new cell": lambda rows, new: (rows, put(new, (0, 2), -1.7e308)),
    "mixed scales": lambda rows, new: (rows * 10.0**SCALES, new * 10.0**SCALES),
    "constant columns": _constant_columns,
}
OTHERS: dict[str, Callable[[np.ndarray, np.ndarray], Rows]] = {
    "a huge cell in training": lambda rows, new: (put(rows, (3, *(0,) * (rows.ndim - 1)), 1e200), new),
    "a huge new cell": lambda rows, new: (rows, put(new, (0,) * rows.ndim, -1e60)),
}
FAR: dict[str, tuple[int, ...]] = {"the largest new cell": (0,), "constant columns": (0, 1)}
"""The new rows that lie far outside, by trial."""


def trials(subject: Subject) -> Iterable[str]:
    """Awkward rows for the detector's kind of data."""
    return TABLES if subject.kind == "table" else OTHERS


@check(trials)
def extreme_numbers_give_finite_scores(subject: Subject, trial: str) -> None:
    """Rows at the ends of the floating-point range give finite scores, and those far outside are flagged."""
    made = TABLES if subject.kind == "table" else OTHERS
    rows, new = made[trial](normals(subject.kind, N), normals(subject.kind, N, seed=1))
    refused = outcome(subject.make(), rows, new, FAR.get(trial, ()))
    require(refused is None, f"It is refused: {refused}")


def outcome(detector: Detector, rows: np.ndarray, new: np.ndarray, far: Iterable[int] = ()) -> str | None:
    """Fit to rows and score new ones: None, or the sentence with which they are refused.

    Parameters
    ----------
    detector : unfitted.
    rows, new : (n, ...) each.
    far : the numbers of new rows that lie far outside.

    Raises
    ------
    AssertionError
        If a number is not finite or does not fit the others.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        try:
            detector.fit(rows)
            seen = {name: (detector.anomaly_score(x), detector.predict(x)) for name, x in (("new", new), ("old", rows))}
            chances, told = detector.anomaly_probability(new), detector.explain(new)
        except OddganError as error:
            return str(error)
    require(np.isfinite([detector.threshold_, *detector.calibration_scores_]).all(), "The threshold is not finite.")
    for name, (scores, signs) in seen.items():
        require(np.isfinite(scores).all(), f"Scores of {name} rows are not finite: {scores}.")
        require(np.array_equal(signs == -1, scores > detector.threshold_), f"predict disagrees on {name} rows.")
    require(((chances > 0) & (chances <= 1)).all(), f"p-values are not in (0, 1]: {chances}.")
    (scores, signs), old = seen["new"], seen["old"][0]
    require(np.array_equal(told.score, scores), "explain has other scores.")
    _require_finite(told)
    for row in far:
        require(scores[row] >= old.max() and signs[row] == -1, f"Row {row} lies far outside, but scores {scores[row]}.")
    return None


def _require_finite(told: Explanation) -> None:
    parts = told.components | {"reconstruction": told.reconstruction, "map": told.map}
    wrong = [name for name, values in parts.items() if values is not None and not np.isfinite(values).all()]
    require(not wrong, f"Not finite: {', '.join(wrong)}.")
