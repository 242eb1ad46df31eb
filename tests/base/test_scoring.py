"""Passes of rows through a model: large ones are used only where they change no bit."""

import numpy as np
import torch

from oddgan.base import scoring


def rounding(x):
    """Results that depend on the number of rows, as those of some matrix products do."""
    return {"value": x[:, 0].double() + 1e-9 * (len(x) > scoring.BLOCK)}


def test_large_passes_that_round_differently_are_not_used():
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
