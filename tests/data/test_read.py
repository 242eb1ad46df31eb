import numpy as np
import polars as pl
import pytest
from PIL import Image

from oddgan import InputError
from oddgan.data import Options, read


def test_a_source_that_is_not_there():
    with pytest.raises(
        InputError, match=r"no file or folder nothing\.npz, nor a data set of that name; known sets: builtin:digits, .*"
    ):
        read("nothing.npz")


def test_an_unknown_built_in_set():
    with pytest.raises(InputError, match=r"Unknown built-in data set 'digitz'\. Did you mean digits\?"):
        read("builtin:digitz")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.txt", "is of an unknown type; expected npz, npy, csv"),
        ("a.png", "is a single image; give the folder"),
    ],
)
def test_files_of_other_types(tmp_path, name, message):
    Image.new("L", (8, 8)).save(tmp_path / "a.png")
    (tmp_path / "a.txt").write_text("hello")
    with pytest.raises(InputError, match=message):
        read(tmp_path / name)


@pytest.mark.parametrize("source", [5, [[1, 2], [3, 4]], None])
def test_other_objects(source):
    with pytest.raises(InputError, match=f"Can't read a {type(source).__name__}; expected a path, a name, an array"):
        read(source)


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        ("builtin:digits", Options(x="a"), "--x does not apply to builtin:digits"),
        ("mnist", Options(label="a"), "--label does not apply to mnist"),
        (np.zeros((2, 2)), Options(split="train"), "--split does not apply to an array"),
        (pl.DataFrame({"a": [1, 2]}), Options(y="a"), "--y does not apply to a frame"),
        ("builtin:digits", Options(skip_bad=True), "--skip-bad does not apply to builtin:digits"),
        ("builtin:digits", Options(kind="table"), "builtin:digits holds images; expected a table"),
    ],
)
def test_options_without_effect_are_refused(source, options, message):
    with pytest.raises(InputError, match=message):
        read(source, options)


def test_a_file_that_the_system_refuses(tmp_path):
    (tmp_path / "a.csv").symlink_to(tmp_path / "a.csv")
    with pytest.raises(InputError, match=r"a\.csv"):
        read(tmp_path / "a.csv")


def test_a_path_as_text_or_object(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((2, 2)))
    assert (read(str(tmp_path / "a.npy")).x == read(tmp_path / "a.npy").x).all()


def test_columns_that_do_not_fit_are_named_but_not_all_of_thousands(tmp_path):
    (tmp_path / "few.csv").write_text("a,b\n1,2\n3,4\n")
    names = [f"c{i}" for i in range(3000)]
    (tmp_path / "many.csv").write_text("\n".join([",".join(names), *[",".join(["1"] * 3000)] * 2]))
    with pytest.raises(InputError, match=r"lacks a, b and has also c0, .*, c9 and 2990 more; the model") as caught:
        read(tmp_path / "many.csv", like=read(tmp_path / "few.csv").reading)
    assert len(str(caught.value)) < 500


def test_an_empty_name_is_not_the_current_folder():
    with pytest.raises(InputError, match="The name of the data is empty"):
        read("")
