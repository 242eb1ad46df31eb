import datetime

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet
import pytest

from oddgan import InputError
from oddgan._core import extras
from oddgan.data import frame_columns, from_frame, read

CSV = 'age,"job, long",size\n30,cook,1.5\n40,"smith, old",-2e3\n50,cook,0\n'


def write(folder, text, name="a.csv", encoding="utf-8"):
    path = folder / name
    path.write_text(text, encoding=encoding)
    return path


def test_csv_with_quotes(tmp_path):
    dataset = read(write(tmp_path, CSV))
    assert dataset.columns == ("age", "job, long=cook", "job, long=smith, old", "size")
    assert dataset.x.tolist() == [[30, 1, 0, 1.5], [40, 0, 1, -2000], [50, 1, 0, 0]]
    assert (dataset.kind, dataset.y, dataset.ids.tolist()) == ("table", None, ["0", "1", "2"])


@pytest.mark.parametrize(("delimiter", "name"), [(";", "a.csv"), ("\t", "a.tsv")])
def test_other_separators_blank_lines_and_a_byte_order_mark(tmp_path, delimiter, name):
    text = "a,b\n\n1, 2\n3,4\n\n".replace(",", delimiter)
    dataset = read(write(tmp_path, text, name, encoding="utf-8-sig"))
    assert (dataset.columns, dataset.x.tolist()) == (("a", "b"), [[1, 2], [3, 4]])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty; expected a line of column names"),
        ("1,2\n3,4\n", "starts with numbers; expected a line of column names first"),
        ("a,b\n", "is empty: it has no row"),
        ("a,b\n1,2\n", "has one row only; at least 2 are needed"),
        ("a,b\n1,2\n3\n", r"has 1 cells in line 3; expected 2"),
        (",b\n1,2\n3,4\n", "has no name for column 1: name it, or leave it out with --drop 'column 1'"),
        ("a,a\n1,2\n3,4\n", "has several columns of the name a: give each its own"),
        ('a,b\n1,"2\n3,4\n', "can't be read as csv, line 3: unexpected end of data"),
    ],
)
def test_csv_that_can_not_be_used(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        read(write(tmp_path, text))


def test_csv_in_another_encoding(tmp_path):
    with pytest.raises(InputError, match="is not UTF-8 text"):
        read(write(tmp_path, "größe,b\n1,2\n", encoding="latin-1"))


def test_parquet(tmp_path):
    path = tmp_path / "a.parquet"
    pa.parquet.write_table(pa.table({"n": [1, 2], "flag": [True, False], "job": ["cook", "smith"]}), path)
    dataset = read(path)
    assert dataset.columns == ("n", "flag", "job=cook", "job=smith")
    assert dataset.x.tolist() == [[1, 1, 1, 0], [2, 0, 0, 1]]


def test_parquet_cut_short(tmp_path):
    path = tmp_path / "a.parquet"
    pa.parquet.write_table(pa.table({"n": [1, 2]}), path)
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(InputError, match="can't be read: it is damaged, cut short or no parquet file"):
        read(path)


def test_parquet_without_its_extra(tmp_path, monkeypatch):
    path = write(tmp_path, "", "a.parquet")

    def missing(module):
        raise ImportError(module)

    monkeypatch.setattr(extras.importlib, "import_module", missing)
    with pytest.raises(ImportError, match=r"pip install 'oddgan\[parquet\]'"):
        read(path)


COLUMNS = {"n": [1, 2, 3], "x": [0.5, 1.5, 2.5], "job": ["cook", "smith", "cook"]}


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame(COLUMNS),
        pd.DataFrame(COLUMNS).astype({"job": "category", "n": "Int64"}),
        pd.DataFrame(COLUMNS).astype({"job": object}),
        pl.DataFrame(COLUMNS),
        pl.DataFrame(COLUMNS).cast({"job": pl.Categorical}),
        pa.table(COLUMNS),
    ],
    ids=["pandas", "pandas categories", "pandas objects", "polars", "polars categories", "pyarrow"],
)
def test_every_frame_gives_the_same(frame):
    dataset = read(frame)
    assert dataset.columns == ("n", "x", "job=cook", "job=smith")
    assert dataset.x.tolist() == [[1, 0.5, 1, 0], [2, 1.5, 0, 1], [3, 2.5, 1, 0]]
    assert from_frame(frame, "job").y.tolist() == COLUMNS["job"]
    assert frame_columns(frame) == ("n", "x", "job")


def test_numbers_can_name_columns():
    assert read(pd.DataFrame(np.array([[1, 2], [3, 4]]))).columns == ("0", "1")


@pytest.mark.parametrize("other", [np.zeros((2, 2)), [[1, 2]], None, "text"])
def test_what_is_no_frame_has_no_columns(other):
    assert frame_columns(other) is None


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"n": pd.array([1, None], dtype="Int64"), "job": ["cook", None]}),
        pd.DataFrame({"n": [1, np.nan], "job": ["cook", np.nan]}),
        pl.DataFrame({"n": [1, None], "job": ["cook", None]}),
    ],
    ids=["pandas nullable", "pandas", "polars"],
)
def test_missing_values_of_frames_are_seen(frame):
    with pytest.raises(InputError, match=r"The frame lacks 2 values, by column: n \(1\), job \(1\)"):
        read(frame)


def test_dates_are_refused():
    frame = pl.DataFrame({"n": [1, 2], "day": [datetime.date(2020, 1, 1)] * 2})
    with pytest.raises(InputError, match="has the column day of type Date; expected numbers or texts"):
        read(frame)


def test_columns_of_the_same_name_are_refused():
    with pytest.raises(InputError, match="The frame has several columns of one name"):
        read(pd.DataFrame([[1, 2], [3, 4]], columns=["a", "a"]))


def test_an_empty_line_of_a_single_column_may_be_a_missing_value(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("a\n1\n\n3\n")
    with pytest.raises(InputError, match="has one column, and line 3 is empty: remove it, or write NA"):
        read(path)
    path.write_text("a\n1\n2\n3\n\n")  # at the end it is none
    assert len(read(path)) == 3
