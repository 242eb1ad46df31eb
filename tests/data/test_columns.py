import numpy as np
import pytest

from oddgan.data.columns import Column


def texts(*values):
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return Column(column)


def test_numbers_written_as_text():
    assert texts("1", "-2e3", None, " .5 ").numbers.tolist() == pytest.approx([1, -2000, np.nan, 0.5], nan_ok=True)
    assert texts("1", "two").numbers is None


def test_numbers_as_texts():
    assert Column(np.array([7.0, 0.5, np.nan])).texts == ["7", "0.5", None]


def test_counts_are_in_the_order_of_the_texts():
    assert list(texts("b", None, "a", "b").counts.items()) == [("a", 1), ("b", 2)]


def test_one_hot_of_missing_and_unknown_texts_is_zero():
    assert texts("b", None, "a", "c").one_hot(("a", "b")).tolist() == [[0, 1], [0, 0], [1, 0], [0, 0]]


def test_truth_values_are_one_and_zero():
    assert texts("True", "false", None, "TRUE").numbers.tolist() == pytest.approx([1, 0, np.nan, 1], nan_ok=True)
    assert texts("true", "1").numbers is None


def test_an_underscore_is_no_separator_in_a_number():
    assert texts("1_000", "2").numbers is None


@pytest.mark.parametrize("column", [texts("TRUE", None, "false"), Column(np.array([1.0, np.nan, 0.0]))])
def test_truth_values_are_spelled_as_a_model_knows_them(column):
    assert column.spelled(("False", "True")).texts == ["True", None, "False"]
    assert column.spelled(("oak", "True")) is column
    assert column.spelled(None) is column
