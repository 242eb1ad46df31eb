"""The page of growing."""

import base64
import json

import pytest

COMMON = {"case": "magnetic tiles, 64 px", "data": "tiles", "protocol": "a split", "settings": {}, "seed": 0}
COMMON |= {"n_test": 9, "cpu_s": 1.0, "role": "measured"}


@pytest.fixture
def growing(extension):
    return extension.growing


def test_without_results_the_page_says_what_measures_them(growing, tmp_path):
    for part in (growing.numbers, growing.samples):
        assert part(tmp_path) == "*Not measured yet.* `python benchmarks/growing.py` measures it.\n"


def test_methods_stand_beside_metrics(growing, tmp_path):
    (tmp_path / "results").mkdir()
    values = {("AUROC", "1"): 0.625, ("patches, 64 px", "std"): 0.25, ("training", "CPU s"): 456.0}
    records = [
        COMMON | {"method": "grown", "metric": metric, "unit": unit, "value": v} for (metric, unit), v in values.items()
    ]
    document = {"schema": 1, "machine": "a machine", "versions": {}, "records": records}
    (tmp_path / "results" / "growing.json").write_text(json.dumps(document))
    assert "| grown | 0.625 | 0.25 std | 456 CPU s | 1 |" in growing.numbers(tmp_path)


def test_the_picture_is_part_of_the_page(growing, tmp_path):
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "growing.png").write_bytes(b"a picture")
    text = growing.samples(tmp_path)
    assert f"base64,{base64.b64encode(b'a picture').decode()}" in text
    assert text.count("Rows from above") == 2, "said and shown"
