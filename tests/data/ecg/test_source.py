import os
import sys

import numpy as np
import pytest
from PIL import Image

from oddgan import InputError
from oddgan._core.notices import Notice
from oddgan.data import EcgOptions, Options, read
from oddgan.data.ecg import read_beats, source

from .conftest import DATA, PEAKS, heart, needs_mitbih, write_record


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("records")
    for name in ("100", "106"):
        write_record(place, name)
    return place


PUBLISHED = EcgOptions(cut="beat-to-beat")  # the last beat of a record has no next one


def test_a_folder_of_records_is_read_as_beats(folder):
    data = read(folder)
    assert (data.kind, data.x.shape, data.x.dtype) == ("series", (48, 4, 108), np.float32)
    assert np.bincount(data.y).tolist() == [44, 2, 2]
    assert data.ids[:2].tolist() == ["100/300", "100/600"]
    assert data.classes == ("N", "S", "V", "F", "Q")
    assert data.reading.ecg == EcgOptions()
    assert data.reading.split is None


def test_one_record(folder):
    assert len(read(folder / "100.hea")) == len(read(str(folder / "106"))) == 24


def test_the_model_cuts_new_records_alike(folder):
    options = Options(ecg=EcgOptions(cut="window", lead="V1", rhythm=True))
    data = read(folder, options)
    again = read(folder, like=data.reading, default_split="test")
    assert (again.x == data.x).all()
    assert again.x.shape[1] == 4
    with pytest.raises(InputError, match="cut in another way: remove --ecg, or add lead=V1 to it"):
        read(folder, Options(ecg=EcgOptions()), like=data.reading)


def test_records_without_labels(tmp_path):
    write_record(tmp_path, "100", annotated=False)
    with pytest.raises(InputError, match=r"has no annotated beats \(100\.atr\): find them with peaks=detected"):
        read(tmp_path)
    data = read(tmp_path, Options(ecg=EcgOptions(peaks="detected")))
    assert data.y is None
    assert len(data) == 24
    assert heart().max() > 0.9


DETECTED = Options(ecg=EcgOptions(peaks="detected"))


def test_scoring_needs_no_labels(tmp_path):
    write_record(tmp_path, "a", annotated=False)
    write_record(tmp_path, "b")
    write_record(tmp_path, "c", annotated=False)
    learned = read(tmp_path, DETECTED)
    assert {name.split("/")[0] for name in learned.ids} == {"b"}
    assert "48 detected beats that nobody annotated were left out, in a, c." in learned.notes
    scored = read(tmp_path, like=learned.reading, labelled=False)
    assert [name.split("/")[0] for name in scored.ids] == ["a"] * 24 + ["b"] * 24 + ["c"] * 24


def test_a_model_of_annotated_beats_scores_records_without_annotations(tmp_path):
    write_record(tmp_path / "old", "a")
    write_record(tmp_path / "new", "b", annotated=False)
    window = EcgOptions(cut="window", lead="V1")
    learned = read(tmp_path / "old", Options(ecg=window)).reading
    with pytest.raises(InputError, match=r"has no annotated beats .*: find them with peaks=detected"):
        read(tmp_path / "new", like=learned, labelled=False)
    found = read(tmp_path / "new", Options(ecg=EcgOptions(cut="window", lead="V1", peaks="detected")), like=learned)
    assert (found.y, found.x.shape[1:]) == (None, (4, 108))
    with pytest.raises(InputError, match="cut in another way: remove --ecg, or add lead=V1 to it"):
        read(tmp_path / "new", DETECTED, like=learned)


def test_beats_in_gaps_are_counted_and_named(tmp_path):
    path = write_record(tmp_path, "a")
    write_record(tmp_path, "b")
    counts = np.fromfile(path.with_name("a.dat"), "<i2").reshape(-1, 2)
    before = int(counts[:, 0].sum())
    counts[PEAKS[3] + 2 : PEAKS[4] + 2, 0] = -(2**15)  # what stands for a missing sample; three beats have one of them
    counts.tofile(path.with_name("a.dat"))
    header = path.with_name("a.hea")
    header.write_text(header.read_text().replace(f" {before % 2**16} ", f" {int(counts[:, 0].sum()) % 2**16} "))
    data = read(tmp_path, Options(ecg=PUBLISHED))
    assert len(data) == 46 - 3  # the third ends a fifth past the fourth
    assert data.notes == (
        "5 beats were left out: 3 in gaps of the signal, in a (3); 2 that an end of the recording cuts off.",
    )
    with pytest.warns(Notice, match="3 in gaps of the signal"):
        assert len(read_beats(tmp_path, PUBLISHED)) == 43


