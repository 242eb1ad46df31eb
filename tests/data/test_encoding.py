import json

import numpy as np
import polars as pl
import pytest

from oddgan import InputError
from oddgan.data import Options, Reading, from_arrays, from_frame, read, select_normal

MEDIAN = Options(impute="median")
TRAIN = pl.DataFrame({"age": [30.0, 40.0, 50.0], "job": ["cook", "smith", "cook"], "kind": [0, 1, 0]})


def fitted(options=None):
    reading = from_frame(TRAIN, "kind", options).reading
    return Reading.from_json(json.loads(json.dumps(reading.to_json())))


def test_labels_are_no_data():
    dataset = from_frame(TRAIN, "kind")
    assert (dataset.columns, dataset.y.tolist()) == (("age", "job=cook", "job=smith"), [0, 1, 0])


def test_new_data_is_read_like_the_old():
    new = read(pl.DataFrame({"age": [7], "job": ["smith"]}), like=fitted())
    assert (new.x.tolist(), new.y) == ([[7, 0, 1]], None)


def test_the_label_column_is_remembered():
    new = read(TRAIN, like=fitted())
    assert (new.x.shape, new.y.tolist()) == ((3, 3), [0, 1, 0])


def test_texts_never_seen_become_zeros_with_a_note():
    new = read(pl.DataFrame({"age": [7, 8], "job": ["pilot", "cook"]}), like=fitted())
    assert new.x.tolist() == [[7, 0, 0], [8, 1, 0]]
    assert new.notes == ("Column job has texts that the model never saw; they count as none of its texts: pilot (1).",)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"age": [1]}, "lacks job; the model expects the columns age, job"),
        (
            {"age": [1], "job": ["cook"], "pay": [2]},
            "also pay; .* age, job: leave out .* --drop pay, or name labels with",
        ),
        ({"Age": [1], "job": ["cook"]}, "lacks age and has also Age"),
        ({"job": ["cook"], "age": [1]}, "another order: column 1 is job; the model expects age, job"),
        ({"age": ["old"], "job": ["cook"]}, "the text 'old' in row 0 of column age, which holds numbers in the model"),
    ],
)
def test_columns_that_do_not_fit_the_model(columns, message):
    with pytest.raises(InputError, match=message):
        read(pl.DataFrame(columns), like=fitted())


