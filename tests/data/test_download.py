import hashlib
import threading
import time
from pathlib import Path

import pytest

from oddgan import InputError
from oddgan._core.files import new_file
from oddgan.data.download import cache_folder, fetch

MD5 = hashlib.md5(b"content", usedforsecurity=False).hexdigest()


def test_the_cache_is_named_by_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("ODDGAN_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("ODDGAN_CACHE")
    assert cache_folder() == Path.home() / ".cache" / "oddgan"


def test_what_is_there_is_not_fetched_again(tmp_path):
    (tmp_path / "a").write_bytes(b"mine")
    assert fetch("https://nowhere.invalid/a", tmp_path / "a", MD5).read_bytes() == b"mine"


def test_the_sum_decides(tmp_path):
    (tmp_path / "source").write_bytes(b"content")
    url = (tmp_path / "source").as_uri()
    assert fetch(url, tmp_path / "new" / "a", MD5).read_bytes() == b"content"
    (tmp_path / "source").write_bytes(b"other")
    with pytest.raises(InputError, match=f"gave a file of MD5 sum .*; expected {MD5}: it was damaged or has changed"):
        fetch(url, tmp_path / "new" / "b", MD5)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a"]


def test_a_file_that_another_process_downloads_is_waited_for(tmp_path):
    (tmp_path / "source").write_bytes(b"content")

    def download():
        with new_file(tmp_path / "a") as temporary:
            begun.set()
            temporary.write_bytes(b"content")
            time.sleep(0.2)

    begun = threading.Event()
    thread = threading.Thread(target=download)
    thread.start()
    begun.wait()
    assert fetch("https://nowhere.invalid/a", tmp_path / "a", MD5).read_bytes() == b"content"
    thread.join()
