"""A row's score is its own to the last bit, however many rows are scored with it and however they fall into passes."""

import functools

import numpy as np
import pytest

from oddgan.base import Detector, scoring
from oddgan.families import SearchDetector

from .cases import CLASSES, make, normals

SIZES = (1, 63, 64, 65, 512, 1023, 1024, 1025, 2048, 3073, 4097)
# Searches see to it themselves, and take milliseconds a row.
MOST = {True: 130, False: 4097}


@functools.cache
def fitted_by_default(name: str) -> Detector:
    """A detector with the passes that users have."""
    return make(CLASSES[name]).fit(normals("table", 300))


def test_number_and_order_of_rows_do_not_matter(cls):
    detector, search = fitted_by_default(cls.__name__), issubclass(cls, SearchDetector)
    most = MOST[search]
    X = normals("table", most, seed=1)
    whole = detector.anomaly_score(X)
    sizes = [n for n in SIZES if n < most]
    assert [n for n in sizes if not np.array_equal(detector.anomaly_score(X[:n]), whole[:n])] == []
    alone = [i for i in (62, 63, 64, 511, 1022, 1023, 1024, 4096) if i < most]
    assert [i for i in alone if not np.array_equal(detector.anomaly_score(X[i : i + 1]), whole[i : i + 1])] == []
    order = np.random.default_rng(2).permutation(most)
    assert np.array_equal(detector.anomaly_score(X[order]), whole[order])
    assert np.array_equal(detector.anomaly_score(X[::3]), whole[::3])


def test_components_and_reconstructions_do_not_depend_on_passes(cls):
    if issubclass(cls, SearchDetector):
        pytest.skip("the search itself sees to it")
    detector, X = fitted_by_default(cls.__name__), normals("table", 1100, seed=1)
    for name in ("reconstruct", "anomaly_map", "encode"):
        if hasattr(detector, name):
            whole = getattr(detector, name)(X)
            assert np.array_equal(getattr(detector, name)(X[1000:1003]), whole[1000:1003])
    whole = detector.score_components(X, extra="all")
    few = detector.score_components(X[1000:1003], extra="all")
    assert [name for name in whole if not np.array_equal(few[name], whole[name][1000:1003])] == []


def rounding(x):
    """Results that depend on the number of rows, as those of some matrix products do."""
    return {"value": x[:, 0].double() + 1e-9 * (len(x) > scoring.BLOCK)}


def test_large_passes_that_round_differently_are_not_used():
    import torch  # noqa: PLC0415 - only two tests need it

    X, seen = np.arange(3000.0)[:, None], []

    def function(x):
        seen.append(len(x))
        return rounding(x)

    known: dict[tuple[object, ...], bool] = {}
    passes = scoring.Passes(64, (2048, 1024), known=known)
    found = scoring.run_rows(function, X, torch.from_numpy, passes=passes)["value"]
    assert np.array_equal(found, X[:, 0])
    assert seen[:4] == [2048, 64, 1024, 64]
    assert set(seen[4:]) == {64}
    assert list(known.values()) == [False, False]


def test_what_was_found_equal_is_not_asked_again():
    import torch  # noqa: PLC0415 - only two tests need it

    X, seen, known = np.arange(3000.0)[:, None], [], {}

    def function(x):
        seen.append(len(x))
        return {"value": x[:, 0]}

    for _ in range(2):
        passes = scoring.Passes(64, (2048, 1024), known=known)
        assert np.array_equal(scoring.run_rows(function, X, torch.from_numpy, passes=passes)["value"], X[:, 0])
    assert seen == [2048, 64, 1024, 64, 2048, 1024]


def test_large_passes_are_compared_on_rows_from_all_over_them():
    rows = scoring._scattered(1024, 64)
    assert len(set(rows)) == 64
    assert rows.max() > 1000
    assert set(rows % 16) == set(range(16))


def test_scores_of_calibration_rows_are_known_after_fit(cls):
    detector, X = fitted_by_default(cls.__name__), normals("table", 300)
    rows = detector.calibration_rows_[:70]
    assert np.array_equal(detector.scores_of_calibration()[:70], detector.anomaly_score(X[rows]))
    assert np.array_equal(np.sort(detector.scores_of_calibration()), detector.calibration_scores_)
