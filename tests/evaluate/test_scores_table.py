import sys

import numpy as np
import pytest

from oddgan import InputError, MissingExtraError
from oddgan.evaluate import ScoreTable, check_suffix, read_scores, write_scores


@pytest.fixture
def table():
    return ScoreTable(
        row=np.array([0, 5]),
        id=np.array(['a, "b"', "line\nbreak"]),
        anomaly_score=np.array([0.1 + 0.2, 1e-300]),
        is_anomaly=np.array([True, False]),
        p_value=np.array([0.01, 1.0]),
        label=np.array([False, True]),
        components={"residual": np.array([1 / 3, np.nan])},
    )


@pytest.mark.parametrize("suffix", [".csv", ".npz", ".parquet"])
def test_round_trip_at_full_precision(tmp_path, table, suffix):
    path = tmp_path / f"scores{suffix}"
    write_scores(path, table)
    found = read_scores(path)
    for name, values in table.columns().items():
        np.testing.assert_array_equal(found.columns()[name], values, err_msg=name)
    assert found.is_anomaly.dtype == bool


def test_columns_of_the_file(tmp_path, table):
    write_scores(tmp_path / "s.csv", table)
    header, first = (tmp_path / "s.csv").read_text().splitlines()[:2]
    assert header == "row,id,anomaly_score,is_anomaly,p_value,label,component:residual"
    assert first == '0,"a, ""b""",0.30000000000000004,1,0.01,0,0.3333333333333333'


@pytest.mark.parametrize("suffix", [".csv", ".npz", ".parquet"])
def test_optional_columns_stay_away(tmp_path, suffix):
    table = ScoreTable(np.arange(2), np.array(["a", "b"]), np.zeros(2), np.zeros(2, dtype=bool))
    write_scores(tmp_path / f"s{suffix}", table)
    found = read_scores(tmp_path / f"s{suffix}")
    assert found.p_value is None
    assert found.label is None
    assert found.components == {}


def test_no_rows(tmp_path):
    none = np.zeros(0)
    write_scores(tmp_path / "s.csv", ScoreTable(none.astype(int), none.astype(str), none, none.astype(bool)))
    assert len(read_scores(tmp_path / "s.csv")) == 0


def test_unknown_suffix_is_refused_before_work(tmp_path):
    with pytest.raises(InputError, match=r"\.csv, \.npz, \.parquet"):
        check_suffix(tmp_path / "s.xlsx")


def test_existing_file_stays(tmp_path, table):
    (tmp_path / "s.csv").write_text("mine")
    with pytest.raises(InputError, match="exists already"):
        write_scores(tmp_path / "s.csv", table)
    assert (tmp_path / "s.csv").read_text() == "mine"
    write_scores(tmp_path / "s.csv", table, force=True)
    assert len(read_scores(tmp_path / "s.csv")) == 2


def test_parquet_without_its_extra_names_it(tmp_path, table, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"oddgan\[parquet\]"):
        write_scores(tmp_path / "s.parquet", table)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("row,id,anomaly_score,is_anomaly\n0,a,1.0,1", "cut short"),
        ("row,id,anomaly_score,is_anomaly\n0,a\n", "line 2 has 2 values"),
        ("row,id\n0,a\n", "missing"),
        ("row,id,anomaly_score,is_anomaly,colour\n0,a,1.0,1,red\n", "colour"),
        ("row,id,anomaly_score,is_anomaly\n0,a,high,1\n", "high"),
        ("row,id,anomaly_score,is_anomaly\n0,a,1.0,7\n", "must be 0 or 1"),
        ("", "cut short"),
    ],
)
def test_bad_csv_is_named(tmp_path, text, message):
    (tmp_path / "s.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        read_scores(tmp_path / "s.csv")


@pytest.mark.parametrize("suffix", [".npz", ".parquet"])
def test_truncated_binary_is_named(tmp_path, table, suffix):
    path = tmp_path / f"s{suffix}"
    write_scores(path, table)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(InputError, match="can't be read"):
        read_scores(path)


def test_pickled_arrays_are_not_loaded(tmp_path):
    np.savez(tmp_path / "s.npz", row=np.array([{"a": 1}], dtype=object))
    with pytest.raises(InputError, match="can't be read"):
        read_scores(tmp_path / "s.npz")


def test_columns_must_have_one_length():
    with pytest.raises(InputError, match="'p_value' has the shape"):
        ScoreTable(np.arange(2), np.array(["a", "b"]), np.zeros(2), np.zeros(2, dtype=bool), p_value=np.zeros(3))
