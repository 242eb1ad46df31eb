import numpy as np
import pytest

from oddgan import InputError
from oddgan.data.ecg import read_record, read_records
from oddgan.data.ecg.records import record_paths

from .conftest import PEAKS, heart, symbols, write_record


def test_a_record_comes_with_counts_leads_and_annotations(tmp_path):
    found = read_record(write_record(tmp_path))
    assert (found.name, found.rate, found.leads) == ("100", 360.0, ("MLII", "V1"))
    assert (found.signal == np.rint(200 * np.stack([heart(), -0.5 * heart()]))).all()  # whole numbers, exactly
    assert found.marks.tolist() == [5, *PEAKS.tolist()]
    assert found.symbols.tolist() == ["+", *symbols()]


@pytest.mark.parametrize("lead", [1, "V1"])
def test_leads_by_number_or_name(tmp_path, lead):
    one = read_record(write_record(tmp_path)).select(lead)
    assert (one.leads, one.signal.shape[0]) == (("V1",), 1)
    assert one.signal.min() == -100  # half a millivolt


@pytest.mark.parametrize("lead", [2, -1, "V5"])
def test_leads_that_are_not_there(tmp_path, lead):
    with pytest.raises(InputError, match=r"Record 100 has no lead .*; it has 0 MLII, 1 V1"):
        read_record(write_record(tmp_path)).select(lead)


def test_paths_of_a_folder_and_of_one_record(tmp_path):
    for name in ("b", "a"):
        (tmp_path / f"{name}.hea").touch()
    assert record_paths(tmp_path) == [tmp_path / "a", tmp_path / "b"]
    for spelling in ("a", "a.hea", "a.dat", "a.atr"):
        assert record_paths(tmp_path / spelling) == [tmp_path / "a"]
    assert record_paths(tmp_path / "c") == []
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.hea").touch()
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "d.hea").touch()
    assert record_paths(tmp_path) == [tmp_path / "a", tmp_path / "b", tmp_path / "sub" / "a"]
    (tmp_path / "b.hea").write_text("b/1 1 360 10\na 10\n")  # a is a segment of b
    assert record_paths(tmp_path) == [tmp_path / "b", tmp_path / "sub" / "a"]
    assert len(record_paths(tmp_path, segments=True)) == 3


def test_a_record_without_annotations(tmp_path):
    found = read_record(write_record(tmp_path, annotated=False))
    assert found.marks is None
    assert found.symbols is None


def test_what_can_not_be_read(tmp_path):
    with pytest.raises(InputError, match="is no WFDB record, nor a folder of records"):
        read_records(tmp_path)
    path = write_record(tmp_path)
    path.with_name("100.dat").unlink()
    with pytest.raises(InputError, match=r"Record .*100 can't be read: its signal file 100\.dat .* there is no such"):
        read_record(path)
