"""Numbers at the ends of their range: every detector on tables of awkward scales and shapes.

Whatever the rows hold, a fit or a score ends in finite scores or in one of this package's own sentences, `predict`
agrees with the scores, p-values are in (0, 1], and a row far outside is at least as anomalous as those of training.
"""

import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from oddgan._core.errors import OddganError
from oddgan.base import Kind

from .cases import CLASSES, KINDS, make, normals

N, D = 24, 5
Rows = tuple[np.ndarray, np.ndarray]
INT = np.iinfo(np.int64)
FLOAT32 = float(np.finfo(np.float32).max)


def _normal(n: int = N, d: int = D, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 2)) @ rng.normal(size=(2, d)) + 0.3 * rng.normal(size=(n, d))


def _scaled(scale: float | np.ndarray) -> Callable[[], Rows]:
    return lambda: (_normal() * scale, _normal(seed=1) * scale)


def _with(rows: np.ndarray, cell: tuple[Any, ...], value: float) -> np.ndarray:
    rows = rows.copy()
    rows[cell] = value
    return rows


def _constants() -> Rows:
    rows, new = _normal(), _normal(seed=1)
    rows[:, 1], rows[:, 3] = 0.0, 1e9
    new[:, 1], new[:, 3] = 0.0, 1e9
    new[0, 1], new[1, 3] = 1e300, -1e300
    return rows, new


def _integers() -> Rows:
    rng = np.random.default_rng(0)
    rows = rng.integers(INT.min, INT.max, (N, D), endpoint=True)
    rows[0], rows[1] = INT.min, INT.max
    return rows, rows[::-1].copy()


def _bool() -> Rows:
    rows = _normal() > 0
    return rows, ~rows


def _denormal() -> Rows:
    rows = np.random.default_rng(0).integers(0, 9, (N, D)) * 5e-324
    return rows, rows * 3


