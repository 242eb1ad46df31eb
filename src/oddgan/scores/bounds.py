"""Scores of rows far outside the training rows: finite, and higher the farther out a row is.

Networks are not made for such rows: a critic may call them normal, an exponential may overflow. Whatever they say, a
row with a value beyond `Scaling.limit` (a million spreads) gets components of at least

    top + (top - bottom)·r

with top and bottom the largest and the smallest value of the component among the calibration rows, and r the row's
largest input, which grows with the logarithm of the value.
"""

from collections.abc import Mapping

import numpy as np
from torch import Tensor

from oddgan._core.notices import notice

REACH = "\0reach"
# The largest number of single precision: sums and squares of such scores are finite in double precision.
LARGEST = float(np.finfo(np.float32).max)


def reach(x: Tensor, limit: float) -> Tensor:
    """The largest absolute value of each row of network input x (n, ...): (n,); all 0 if none is above the limit."""
    low, high = x.aminmax()
    if max(-float(low), float(high)) <= limit:
        return x.new_zeros(len(x))
    return x.flatten(1).abs().amax(dim=1)


def bounded(
    found: Mapping[str, np.ndarray], reference: Mapping[str, np.ndarray], limit: float
) -> dict[str, np.ndarray]:
    """Components (n,), finite, and raised for rows far outside the training rows; n values each.

    Parameters
    ----------
    found : components by name, (n,) each, and under `REACH` the rows' largest input.
    reference : components of calibration rows by name, finite; those that are missing raise nothing.
    limit : the largest input that is not far outside.
    """
    found = dict(found)
    size = found.pop(REACH, None)
    strange = np.zeros(0, dtype=bool)
    for name, values in found.items():
        fine = np.isfinite(values)
        strange = strange if fine.all() else ~fine | (strange if strange.size else False)
        found[name] = finite(values)
    if size is not None and (size > limit).any():
        found = {k: _raised(v, reference[k], size, limit) if k in reference else v for k, v in found.items()}
    if strange.any():
        rows = ", ".join(map(str, np.flatnonzero(strange)[:5])) + (", ..." if strange.sum() > 5 else "")
        notice(
            f"{int(strange.sum())} row(s) have no finite score, as happens far outside the training rows; they count "
            f"as most anomalous: rows {rows}."
        )
    return found


def _raised(values: np.ndarray, known: np.ndarray, size: np.ndarray, limit: float) -> np.ndarray:
    """The component (n,), at least what its range among calibration rows comes to at a row's largest input."""
    top, bottom = float(known.max()), float(known.min())
    with np.errstate(over="ignore"):
        least = np.minimum(top + (top - bottom or max(abs(top), 1.0)) * size, LARGEST)
    raised: np.ndarray = np.where(size > limit, np.maximum(values, least), values)
    return raised


def finite(values: np.ndarray) -> np.ndarray:
    """The values (n,), what is too large or no number as the largest number of single precision."""
    return values if np.isfinite(values).all() else np.nan_to_num(values, nan=LARGEST, posinf=LARGEST, neginf=-LARGEST)
