import numpy as np
import pytest

from oddgan import InputError
from oddgan.data import describe_labels, from_arrays, is_anomaly, select_normal
from oddgan.data.labels import clean_labels


def dataset(y):
    return from_arrays(np.arange(8.0).reshape(4, 2), None if y is None else np.array(y))


@pytest.mark.parametrize(
    ("y", "normal", "expected"),
    [
        ([0, 1, 2], None, [False, True, True]),
        ([0, 3, 3], 3, [True, False, False]),
        ([0, 3, 3], "3", [True, False, False]),
        ([-1, 1], "-1", [False, True]),
        ([1.0, 3.0], "3", [True, False]),
        ([False, True], None, [False, True]),
        (["normal", "Good", "0", "crack"], None, [False, False, False, True]),
        (["MT_Free", "MT_Crack"], "MT_Free", [False, True]),
        (["3", "4"], 3, [False, True]),
        (["3", "4"], "3", [False, True]),
    ],
)
def test_which_labels_are_anomalous(y, normal, expected):
    assert is_anomaly(np.array(y), normal).tolist() == expected


@pytest.mark.parametrize("normal", ["MT_Free", "1.5", "nan", "inf"])
def test_a_text_can_not_be_the_normal_one_of_numbers(normal):
    with pytest.raises(InputError, match=r"but the labels are numbers: 0 \(1 row\), 1 \(2 rows\)"):
        is_anomaly(np.array([0, 1, 1]), normal)


def test_normal_rows_are_kept_and_the_rest_counted():
    kept, dropped = select_normal(dataset([3, 0, 3, 1]), "3")
    assert (kept.ids.tolist(), dropped) == (["0", "2"], 2)


def test_every_row_is_used_without_labels():
    kept, dropped = select_normal(dataset(None))
    assert (len(kept), dropped) == (4, 0)


def test_a_normal_label_needs_labels():
    with pytest.raises(InputError, match="The data has no labels, so the rows of label '3' can't be chosen"):
        select_normal(dataset(None), "3")


def test_a_label_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(InputError, match=r"No row has the label 7; the labels are 0 \(1 row\), 3 \(2 rows\), 5"):
        select_normal(dataset([3, 0, 3, 5]), 7)
    with pytest.raises(InputError, match=r"No row has the label 0 \(or 'normal' or 'good'\); the labels are a \(2"):
        select_normal(dataset(["a", "b", "a", "c"]))


def test_one_normal_row_is_too_few():
    with pytest.raises(InputError, match="Only one of 4 rows is normal"):
        select_normal(dataset([3, 0, 1, 1]))


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([0, 1, 0], r"labels of shape \(3,\) for 4 samples"),
        ([[0, 1], [0, 1], [0, 1], [0, 1]], r"labels of shape \(4, 2\) for 4 samples"),
        ([0.0, np.nan, 0.5, 1.0], "2 labels that are missing or no whole numbers, the first in row 1: nan"),
        ([1j, 0, 0, 0], "labels of type complex128"),
    ],
)
def test_labels_that_can_not_be_used(y, message):
    with pytest.raises(InputError, match=message):
        clean_labels(np.array(y), 4, "data.npz")


def test_a_column_of_labels_is_flattened():
    assert clean_labels(np.array([[0], [2]]), 2, "data.npz").tolist() == [0, 2]


def test_many_labels_are_shortened():
    assert describe_labels(np.arange(5), most=2) == "0 (1 row), 1 (1 row), and 3 more"
