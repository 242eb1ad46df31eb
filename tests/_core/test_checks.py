"""Checks of arguments: what passes, and the sentence that refuses."""

import math
import re

import pytest

from oddgan._core.checks import finite, known, positive, share
from oddgan._core.errors import InputError


class Part:
    """What messages name."""


@pytest.mark.parametrize(
    ("check", "good", "bad", "wanted"),
    [
        (finite, (0.0, -1e300), (math.nan, math.inf, -math.inf), "a finite number"),
        (positive, (1e-300, 3), (0.0, -1.0, math.nan, math.inf), "a finite number above 0"),
        (share, (0.0, 0.999), (1.0, -0.1, math.nan), "a number of at least 0 and below 1"),
    ],
)
def test_numbers(check, good, bad, wanted):
    check(Part(), a=good[0], b=good[1])
    for value in bad:
        with pytest.raises(InputError, match=re.escape(f"Part got b={value!r}: give {wanted}.")):
            check(Part(), a=good[0], b=value)


def test_choices():
    known(Part(), ("mean", "sum"), reduction="sum")
    with pytest.raises(InputError, match=re.escape('Part got reduction=\'max\': give "mean" or "sum".')):
        known(Part(), ("mean", "sum"), reduction="max")
