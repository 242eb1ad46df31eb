"""Input rows (lists, masked, sparse or object arrays) to plain arrays of numbers, or one sentence that says why not."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from oddgan._core.damage import brief
from oddgan._core.errors import InputError

_SHOWN = 5
_LONGEST = 80  # characters of a value that a message quotes
_KINDS = {
    "M": "times: turn them into numbers, such as seconds since a start, or leave them out",
    "m": "durations: turn them into numbers, such as seconds, or leave them out",
    "V": "fields with names: give a frame, or numpy.lib.recfunctions.structured_to_unstructured(X)",
}


class NotNumbersError(InputError, TypeError):
    """Values that can't be turned into numbers; a `TypeError` as well, as scikit-learn has it."""


def plain_array(x: Any, name: str = "X") -> np.ndarray:
    """Return rows as an array (n, ...) of real numbers; masked entries become NaN.

    Parameters
    ----------
    x : an array of any kind, or a list or tuple of rows.
    name : how messages name it.

    Raises
    ------
    InputError
        If it is sparse, holds rows of several shapes, or anything but real numbers.
    """
    if hasattr(x, "toarray"):
        raise InputError(f"{name} is a sparse {type(x).__name__}; expected a dense array: give {name}.toarray().")
    if isinstance(x, np.ndarray) and x.dtype == object and x.ndim == 1:
        x = list(x)
    array = _stacked(x, name) if isinstance(x, list | tuple) else _unmasked(x)
    if array.ndim == 0 and array.dtype.kind not in "biufc":
        raise InputError(f"{name} is a {type(x).__name__}; expected an array, a frame or a list of rows.")
    if array.dtype.kind == "c":
        raise InputError(f"Complex data not supported: {name} holds {array.dtype} values; give real numbers.")
    if array.dtype.kind in _KINDS:
        raise InputError(f"{name} holds {array.dtype.name} values, which are {_KINDS[array.dtype.kind]}.")
    return _numbers(array, name) if array.dtype.kind in "OUST" else array


def _unmasked(x: Any) -> np.ndarray:
    if not isinstance(x, np.ma.MaskedArray):
        return np.asarray(x)
    if not np.ma.getmaskarray(x).any() or x.dtype.kind not in "biuf":
        return np.asarray(x.data)
    kind = x.dtype if x.dtype.kind == "f" else np.dtype(np.float64)
    return np.asarray(np.ma.filled(x.astype(kind), np.nan))


def _stacked(rows: Sequence[Any], name: str) -> np.ndarray:
    rows = [_unmasked(row) if isinstance(row, np.ma.MaskedArray) else row for row in rows]
    try:
        return np.asarray(rows)
    except (ValueError, TypeError) as error:
        shapes = Counter(_shape(row) for row in rows)
        if len(shapes) == 1:
            raise InputError(f"{name} can't be read as an array: {brief(error)}.") from error
        shown = ", ".join(f"{shape} ({count} row{'s' * (count > 1)})" for shape, count in shapes.most_common(_SHOWN))
        more = f" and {len(shapes) - _SHOWN} more" if len(shapes) > _SHOWN else ""
        raise InputError(
            f"{name} holds rows of {len(shapes)} shapes: {shown}{more}; one shape is expected: resize, cut or pad them."
        ) from error


def _shape(row: Any) -> tuple[int, ...]:
    """The shape of a row; that of one whose own parts have several shapes is refused later."""
    try:
        return tuple(np.shape(row))
    except (ValueError, TypeError):
        return (len(row),) if isinstance(row, list | tuple) else ()


def _numbers(array: np.ndarray, name: str) -> np.ndarray:
    """Objects and texts as floats, where each is a number."""
    try:
        return array.astype(np.float64)
    except (ValueError, TypeError, OverflowError) as error:
        place, value = next((p, v) for p, v in np.ndenumerate(array) if not _is_number(v))
        row = place[0] if place else 0
        shown = repr(value.item() if isinstance(value, np.generic) else value)[:_LONGEST]
        raise NotNumbersError(
            f"{name} holds {shown} in row {row}, which is no number (argument must be a string or a "
            "number): give numbers only, or read tables with texts by oddgan.data.read."
        ) from error


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (ValueError, TypeError, OverflowError):
        return False
    return True
