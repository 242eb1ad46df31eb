"""Files of nothing but numbers are read fast, with the result of reading them cell by cell."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oddgan import InputError
from oddgan.data import Options, csv_files, read

NUMBERS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.floats(allow_nan=False, allow_infinity=False).map(lambda v: f"{v:.17e}"),
    st.integers(-(10**25), 10**25).map(str),
    st.sampled_from(
        ["+1", "-0", "-.5", "5.", "1E5", "00012", "1e-400", "4.9e-324", "0.1000000000000000055511151231257827"]
    ),
)
ODD = st.sampled_from(
    ["", " 1", "1 ", "nan", "-nan", "inf", "1e999", "x", "1_000", "0x10", '"1"', "1,5", "true", "١", "1 2"]
)
ENDS = st.sampled_from(["\n", "\r\n"])


def seen(path, monkeypatch, *, fast, options=None):
    with monkeypatch.context() as patch:
        if not fast:
            patch.setattr(csv_files, "read_numbers", lambda *_: None)
        try:
            data = read(path, options)
        except InputError as error:
            return str(error)
    return data.x.tobytes(), data.x.dtype, data.y is None or data.y.tolist(), data.notes, data.reading, data.columns


def written(folder, cells, *, delimiter=",", end="\n", extra=""):
    path = folder / "table.csv"
    names = [f"c{i}" for i in range(len(cells[0]))]
    path.write_text(end.join(delimiter.join(line) for line in [names, *cells]) + end + extra, "utf-8", newline="")
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("numeric")


@settings(max_examples=60, deadline=None)
@given(data=st.data(), delimiter=st.sampled_from(",;\t|"), end=ENDS)
def test_every_number_has_the_value_of_its_text(folder, data, delimiter, end):
    width = data.draw(st.integers(2, 4))
    cells = data.draw(st.lists(st.lists(NUMBERS, min_size=width, max_size=width), min_size=2, max_size=6))
    path = written(folder, cells, delimiter=delimiter, end=end, extra=data.draw(st.sampled_from(["", end])))
    found = csv_files.read_numbers(path, delimiter, 1, width)
    assert np.array_equal(found, np.array([[float(cell) for cell in line] for line in cells]))


@settings(max_examples=60, deadline=None)
@given(data=st.data(), end=ENDS)
def test_other_cells_are_told_as_by_the_slow_way(folder, data, end):
    cells = data.draw(st.lists(st.lists(NUMBERS, min_size=2, max_size=2), min_size=2, max_size=5))
    row, column = data.draw(st.integers(0, len(cells) - 1)), data.draw(st.integers(0, 1))
    cells[row][column] = data.draw(ODD)
    extra = data.draw(st.sampled_from(["", end, "1,2,3\n", "1\n", " \n"]))
    path = written(folder, cells, end=end, extra=extra)
    with pytest.MonkeyPatch.context() as monkeypatch:
        assert seen(path, monkeypatch, fast=True) == seen(path, monkeypatch, fast=False)


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("a,b,label\n1,2,0\n3,4,1\n5,6,0\n", Options(label="label")),
        ("a,b\n01,2\n03,4\n01,6\n", Options(categorical=("a",))),
        ("a,b\n1,2\n3,4\n5,6\n", Options(drop=("a",))),
        ("\ufeffa,b\n1,2\n\n3,4\n", None),
        ('"a\nb",c\n1,2\n3,4\n', None),
        ("a,b\r1,2\r3,4\r", None),
        ("a,b\n", None),
        ("a,b\n1,2\n", None),
        ("a\n1\n\n2\n", None),
        ("t,b\n" + "".join(f"{i},{i % 3}\n" for i in range(40)), None),
    ],
)
def test_the_whole_table_is_the_same(text, options, tmp_path, monkeypatch):
    path = tmp_path / "table.csv"
    path.write_text(text, "utf-8", newline="")
    assert seen(path, monkeypatch, fast=True, options=options) == seen(path, monkeypatch, fast=False, options=options)


def test_numbers_are_read_fast(tmp_path, monkeypatch):
    path = written(tmp_path, [["1", "2"], ["3", "4"]])
    monkeypatch.setattr(csv_files, "csv_pieces", lambda *_: pytest.fail("read cell by cell"))
    assert np.array_equal(read(path).x, [[1, 2], [3, 4]])


def test_line_ends_that_chunks_cut_apart(tmp_path, monkeypatch):

    path = written(tmp_path, [["11", "2"], ["3", "4"]], end="\r\n")
    for size in range(1, 12):
        monkeypatch.setattr(csv_files, "_CHUNK", size)
        assert np.array_equal(csv_files.read_numbers(path, ",", 1, 2), [[11, 2], [3, 4]])
