"""The values that a parameter is changed to."""

import math
from typing import Literal

from oddgan.testing.parameters import changed
from oddgan.training import SGD, Adam, Optimiser


def test_changed_values():
    # Kinds of fields, so that a new one is not passed over in silence.
    assert next(changed(3, int)) == 4
    assert math.isclose(next(changed(0.1, float)), 0.2)
    assert list(changed("a", Literal["a", "b"])) == ["b"]
    assert next(changed(None, int | None)) == 1
    assert next(changed((1, 2), None)) == (2, 2)
    assert next(changed(Adam(lr=0.2), None)) == Adam(lr=0.30000000000000004)
    assert [type(p).__name__ for p in changed(None, Optimiser | None)] == ["SGD", "Adam", "RMSProp"]
    assert next(changed((), tuple[Optimiser, ...])) == (SGD(),)
