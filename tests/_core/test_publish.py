"""Names that another program takes, and replacements where names can't be exchanged."""

import errno
import os

import pytest

from oddgan import InputError
from oddgan._core import publish, renames
from oddgan._core.files import new_file, new_folder


def content(path):
    return (path / "inside" if path.is_dir() else path).read_text()


def write(path, text):
    (path / "inside" if path.is_dir() else path).write_text(text)


@pytest.fixture(params=["renameat2", "plain", "no links"])
def system(request, monkeypatch):
    if request.param != "renameat2":
        monkeypatch.setattr(renames, "_renameat2", lambda *_: False)
    if request.param == "no links":

        def refused(*_):
            raise OSError(errno.EPERM, os.strerror(errno.EPERM))

        monkeypatch.setattr("pathlib.Path.hardlink_to", refused)


@pytest.mark.usefixtures("system")
@pytest.mark.parametrize("writer", [new_file, new_folder])
def test_a_name_that_another_program_takes_meanwhile_is_not_replaced(tmp_path, writer):
    def taken():
        with writer(tmp_path / "scores.csv") as temporary:
            write(temporary, "ours")
            (tmp_path / "scores.csv").mkdir()
            write(tmp_path / "scores.csv", "theirs")

    with pytest.raises(
        InputError, match=r"scores.csv was made by another program meanwhile: the result is in \S+-2.csv "
    ):
        taken()
    assert {p.name: content(p) for p in tmp_path.iterdir()} == {"scores.csv": "theirs", "scores-2.csv": "ours"}


@pytest.mark.usefixtures("system")
@pytest.mark.parametrize("writer", [new_file, new_folder])
def test_replacing_leaves_nothing_else(tmp_path, writer):
    for text in ("old", "new"):
        with writer(tmp_path / "m", force=True) as temporary:
            write(temporary, text)
    assert {p.name: content(p) for p in tmp_path.iterdir()} == {"m": "new"}


@pytest.mark.usefixtures("system")
def test_a_link_is_replaced_and_what_it_points_to_stays(tmp_path):
    (tmp_path / "real").mkdir()
    write(tmp_path / "real", "old")
    (tmp_path / "m").symlink_to(tmp_path / "real")
    with new_folder(tmp_path / "m", force=True) as temporary:
        write(temporary, "new")
    assert {p.name: content(p) for p in tmp_path.iterdir()} == {"m": "new", "real": "old"}


def test_a_replacement_that_fails_puts_the_old_one_back(tmp_path, monkeypatch):
    monkeypatch.setattr(renames, "_renameat2", lambda *_: False)
    with new_folder(tmp_path / "m") as temporary:
        write(temporary, "old")
    replace, calls = publish.Path.replace, []

    def interrupted(source, target):
        calls.append(source)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return replace(source, target)

    monkeypatch.setattr("pathlib.Path.replace", interrupted)
    with pytest.raises(KeyboardInterrupt), new_folder(tmp_path / "m", force=True) as temporary:
        write(temporary, "new")
    assert {p.name: content(p) for p in tmp_path.iterdir()} == {"m": "old"}


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(InputError, match="is a folder, but a file is to be written"), new_file(tmp_path, force=True):
        pytest.fail("the work was begun")
