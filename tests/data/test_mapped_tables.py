"""What is read piece by piece equals what is read at once."""

import itertools

import numpy as np
import polars as pl
import pytest
from PIL import Image

from oddgan import InputError
from oddgan._core import memmap
from oddgan._core.memmap import Mapped, Spool
from oddgan.data import Options, arrays, csv_files, encoding, parquet, read, select_normal, tables


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch, tmp_path_factory):
    monkeypatch.setattr(memmap, "MOST_ROWS", 3)
    monkeypatch.setattr(csv_files.csv_pieces, "__defaults__", (tables.every, 8))
    monkeypatch.setattr(parquet.parquet_pieces, "__defaults__", (tables.every, 8))
    spools = tmp_path_factory.mktemp("spools")
    monkeypatch.setattr(memmap.tempfile, "tempdir", str(spools))
    yield spools
    assert not list(spools.iterdir())  # also after an error


def same(a, b):
    assert isinstance(b.x, Mapped)
    x = np.asarray(b.x)
    assert (x.dtype, x.shape, x.tobytes()) == (a.x.dtype, a.x.shape, np.ascontiguousarray(a.x).tobytes())
    np.testing.assert_array_equal(a.y, b.y)
    np.testing.assert_array_equal(a.ids, b.ids)
    assert (a.kind, a.columns, a.notes, a.reading, a.classes) == (b.kind, b.columns, b.notes, b.reading, b.classes)


def table(n=11):
    rng = np.random.default_rng(0)
    return pl.DataFrame(
        {
            "width": rng.normal(size=n),
            "count": np.arange(n),
            "wood": [("oak", "pine", None)[i % 3] for i in range(n)],
            "late": [str(i % 2) for i in range(n - 1)] + ["text"],  # becomes a column of texts with the last row
            "state": ["good"] * (n - 1) + ["bad"],
        }
    ).with_columns(width=pl.when(pl.col("count") == 7).then(None).otherwise(pl.col("width")))


def write(frame, path):
    (frame.write_csv if path.suffix == ".csv" else frame.write_parquet)(path)
    return str(path)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_tables(tmp_path, suffix):
    path = write(table(), tmp_path / f"a{suffix}")
    options = {"label": "state", "impute": "median", "normal": "good", "categorical": ("late",)}
    whole, read_piecewise = read(path, Options(**options)), read(path, Options(**options, mapped=True))
    same(whole, read_piecewise)
    assert np.isfinite(np.asarray(read_piecewise.x)).all()
    new = write(table(4).with_columns(wood=pl.lit("elm")), tmp_path / f"b{suffix}")
    like = whole.reading
    same(read(new, Options(), like=like), read(new, Options(mapped=True), like=like))


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({}, {"categorical": ("late",)}, r"lacks 4 values, by column: width \(1\), wood \(3\)"),
        ({"width": pl.Series(map(str, range(11)))}, {"label": "x"}, "has no column 'x'; it has width, count"),
        ({"late": pl.Series([f"t{i}" for i in range(300)])}, {"impute": "median"}, "more than 30 different texts"),
        ({}, {}, "numbers in column late but for 1 cell that is no number, the first in (line 12|row 10): 'text'"),
        ({}, {"drop": ("lat",)}, "no column 'lat' for --drop: did you mean late"),
    ],
)
def test_tables_that_are_refused(tmp_path, suffix, change, options, message):
    n = len(next(iter(change.values()), range(11)))
    path = write(table(n).with_columns(**change), tmp_path / f"a{suffix}")
    for one_by_one in (False, True):
        with pytest.raises(InputError, match=message):
            read(path, Options(**options, mapped=one_by_one))


def test_a_text_among_the_numbers_of_a_model(tmp_path):
    model = read(write(pl.DataFrame({"a": np.arange(12), "b": 1.0}), tmp_path / "a.csv")).reading
    path = write(pl.DataFrame({"a": ["1"] * 9 + ["x"], "b": 1.0}), tmp_path / "b.csv")
    for one_by_one in (False, True):
        with pytest.raises(InputError, match="has the text 'x' in line 11 of column a, which holds numbers"):
            read(path, Options(mapped=one_by_one), like=model)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_empty_tables(tmp_path, suffix):
    path = write(pl.DataFrame({"a": [1.0]}).head(0), tmp_path / f"a{suffix}")
    with pytest.raises(InputError, match="is empty: it has no row"):
        read(path, Options(mapped=True))


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    for i, name in enumerate(["good/a.png", "good/b.png", "bad/a.png", "good/c.png"]):
        path = tmp_path / "tiles" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (9, 10, 3)[: 2 + i % 2], dtype=np.uint8)).save(path)
    return tmp_path / "tiles"