TRIALS: dict[str, Callable[[], Rows]] = {
    "scale 1e-300": _scaled(1e-300),
    "scale 1e-200": _scaled(1e-200),
    "scale 1e160": _scaled(1e160),
    "scale 1e300": _scaled(1e300),
    "scale of float32's end": _scaled(FLOAT32),
    "mixed scales": _scaled(10.0 ** np.array([-300.0, -20, 0, 20, 300])),
    "a huge cell in training": lambda: (_with(_normal(), (3, 1), 1e200), _normal(seed=1)),
    "the largest cell in training": lambda: (_with(_normal(), (3, 1), -1.7e308), _normal(seed=1)),
    "a huge new cell": lambda: (_normal(), _with(_normal(seed=1), (0, 2), 1e45)),
    "the largest new cell": lambda: (_normal(), _with(_normal(seed=1), (0, 2), -1.7e308)),
    "huge new rows": lambda: (_normal(), 1e30 * _normal(seed=1)),
    "constant columns": _constants,
    "all constant": lambda: (np.full((N, D), 3.7), _normal(seed=1)),
    "two rows": lambda: (_normal(n=2), _normal(seed=1)),
    "equal rows": lambda: (np.tile(_normal(n=3), (N // 3, 1)), _normal(seed=1)),
    "one column": lambda: (_normal(d=1), _normal(d=1, seed=1)),
    "many columns": lambda: (_normal(d=150), _normal(d=150, seed=1)),
    "integers": _integers,
    "denormal": _denormal,
    "an offset": lambda: (1e12 + _normal(), 1e12 + _normal(seed=1)),
    "true and false": _bool,
    "both ends": lambda: (np.sign(_normal()) * 1.7e308, np.sign(_normal(seed=1)) * 1.7e308),
}
DEEP: dict[str, Callable[[np.ndarray, np.ndarray], Rows]] = {
    "scale 1e-200": lambda x, new: (x * 1e-200, new * 1e-200),
    "scale 1e300": lambda x, new: (x * 1e300, new * 1e300),
    "a huge cell in training": lambda x, new: (_with(x, (3, *(0,) * (x.ndim - 1)), 1e200), new),
    "a huge new cell": lambda x, new: (x, _with(new, (0,) * x.ndim, -1e60)),
    "a constant channel": lambda x, new: (_with(x, (slice(None), 0), 7.0), _with(new, (slice(None), 0), 7e100)),
    "all constant": lambda x, new: (np.full_like(x, 3.7), new),
    "16 bits": lambda x, new: ((x * 9999).astype(np.int16), (new * 9999).astype(np.int16)),
}
FAR = {"a huge new cell": [0], "the largest new cell": [0], "huge new rows": range(N), "constant columns": [0, 1]}
# Enough for every change; all trials are marked slow.
FEW = ("a huge cell in training", "the largest new cell", "mixed scales", "constant columns")
# Too few rows for the method, no residual of one value, or scores that can't be standardised since all are equal, as
# those of images whose only channel is constant.
REFUSED = {"two rows", "one column", "all constant", "a constant channel"}


def outcome(name: str, trial: str, kind: Kind = "table", **settings: Any) -> str:
    """ "scores", or the sentence with which the rows are refused; anything else fails."""
    rows, new = TRIALS[trial]() if kind == "table" else DEEP[trial](normals(kind, N), normals(kind, N, seed=1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        try:
            detector = make(CLASSES[name], **settings).fit(rows)
            seen = {"new": new, "training": rows}
            scores = {of: detector.anomaly_score(x) for of, x in seen.items()}
            flags = {of: detector.predict(x) for of, x in seen.items()}
            chances = detector.anomaly_probability(new)
            told = detector.explain(new)
        except OddganError as error:
            return str(error)
    assert np.isfinite([detector.threshold_, *detector.calibration_scores_]).all()
    for of, found in scores.items():
        assert np.isfinite(found).all(), f"{of} rows: {found}"
        assert np.array_equal(flags[of] == -1, found > detector.threshold_)
    assert ((chances > 0) & (chances <= 1)).all()
    assert np.array_equal(told.score, scores["new"])
    assert all(np.isfinite(values).all() for values in told.components.values())
    assert told.reconstruction is None or np.isfinite(told.reconstruction).all()
    assert told.map is None or np.isfinite(told.map).all()
    for row in FAR.get(trial, ()) if kind == "table" else ():
        assert scores["new"][row] >= scores["training"].max(), f"row {row}: {scores}"
        assert flags["new"][row] == -1
    return "scores"


@pytest.mark.parametrize("trial", FEW)
def test_a_few(cls, trial):
    assert outcome(cls.__name__, trial) == "scores"


@pytest.mark.slow
def test_all(capsys):
    """All trials of all detectors, with and without held-out rows; prints how many ended how."""
    tables = [(n, t, "table", c) for n in CLASSES for t in TRIALS for c in (0.0, 0.3)]
    deep = [(name, trial, kind, 0.0) for name, kind in KINDS if kind != "table" for trial in DEEP]
    ends: dict[tuple[Any, ...], str] = {}
    for name, trial, kind, calibration in tables + deep:
        try:
            ends[name, trial, kind, calibration] = outcome(name, trial, kind, calibration=calibration)
        except Exception as error:  # noqa: BLE001
            ends[name, trial, kind, calibration] = f"FAILED {error!r}"
    scored = [key for key, end in ends.items() if end == "scores"]
    refused = [key for key, end in ends.items() if end != "scores" and key[1] in REFUSED and "FAILED" not in end]
    with capsys.disabled():
        counts = f"{len(scored)} with finite scores, {len(refused)} refused in a sentence, "
        sys.stdout.write(f"\n{len(ends)} trials: {counts}{len(ends) - len(scored) - len(refused)} others\n")
    assert {key: end for key, end in ends.items() if key not in scored and key not in refused} == {}


@pytest.mark.slow
def test_farther_out_never_scores_lower(cls):
    detector, new = make(cls).fit(_normal()), np.tile(_normal(n=1, seed=1), (10, 1))
    new[:, 1] = 1e8 * 10.0 ** np.array([0, 1, 2, 5, 20, 30, 31, 100, 200, 299])
    for rows in (new, new * [1, -1, 1, 1, 1]):
        scores = detector.anomaly_score(rows)
        assert (np.diff(scores) >= 0).all()
        assert scores[0] > detector.calibration_scores_.max()


def test_refusals_are_sentences():
    assert outcome("KNN", "two rows").startswith("2 rows have no 3 nearest neighbours")
    assert outcome("PCA", "one column").startswith("PCA leaves no residual")
