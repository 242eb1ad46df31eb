"""What must be known of a column before it becomes numbers; found piece by piece, whatever the pieces are."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from oddgan.data.columns import Column
from oddgan.data.patterns import NUMBER, TRUTH, is_number, pattern


@dataclass
class Survey:
    """Counts over a column.

    Parameters
    ----------
    most : texts are counted until there are more than so many different ones; None counts all, numbers included.
    missing : how many values are missing.
    rows : how many values look like what, see `patterns.pattern`.
    first : the first row that looks so, and its text; not for numbers.
    found : how often each text occurs.
    rising : whether all values so far are whole numbers, each larger than the one before.
    """

    most: int | None
    missing: int = 0
    rows: Counter[str] = field(default_factory=Counter)
    first: dict[str, tuple[int, str]] = field(default_factory=dict)
    found: dict[str, int] = field(default_factory=dict)
    rising: bool = True
    _last: float = -np.inf

    @property
    def present(self) -> int:
        """How many values are not missing."""
        return self.rows.total()

    @property
    def numeric(self) -> bool:
        """Whether the values are numbers throughout, or truth values throughout."""
        return self.present in (self.rows[NUMBER], self.rows[TRUTH])

    @property
    def odd(self) -> tuple[int, str]:
        """The first row whose text is no number, and the text."""
        return min(self.first.values())

    @property
    def counts(self) -> dict[str, int]:
        """How often each text occurs, in the order of the texts; not of all texts where they are too many."""
        return dict(sorted(self.found.items()))

    @property
    def different_numbers(self) -> int:
        """How many of the texts that were counted are numbers."""
        return sum(is_number(text) for text in self.found)

    def add(self, column: Column, first: int = 0, *, last: bool = False) -> None:
        """Look at the next piece.

        Parameters
        ----------
        column : the piece.
        first : the number of its first row.
        last : whether no piece follows, so that the texts of a column of numbers need not be counted.
        """
        self.missing += column.missing
        self._look(column, first)
        self._climb(column)
        if self.most is not None and (column.values.dtype.kind == "f" or (last and self.numeric)):
            return
        if self.most is None or len(self.found) <= self.most:
            for text, count in column.counts.items():
                self.found[text] = self.found.get(text, 0) + count

    def _look(self, column: Column, first: int) -> None:
        """Count what the values look like."""
        if column.plain is not None:
            self.rows[NUMBER] += len(column.values) - column.missing
            return
        looks = {text: pattern(text) for text in column.counts}
        for row, text in enumerate(column.texts, start=first):
            if text is not None:
                self.rows[looks[text]] += 1
                if looks[text] != NUMBER:
                    self.first.setdefault(looks[text], (row, text))

    def _climb(self, column: Column) -> None:
        """Go on looking whether the values rise."""
        self.rising = self.rising and column.plain is not None and not column.missing
        if not self.rising or column.plain is None or not len(column.plain):
            return
        values = column.plain
        self.rising = bool(
            values[0] > self._last and (np.diff(values) > 0).all() and (values == np.floor(values)).all()
        )
        self._last = float(values[-1])
