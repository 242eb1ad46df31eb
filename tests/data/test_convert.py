import numpy as np
import pytest

from oddgan import InputError
from oddgan.data import Options, check_finite, from_arrays


def test_rows_with_nan_or_infinite_values_are_counted_and_named():
    x = np.zeros((9, 3))
    x[1], x[4, 0], x[5:, 2] = np.nan, np.inf, -np.inf
    with pytest.raises(
        InputError, match=r"3 NaN and 5 infinite values in 6 of 9 rows: a1, a4, a5, a6, a7, \.\.\.; .*--impute median"
    ):
        check_finite(x, np.array([f"a{i}" for i in range(9)]))


@pytest.mark.parametrize("shape", [(4, 3), (4, 2, 5), (4, 1, 8, 8)])
def test_every_kind_is_checked(shape):
    x = np.zeros(shape)
    x[2].flat[0] = np.nan
    with pytest.raises(InputError, match="1 NaN and 0 infinite values in 1 of 4 rows: 2; repair or remove them"):
        from_arrays(x)


def test_an_empty_set():
    with pytest.raises(InputError, match="The array is empty: it has no row"):
        from_arrays(np.zeros((0, 3)))


def test_one_row_is_enough_for_a_fitted_model_only():
    with pytest.raises(InputError, match="has one row only; at least 2 are needed to learn from"):
        from_arrays(np.zeros((1, 3)))
    reading = from_arrays(np.zeros((2, 3))).reading
    assert len(from_arrays(np.zeros((1, 3)), like=reading)) == 1


def test_labels_of_the_wrong_length():
    with pytest.raises(InputError, match=r"The array has labels of shape \(3,\) for 2 samples; expected one label a"):
        from_arrays(np.zeros((2, 3)), np.zeros(3))


@pytest.mark.parametrize(
    ("x", "options", "message"),
    [
        (np.zeros((2, 3)), Options(resize=(8, 8)), "holds a table; --resize and --colour are for images"),
        (np.zeros((2, 3, 4)), Options(colour="rgb"), "holds series; --resize and --colour are for images"),
        (np.zeros((2, 3, 8, 8)), Options(impute="median"), "holds images; --impute is for tables"),
    ],
)
def test_options_of_another_kind(x, options, message):
    with pytest.raises(InputError, match=message):
        from_arrays(x, options=options)


def test_the_kind_of_the_model_reads_new_data():
    series = from_arrays(np.zeros((2, 9)), options=Options(kind="series")).reading
    assert from_arrays(np.zeros((3, 9)), like=series).x.shape == (3, 1, 9)
    with pytest.raises(InputError, match="fitted with kind series, not table: remove --kind"):
        from_arrays(np.zeros((3, 9)), options=Options(kind="table"), like=series)
    grey = from_arrays(np.zeros((2, 9, 9), np.uint8)).reading
    assert from_arrays(np.zeros((3, 9, 9), np.int64), like=grey).x.shape == (3, 1, 9, 9)


def test_the_normal_label_is_remembered():
    reading = from_arrays(np.zeros((2, 3)), np.array([3, 4]), Options(normal="3")).reading
    assert from_arrays(np.zeros((2, 3)), like=reading).reading.normal == "3"
    assert from_arrays(np.zeros((2, 3)), options=Options(normal="4"), like=reading).reading.normal == "4"
