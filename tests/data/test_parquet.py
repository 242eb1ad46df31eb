import resource

import numpy as np
import pytest

from oddgan import InputError
from oddgan.data import Options, read

arrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")


def test_a_text_in_every_row_is_counted_before_it_is_written_out(tmp_path):
    """A dictionary of one text of a million characters, for 2000 rows: 2 GB from a file of some kilobytes."""
    rows = 2000
    texts = arrow.DictionaryArray.from_arrays(arrow.array(np.zeros(rows, np.int32)), arrow.array(["a" * 10**6]))
    table = arrow.table({"number": np.arange(rows) * 1.0, "text": texts})
    parquet.write_table(table, tmp_path / "a.parquet", compression="zstd", store_schema=False)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for options in (Options(), Options(mapped=True)):
        with pytest.raises(InputError, match=r"and 2 GB in memory, but .* are allowed: allow more with --max-memory"):
            read(tmp_path / "a.parquet", options)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 300_000  # kilobytes


def test_more_rows_than_memory(tmp_path):
    parquet.write_table(arrow.table({"number": np.zeros(10**5)}), tmp_path / "a.parquet")
    with pytest.raises(InputError, match=r"and 800 kB in memory, but 500 kB are allowed"):
        read(tmp_path / "a.parquet", Options(max_memory=500_000))
    assert len(read(tmp_path / "a.parquet", Options(max_memory=900_000))) == 10**5


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_a_file_cut_short(tmp_path, share):
    parquet.write_table(arrow.table({"a": np.arange(99.0), "b": ["x", "y", "z"] * 33}), tmp_path / "a.parquet")
    content = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "a.parquet").write_bytes(content[: int(share * len(content))])
    with pytest.raises(InputError, match="can't be read: it is damaged, cut short or no parquet file") as caught:
        read(tmp_path / "a.parquet")
    assert "\n" not in str(caught.value)


def test_columns_of_one_name_are_refused_in_our_words(tmp_path):
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    parquet.write_table(arrow.table([arrow.array([1, 2, 3])] * 2, names=["a", "a"]), tmp_path / "x.parquet")
    with pytest.raises(InputError, match="has several columns of the name a: give each its own"):
        read(tmp_path / "x.parquet")
