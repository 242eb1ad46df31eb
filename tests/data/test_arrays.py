import re

import numpy as np
import pytest

from oddgan import InputError
from oddgan.data import Options, from_arrays, read

IMAGES = np.zeros((4, 8, 9), np.uint8)


def save(path, **arrays):
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize(
    ("x", "kind", "expected_kind", "expected_shape"),
    [
        (np.zeros((4, 5)), None, "table", (4, 5)),
        (np.zeros((4, 5)), "series", "series", (4, 1, 5)),
        (np.zeros((4, 8, 9)), None, "series", (4, 8, 9)),
        (np.zeros((4, 8, 9), np.int16), None, "series", (4, 8, 9)),  # signed: 8 leads of a recording
        (IMAGES, None, "image", (4, 1, 8, 9)),
        (np.zeros((4, 8, 9), np.uint16), None, "image", (4, 1, 8, 9)),
        (np.zeros((4, 7, 90), np.uint8), None, "series", (4, 7, 90)),
        (IMAGES, "series", "series", (4, 8, 9)),
        (np.zeros((4, 8, 9)), "image", "image", (4, 1, 8, 9)),
        (np.zeros((4, 8, 9, 3)), None, "image", (4, 3, 8, 9)),
        (np.zeros((4, 8, 9, 1)), None, "image", (4, 1, 8, 9)),
        (np.zeros((4, 3, 8, 9)), None, "image", (4, 3, 8, 9)),
        (np.zeros((4, 1, 8, 3)), None, "image", (4, 1, 8, 3)),  # one row of coloured pixels is no image
    ],
)
def test_the_shape_gives_the_kind(x, kind, expected_kind, expected_shape):
    dataset = from_arrays(x, options=Options(kind=kind))
    assert (dataset.kind, dataset.x.shape) == (expected_kind, expected_shape)


def test_turned_images_keep_their_pixels():
    x = np.random.default_rng(0).integers(0, 255, (2, 8, 9, 3), dtype=np.uint8)
    assert from_arrays(x).x[1, 2, 5, 6] == x[1, 5, 6, 2]


@pytest.mark.parametrize(
    ("x", "dtype"),
    [
        (np.zeros((3, 2), np.float32), "float64"),
        (np.zeros((3, 2), np.int8), "float64"),
        (np.zeros((3, 2), bool), "float64"),
        (np.zeros((3, 2, 5), np.float32), "float32"),
        (np.zeros((3, 2, 5), np.int16), "float64"),
        (IMAGES.astype(np.uint16), "uint16"),
    ],
)
def test_types(x, dtype):
    dataset = from_arrays(x)
    assert str(dataset.x.dtype) == dataset.reading.dtype == dtype


@pytest.mark.parametrize(
    ("x", "kind", "message"),
    [
        (np.zeros(5), None, r"shape \(5,\); expected table \(n, d\); series"),
        (np.zeros((2, 3, 4)), "table", r"shape \(2, 3, 4\); expected \(n, d\) for kind table"),
        (np.zeros((2, 3)), "image", r"shape \(2, 3\); expected \(n, h, w\), \(n, c, h, w\)"),
        (np.zeros((2, 0)), None, r"samples of shape \(0,\), which hold nothing"),
        (np.array([["a", "b"], ["c", "d"]]), None, "The array holds 'a' in row 0, which is no number"),
        (np.array([[1, None], [2, 3]]), None, "holds 1 NaN and 0 infinite values in 1 of 2 rows: 0"),
        (np.zeros((2, 3, 9, 3)), None, r"shape \(2, 3, 9, 3\), whose channels may be first or last"),
        ([np.zeros((8, 8)), np.zeros((9, 9))], None, r"The array holds rows of 2 shapes: \(8, 8\) \(1 row\)"),
        (
            np.ma.array([[1, 2], [3, 4]], mask=[[0, 1], [0, 0]]),
            None,
            "holds 1 NaN and 0 infinite values .* --impute median",
        ),
        (np.zeros((2, 2), complex), None, "Complex data not supported: The array holds complex128"),
    ],
)
def test_arrays_that_can_not_be_used(x, kind, message):
    with pytest.raises(InputError, match=message):
        from_arrays(x, options=Options(kind=kind))


@pytest.mark.parametrize(("x_key", "y_key"), [("x", "y"), ("X", "y")])
def test_conventional_keys(tmp_path, x_key, y_key):
    path = save(tmp_path / "a.npz", **{x_key: np.ones((3, 2)), y_key: np.array([0, 1, 0]), "mask": np.zeros(9)})
    dataset = read(path)
    assert dataset.x.tolist() == [[1, 1]] * 3
    assert dataset.y.tolist() == [0, 1, 0]
    assert (dataset.reading.split, dataset.notes) == (None, ())


