"""Read parquet files, once their metadata and dictionaries say that they fit into memory."""

import contextlib
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from oddgan._core.damage import brief, told
from oddgan._core.errors import InputError
from oddgan._core.extras import load_extra
from oddgan._core.memory import afford
from oddgan.data.dataset import Raw, Reading
from oddgan.data.encoding import encode, encode_mapped
from oddgan.data.frames import read_frame
from oddgan.data.tables import CELLS, Select, Table, every, selected
from oddgan.options import Options

_NUMBER = 8  # bytes: every number becomes a float64
_TEXT = 57  # bytes of a Python text and of the reference to it, beside its characters


def load_parquet(path: Path, options: Options, like: Reading | None, *_: object) -> Raw:
    """Read a parquet file as a table of numbers (n, d), piece by piece where it is to be mapped."""
    select = partial(selected, options=options, like=like)
    check_parquet(path, options.max_memory, CELLS if options.mapped else None)
    if options.mapped:
        return encode_mapped(lambda: parquet_pieces(path, select), options, like)
    return encode(read_parquet(path, select), options, like)


def read_parquet(path: Path, select: Select = every) -> Table:
    """Read a parquet file; needs the extra `parquet`.

    Parameters
    ----------
    path : the file.
    select : which columns to read.

    Raises
    ------
    InputError
        If the file is damaged or has columns that are neither numbers nor texts.
    """
    parquet = load_extra("pyarrow.parquet", "parquet")
    with _whole(path):
        frame = parquet.read_table(path)
    return read_frame(frame, str(path), select)


def parquet_pieces(path: Path, select: Select = every, cells: int = CELLS) -> Iterator[Table]:
    """Read a parquet file piece by piece, as `read_parquet` does; one piece at least.

    Parameters
    ----------
    path : the file; a group of its rows is held compressed at a time.
    select : which columns to read.
    cells : about how many cells make a piece.
    """
    arrow = load_extra("pyarrow", "parquet")
    parquet = load_extra("pyarrow.parquet", "parquet")
    with _whole(path), parquet.ParquetFile(path, pre_buffer=False) as file:  # which would read far ahead
        empty = file.schema_arrow.empty_table()
        if not file.metadata.num_rows:
            yield read_frame(empty, str(path), select)
        for batch in file.iter_batches(max(1, cells // max(1, len(empty.column_names)))):
            yield read_frame(arrow.Table.from_batches([batch]), str(path), select)


@contextlib.contextmanager
def _whole(path: Path) -> Iterator[None]:
    arrow = load_extra("pyarrow", "parquet")
    try:
        yield
    except (OSError, arrow.ArrowException) as error:
        raise InputError(
            f"{path} can't be read: it is damaged, cut short or no parquet file ({brief(error)})."
        ) from error


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