@pytest.mark.parametrize("damage", ["cut", "lead", "pipe", "name"])
def test_one_bad_record_among_good_ones(tmp_path, damage):
    for name in "abc":
        write_record(tmp_path, name)
    bad = tmp_path / "b.dat"
    if damage == "cut":
        bad.write_bytes(bad.read_bytes()[:1000])
    elif damage == "lead":
        (tmp_path / "b.hea").write_text((tmp_path / "b.hea").read_text().replace("/mV", "/mmHg"))
    elif damage == "pipe":
        bad.unlink()
        os.mkfifo(bad)
    else:
        for file in list(tmp_path.glob("b.*")):
            file.rename(file.with_name(file.name.replace("b", "b\u2028", 1)))
    with pytest.raises(InputError, match="; or leave out records that can't be used with --skip-bad"):
        read(tmp_path)
    data = read(tmp_path, Options(skip_bad=True))
    assert {name.split("/")[0] for name in data.ids} == {"a", "c"}
    assert data.notes[0].startswith(f"Left out of {tmp_path}: 1 of 3 records: b")
    for file in [*tmp_path.glob("a.*"), *tmp_path.glob("c.*")]:
        file.unlink()
    with pytest.raises(InputError, match="holds no record that can be used: b"):
        read(tmp_path, Options(skip_bad=True))


def test_records_in_sub_folders_bear_their_names(tmp_path):
    write_record(tmp_path / "one", "100")
    write_record(tmp_path / "two" / "deep", "100")
    for name in ("one/lost.atr", "two/lost.dat"):
        (tmp_path / name).write_bytes(b"12")
    data = read(tmp_path)
    assert {name.rpartition("/")[0] for name in data.ids} == {"one/100", "two/deep/100"}
    assert data.notes[-1] == (
        f"2 files of {tmp_path} belong to no record and were left out: one/lost.atr, two/lost.dat."
    )


def test_images_beside_records_in_sub_folders(tmp_path):
    write_record(tmp_path / "ecg", "100")
    Image.new("L", (8, 8)).save(tmp_path / "a.png")
    with pytest.raises(InputError, match="holds 1 images and 1 WFDB records in sub-folders: give a folder of one"):
        read(tmp_path)


@pytest.fixture
def whole(folder, monkeypatch):
    """The two records, as if these were all of MIT-BIH."""
    monkeypatch.setattr(source, "_MITBIH", frozenset({"100", "106"}))
    return folder


def test_halves_are_for_the_whole_of_mitbih(folder):
    for options in (Options(split="test"), Options(protocol="random")):
        with pytest.raises(InputError, match="is not the whole of MIT-BIH, so it has no halves for --split"):
            read(folder, options)


def test_halves_by_default_by_name_and_as_in_the_model(whole):
    data = read(whole, default_split="test")
    assert (data.reading.split, data.reading.protocol) == ("test", "patient-wise")
    assert {name.split("/")[0] for name in data.ids} == {"100"}
    train, test = (read(whole, Options(protocol="Random", split=half, ecg=PUBLISHED)) for half in ("train", "test"))
    assert not set(train.ids) & set(test.ids)
    assert len(train) + len(test) == 46
    assert test.notes == (
        "2 beats were left out: 2 that an end of the recording cuts off.",  # the last of each record has no next one
        f"The test half of random has {len(test)} beats.",
    )
    assert train.reading.protocol == "random"
    assert read(whole, like=train.reading, default_split="test").ids.tolist() == test.ids.tolist()


