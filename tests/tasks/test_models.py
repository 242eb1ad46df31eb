import dataclasses

import numpy as np
import pytest

from oddgan._core.errors import InputError
from oddgan.data import from_arrays
from oddgan.tasks.models import among, labels_of, row_marks

ROWS = from_arrays(np.array([[1.0, 2.0], [1.0, 2.0], [3.0, 4.0]]), np.array([0, 1, 2]))


def test_rows_are_known_by_id_and_values():
    marks = row_marks(ROWS)
    assert len(set(marks.tolist())) == 3  # equal values in rows 0 and 1, but other ids
    np.testing.assert_array_equal(row_marks(ROWS.take(np.array([2, 0]))), marks[[2, 0]])
    changed = dataclasses.replace(ROWS, x=ROWS.x + 1)
    assert not set(row_marks(changed).tolist()) & set(marks.tolist())


def test_rows_with_a_mark_are_found_and_none_without_marks():
    assert among(ROWS, row_marks(ROWS)[1:]).tolist() == [False, True, True]
    assert among(ROWS, None).tolist() == [False, False, False]


def test_labels_say_what_is_anomalous():
    assert labels_of(ROWS, "").tolist() == [False, True, True]
    with pytest.raises(InputError, match="name their column with --label or their array with --y, or go"):
        labels_of(dataclasses.replace(ROWS, y=None), "or go")
