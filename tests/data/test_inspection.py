import numpy as np
import pytest

from oddgan.data import Options, from_arrays, inspect, read


def table(n=300, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 3)) @ rng.normal(size=(3, 6)) * np.array([1, 10, 100, 1, 1, 1])


def of(x, y=None, **settings):
    return inspect(from_arrays(x, y), **settings)


def test_ranges_by_hand():
    x = np.tile(np.array([[0.0, 5], [1, 5], [2, 5], [3, 5], [4, 5]]), (20, 1))
    first, second = of(x).columns
    assert (first.least, first.q25, first.median, first.q75, first.most, first.mean) == (0, 1, 2, 3, 4, 2)
    assert first.std == pytest.approx(2**0.5)
    assert (first.name, first.constant, second.constant) == ("column 0", False, True)
    assert of(x).constant_values == 1


def test_missing_values_are_counted_not_refused(tmp_path):
    x = table()
    x[3, 1], x[4, 1], x[4, 2] = np.nan, np.nan, np.inf
    np.savez(tmp_path / "holes.npz", x=x)
    found = inspect(read(tmp_path / "holes.npz", finite=False))
    assert found.incomplete == (3, 4)
    assert [(c.nan, c.infinite) for c in found.columns[:3]] == [(0, 0), (2, 0), (0, 1)]
    assert found.columns[2].most < np.inf
    assert any("2 rows with missing" in note for note in found.notes)
    assert found.looked_at == 298
    assert all(s.row not in (3, 4) for s in found.suspects)


def test_rows_keep_their_numbers_where_others_are_left_out(tmp_path):
    x = table()
    x[:10] = np.nan
    x[200] = 1e4
    np.savez(tmp_path / "holes.npz", x=x)
    assert inspect(read(tmp_path / "holes.npz", finite=False)).suspects[0].row == 200


def test_duplicates_and_labels_that_contradict_each_other():
    x, y = table(100), np.zeros(100, int)
    x[50], x[60], x[61] = x[2], x[3], x[3]
    y[50], y[7] = 1, 1
    found = of(x, y)
    assert found.duplicates == (50, 60, 61)
    assert found.conflicting == 1
    assert found.labels == "0 (98 rows), 1 (2 rows)"
    assert (found.normal, found.anomalies) == ("0", 0.02)
    assert of(x, y + 3).anomalies is None
    assert of(np.where(x == x[0, 0], -0.0, x)).duplicates == (50, 60, 61)


def test_rows_of_both_halves_are_named():
    x = table(120)
    found = inspect(from_arrays(x[:80]), other=from_arrays(np.vstack([x[80:], x[5:7]])))
    assert found.shared == (5, 6)
    assert of(x).shared is None


def test_columns_of_any_unit_count_alike():
    x = table()
    found, scaled = of(x), of(x * np.array([1e-3, 1, 1e6, 1, 1, 1]))
    assert found.dimension[:2] == pytest.approx(scaled.dimension[:2])
    assert found.dimension.levina_bickel == pytest.approx(3, abs=0.3)
    assert found.advice[:2] == scaled.advice[:2]
    assert 2 <= found.advice.low <= 4


def test_injected_rows_are_suspected_whatever_their_labels():
    x = np.vstack([table(), 30 * np.eye(6)[:4] * table().std(0)])
    plain = of(x)
    assert {s.row for s in plain.suspects} == {300, 301, 302, 303}
    assert [s.label for s in plain.suspects] == [None] * 4
    labelled = of(x, np.arange(304) % 2)
    assert [(s.row, s.score, s.reason) for s in labelled.suspects] == [
        (s.row, s.score, s.reason) for s in plain.suspects
    ]
    assert labelled.suspects[0].label in ("0", "1")
    assert set(plain.typical).isdisjoint({300, 301, 302, 303})


def test_little_data_is_described_and_not_judged():
    found = of(table(20))
    assert (found.dimension, found.advice, found.suspects, found.looked_at) == (None, None, (), 0)
    assert any("intrinsic dimension is not known" in note for note in found.notes)


def test_images_and_series():
    digits = inspect(read("builtin:digits", Options()), source="digits")
    assert (digits.kind, digits.shape, digits.dtype, digits.n) == ("image", (1, 8, 8), "uint8", 1258)
    assert len(digits.columns) == 1
    assert 5 < digits.dimension.levina_bickel < 12
    beats = inspect(read("builtin:ecg"))
    assert beats.kind == "series"
    lowest, highest = min(c.least for c in beats.columns), max(c.most for c in beats.columns)
    assert -1 <= lowest < 0 < highest <= 1  # each beat less another, both scaled to 0..1


def test_no_row_is_complete(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("a,b\n,1\n,2\n3,\n")
    found = inspect(read(path, finite=False))
    assert found.incomplete == (0, 1, 2)
    assert (found.dimension, found.suspects) == (None, ())
