import warnings

import pytest

from oddgan._core.notices import collected
from oddgan.base import Notice


def test_each_sentence_is_told_once_and_given_ones_come_first():
    with collected() as notes:
        for _ in range(2):
            warnings.warn("constant", Notice, stacklevel=1)
        notes.add(["left out", "left out"])
    assert notes.told() == ("left out", "constant")


def test_other_warnings_are_passed_on():
    with pytest.warns(RuntimeWarning, match="overflow"), collected() as notes:
        warnings.warn("overflow", RuntimeWarning, stacklevel=1)
    assert notes.told() == ()
