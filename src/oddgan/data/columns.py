"""One column of a table, seen as numbers or as texts."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np


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
    def numbers(self) -> np.ndarray | None:
        """(n,) floats, NaN where a value is missing; None if some text is no number."""
        if self.values.dtype.kind == "f":
            return self.values
        try:
            return (np.where(self.holes, "nan", self.values) if self.holes.any() else self.values).astype(np.float64)
        except ValueError:
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
    def numeric(self) -> bool:
        """Whether no text is anything but a number."""
        return self.numbers is not None

    @property
    def missing(self) -> int:
        """How many values are missing."""
        return int(self.holes.sum())

    @property
    def odd(self) -> tuple[int, str]:
        """The row of the first text that is no number, and the text."""
        row = self.first_text()
        return row, self.values[row]

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

    def first_text(self) -> int:
        """The row of the first text that is no number."""
        return next(i for i in range(len(self.values)) if Column(self.values[i : i + 1]).numbers is None)
