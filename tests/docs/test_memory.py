"""The table of what is held in memory."""

import importlib
import json


def test_data_down_and_peaks_across(extension, tmp_path):
    memory = importlib.import_module(f"{extension.__name__}.memory")
    assert "Not measured yet" in memory.memory(tmp_path)
    shared = {"data": "d", "protocol": "p", "settings": {}, "n_test": 9, "cpu_s": 1.0, "unit": "MB", "role": "measured"}
    records = [
        shared | {"case": "npy, 9 rows", "method": way, "metric": name, "value": value, "seed": None}
        for way, value in (("mapped", 12.4), ("in memory", 120.0))
        for name in ("fit: peak of anonymous", "score: peak of resident")
    ]
    (tmp_path / "results").mkdir()
    document = {"schema": 1, "machine": "a machine", "versions": {}, "records": records}
    (tmp_path / "results" / "memory.json").write_text(json.dumps(document))
    lines = memory.memory(tmp_path).splitlines()
    assert "fit, anonymous, MB" in lines[0]
    cells = [[part.strip() for part in line.strip("|").split("|")] for line in lines[2:4]]
    assert cells == [["npy, 9 rows", "in memory", "120", "", "", "120"], ["npy, 9 rows", "mapped", "12", "", "", "12"]]
