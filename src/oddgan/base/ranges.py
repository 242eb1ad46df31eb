"""The range of the values that a detector was fitted on: rows on another scale are told from odd ones."""

from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from oddgan._core.errors import InputError
from oddgan._core.mapped import Mapped, pieces
from oddgan._core.notices import notice
from oddgan.base.rows import Lazy

if TYPE_CHECKING:
    from oddgan.base.detector import Detector

Known = np.ndarray | Mapped | Lazy

_WIDE = 16  # the least maximum of whole numbers that can't be meant for shares between 0 and 1


def learn_range(detector: "Detector", rows: Known) -> None:
    """Remember the type and range of training rows (n, c, t) or (n, c, h, w).

    Of rows that lie on a disk the first few are looked at, of a dataset the first.
    """
    detector.__dict__.pop("value_range_", None)
    if len(rows.shape) > 2 and len(rows):
        detector.value_range_ = _range(rows)


def check_range(detector: "Detector", rows: Known) -> None:
    """Refuse images of 0 to 1 where the detector knows 0 to 255, and the reverse; tell the user of such series.

    Raises
    ------
    InputError
        If they are images on another scale.
    """
    known = getattr(detector, "value_range_", None)
    if known is None or len(rows.shape) < 3 or not len(rows):
        return
    fitted_whole = known["whole"] and known["high"] > 1
    if not (fitted_whole or _is_unit(known)):
        return
    if fitted_whole and isinstance(rows, np.ndarray) and (rows.dtype.kind != "f" or rows.max() > 1):
        return  # as almost always: nothing more to look at
    new = _range(rows)
    if not (_is_unit(new) if fitted_whole else new["whole"] and new["high"] >= _WIDE):
        return
    text = (
        f"X holds {new['dtype']} values from {new['low']:g} to {new['high']:g}, but this {type(detector).__name__} was "
        f"fitted on {known['dtype']} values from {known['low']:g} to {known['high']:g}: bring X to that scale first."
    )
    if len(rows.shape) == 4:
        raise InputError(text)
    notice(text)


def _range(rows: Known) -> dict[str, Any]:
    """The type, the least and the largest value, and whether all are whole numbers."""
    several = (
        iter([rows.first]) if isinstance(rows, Lazy) else islice(pieces(rows), 1 if isinstance(rows, Mapped) else None)
    )
    low, high, whole, dtype = np.inf, -np.inf, True, "float64"
    for piece in several:
        low, high, dtype = min(low, float(piece.min())), max(high, float(piece.max())), str(piece.dtype)
        whole = whole and (piece.dtype.kind != "f" or bool((piece == np.rint(piece)).all()))
    return {"dtype": dtype, "low": low, "high": high, "whole": whole}


def _is_unit(found: Mapping[str, Any]) -> bool:
    """Whether values lie between -1 and 1, and some between two whole numbers."""
    return not found["whole"] and found["low"] >= -1 and bool(found["high"] <= 1)
