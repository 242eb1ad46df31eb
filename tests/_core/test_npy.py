import io
import re
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest

from oddgan import InputError
from oddgan._core.npy import Archive, check_npy

VALUES = np.arange(6.0).reshape(3, 2)
BYTES = VALUES.tobytes()


def npy(header, values=BYTES, version=1):
    """An npy file with this header."""
    text = header.encode("latin-1")
    size = struct.pack("<H" if version == 1 else "<I", len(text))
    return b"\x93NUMPY" + bytes([version, 0]) + size + text + values


def header(shape="(3, 2)", descr="'<f8'", fortran="False"):
    return f"{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (npy(header("(10**9, 2)")), "not what numpy writes"),
        (npy(header("(1000000000, 2)")), "claims 16000000000 bytes of values, it holds 48"),
        (npy(header("(2, 2)")), "claims 32 bytes of values, it holds 48"),
        (npy(header("(-3, -2)")), r"has the shape \(-3, -2\)"),
        (npy(header("(3.0, 2)")), r"has the shape \(3\.0, 2\)"),
        (npy(header("(True, 6)")), r"has the shape \(True, 6\)"),
        (npy(header(f"({'1, ' * 40})")), "has the shape"),
        (npy(header("(" * 3000)), "not what numpy writes"),
        (npy(header("(" + "9" * 5000 + ",)")), "not what numpy writes"),
        (npy(header() + " " * 20000), "its header claims 20"),
        (npy(header() + " " * 20000, version=2), "its header claims 20"),
        (npy(header(descr="'O'")), "holds Python objects, which are never loaded"),
        (npy(header(descr="'|O8'")), "holds Python objects, which are never loaded"),
        (npy(header(descr="[('a', '<f8')]")), "holds records of several fields"),
        (npy(header(descr="'f8,f8'")), "values of type"),
        (npy(header(descr="'(999999999,999999999)f8'")), "type|values"),
        (npy(header(descr="'nonsense'")), "has the type 'nonsense'"),
        (npy(header(fortran="'no'")), "has the shape"),
        (npy("[1, 2]"), "not what numpy writes"),
        (npy("{'shape': (3, 2)}"), "not what numpy writes"),
        (npy("__import__('os').system('true')"), "not what numpy writes"),
        (npy(header())[:9], "damaged, cut short"),
        (npy(header(), version=9), "does not begin as an npy file does"),
        (npy(header()) + b"more", "claims 48 bytes of values, it holds 52"),
        (b"", "does not begin as an npy file does"),
    ],
)
def test_headers_that_lie(tmp_path, content, message):
    (tmp_path / "a.npy").write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match=message) as caught:
            check_npy(tmp_path / "a.npy")
        assert tracemalloc.get_traced_memory()[1] < 10 * 2**20
    finally:
        tracemalloc.stop()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["<f8", ">i2", "?", "<U3", "S2", "<c16"])
def test_what_numpy_writes_is_read(tmp_path, order, dtype):
    x = np.array([[1, 0], [0, 1], [1, 1]], order=order).astype(dtype, order=order)
    np.save(tmp_path / "a.npy", x)
    found = check_npy(tmp_path / "a.npy")
    assert (found.shape, found.dtype, found.fortran) == (x.shape, x.dtype, order == "F")
    for write in (np.savez, np.savez_compressed):
        write(tmp_path / "a.npz", x=x, other=x[0], none=x[:0])
        with Archive(tmp_path / "a.npz") as file:
            assert file.keys == ["x", "other", "none"]
            for key, expected in (("x", x), ("other", x[0]), ("none", x[:0])):
                assert (file.read(key) == expected).all()
                assert file.read(key).shape == expected.shape


def archive(path, members, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as file:
        for name, content in members:
            file.writestr(name, content)
    return path


def array(x=VALUES):
    stream = io.BytesIO()
    np.save(stream, x)
    return stream.getvalue()


def test_other_compressions(tmp_path):
    path = archive(tmp_path / "a.npz", [("x.npy", array())], zipfile.ZIP_BZIP2)
    with pytest.raises(InputError, match="'x' is compressed by method 12; numpy uses 0 and 8"):
        Archive(path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("names", [("x.npy", "x.npy"), ("x.npy", "x")])
def test_two_arrays_of_one_name(tmp_path, names):
    path = archive(tmp_path / "a.npz", [(name, array()) for name in names])
    with pytest.raises(InputError, match="several arrays of the name 'x'"):
        Archive(path)


def patched(path, changes):
    """Change bytes of the central directory's first entry, by their offset in it."""
    data = bytearray(path.read_bytes())
    entry = data.index(b"PK\x01\x02")
    for offset, value in changes.items():
        data[entry + offset : entry + offset + len(value)] = value
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({8: b"\x01\x00"}, "'x' is encrypted"),
        ({10: b"\x63\x00"}, "compressed by method 99"),
        ({24: struct.pack("<I", 2**31)}, "claims more than it can hold"),
        ({16: b"\x00\x00\x00\x00"}, "damaged"),  # the sum of its bytes
        ({42: struct.pack("<I", 10**6)}, "damaged"),  # where it begins
    ],
)
def test_directories_that_lie(tmp_path, changes, message):
    path = patched(archive(tmp_path / "a.npz", [("x.npy", array())]), changes)
    with pytest.raises(InputError, match=message), Archive(path) as file:
        file.read("x")


def test_overlapping_members(tmp_path):
    """Two entries that share their bytes, as in a bomb that expands quadratically."""
    path = archive(tmp_path / "a.npz", [("x.npy", array()), ("y.npy", array())])
    data = bytearray(path.read_bytes())
    second = data.rindex(b"PK\x01\x02")
    struct.pack_into("<I", data, second + 42, 0)
    path.write_bytes(data)
    with pytest.raises(InputError, match="overlaps with others"):
        Archive(path)


def test_a_bomb_is_not_set_off(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", x=np.zeros((300, 2**20), np.uint8))  # a thousandth of 300 MiB
    tracemalloc.start()
    try:
        with (
            pytest.raises(InputError, match=r"takes 306 kB .* 315 MB in memory, but 268 MB are allowed"),
            Archive(tmp_path / "a.npz") as file,
        ):
            file.read("x")
        assert tracemalloc.get_traced_memory()[1] < 10 * 2**20
    finally:
        tracemalloc.stop()


def test_a_member_that_is_no_array(tmp_path):
    with (
        Archive(archive(tmp_path / "a.npz", [("x", b"text")])) as file,
        pytest.raises(InputError, match=re.escape("a.npz, array 'x', can't be read: it is damaged")),
    ):
        file.read("x")
