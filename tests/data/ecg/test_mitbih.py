import hashlib
import http.server
import threading
from functools import partial

import pytest

from oddgan import InputError
from oddgan.data.ecg import DS1, DS2, mitbih_folder, read_beats
from oddgan.data.ecg.mitbih import Home, published
from oddgan.data.ecg.splits import PACED

from .conftest import write_record


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ODDGAN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def server(tmp_path):
    """The files of two records and their address."""
    for name in ("100", "101"):
        write_record(tmp_path / "home", name)
    handler = partial(Quiet, directory=tmp_path / "home")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as http_server:
        threading.Thread(target=http_server.serve_forever, args=(0.01,), daemon=True).start()
        sums = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted((tmp_path / "home").iterdir())}
        yield Home(f"http://127.0.0.1:{http_server.server_port}/", sums), tmp_path / "home"
        http_server.shutdown()


def test_the_published_files_are_those_of_48_records():
    home = published()
    assert home.address == "https://physionet.org/files/mitdb/1.0.0/"
    assert set(home.sha256) == {f"{r}.{s}" for r in DS1 + DS2 + PACED for s in ("hea", "dat", "atr")}
    assert all(len(digest) == 64 for digest in home.sha256.values())


def test_records_are_downloaded_once(cache, server):
    home, folder = server
    assert mitbih_folder(home) == cache / "mitbih"
    assert {p.name for p in (cache / "mitbih").iterdir()} == set(home.sha256)
    assert len(read_beats(cache / "mitbih")) == 2 * 24
    for path in folder.iterdir():
        path.unlink()
    assert mitbih_folder(home) == cache / "mitbih"


def test_the_published_name_of_the_folder_is_fine(cache, server):
    home, folder = server
    cache.mkdir()
    (cache / "mitdb").symlink_to(folder)
    assert mitbih_folder(home) == cache / "mitdb"


def test_what_is_missing_is_added(cache, server):
    home, _ = server
    write_record(cache / "mitdb", "100", leads=("mine", "too"))
    assert mitbih_folder(home) == cache / "mitdb"
    assert "mine" in (cache / "mitdb" / "100.hea").read_text()  # what is there is not fetched again
    assert (cache / "mitdb" / "101.atr").exists()


def test_a_damaged_download_leaves_nothing(cache, server):
    home, folder = server
    (folder / "100.atr").write_bytes(b"something else")
    with pytest.raises(InputError, match=r"mitbih is not in the cache .* gave a file of SHA256 sum .*; expected"):
        mitbih_folder(home)
    assert list(cache.rglob("*.*")) == []


def test_no_network(cache, server):
    home = Home("http://127.0.0.1:1/", server[0].sha256)  # nothing listens there
    with pytest.raises(InputError, match=r"can't be downloaded .*Accepted are the 6 files of the records"):
        mitbih_folder(home)
    assert list(cache.rglob("*.*")) == []
