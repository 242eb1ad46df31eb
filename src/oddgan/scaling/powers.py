"""Overflow-safe arithmetic: units that are powers of two, and a logarithmic bound that keeps the order."""

import numpy as np

# Far enough from 2^±1024 that units and their inverses are numbers.
_MOST = 1000
_LARGEST = float(np.finfo(np.float64).max)


def power_of_two(size: np.ndarray) -> np.ndarray:
    """A power of two near each size >= 0, (...), between 2^-1000 and 2^1000; 1 for size 0.

    Dividing by it changes no digit, but where the result is too small for a normal number.
    """
    exponent = np.where(size > 0, np.frexp(size)[1], 0)
    found: np.ndarray = np.ldexp(1.0, np.clip(exponent, -_MOST, _MOST))
    return found


def compressed(values: np.ndarray, limit: float) -> np.ndarray:
    """Values up to ±limit as they are, larger ones by their logarithm: finite, and in the same order.

        v -> ±limit·(1 + log(|v|/limit))   where |v| > limit

    Parameters
    ----------
    values : any numbers (...), infinities included, float64; changed in place.
    limit : > 0.
    """
    if values.size and not (values.max() <= limit and values.min() >= -limit):
        far = np.abs(values) > limit
        size = np.minimum(np.abs(values[far]), _LARGEST)
        values[far] = np.copysign(limit * (1 + np.log(size / limit)), values[far])
    return values
