import os
import socket
import sys

import numpy as np
import pytest

from oddgan import InputError
from oddgan.data.ecg import read_record
from oddgan.data.ecg.headers import read_header

from .conftest import write_record

LEAD = "r.dat 16 200(0)/mV 16 0 0 0 0 MLII"


def header(folder, text, samples=1000, name="r"):
    """A record of one lead whose header is this text."""
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.hea").write_bytes(text if isinstance(text, bytes) else text.encode())
    np.zeros(samples, "<i2").tofile(folder / f"{name}.dat")
    return folder / name


def test_what_a_header_says(tmp_path):
    found = read_header(write_record(tmp_path))
    assert (found.rate, found.length, found.segments, found.files) == (360, 7500, (), {"100.dat"})
    assert [(s.lead, s.gain, s.zero, s.unit, s.format) for s in found.signals] == [
        ("MLII", 200, 0, "mV", "16"),
        ("V1", 200, 0, "mV", "16"),
    ]
    dated = "r 1 500 1000 05-Feb-2020 11:39:16\nr.dat 16x1+24 1000/mV 16 0 28 0 0 I\n"
    assert read_header(header(tmp_path, dated, samples=1012)).signals[0].offset == 24
    short = read_header(header(tmp_path, "r 1\nr.dat 16\n"))  # the rest is WFDB's own defaults
    assert (short.rate, short.length) == (250, None)
    assert np.isnan(short.signals[0].gain)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it is empty"),
        ("# only words\n", "it is empty"),
        ("r\n", "its first line is 'r'"),
        ("../r 1 360 9\n" + LEAD, "its first line is"),
        ("r 2 360 1000\n" + LEAD, "announces 2 leads and describes 1"),
        ("r 99999999999 360 1000\n" + LEAD, "announces 99999999999 leads"),
        ("r 1 0 1000\n" + LEAD, "0 samples a second; expected 1 to 1e"),
        ("r 1 1e9 1000\n" + LEAD, "its first line is"),
        ("r 1 99999999 1000\n" + LEAD, "1e.08 samples a second"),
        ("r 1 360 99999999999999\n" + LEAD, "r.dat holds 1000 samples a lead; 99999999999999 are expected"),
        ("r 1 360 1000\n../r.dat 16", r"names the file '\.\./r\.dat'; expected a plain name in the same folder"),
        ("r 1 360 1000\n/etc/passwd 16", "names the file '/etc/passwd'"),
        ("r 1 360 1000\nhttp://a.b/c.dat 16", "names the file 'http"),
        ("r 1 360 1000\ns3::r.dat 16", "names the file 's3::r.dat'"),
        ("r 1 360 1000\nother.dat 16", "signal file other.dat can't be read: there is no such file"),
        ("r 1 360 1000\nr.dat 999", "names the format 999"),
        ("r 1 360 1000\nr.dat 0", "format 0"),
        ("r 1 360 1000\nr.dat 16x100000", "a frame has 100000 samples of a lead"),
        ("r 1 360 1000\nr.dat 16:5000", "lag behind by more than they last"),
        ("r 1 360 1000\nr.dat 16+1999", "holds 0 samples a lead"),
        ("r 1 360 1000\nr.dat 16 nan/mV", "describes no lead"),
        ("r 1 360 1000\nr.dat 16 1e99/mV", "1e.99 counts a mV"),
        ("r 1 360 1000\nr.dat 16 -200/mV", "-200 counts a mV"),
        ("r 1 360 1000\nr.dat 16 200(99999999999999999999)/mV", "describes no lead"),
        ("r 1 360 1000\nr.dat 516", "516|compressed|damaged"),
        ("r/2 1 360 2000\nr 1000\nr 1000", "segment r is the record itself"),
        ("r/2 1 360 2000\na 1000", "announces 2 segments and describes 1"),
        ("r/1 1 360 2000\na 1000", "its segments have 1000 samples, not 2000"),
        ("r/1 1 360 1000\na 1000", "a.hea can't be read: there is no such file"),
        ("r/1 1 360 1000\n../a 1000", "announces 1 segments and describes 0"),
        ("r 1 360 1000\n" + "#" * 2**20, "larger than 1 MiB"),
    ],
)
def test_headers_that_lie(tmp_path, text, message):
    with pytest.raises(InputError, match=message) as caught:
        read_record(header(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_segments_in_a_circle(tmp_path):
    header(tmp_path, "a/1 1 360 1000\nb 1000\n", name="a")
    header(tmp_path, "b/1 1 360 1000\na 1000\n", name="b")
    for name in "ab":
        with pytest.raises(InputError, match="is the record itself, or has segments, too"):
            read_record(tmp_path / name)


def test_segments_are_joined_with_their_gaps(tmp_path):
    for name in ("one", "two"):
        write_record(tmp_path, name, annotated=False)
    (tmp_path / "all.hea").write_text("all/3 2 360 16000\none 7500\n~ 1000\ntwo 7500\n")
    found = read_record(tmp_path / "all")
    one = read_record(tmp_path / "one")
    assert (found.signal[:, :7500] == one.signal).all()
    assert (found.signal[:, 8500:] == one.signal).all()
    assert np.isnan(found.signal[:, 7500:8500]).all()
    assert found.gain.tolist() == one.gain.tolist()


def test_a_damaged_signal_does_not_add_up(tmp_path):
    path = write_record(tmp_path)
    data = bytearray(path.with_name("100.dat").read_bytes())
    data[5000] ^= 1
    path.with_name("100.dat").write_bytes(data)
    with pytest.raises(InputError, match="its samples don't add up to the checksum in its header"):
        read_record(path)


@pytest.mark.parametrize("suffix", [".hea", ".dat", ".atr"])
def test_pipes_and_sockets_are_not_opened(tmp_path, suffix):
    path = write_record(tmp_path)
    path.with_name(f"100{suffix}").unlink()
    os.mkfifo(path.with_name(f"100{suffix}"))
    with pytest.raises(InputError, match="it is a pipe"):
        read_record(path)
    path.with_name(f"100{suffix}").unlink()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(path.with_name(f"100{suffix}")))
        with pytest.raises(InputError, match="it is a socket"):
            read_record(path)


def test_no_network_and_no_other_folder(tmp_path):
    """Whatever a header names, nothing but the record's own files is opened, and no connection is made."""
    path = write_record(tmp_path / "records")
    (tmp_path / "secret.dat").write_bytes(bytes(40000))
    opened = []
    hook_on = [True]

    def watch(event, arguments):
        if hook_on and event in {"open", "socket.connect", "subprocess.Popen"}:
            opened.append((event, str(arguments[0])))

    sys.addaudithook(watch)
    text = path.with_name("100.hea").read_text()
    for name in ("../secret.dat", str(tmp_path / "secret.dat"), "file:///secret.dat", "http://127.0.0.1/secret.dat"):
        path.with_name("100.hea").write_text(text.replace("100.dat", name))
        with pytest.raises(InputError, match="expected a plain name in the same folder"):
            read_record(path)
    hook_on.clear()
    assert not [pair for pair in opened if pair[0] != "open" or "secret" in pair[1]]


def write_units(folder, unit, factor):
    wfdb = pytest.importorskip("wfdb")
    folder.mkdir(exist_ok=True)
    signal = np.sin(np.arange(2000) / 7)[:, None] * factor
    wfdb.wrsamp(
        "r", fs=360, units=[unit], sig_name=["I"], p_signal=signal, fmt=["16"], adc_gain=[200 / factor], baseline=[0],
        write_dir=str(folder),
    )  # fmt: skip
    return folder / "r"


@pytest.mark.parametrize(("unit", "factor"), [("uV", 1e3), ("V", 1e-3), ("nV", 1e6)])
def test_other_units_are_millivolts_in_the_end(tmp_path, unit, factor):
    plain, other = (read_record(write_units(tmp_path / u, u, f)) for u, f in (("mV", 1.0), (unit, factor)))
    assert other.units == (unit,)
    assert (other.signal / other.gain[:, None])[0] == pytest.approx(plain.signal[0] / plain.gain[0])


@pytest.mark.parametrize("micro", ["µ", "μ"])
def test_micro_is_not_lost(tmp_path, micro):
    path = write_units(tmp_path, "uV", 1e3)
    for encoding in ("utf-8", "latin-1"):
        if micro == "μ" and encoding == "latin-1":
            continue
        path.with_name("r.hea").write_bytes(
            path.with_name("r.hea").read_text().replace("uV", f"{micro}V").encode(encoding)
        )
        assert read_record(path).gain.tolist() == [200]
        path.with_name("r.hea").write_text(path.with_name("r.hea").read_bytes().decode(encoding).replace(micro, "u"))


def test_annotations_of_another_record(tmp_path):
    wfdb = pytest.importorskip("wfdb")
    path = write_record(tmp_path)
    wfdb.wrann("100", "atr", np.array([5, 90000]), ["N", "N"], write_dir=str(tmp_path))
    with pytest.raises(InputError, match=r"annotations lie at 5 to 90000 of 7500 samples.*100\.atr is damaged"):
        read_record(path)
    path.with_name("100.atr").write_bytes(b"\x01")
    with pytest.raises(InputError, match=r"its annotations \(100\.atr\) are damaged or cut short"):
        read_record(path)


def test_memory_is_asked_for_first(tmp_path):
    with pytest.raises(InputError, match=r"takes .* as it is stored and .* in memory, but 1 kB are allowed"):
        read_record(write_record(tmp_path), max_memory=1000)
