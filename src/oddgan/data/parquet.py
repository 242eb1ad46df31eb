"""What a parquet file would take in memory, by its metadata and dictionaries, before it is read."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from oddgan._core.damage import told
from oddgan._core.errors import InputError
from oddgan._core.extras import load_extra
from oddgan._core.memory import afford

_NUMBER = 8  # bytes: every number becomes a float64
_TEXT = 57  # bytes of a Python text and of the reference to it, beside its characters


def check_parquet(path: Path, max_memory: int | None, batch: int | None = None) -> None:
    """Refuse a file that would take too much memory: a text of a dictionary may stand in every row.

    Parameters
    ----------
    path : the file.
    max_memory : bytes that it may take; None goes by its size.
    batch : rows that are held at once; None for all.

    Raises
    ------
    InputError
        If it is damaged, or takes more than is allowed.
    """
    parquet = load_extra("pyarrow.parquet", "parquet")
    types = load_extra("pyarrow.types", "parquet")
    stored = path.stat().st_size
    with told(f"{path} can't be read: it is damaged, cut short or no parquet file"):
        with parquet.ParquetFile(path) as file:
            fields, rows, unpacked = list(file.schema_arrow), file.metadata.num_rows, _unpacked(file.metadata)
        _refuse_repeated(path, [f.name for f in fields])
        texts = [f.name for f in fields if types.is_string(f.type) or types.is_large_string(f.type)]
        held = rows if batch is None else min(rows, batch)
        # Pages are unpacked one after another; texts and numbers are held as long as the table is.
        afford(path, unpacked if batch is None else 0, stored, max_memory)
        afford(path, held * (len(fields) * _NUMBER + len(texts) * _TEXT), stored, max_memory)
        characters = _characters(parquet, path, texts) if texts else []
        largest = sum(longest for longest, _ in characters) * held
        afford(path, min(largest, sum(total for _, total in characters)), stored, max_memory)


def _refuse_repeated(path: Path, names: Sequence[str]) -> None:
    repeated = next((name for name, count in Counter(names).items() if count > 1), None)
    if repeated is not None:
        raise InputError(f"{path} has several columns of the name {repeated}: give each its own.")


def _unpacked(metadata: Any) -> int:
    """Bytes of all pages after decompression, as the file claims."""
    return sum(metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups))


def _characters(parquet: Any, path: Path, texts: Sequence[str]) -> list[tuple[int, int]]:
    """For each column of texts the bytes of its longest one, and of all; dictionaries are not written out."""
    compute = load_extra("pyarrow.compute", "parquet")
    found = []
    with parquet.ParquetFile(path, read_dictionary=list(texts), pre_buffer=False) as file:
        for name in texts:
            longest = total = 0
            for group in range(file.num_row_groups):
                for chunk in file.read_row_group(group, columns=[name], use_threads=False).column(name).chunks:
                    if len(chunk.dictionary):
                        lengths = compute.binary_length(chunk.dictionary)
                        longest = max(longest, compute.max(lengths).as_py() or 0)
                        total += compute.sum(lengths.take(chunk.indices)).as_py() or 0
            found.append((longest, total))
    return found
