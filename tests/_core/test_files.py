import errno
import os
import stat

import pytest

from oddgan import InputError
from oddgan._core.files import growing_folder, new_file, new_folder, unfinished

WRITERS = {"file": new_file, "folder": new_folder}


def write(path, kind, text="new"):
    (path if kind == "file" else path / "inside.txt").write_text(text)


def read(path, kind):
    return (path if kind == "file" else path / "inside.txt").read_text()


def fail_midway(path, kind, error):
    write(path, kind)
    raise error


@pytest.fixture(params=WRITERS)
def kind(request):
    return request.param


def test_written_whole(tmp_path, kind):
    target = tmp_path / "a" / "b" / "out.csv"
    with WRITERS[kind](target) as temporary:
        write(temporary, kind)
        assert not target.exists()
        assert temporary.parent == target.parent
    assert read(target, kind) == "new"
    assert os.listdir(target.parent) == ["out.csv"]  # noqa: PTH208


def test_file_keeps_its_suffix_while_it_is_written(tmp_path):
    with new_file(tmp_path / "out.csv") as temporary:
        assert temporary.suffix == ".csv"


def test_others_may_read(tmp_path):
    with new_file(tmp_path / "file"):
        pass
    with new_folder(tmp_path / "folder"):
        pass
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o644
    assert stat.S_IMODE((tmp_path / "folder").stat().st_mode) == 0o755


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
@pytest.mark.parametrize("exists", [True, False])
def test_nothing_is_left_after_an_error(tmp_path, kind, error, exists):
    target = tmp_path / "out"
    if exists:
        with WRITERS[kind](target) as temporary:
            write(temporary, kind, "old")
    with pytest.raises(error), WRITERS[kind](target, force=True) as temporary:
        fail_midway(temporary, kind, error)
    assert [p.name for p in tmp_path.iterdir()] == (["out"] if exists else [])
    assert not exists or read(target, kind) == "old"


def test_existing_is_refused_before_any_work(tmp_path, kind):
    target = tmp_path / "out"
    with WRITERS[kind](target) as temporary:
        write(temporary, kind, "old")
    with pytest.raises(InputError, match=r"out exists already: .*--force"), WRITERS[kind](target):
        pytest.fail("the work was begun")
    assert read(target, kind) == "old"


def test_force_replaces(tmp_path, kind):
    target = tmp_path / "out"
    for text in ("old", "new"):
        with WRITERS[kind](target, force=True) as temporary:
            write(temporary, kind, text)
    assert read(target, kind) == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.ENOSPC, "No space left on the disk for .*out: free some"),
        (errno.EDQUOT, "No space left"),
        (errno.EACCES, "can't be written: no permission"),
        (errno.EROFS, "can't be written: no permission"),
    ],
)
def test_disk_errors_in_plain_words(tmp_path, kind, number, message):
    with pytest.raises(InputError, match=message), WRITERS[kind](tmp_path / "out"):
        raise OSError(number, os.strerror(number))
    assert list(tmp_path.iterdir()) == []


def test_other_errors_pass(tmp_path, kind):
    with pytest.raises(OSError, match="Bad file descriptor"), WRITERS[kind](tmp_path / "out"):
        raise OSError(errno.EBADF, "Bad file descriptor")


def test_a_growing_folder_stays_after_an_error_and_is_gone_on_with(tmp_path):
    target = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt), growing_folder(target) as part:
        fail_midway(part, "folder", KeyboardInterrupt)
    assert [p.name for p in tmp_path.iterdir()] == ["out.part"]
    assert part == unfinished(target)
    with growing_folder(target, resume=True) as part:
        assert read(part, "folder") == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_growing_folder_starts_anew_by_force_only(tmp_path):
    with pytest.raises(KeyboardInterrupt), growing_folder(tmp_path / "out", origin="a") as part:
        fail_midway(part, "folder", KeyboardInterrupt)
    with pytest.raises(InputError, match=r"out\.part holds 1 files of an interrupted run"):
        growing_folder(tmp_path / "out", origin="a").__enter__()
    with pytest.raises(InputError, match=r"out\.part was begun with another model or other data"):
        growing_folder(tmp_path / "out", origin="b", resume=True).__enter__()
    with growing_folder(tmp_path / "out", origin="b", force=True) as part:
        assert [p.name for p in part.iterdir()] == [".unfinished"]


def test_a_folder_that_only_has_the_name_of_a_growing_one_stays(tmp_path):
    mine = unfinished(tmp_path / "out")
    mine.mkdir()
    write(mine, "folder", "mine")
    for more in ({}, {"force": True}, {"resume": True}):
        with pytest.raises(InputError, match=r"out\.part is no unfinished result of oddgan: move it elsewhere"):
            growing_folder(tmp_path / "out", **more).__enter__()
    assert read(mine, "folder") == "mine"


def test_a_growing_folder_replaces_by_force_only_and_leaves_no_empty_one(tmp_path):
    target = tmp_path / "out"
    target.mkdir()
    write(target, "folder", "old")
    with pytest.raises(InputError, match="out exists already"), growing_folder(target):
        pytest.fail("the work was begun")
    with pytest.raises(ValueError, match="no"), growing_folder(target, force=True):
        raise ValueError("no")
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    with growing_folder(target, force=True) as part:
        write(part, "folder")
    assert read(target, "folder") == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_file_where_a_folder_is_needed(tmp_path, kind):
    (tmp_path / "models").write_text("")
    for target in (tmp_path / "models" / "threes", tmp_path / "models" / "a" / "threes"):
        with pytest.raises(InputError, match="a folder on its way is a file"), WRITERS[kind](target):
            pytest.fail("the work was begun")
