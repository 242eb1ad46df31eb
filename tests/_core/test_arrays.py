"""What rows may be held in, and the sentence for what they may not."""

import datetime

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array

from oddgan import InputError
from oddgan._core.arrays import NotNumbersError, plain_array

MASKED = np.ma.array([[1, 2], [3, 4]], mask=[[False, True], [False, False]])


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        ([[1, 2], [3, 4]], [[1, 2], [3, 4]]),
        ((np.array([1.5]), np.array([2.5])), [[1.5], [2.5]]),
        (np.array([[1, "2.5"]], dtype=object), [[1, 2.5]]),
        (np.array([["1", "2.5"]]), [[1, 2.5]]),
        (np.array([[1, 2], [None, 3]], dtype=object), [[1, 2], [np.nan, 3]]),
        (MASKED, [[1, np.nan], [3, 4]]),
        (list(MASKED), [[1, np.nan], [3, 4]]),
        (np.ma.array([[1, 2]]), [[1, 2]]),
    ],
)
def test_what_is_read(x, expected):
    array = plain_array(x)
    assert type(array) is np.ndarray
    np.testing.assert_array_equal(array, expected)


def test_masked_whole_numbers_keep_their_type_if_none_is_masked():
    assert plain_array(np.ma.array([[1, 2]], dtype=np.uint8)).dtype == np.uint8


SERIES = [np.zeros((2, 50)), np.zeros((2, 60)), np.zeros((2, 50))]
objects = np.empty(3, dtype=object)
objects[:] = SERIES


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (SERIES, r"X holds rows of 2 shapes: \(2, 50\) \(2 rows\), \(2, 60\) \(1 row\); one shape is expected"),
        (objects, r"rows of 2 shapes: \(2, 50\)"),
        ([torch.zeros(3), torch.zeros(4)], r"rows of 2 shapes: \(3,\) \(1 row\)"),
        ([[1, 2], [3]], r"rows of 2 shapes: \(2,\) \(1 row\), \(1,\) \(1 row\)"),
        ([[1, 2], 3], r"rows of 2 shapes"),
        ([np.zeros(i + 1) for i in range(9)], r"rows of 9 shapes: .* and 4 more;"),
        ([[[1, 2], [3]], [[1, 2], [3]]], "can't be read as an array"),
        (csr_array(np.eye(2)), r"X is a sparse csr_array; .* X.toarray\(\)"),
        ([csr_array(np.eye(2))] * 2, "in row 0, which is no number"),
        (np.eye(2) * 1j, "Complex data not supported: X holds complex128"),
        (np.array(["2024-01-01"], dtype="M8[D]"), r"X holds datetime64\[D\] values, which are times"),
        (np.array([3], dtype="m8[s]"), r"X holds timedelta64\[s\] values, which are durations"),
        (np.zeros(3, dtype=[("a", float), ("b", float)]), "fields with names: give a frame"),
        ([datetime.date(2024, 1, 1)], r"X holds datetime.date\(2024, 1, 1\) in row 0, which is no number"),
        (np.array([[10**400]], dtype=object), "X holds 1000.* in row 0, which is no number"),
        ("rows.csv", "X is a str; expected an array"),
        ({"a": [1]}, "X is a dict; expected an array"),
        (None, "X is a NoneType; expected an array"),
        ((i for i in range(3)), "X is a generator; expected an array"),
    ],
)
def test_what_is_refused(x, message):
    with pytest.raises(InputError, match=message) as told:
        plain_array(x)
    assert "\n" not in str(told.value)


def test_values_that_are_no_numbers_are_a_type_error_too():
    with pytest.raises(TypeError, match="argument must be a string or a number") as told:
        plain_array(np.array([[{"a": 1}]], dtype=object))
    assert isinstance(told.value, NotNumbersError)
