"""Every trial of numbers at the ends of their range; `oddgan.testing.numbers` has those that run on every change."""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from oddgan.base import Kind
from oddgan.testing.numbers import outcome, put

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
    "a huge cell in training": lambda: (put(_normal(), (3, 1), 1e200), _normal(seed=1)),
    "the largest cell in training": lambda: (put(_normal(), (3, 1), -1.7e308), _normal(seed=1)),
    "a huge new cell": lambda: (_normal(), put(_normal(seed=1), (0, 2), 1e45)),
    "the largest new cell": lambda: (_normal(), put(_normal(seed=1), (0, 2), -1.7e308)),
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
    "a huge cell in training": lambda x, new: (put(x, (3, *(0,) * (x.ndim - 1)), 1e200), new),
    "a huge new cell": lambda x, new: (x, put(new, (0,) * x.ndim, -1e60)),
    "a constant channel": lambda x, new: (put(x, (slice(None), 0), 7.0), put(new, (slice(None), 0), 7e100)),
    "all constant": lambda x, new: (np.full_like(x, 3.7), new),
    "16 bits": lambda x, new: ((x * 9999).astype(np.int16), (new * 9999).astype(np.int16)),
}
FAR = {"a huge new cell": [0], "the largest new cell": [0], "huge new rows": range(N), "constant columns": [0, 1]}
# Too few rows for the method, no residual of one value, or scores that can't be standardised since all are equal, as
# those of images whose only channel is constant.
REFUSED = {"two rows", "one column", "all constant", "a constant channel"}


def end(name: str, trial: str, kind: Kind = "table", **settings: Any) -> str:
    """ "scores", or the sentence with which the rows are refused; anything else fails."""
    rows, new = TRIALS[trial]() if kind == "table" else DEEP[trial](normals(kind, N), normals(kind, N, seed=1))
    far = FAR.get(trial, ()) if kind == "table" else ()
    return outcome(make(CLASSES[name], **settings), rows, new, far) or "scores"


@pytest.mark.slow
def test_all(capsys):
    """All trials of all detectors, with and without held-out rows; prints how many ended how."""
    tables = [(n, t, "table", c) for n in CLASSES for t in TRIALS for c in (0.0, 0.3)]
    deep = [(name, trial, kind, 0.0) for name, kind in KINDS if kind != "table" for trial in DEEP]
    ends: dict[tuple[Any, ...], str] = {}
    for name, trial, kind, calibration in tables + deep:
        try:
            ends[name, trial, kind, calibration] = end(name, trial, kind, calibration=calibration)
        except Exception as error:  # noqa: BLE001
            ends[name, trial, kind, calibration] = f"FAILED {error!r}"
    scored = [key for key, how in ends.items() if how == "scores"]
    refused = [k for k, how in ends.items() if how != "scores" and k[1] in REFUSED and "FAILED" not in how]
    with capsys.disabled():
        counts = f"{len(scored)} with finite scores, {len(refused)} refused in a sentence, "
        sys.stdout.write(f"\n{len(ends)} trials: {counts}{len(ends) - len(scored) - len(refused)} others\n")
    assert {key: how for key, how in ends.items() if key not in scored and key not in refused} == {}


@pytest.mark.slow
@pytest.mark.parametrize("cls", CLASSES.values(), ids=CLASSES)
def test_farther_out_never_scores_lower(cls):
    detector, new = make(cls).fit(_normal()), np.tile(_normal(n=1, seed=1), (10, 1))
    new[:, 1] = 1e8 * 10.0 ** np.array([0, 1, 2, 5, 20, 30, 31, 100, 200, 299])
    for rows in (new, new * [1, -1, 1, 1, 1]):
        scores = detector.anomaly_score(rows)
        assert (np.diff(scores) >= 0).all()
        assert scores[0] > detector.calibration_scores_.max()


def test_refusals_are_sentences():
    assert end("KNN", "two rows").startswith("2 rows have no 3 nearest neighbours")
    assert end("PCA", "one column").startswith("PCA leaves no residual")
