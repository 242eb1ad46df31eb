"""One column of a table, seen as numbers or as texts."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from oddgan.data.patterns import TRUTH_VALUES


@dataclass(frozen=True, eq=False)
class Column:
    """A column whose views are computed once, when first asked for.

    Parameters
    ----------
    values : (n,) floats with NaN where a value is missing, or objects that are texts or None.
    """

    values: np.ndarray

    @cached_property
    def holes(self) -> np.ndarray:
        """(n,) bool, where a value is missing."""
        if self.values.dtype.kind == "f":
            return np.asarray(np.isnan(self.values))
        return np.array([value is None for value in self.values], dtype=bool)

    @cached_property
    def plain(self) -> np.ndarray | None:
        """(n,) floats, NaN where a value is missing; None if some text is no plain number."""
        if self.values.dtype.kind == "f":
            return self.values
        try:
            found = (np.where(self.holes, "nan", self.values) if self.holes.any() else self.values).astype(np.float64)
        except ValueError:
            return None
        # Python reads 1_000 as a number, which is a name in a table.
        return None if "_" in "".join(filter(None, self.values.tolist())) else found

    @cached_property
    def numbers(self) -> np.ndarray | None:
        """(n,) floats, NaN where a value is missing, 1 for true and 0 for false; None if some text is neither.

        Numbers and truth values don't mix.
        """
        return self._truth if self.plain is None else self.plain

    @cached_property
    def _truth(self) -> np.ndarray | None:
        known = TRUTH_VALUES | {None: np.nan}
        try:
            return np.array([known[text and text.lower()] for text in self.texts], dtype=np.float64)
        except KeyError:
            return None

    @cached_property
    def texts(self) -> list[str | None]:
        """The n texts, None where a value is missing; whole numbers have no decimal point."""
        values: list[str | float | None] = self.values.tolist()
        if self.values.dtype.kind == "f":
            return [None if hole else f"{value:.17g}" for value, hole in zip(values, self.holes, strict=True)]
        return [None if value is None else str(value) for value in values]

    @cached_property
    def counts(self) -> dict[str, int]:
        """How often each text occurs, in the order of the texts."""
        found: dict[str, int] = {}
        for text in self.texts:
            if text is not None:
                found[text] = found.get(text, 0) + 1
        return dict(sorted(found.items()))

    @property
    def missing(self) -> int:
        """How many values are missing."""
        return int(self.holes.sum())

    def one_hot(self, known: tuple[str, ...]) -> np.ndarray:
        """(n, k) of 0 and 1: which of k known texts each row holds; missing and unknown texts give zeros.

        Parameters
        ----------
        known : the texts, in the order of the columns that come out.
        """
        place = {text: i for i, text in enumerate(known)}
        codes = np.array([place.get(text, -1) if text is not None else -1 for text in self.texts], dtype=np.intp)
        block = np.zeros((len(codes), len(known)))
        rows = np.flatnonzero(codes >= 0)
        block[rows, codes[rows]] = 1.0
        return block

    def spelled(self, known: tuple[str, ...] | None) -> "Column":
        """The column with its truth values written as the known texts are, where those are truth values.

        Parameters
        ----------
        known : the texts that a model has for the column; None for numbers.
        """
        words = {TRUTH_VALUES.get(text.lower()): text for text in known or ()}
        if not words or None in words or self.numbers is None or not np.isin(self.numbers[~self.holes], (0, 1)).all():
            return self
        texts = np.empty(len(self.values), dtype=object)
        pairs = zip(self.numbers.tolist(), self.holes, strict=True)
        texts[:] = [None if hole else words.get(value, str(bool(value))) for value, hole in pairs]
        return Column(texts)
