import gzip
import hashlib
import http.server
import io
import struct
import tarfile
import threading
from functools import partial

import numpy as np
import pytest

from oddgan import InputError
from oddgan.data import Options, load_named, published, read
from oddgan.data.published import parse_cifar, parse_idx

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (3, 28, 28), dtype=np.uint8)
LABELS = np.array([7, 0, 9], np.uint8)


def idx(x, code=0x08):
    head = bytes([0, 0, code, x.ndim]) + struct.pack(f">{x.ndim}I", *x.shape)
    return head + x.astype(x.dtype.newbyteorder(">")).tobytes()


def write_idx(folder, name="t10k", x=IMAGES, y=LABELS):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(x)))
    (folder / f"{name}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(y)))


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ODDGAN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.mark.parametrize(
    ("dtype", "code"), [("u1", 0x08), ("i1", 0x09), ("i2", 0x0B), ("i4", 0x0C), ("f4", 0x0D), ("f8", 0x0E)]
)
def test_idx_of_every_type(dtype, code):
    x = np.arange(-6 if dtype != "u1" else 0, 6).astype(dtype).reshape(2, -1)
    parsed = parse_idx(idx(x, code), "file")
    assert (parsed.dtype, parsed.tolist()) == (x.dtype, x.tolist())


@pytest.mark.parametrize(
    "data", [b"", b"\0\0\x08", b"\1\0\x08\1\0\0\0\0", b"\0\0\x07\1\0\0\0\0", idx(LABELS)[:6]], ids=range(5)
)
def test_what_is_no_idx_file(data):
    with pytest.raises(InputError, match="file is no IDX file, or is cut short"):
        parse_idx(data, "file")


@pytest.mark.parametrize("data", [idx(LABELS)[:-1], idx(LABELS) + b"\0"])
def test_idx_of_the_wrong_length(data):
    with pytest.raises(InputError, match=r"bytes of values; shape \(3,\) takes 3"):
        parse_idx(data, "file")


def test_cifar_is_label_red_green_blue():
    data = bytes([5]) + bytes([1]) * 1024 + bytes([2]) * 1024 + bytes([3]) * 1024
    x, y = parse_cifar(data + data, "file")
    assert (x.shape, y.tolist()) == ((2, 3, 32, 32), [5, 5])
    assert x[0].reshape(3, -1).T.tolist() == [[1, 2, 3]] * 1024
    for wrong in (b"", data[:-1]):
        with pytest.raises(InputError, match="no whole number of images of 3073 bytes"):
            parse_cifar(wrong, "file")
    with pytest.raises(InputError, match="has the label 10; expected 0 to 9"):
        parse_cifar(bytes([10]) + data[1:], "file")


@pytest.mark.parametrize("place", [".", "mnist"])
def test_idx_files_in_the_cache(cache, place):
    write_idx(cache / place)
    dataset = read("MNIST", Options(split="test"))
    assert (dataset.kind, dataset.x.shape, dataset.y.tolist()) == ("image", (3, 1, 28, 28), [7, 0, 9])
    assert (dataset.x[:, 0] == IMAGES).all()
    assert dataset.reading.split == "test"


def test_plain_idx_files_in_a_folder(tmp_path):
    (tmp_path / "train-images-idx3-ubyte").write_bytes(idx(IMAGES))
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx(LABELS))
    assert load_named("fashion-mnist", "train", tmp_path).y.tolist() == [7, 0, 9]
    with pytest.raises(InputError, match=r"holds no test part of fashion-mnist; expected fashion-mnist\.npz with x_tr"):
        load_named("fashion-mnist", "test", tmp_path)


@pytest.mark.parametrize("name", ["fashion-mnist.npz", "fashion_mnist.npz", "fashionmnist.npz"])
def test_npz_in_the_cache(cache, name):
    cache.mkdir()
    np.savez(cache / name, x_train=IMAGES, y_train=LABELS)
    assert read("FashionMNIST").x.shape == (3, 1, 28, 28)


def test_labels_of_another_length(cache):
    write_idx(cache, y=LABELS[:2])
    with pytest.raises(InputError, match=r"mnist has labels of shape \(2,\) for 3 samples"):
        read("mnist", default_split="test")


