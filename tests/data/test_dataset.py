import json

import numpy as np
import pytest

from oddgan import InputError, ModelError
from oddgan.data import Encoding, Options, Reading, from_arrays


def test_a_reading_survives_json_exactly():
    reading = Reading(
        kind="table",
        dtype="float64",
        label="class",
        resize=(64, 48),
        impute="median",
        medians=(0.1, 2.0),
        encoding=Encoding(columns=("age", "job"), categories=(None, ("cook", "smith"))),
        normal="3",
    )
    assert Reading.from_json(json.loads(json.dumps(reading.to_json()))) == reading


def test_a_reading_with_unknown_entries_is_refused():
    with pytest.raises(ModelError, match=r"Reading can't be built from \['colour', 'mood'\]: it takes kind, dtype"):
        Reading.from_json({"colour": "grey", "mood": "bad"})


@pytest.mark.parametrize(
    ("name", "value"),
    [("kind", "odd"), ("resize", (3, "x")), ("medians", "1"), ("label", 3), ("encoding", 3), ("ecg", (1,))],
)
def test_a_reading_with_a_value_of_another_type_is_refused(name, value):
    with pytest.raises(ModelError, match=f"got {name}=|can't be built from"):
        Reading.from_json({"kind": "table", "dtype": "float64", name: value})


def test_one_hot_columns_are_named_after_column_and_text():
    encoding = Encoding(columns=("age", "job"), categories=(None, ("cook", "smith")))
    assert encoding.names == ("age", "job=cook", "job=smith")


@pytest.mark.parametrize("name", ["kind", "split", "colour", "impute"])
def test_an_unknown_choice_is_refused_with_the_known_ones(name):
    with pytest.raises(InputError, match=f"{name} is 'odd'; expected "):
        Options(**{name: "odd"})


@pytest.mark.parametrize("size", [(0, 5), (5,), (1, 2, 3)])
def test_a_size_is_two_positive_numbers(size):
    with pytest.raises(InputError, match="expected a height and a width of at least 1"):
        Options(resize=size)


@pytest.mark.parametrize("rows", [np.array([2, 0]), np.array([True, False, True])])
def test_rows_are_taken_with_their_labels_and_ids(rows):
    taken = from_arrays(np.arange(6.0).reshape(3, 2), np.array([5, 6, 7])).take(rows)
    assert len(taken) == 2
    assert sorted(zip(taken.x[:, 0], taken.y, taken.ids, strict=True)) == [(0.0, 5, "0"), (4.0, 7, "2")]
