"""Tables that do not fit into memory: looked through once for what must be known, then converted piece by piece."""

from collections.abc import Callable, Iterator

import numpy as np

from oddgan._core.memmap import Spool
from oddgan.data.columns import Column
from oddgan.data.dataset import Raw, Reading
from oddgan.data.encoding import agree, known_texts, label_of, label_values, matrix, new_surveys, raw_of
from oddgan.data.tables import Table
from oddgan.options import Options


def encode_mapped(tables: Callable[[], Iterator[Table]], options: Options, like: Reading | None) -> Raw:
    """Turn a table into numbers (n, d) in a temporary file, with the result of `encode`.

    Parameters
    ----------
    tables : begins to read the table anew, piece by piece; it is read twice. Only the labels are held as a whole.
    options, like : as in `encode`.

    Raises
    ------
    InputError
        As in `encode`, or if the disk is full.
    """
    first = next(tables())
    label, known = label_of(first, options, like), known_texts(like)
    surveys = new_surveys(first, [name for name in first.columns if name != label], options, like)

    def features(table: Table) -> dict[str, Column]:
        return {name: Column(table.columns[name]).spelled(known.get(name)) for name in surveys}

    row = 0
    for table in tables():
        for name, column in features(table).items():
            surveys[name].add(column, row)
        row += table.rows
    encoding, notes = agree(first, surveys, options, like)
    labels: list[np.ndarray] = []
    with Spool() as spool:
        for table in tables():
            labels += [] if label is None else [table.columns[label]]
            spool.write(matrix(features(table), encoding))
        x = spool.mapped() if spool.rows else np.empty((0, len(encoding.names)))
    y = None if label is None else label_values(first._replace(columns={label: np.concatenate(labels)}), label)
    return raw_of(first, options, x=x, y=y, label=label, encoding=encoding, notes=notes)
