import sys

import numpy as np
import pytest

from oddgan import InputError
from oddgan.data import EcgOptions, Options, read, recordings

from .ecg.conftest import DATA, heart, needs_mitbih, write_record


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("records")
    for name in ("100", "106"):
        write_record(place, name)
    return place


def test_a_folder_of_records_is_read_as_beats(folder):
    data = read(folder)
    assert (data.kind, data.x.shape, data.x.dtype) == ("series", (46, 1, 187), np.float32)
    assert np.bincount(data.y).tolist() == [42, 2, 2]
    assert data.ids[:2].tolist() == ["100/300", "100/600"]
    assert data.classes == ("N", "S", "V", "F", "Q")
    assert data.reading.ecg == EcgOptions()
    assert data.reading.split is None


def test_one_record(folder):
    assert len(read(folder / "100.hea")) == len(read(str(folder / "106"))) == 23


def test_the_model_cuts_new_records_alike(folder):
    options = Options(ecg=EcgOptions(cut="window", lead="V1", rhythm=True))
    data = read(folder, options)
    again = read(folder, like=data.reading, default_split="test")
    assert (again.x == data.x).all()
    assert again.x.shape[1] == 4
    with pytest.raises(InputError, match="fitted on beats that were cut in another way: leave --ecg away"):
        read(folder, Options(ecg=EcgOptions()), like=data.reading)


def test_records_without_labels(tmp_path):
    write_record(tmp_path, "100", annotated=False)
    with pytest.raises(InputError, match=r"has no annotated beats \(100\.atr\): find them with peaks=detected"):
        read(tmp_path)
    data = read(tmp_path, Options(ecg=EcgOptions(peaks="detected")))
    assert data.y is None
    assert len(data) == 23
    assert heart().max() > 0.9


@pytest.fixture
def whole(folder, monkeypatch):
    """The two records, as if these were all of MIT-BIH."""
    monkeypatch.setattr(recordings, "_MITBIH", frozenset({"100", "106"}))
    return folder


def test_halves_are_for_the_whole_of_mitbih(folder):
    for options in (Options(split="test"), Options(protocol="random")):
        with pytest.raises(InputError, match="is not the whole of MIT-BIH, so it has no halves for --split"):
            read(folder, options)


def test_halves_by_default_by_name_and_as_in_the_model(whole):
    data = read(whole, default_split="test")
    assert (data.reading.split, data.reading.protocol) == ("test", "patient-wise")
    assert {name.split("/")[0] for name in data.ids} == {"100"}
    train, test = (read(whole, Options(protocol="Random", split=half)) for half in ("train", "test"))
    assert not set(train.ids) & set(test.ids)
    assert len(train) + len(test) == 46
    assert test.notes == (f"The test half of random has {len(test)} beats.",)
    assert train.reading.protocol == "random"
    assert read(whole, like=train.reading, default_split="test").ids.tolist() == test.ids.tolist()


def test_a_model_of_mitbih_reads_other_records_as_a_whole(folder, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(recordings, "_MITBIH", frozenset({"100", "106"}))
        fitted = read(folder).reading
    assert len(read(folder, like=fitted, default_split="test")) == 46


def test_mitbih_by_name(whole, monkeypatch, tmp_path):
    monkeypatch.setenv("ODDGAN_CACHE", str(tmp_path))
    monkeypatch.setattr(sys.modules["oddgan.data.read"], "mitbih_folder", lambda: whole)
    assert len(read("MIT-BIH", default_split="test")) == 23
    with pytest.raises(InputError, match="--x has no meaning for mitbih"):
        read("mitbih", Options(x="a"))
    with pytest.raises(InputError, match=r"--ecg has no meaning for builtin:ecg"):
        read("builtin:ecg", Options(ecg=EcgOptions()))


@pytest.mark.data
@needs_mitbih
def test_the_published_split():
    test = read(DATA / "mitdb", Options(protocol="published", split="test"))
    assert np.bincount(test.y).tolist() == [18118, 556, 1448, 162, 1608]
