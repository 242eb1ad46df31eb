import os
import socket

import pytest

from oddgan import InputError
from oddgan._core.errors import printable
from oddgan._core.paths import check_name, odd_name, regular_file, walk


def test_a_file_and_a_link_to_one(tmp_path):
    (tmp_path / "a").touch()
    (tmp_path / "b").symlink_to("a")
    assert regular_file(tmp_path / "a") == tmp_path / "a"
    assert regular_file(str(tmp_path / "b")) == tmp_path / "b"


def test_nothing_else_is_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "circle").symlink_to("circle")
    (tmp_path / "lost").symlink_to("nowhere")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(tmp_path / "socket"))
        expected = {
            "pipe": "it is a pipe",
            "folder": "it is a folder",
            "circle": "too many levels of symbolic links",
            "lost": "it is a link to a file that is not there",
            "socket": "it is a socket",
            "nothing": "there is no such file",
            "n" * 300: "file name too long",
        }
        for name, reason in expected.items():
            with pytest.raises(InputError, match=f"can't be read: {reason}; expected a file"):
                regular_file(tmp_path / name)
    with pytest.raises(InputError, match="it is a device"):
        regular_file(os.devnull)


@pytest.mark.parametrize("name", ["a\nb", "a\rb", "a\x1b[31m", "a\u2028b", "a\u2029b", "a\x85b", "a\x00b"])
def test_names_with_line_breaks_and_control_characters(name):
    assert odd_name(name) == "a line break or control character"
    with pytest.raises(InputError, match="holds a line break or control character: rename it") as caught:
        check_name(name)
    assert str(caught.value).isprintable()


def test_names_that_are_no_utf8():
    with pytest.raises(InputError, match=r"The name 'a\\udcff' holds bytes that are no UTF-8: rename it"):
        check_name(os.fsdecode(b"a\xff"))


@pytest.mark.parametrize("name", ["a b.png", "Prüfling-7.png", "試験.csv", "a'b\"c", "\N{NO-BREAK SPACE}"])
def test_plain_names(name):
    assert odd_name(name) is None


def test_errors_are_printable_whatever_they_quote():
    error = InputError("Expected:\n\n   {'descr'}\r\nfound \u2028 'a\udcff' \x1b[0m.\n")
    assert str(error) == r"Expected: {'descr'} found 'a\udcff' \x1b[0m."
    assert printable("plain – text") == "plain – text"


def test_a_walk_finds_everything_once(tmp_path):
    (tmp_path / "one" / "two").mkdir(parents=True)
    (tmp_path / ".hidden").mkdir()
    for name in ("a", "one/b", "one/two/c", ".hidden/d", "one/.e"):
        (tmp_path / name).touch()
    assert sorted(p.relative_to(tmp_path).as_posix() for p in walk(tmp_path)) == ["a", "one/b", "one/two/c"]
    (tmp_path / "one" / "two" / "up").symlink_to(tmp_path / "one")
    with pytest.raises(InputError, match="are one folder: remove the link"):
        list(walk(tmp_path))
