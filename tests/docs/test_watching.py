"""The table of what the monitor said."""

import importlib
import json

SHARED = {"data": "training runs", "metric": "said", "unit": "1", "settings": {}, "n_test": 9, "cpu_s": 1.0}


def test_runs_down_and_failures_across(extension, tmp_path):
    watching = importlib.import_module(f"{extension.__name__}.watching")
    assert "Not measured yet" in watching.monitor(tmp_path)
    runs = [
        ("A", "made to fail: collapse", {"collapse": (1, 1), "vanishing": (0, 0)}),
        ("B", "healthy", {"collapse": (0, 1), "vanishing": (0, 0)}),
    ]
    records = [
        SHARED | {"case": case, "method": method, "protocol": kind, "value": value, "seed": seed, "role": "measured"}
        for method, kind, said in runs
        for case, values in said.items()
        for seed, value in enumerate(values)
    ]
    (tmp_path / "results").mkdir()
    document = {"schema": 1, "machine": "a machine", "versions": {}, "records": records}
    (tmp_path / "results" / "monitor.json").write_text(json.dumps(document))
    lines = watching.monitor(tmp_path).splitlines()
    assert "says collapse" in lines[0]
    cells = [[part.strip() for part in line.strip("|").split("|")] for line in lines[2:4]]
    assert cells == [["A", "collapse", "2 of 2", ""], ["B", "healthy", "1 of 2", ""]]
