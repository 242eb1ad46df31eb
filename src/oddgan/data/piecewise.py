"""Tables that do not fit into memory: looked through once for what must be known, then converted piece by piece."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from oddgan._core.errors import InputError
from oddgan._core.mapped import Spool
from oddgan.data.columns import Column
from oddgan.data.dataset import Options, Raw, Reading
from oddgan.data.encoding import MOST_TEXTS, agree, label_of, label_values, matrix
from oddgan.data.tables import Table


@dataclass
class _Survey:
    """What is known of a column after some pieces of it; the names are those of `Column`."""

    most: int | None
    numeric: bool = True
    missing: int = 0
    odd: tuple[int, str] = (0, "")
    found: dict[str, int] = field(default_factory=dict)

    @property
    def counts(self) -> dict[str, int]:
        """How often each text occurs, in the order of the texts; not of all texts where they are too many."""
        return dict(sorted(self.found.items()))

    def add(self, column: Column, first: int) -> None:
        """Look at the next piece, whose first row has the number `first`."""
        self.missing += column.missing
        if self.numeric and not column.numeric:
            row, text = column.odd
            self.numeric, self.odd = False, (first + row, text)
        counted = self.most is None or (len(self.found) <= self.most and column.values.dtype.kind != "f")
        for text, count in column.counts.items() if counted else ():
            self.found[text] = self.found.get(text, 0) + count


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
    label, source = label_of(first, options, like), first.source
    names = [name for name in first.columns if name != label]
    if not names:
        raise InputError(f"{source} has no columns{' beside the labels' if label else ''}.")
    surveys = _survey(tables(), names, like)
    encoding, notes = agree(source, surveys, options, like)
    labels: list[np.ndarray] = []
    with Spool() as spool:
        for table in tables():
            labels += [] if label is None else [table.columns[label]]
            spool.write(matrix({name: Column(table.columns[name]) for name in names}, encoding))
        x = spool.mapped() if spool.rows else np.empty((0, len(encoding.names)))
    y = None if label is None else label_values(Table(source, {label: np.concatenate(labels)}), label)
    return Raw(source=source, x=x, y=y, kind="table", label=label, encoding=encoding, notes=notes)


def _survey(tables: Iterator[Table], names: list[str], like: Reading | None) -> dict[str, _Survey]:
    """What is known of the columns; texts are counted where they may become columns, or are known to a model."""
    encoding = None if like is None else like.encoding
    known = {} if encoding is None else dict(zip(encoding.columns, encoding.categories, strict=True))
    most = {name: MOST_TEXTS if like is None else -1 if known.get(name) is None else None for name in names}
    surveys, rows = {name: _Survey(most[name]) for name in names}, 0
    for table in tables:
        for name, survey in surveys.items():
            survey.add(Column(table.columns[name]), rows)
        rows += table.rows
    return surveys
