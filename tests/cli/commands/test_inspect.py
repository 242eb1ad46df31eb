"""`oddgan inspect` end to end."""

import json

import numpy as np


def test_inspect_shows_ranges_dimension_and_advice(run):
    found = run("inspect", "builtin:digits")
    assert found.code == 0
    assert "1258 images of 1 x 8 x 8 values (uint8), the train half" in found.out
    assert "latent_dim: try" in found.out
    assert "With 0 for the normal label (--normal), 90.1 % are anomalies" in found.out
    document = run("inspect", "builtin:digits", "--json").json
    assert document["shape"] == [1, 8, 8]
    assert document["shared"] == []
    assert document["advice"]["low"] <= document["advice"]["high"]
    assert document["columns"][0]["most"] == 16
    assert "data" not in document
    assert json.dumps(document)


def test_inspect_finds_what_was_put_in(run, scratch):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 4))
    x[150], x[7, 2], x[20] = 40.0, np.nan, x[19]
    lines = [",".join("abcd"), *(",".join("" if np.isnan(v) else repr(float(v)) for v in row) for row in x)]
    (scratch / "t.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    found = run("inspect", "t.csv", "--out", "page.html")
    assert found.code == 0, found.err
    assert "1 rows hold missing or infinite values: row 7" in found.out
    assert "1 rows repeat an earlier row exactly: row 20" in found.out
    assert "1 of 199 rows" in found.out
    assert "note: 1 rows with missing" in found.err
    page = (scratch / "page.html").read_text(encoding="utf-8")
    assert "Suspect, the most first" in page
    assert "http" not in page.replace("http-equiv", "")
    assert "exists" in run("inspect", "t.csv", "--out", "page.html").err
    document = run("inspect", "t.csv", "--json").json
    assert [s["row"] for s in document["suspects"]] == [150]
    assert document["incomplete"] == [7]
    assert document["columns"][2]["nan"] == 1
    assert run("inspect", "t.csv", "--quiet").out == ""


def test_wrong_use_is_one_sentence(run):
    failed = run("inspect", "nowhere.csv")
    assert failed.code == 1
    assert "There is no file or folder nowhere.csv" in failed.err
