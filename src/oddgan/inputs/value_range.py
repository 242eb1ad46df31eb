"""The range of the values that a detector was fitted on: rows on another scale are told from odd ones."""

from itertools import islice
from typing import NamedTuple, Protocol

import numpy as np

from oddgan._core.errors import InputError
from oddgan._core.memmap import Mapped, pieces
from oddgan._core.notices import notice
from oddgan.inputs.rows import Lazy

Known = np.ndarray | Mapped | Lazy
_WIDE = 16  # the least maximum of whole numbers that can't be meant for shares between 0 and 1


class ValueRange(NamedTuple):
    """What values there are.

    Parameters
    ----------
    dtype : numpy's name of their type.
    low, high : the least and the largest.
    whole : whether all are whole numbers.
    """

    dtype: str
    low: float
    high: float
    whole: bool

    @classmethod
    def of(cls, rows: Known) -> "ValueRange":
        """Look at rows; of those on a disk at the first few, of a dataset at the first."""
        if isinstance(rows, Lazy):
            several = iter([rows.first])
        else:
            several = islice(pieces(rows), 1 if isinstance(rows, Mapped) else None)
        low, high, whole, dtype = np.inf, -np.inf, True, "float64"
        for piece in several:
            low, high, dtype = min(low, float(piece.min())), max(high, float(piece.max())), str(piece.dtype)
            whole = whole and (piece.dtype.kind != "f" or bool((piece == np.rint(piece)).all()))
        return cls(dtype, low, high, whole)

    @property
    def unit(self) -> bool:
        """Whether they lie between -1 and 1, and some between two whole numbers."""
        return not self.whole and self.low >= -1 and self.high <= 1

    def __str__(self) -> str:
        return f"{self.dtype} values from {self.low:g} to {self.high:g}"


class HasRange(Protocol):
    """An estimator that remembers the range of the values that it was fitted on."""

    value_range_: tuple[str, float, float, bool]


def learn_range(detector: HasRange, rows: Known) -> None:
    """Remember the type and range of training rows (n, c, t) or (n, c, h, w)."""
    detector.__dict__.pop("value_range_", None)
    if len(rows.shape) > 2 and len(rows):
        detector.value_range_ = ValueRange.of(rows)


def check_range(detector: HasRange, rows: Known) -> None:
    """Refuse images of 0 to 1 where the detector knows 0 to 255, and the reverse; tell the user of such series.

    Raises
    ------
    InputError
        If they are images on another scale.
    """
    if not hasattr(detector, "value_range_") or len(rows.shape) < 3 or not len(rows):
        return
    known = ValueRange(*detector.value_range_)  # a plain tuple in a model that was loaded
    fitted_whole = known.whole and known.high > 1
    if not (fitted_whole or known.unit):
        return
    if fitted_whole and isinstance(rows, np.ndarray) and (rows.dtype.kind != "f" or rows.max() > 1):
        return  # as almost always: nothing more to look at
    new = ValueRange.of(rows)
    if not (new.unit if fitted_whole else new.whole and new.high >= _WIDE):
        return
    text = f"X holds {new}, but this {type(detector).__name__} was fitted on {known}: bring X to that scale first."
    if len(rows.shape) == 4:
        raise InputError(text)
    notice(text)