def test_both_splits_in_one_file(tmp_path):
    arrays = {"x_train": np.zeros((3, 2)), "y_train": [0, 0, 0], "x_test": np.ones((2, 2)), "y_test": [0, 1]}
    path = save(tmp_path / "a.npz", **arrays)
    assert (len(read(path)), read(path).reading.split) == (3, "train")
    assert read(path, default_split="test").y.tolist() == [0, 1]
    assert read(path, Options(split="train"), default_split="test").y.tolist() == [0, 0, 0]


def test_a_file_of_one_split_only(tmp_path):
    path = save(tmp_path / "a.npz", X_train=np.zeros((3, 2)))
    assert read(path, default_split="test").reading.split == "train"
    with pytest.raises(InputError, match=r"has no test part; it has train\."):
        read(path, Options(split="test"))


def test_named_keys(tmp_path):
    path = save(tmp_path / "a.npz", images=np.zeros((3, 2)), x=np.ones((3, 2)), labels=[4, 5, 6])
    dataset = read(path, Options(x="images", y="labels"))
    assert (dataset.x.sum(), dataset.y.tolist()) == (0, [4, 5, 6])
    again = read(path, like=dataset.reading)  # the model remembers which array it was fitted on
    assert (again.x.sum(), again.y.tolist()) == (0, [4, 5, 6])
    other = read(save(tmp_path / "b.npz", x=np.ones((3, 2))), like=dataset.reading)
    assert other.x.sum() == 6


def test_the_only_array_is_the_data(tmp_path):
    dataset = read(save(tmp_path / "a.npz", arr_0=np.zeros((3, 2))))
    assert dataset.notes == ("The data is the array 'arr_0' of a.npz.",)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (Options(), "has the arrays a, b; expected x, X, x_train or x_test: name one with --x"),
        (Options(x="c"), "has no array 'c'; it has a, b"),
        (Options(x="a", y="c"), "has no array 'c'; it has a, b"),
        (Options(x="a", split="test"), "can't be split by --split test: --x a says which array to read"),
        (Options(label="c"), "--label does not apply to .*a.npz"),
    ],
)
def test_keys_that_are_not_there(tmp_path, options, message):
    path = save(tmp_path / "a.npz", a=np.zeros((3, 2)), b=np.zeros(2))
    with pytest.raises(InputError, match=message):
        read(path, options)


def test_a_split_of_a_file_without_any(tmp_path):
    path = save(tmp_path / "a.npz", x=np.zeros((3, 2)))
    with pytest.raises(InputError, match="can't be split by --split test: it has no x_train or x_test"):
        read(path, Options(split="test"))


def test_npy(tmp_path):
    np.save(tmp_path / "a.npy", IMAGES)
    assert read(tmp_path / "a.npy").x.shape == (4, 1, 8, 9)
    with pytest.raises(InputError, match=r"--split does not apply to .*a\.npy"):
        read(tmp_path / "a.npy", Options(split="test"))


@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.99])
def test_a_file_cut_short(tmp_path, name, share):
    path = tmp_path / name
    noise = np.random.default_rng(0).normal(size=(50, 20))
    np.save(path, noise) if name == "a.npy" else np.savez_compressed(path, x=noise)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(InputError, match=f"{re.escape(str(path))} can't be read: it is damaged, cut short or no"):
        read(path)


@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
def test_python_objects_are_never_loaded(tmp_path, name):
    objects = np.array([{"a": 1}, None], dtype=object)
    np.save(tmp_path / name, objects) if name == "a.npy" else np.savez(tmp_path / name, x=objects)
    with pytest.raises(InputError, match="holds Python objects, which are never loaded"):
        read(tmp_path / name)


def test_a_file_under_the_wrong_name(tmp_path):
    save(tmp_path / "a.npz", x=np.zeros((3, 2))).rename(tmp_path / "a.npy")
    with pytest.raises(InputError, match=r"is an npz file by its content: rename it to a\.npz"):
        read(tmp_path / "a.npy")
    with (tmp_path / "b.npz").open("wb") as file:
        np.save(file, np.zeros((3, 2)))
    with pytest.raises(InputError, match=r"is an npy file by its content: rename it to b\.npy"):
        read(tmp_path / "b.npz")


@pytest.mark.parametrize(("kind", "told"), [(None, True), ("series", False), ("image", False)])
def test_squares_of_floats_may_be_images(kind, told):
    dataset = from_arrays(np.random.default_rng(0).random((3, 9, 9)), options=Options(kind=kind))
    note = "The array has shape (3, 9, 9) and is read as series of 9 channels; grey images are read with --kind image."
    assert dataset.notes == ((note,) if told else ())
    assert from_arrays(np.zeros((1, 9, 9)), like=dataset.reading).notes == ()


def test_masked_entries_are_filled_like_other_gaps():
    x = np.ma.array([[1, 2], [3, 4], [5, 8]], mask=[[0, 1], [0, 0], [0, 0]])
    assert from_arrays(x, options=Options(impute="median")).x.tolist() == [[1, 6], [3, 4], [5, 8]]