def test_categories_that_look_like_numbers_stay_categories(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("zone,n\nA,1\n7,2\n")
    reading = read(path).reading
    assert reading.encoding.categories == (("7", "A"), None)
    path.write_text("zone,n\n7,1\n")  # now the whole column could be numbers
    assert read(path, like=reading).x.tolist() == [[1, 0, 1]]
    assert read(pl.DataFrame({"zone": [7], "n": [1]}), like=reading).x.tolist() == [[1, 0, 1]]


def test_missing_values_are_refused():
    frame = pl.DataFrame({"age": [None, 40.0, None], "job": ["cook", None, "cook"]})
    with pytest.raises(InputError, match=r"lacks 3 values, by column: age \(2\), job \(1\); .*--impute median"):
        read(frame)


@pytest.mark.parametrize("missing", ["", "?", "NA", "NaN", "n/a", "null"])
def test_missing_cells_of_csv(tmp_path, missing):
    path = tmp_path / "a.csv"
    path.write_text(f"a,b\n1,2\n{missing},4\n")
    with pytest.raises(InputError, match=r"lacks 1 values, by column: a \(1\)"):
        read(path)


def test_medians_come_from_the_normal_training_rows():
    frame = pl.DataFrame({"age": [1.0, 2.0, 6.0, None, 1000.0], "kind": [0, 0, 0, 0, 1]})
    dataset = from_frame(frame, "kind", MEDIAN)
    assert dataset.x[:, 0].tolist() == [1, 2, 6, 2, 1000]  # the median of 1, 2, 6; not of 1, 2, 6, 1000
    assert dataset.notes == ("Missing values were filled with the median of the training rows: age (1).",)
    new = read(pl.DataFrame({"age": [None, 9.0]}), like=dataset.reading)
    assert new.x[:, 0].tolist() == [2, 9]


def test_missing_texts_count_as_none():
    dataset = read(pl.DataFrame({"job": ["cook", None, "smith"]}), MEDIAN)
    assert dataset.x.tolist() == [[1, 0], [0, 0], [0, 1]]
    assert dataset.notes == ("Column job lacks 1 texts; they count as none of its texts.",)


def test_arrays_are_filled_too():
    x = np.array([[1.0, np.nan], [3.0, 5.0], [2.0, 7.0]])
    dataset = from_arrays(x, options=MEDIAN)
    assert dataset.x[0].tolist() == [1, 6]
    assert from_arrays(np.array([[np.nan, np.nan]]), like=dataset.reading).x.tolist() == [[2, 6]]
    with pytest.raises(InputError, match="has 3 columns; the model was fitted on 2"):
        from_arrays(np.zeros((2, 3)), like=dataset.reading)


def test_a_column_without_any_value_has_no_median():
    with pytest.raises(InputError, match="no value at all, so no median, in column 1: remove it"):
        from_arrays(np.array([[1.0, np.nan], [3.0, np.nan]]), options=MEDIAN)


def test_infinite_values_are_never_filled():
    with pytest.raises(InputError, match="0 NaN and 1 infinite values in 1 of 2 rows: 1;"):
        from_arrays(np.array([[1.0], [np.inf]]), options=MEDIAN)


def test_medians_can_not_be_had_later():
    with pytest.raises(InputError, match="fitted without --impute, so it has no medians"):
        read(pl.DataFrame({"age": [None], "job": ["cook"]}), MEDIAN, like=fitted())


def test_a_label_column_that_is_not_there():
    with pytest.raises(InputError, match="has no column 'class'; it has age, job, kind"):
        from_frame(TRAIN, "class")


def test_missing_labels():
    with pytest.raises(InputError, match="lacks the label of 1 rows, the first is row 1"):
        from_frame(pl.DataFrame({"a": [1, 2], "y": ["good", None]}), "y")
    with pytest.raises(InputError, match="1 labels that are missing or no whole numbers, the first in row 1"):
        from_frame(pl.DataFrame({"a": [1, 2], "y": [0, None]}), "y")


def test_a_table_of_labels_only():
    with pytest.raises(InputError, match="has no columns beside the labels"):
        from_frame(pl.DataFrame({"y": [0, 1]}), "y")


def test_a_column_that_looks_like_labels_is_pointed_out():
    assert read(pl.DataFrame({"a": [1, 2], "Class": [0, 1]})).notes == (
        "Column Class is used as data; if it holds the labels, say --label Class.",
    )


def test_many_texts_are_columns_only_if_asked_for():
    frame = pl.DataFrame({"name": [f"row {i % 31}" for i in range(256)]})
    with pytest.raises(InputError, match=r"more than 30 different texts in column name, .*--categorical name"):
        read(frame)
    dataset = read(frame, Options(categorical=("name",)))
    assert dataset.x.shape == (256, 31)
    assert read(frame[:2], like=dataset.reading).x.sum() == 2
    assert read(frame.filter(pl.col("name") != "row 0")).x.shape == (247, 30)


def test_text_labels_choose_the_normal_rows():
    dataset = from_frame(TRAIN, "job")
    kept, dropped = select_normal(dataset, "cook")
    assert (kept.ids.tolist(), dropped) == (["0", "2"], 1)


def test_a_model_fitted_on_an_array_takes_numbers_of_any_name():
    reading = from_arrays(np.zeros((2, 2))).reading
    assert read(pl.DataFrame({"a": [1], "b": [2]}), like=reading).x.tolist() == [[1, 2]]
    with pytest.raises(InputError, match="has the text 'cook' in row 0 of column b"):
        read(pl.DataFrame({"a": [1], "b": ["cook"]}), like=reading)


def test_an_array_stands_for_the_columns_of_the_model():
    assert from_arrays(np.ones((1, 3)), like=fitted()).columns == ("age", "job=cook", "job=smith")
    with pytest.raises(InputError, match="has 2 columns; the model expects 3: age, job=cook, job=smith"):
        from_arrays(np.ones((1, 2)), like=fitted())