def test_a_model_of_mitbih_reads_other_records_as_a_whole(folder, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(source, "_MITBIH", frozenset({"100", "106"}))
        fitted = read(folder).reading
    assert len(read(folder, like=fitted, default_split="test")) == 48


def test_mitbih_by_name(whole, monkeypatch, tmp_path):
    monkeypatch.setenv("ODDGAN_CACHE", str(tmp_path))
    monkeypatch.setattr(sys.modules["oddgan.data.read"], "mitbih_folder", lambda: whole)
    assert len(read("MIT-BIH", default_split="test")) == 24
    with pytest.raises(InputError, match="--x does not apply to mitbih"):
        read("mitbih", Options(x="a"))
    with pytest.raises(InputError, match=r"--ecg does not apply to builtin:digits"):
        read("builtin:digits", Options(ecg=EcgOptions()))


@pytest.mark.data
@needs_mitbih
def test_the_published_split():
    test = read(DATA / "mitdb", Options(protocol="published", split="test", ecg=PUBLISHED))
    assert np.bincount(test.y).tolist() == [18118, 556, 1448, 162, 1608]


def record_at(folder, name, rate, lead="MLII", gap=slice(0, 0)):
    """One lead of `heart`, said to be sampled at another rate."""
    wfdb = pytest.importorskip("wfdb")
    signal = heart()[:, None]
    signal[gap] = np.nan
    folder.mkdir(exist_ok=True)
    options = {"units": ["mV"], "sig_name": [lead], "fmt": ["16"], "adc_gain": [200], "baseline": [0]}
    wfdb.wrsamp(name, fs=rate, p_signal=signal, write_dir=str(folder), **options)
    wfdb.wrann(name, "atr", PEAKS, ["N"] * len(PEAKS), write_dir=str(folder))
    return folder


def test_windows_of_several_rates_are_alike_unless_each_keeps_its_own(tmp_path):
    record_at(tmp_path, "a", 360)
    record_at(tmp_path, "b", 250)
    assert read(tmp_path).x.shape[1:] == (4, 108)
    window = EcgOptions(rate=0)
    wanted = "Record b has 250 samples a second and record a has 360, so that their windows have 225 and 324 values"
    with pytest.raises(InputError, match=wanted):
        read(tmp_path, Options(ecg=window))
    data = read(tmp_path, Options(ecg=window, skip_bad=True))
    assert {name.split("/")[0] for name in data.ids.tolist()} == {"a"}
    assert wanted in data.notes[0]


def test_leads_and_rates_that_differ_are_told(tmp_path):
    record_at(tmp_path, "a", 360)
    record_at(tmp_path, "b", 250, lead="V5")  # every second sample is taken: 125 a second
    notes = " ".join(read(tmp_path, Options(ecg=PUBLISHED)).notes)
    assert "leads differ: MLII in a; V5 in b: choose one by its name with --ecg lead=NAME." in notes
    assert "Beats of 1 records have another number of values a second than 120: b (125)." in notes
    assert "differ" not in " ".join(read(tmp_path / "b").notes)


def test_gaps_in_which_no_beat_can_be_detected_are_told(tmp_path):
    record_at(tmp_path, "a", 360, gap=slice(2000, 3800))
    assert "No beats were looked for in gaps of the signal: a (5 s)." in read(tmp_path, DETECTED).notes


def test_an_annotation_file_that_is_a_dead_link_is_no_missing_one(tmp_path):
    record_at(tmp_path, "a", 360)
    (tmp_path / "a.atr").unlink()
    (tmp_path / "a.atr").symlink_to("nowhere")
    with pytest.raises(InputError, match=r"a\.atr can't be read: it is a link to a file that is not there"):
        read(tmp_path, DETECTED)


@pytest.mark.parametrize("name", [b"b\n", b"b\xe2\x80\xa8", b"b\xff"])
def test_notes_are_one_line_of_utf_8_whatever_the_names(tmp_path, name):
    record_at(tmp_path, "a", 360)
    for suffix in (".hea", ".dat"):
        (record_at(tmp_path / "c", "b", 360) / f"b{suffix}").rename(tmp_path / (os.fsdecode(name) + suffix))
    data = read(tmp_path, Options(skip_bad=True))
    assert "Left out of" in data.notes[0]
    assert all(note.isprintable() for note in data.notes)
    assert "\n".join(data.notes).encode()
