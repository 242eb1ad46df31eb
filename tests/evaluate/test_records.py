import json
import math

import pytest
from pydantic import ValidationError

from oddgan import InputError
from oddgan.evaluate import Record, read_results, spread, write_results


def record(**changes):
    fields = {
        "case": "digit 8",
        "method": "FAnoGAN",
        "data": "mnist",
        "protocol": "OC-std",
        "settings": {"epochs": 20},
        "metric": "auroc",
        "value": 0.9,
        "unit": "1",
        "seed": 0,
        "n_test": 1000,
        "cpu_s": 12.5,
        "role": "measured",
    }
    return Record(**(fields | changes))


def test_round_trip(tmp_path):
    path = tmp_path / "deep" / "results.json"
    records = (record(), record(metric="seconds", baseline=2.0, ratio=1.5), record(role="published", seed=None))
    write_results(path, "two cores", {"torch": "2.13.0"}, records)
    found = read_results(path)
    assert found.records == records
    assert found.machine == "two cores"
    document = json.loads(path.read_text())
    assert document.keys() == {"schema", "machine", "versions", "records"}
    assert "baseline" not in document["records"][0]


def test_numbers_that_used_labels_are_marked_and_apart():
    plain, marked = spread([record(value=0.5), record(value=0.75, composition="SVM()", semi_supervised=True)])
    assert (str(plain), str(marked)) == ("0.500", "0.750†")


def test_a_record_without_a_word_of_labels_used_none(tmp_path):
    write_results(tmp_path / "r.json", "m", {}, [record()])
    assert "semi_supervised" not in (tmp_path / "r.json").read_text()  # as in files of older versions
    (found,) = read_results(tmp_path / "r.json").records
    assert (found.composition, found.semi_supervised) == (None, False)


def test_same_records_same_bytes(tmp_path):
    for name in ("a", "b"):
        write_results(tmp_path / name, "m", {"b": "1", "a": "2"}, [record()])
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("changes", [{"extra": 1}, {"role": "guessed"}, {"value": math.nan}])
def test_records_are_strict(changes):
    with pytest.raises(ValidationError):
        record(**changes)


def test_refuses_to_replace_without_force(tmp_path):
    write_results(tmp_path / "r.json", "m", {}, [])
    with pytest.raises(InputError, match="exists already"):
        write_results(tmp_path / "r.json", "m", {}, [], force=False)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "can't be read"),
        ('{"schema": 2}', "schema 2"),
        ("[]", "schema None"),
        ('{"schema": 1, "machine": "m", "versions": {}, "records": [{"case": "x"}]}', r"records\.0\.method"),
    ],
)
def test_bad_files_are_named(tmp_path, text, message):
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(InputError, match=message):
        read_results(tmp_path / "r.json")


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match="can't be read"):
        read_results(tmp_path / "none.json")


def test_spread_over_seeds():
    # Values 1, 2, 3: mean 2, sample variance (1 + 0 + 1) / 2 = 1.
    seeds = [record(seed=s, value=v, cpu_s=float(s)) for s, v in enumerate((1.0, 2.0, 3.0))]
    first, other = spread([*seeds, record(case="digit 0", value=0.5)])
    assert (first.mean, first.sd, first.n) == (2.0, 1.0, 3)
    assert str(first) == "2.000 ± 1.000"
    assert (other.mean, other.sd, other.n) == (0.5, None, 1)
    assert str(other) == "0.500"