@pytest.mark.parametrize("options", [{}, {"colour": "grey", "resize": (8, 8)}])
def test_folders(folder, options):
    same(read(folder, Options(**options)), read(folder, Options(**options, mapped=True)))


def test_unreadable_images(folder):
    (folder / "good" / "b.png").write_bytes((folder / "good" / "b.png").read_bytes()[:60])
    with pytest.raises(InputError, match=r"1 image of .* can't be read: good/b\.png .*--skip-bad"):
        read(folder, Options(mapped=True))
    same(read(folder, Options(skip_bad=True)), read(folder, Options(skip_bad=True, mapped=True)))


CASES = {
    "table": (np.float32, (7, 3), {}),
    "whole numbers": (np.int64, (7, 3), {}),
    "truth": (bool, (7, 3), {}),
    "series": (np.int16, (7, 2, 9), {"kind": "series"}),
    "grey": (np.uint8, (7, 9, 8), {"resize": (5, 6)}),
    "channels last": (np.uint8, (7, 9, 8, 3), {"colour": "grey"}),
    "wide type": (np.int64, (7, 1, 9, 8), {"colour": "rgb"}),
}


@pytest.mark.parametrize("case", CASES)
def test_npy(tmp_path, monkeypatch, case):
    dtype, shape, options = CASES[case]
    x = (np.random.default_rng(0).random(shape) * 300).astype(dtype)
    np.save(tmp_path / "a.npy", x)
    whole = read(tmp_path / "a.npy", Options(**options))
    same(whole, read(tmp_path / "a.npy", Options(**options, mapped=True)))
    monkeypatch.setattr(arrays, "LARGE", 100)
    large = read(tmp_path / "a.npy", Options(**options))
    same(whole, large)
    same(whole, read(np.load(tmp_path / "a.npy", mmap_mode="r"), Options(**options)))
    same(read(x, Options(), like=whole.reading), read(tmp_path / "a.npy", Options(), like=whole.reading))


def test_npy_with_holes(tmp_path):
    x = np.random.default_rng(0).random((9, 4))
    x[5, 2] = x[7, 1] = np.nan
    np.save(tmp_path / "a.npy", x)
    whole = read(tmp_path / "a.npy", Options(impute="median"))
    same(whole, read(tmp_path / "a.npy", Options(impute="median", mapped=True)))
    with pytest.raises(InputError, match=r"holds 2 NaN and 0 infinite values in 2 of 9 rows: 5, 7; repair"):
        read(tmp_path / "a.npy", Options(mapped=True))


def test_normal_rows_stay_in_the_file(folder):
    whole, there = (select_normal(read(folder, Options(mapped=m)))[0] for m in (False, True))
    same(whole, there)
    np.testing.assert_array_equal(np.asarray(there.take(np.array([2, 0])).x), whole.x[[2, 0]])


def test_the_option_means_nothing_elsewhere():
    with pytest.raises(InputError, match="--mapped does not apply to builtin:digits"):
        read("builtin:digits", Options(mapped=True))


@pytest.mark.usefixtures("small_pieces")
def test_nothing_is_left_after_an_error(tmp_path, monkeypatch):
    path = write(table().drop("wood", "late"), tmp_path / "a.csv")
    calls = itertools.count()

    def fails(features, encoding):
        if next(calls) == 2:
            raise KeyboardInterrupt
        return original(features, encoding)

    original = encoding.matrix
    monkeypatch.setattr(encoding, "matrix", fails)
    with pytest.raises(KeyboardInterrupt):
        read(path, Options(mapped=True, impute="median"))
    assert next(calls) == 3


class Full:
    def write(self, _):
        raise OSError(28, "No space left on device")

    def close(self):
        pass


def test_a_full_disk_is_one_sentence():
    with Spool() as spool:
        spool._file.close()
        spool._file = Full()
        with pytest.raises(InputError, match="No space left on the disk"):
            spool.write(np.zeros((2, 3)))