def test_an_idx_file_cut_short(cache):
    write_idx(cache)
    path = cache / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(InputError, match=r"t10k-images-idx3-ubyte\.gz can't be read: it is damaged or cut short"):
        read("mnist", default_split="test")


def batch(label):
    return bytes([label]) + RNG.bytes(3072)


def test_cifar_batches_keep_their_order(cache):
    folder = cache / "cifar-10-batches-bin"
    folder.mkdir(parents=True)
    for i in range(1, 6):
        (folder / f"data_batch_{i}.bin").write_bytes(batch(i) + batch(9))
    dataset = read("cifar-10")
    assert dataset.x.shape == (10, 3, 32, 32)
    assert dataset.y.tolist() == [1, 9, 2, 9, 3, 9, 4, 9, 5, 9]


def cifar_archive(files):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return stream.getvalue()


def test_an_archive_that_lacks_a_batch(cache):
    cache.mkdir()
    (cache / "cifar-10-binary.tar.gz").write_bytes(cifar_archive({"data_batch_1.bin": batch(1)}))
    with pytest.raises(InputError, match=r"cifar-10-binary\.tar\.gz can't be read: it is damaged or cut short"):
        read("cifar10", default_split="test")


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def server(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=home)) as http_server:
        threading.Thread(target=http_server.serve_forever, args=(0.01,), daemon=True).start()
        yield home, f"http://127.0.0.1:{http_server.server_port}/"
        http_server.shutdown()


def publish(monkeypatch, name, home, url):
    sums = {path.name: hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest() for path in home.iterdir()}
    monkeypatch.setitem(published.PUBLISHED, name, published.Published(home=url, md5=sums))


def test_what_is_missing_is_downloaded_once(cache, server, monkeypatch):
    home, url = server
    write_idx(home)
    write_idx(home, "train", IMAGES[:2], LABELS[:2])
    publish(monkeypatch, "mnist", home, url)
    assert (read("mnist", default_split="test").x[:, 0] == IMAGES).all()
    names = ["t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"]
    assert sorted(path.name for path in (cache / "mnist").iterdir()) == names
    for path in home.glob("t10k*"):
        path.unlink()
    assert len(read("mnist", default_split="test")) == 3
    assert len(read("mnist")) == 2


def test_cifar_is_downloaded_as_an_archive(cache, server, monkeypatch):
    home, url = server
    (home / "cifar-10-binary.tar.gz").write_bytes(cifar_archive({"test_batch.bin": batch(4) + batch(2)}))
    publish(monkeypatch, "cifar10", home, url)
    assert read("cifar10", default_split="test").y.tolist() == [4, 2]
    assert (cache / "cifar10" / "cifar-10-binary.tar.gz").exists()


def test_a_damaged_download_leaves_nothing(cache, server, monkeypatch):
    home, url = server
    write_idx(home)
    publish(monkeypatch, "mnist", home, url)
    (home / "t10k-images-idx3-ubyte.gz").write_bytes(b"something else")
    with pytest.raises(InputError, match=r"mnist is not in the cache .* gave a file of MD5 sum .*; expected"):
        read("mnist", default_split="test")
    assert list(cache.rglob("*.*")) == []


def test_a_file_that_is_not_on_the_server(cache, server, monkeypatch):
    home, url = server
    write_idx(home)
    publish(monkeypatch, "mnist", home, url)
    (home / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(InputError, match=r"labels-idx1-ubyte\.gz can't be downloaded .*404.* put it into .*mnist"):
        read("mnist", default_split="test")
    assert [path.name for path in (cache / "mnist").iterdir()] == ["t10k-images-idx3-ubyte.gz"]


def test_no_network(cache, server, monkeypatch):
    home, _ = server
    write_idx(home)
    publish(monkeypatch, "mnist", home, "http://127.0.0.1:1/")  # nothing listens there
    with pytest.raises(InputError, match=r"can't be downloaded .*put it into .*Accepted are mnist\.npz with x_train"):
        read("mnist", default_split="test")
    assert list(cache.rglob("*.*")) == []


def test_the_published_addresses_are_secure():
    for data_set in published.PUBLISHED.values():
        assert data_set.home.startswith("https://")
        assert all(len(md5) == 32 for md5 in data_set.md5.values())
