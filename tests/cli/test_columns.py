"""Which columns of a table a model reads, from fit to evaluate."""

import numpy as np
import polars as pl
import pytest


@pytest.fixture
def sensors(tmp_path):
    rng = np.random.default_rng(0)
    n = 60
    frame = pl.DataFrame(
        {
            "time": [f"2024-01-01 00:{i:02}" for i in range(n)],
            "device": [f"dev-{i % 35}" for i in range(n)],
            "load": rng.normal(size=n),
            "on": rng.random(n) < 0.5,
            "broken": [False] * 50 + [True] * 10,
        }
    )
    frame.write_csv(tmp_path / "sensors.csv")
    frame.drop("time", "device").write_parquet(tmp_path / "short.parquet")
    return frame


@pytest.mark.usefixtures("sensors")
@pytest.mark.parametrize(
    "choice", [("--drop", "time", "--drop", "device"), ("--drop", "time,device"), ("--keep", "load,on")]
)
def test_a_model_reads_the_same_columns_again(run, choice):
    fitted = run("fit", "knn", "sensors.csv", "--label", "broken", *choice, "--out", "m", "--json")
    assert fitted.code == 0, fitted.err
    assert fitted.json["data"]["columns"] == ["load", "on"]
    for source in ("sensors.csv", "short.parquet"):
        assert run("score", "m", source, "--out", f"{source}.scores.csv").code == 0
        assert run("evaluate", "m", source, "--quiet").code == 0
    both = [pl.read_csv(f"{source}.scores.csv") for source in ("sensors.csv", "short.parquet")]
    assert both[0].equals(both[1])


@pytest.mark.usefixtures("sensors")
def test_what_is_no_category_is_refused_with_the_way_out(run):
    refused = run("fit", "knn", "sensors.csv", "--out", "m")
    assert refused.code == 1
    assert "times in column time, the first in line 2" in refused.err
    assert "1 more column: --drop device" in refused.err
    assert run("fit", "knn", "sensors.csv", "--drop", "tme", "--out", "m").err == (
        "oddgan: sensors.csv has no column 'tme' for --drop: did you mean time.\n"
    )
    assert run("inspect", "sensors.csv", "--drop", "time", "--categorical", "device").code == 0
    fitted = run("fit", "knn", "sensors.csv", "--drop", "time", "--categorical", "device", "--out", "m", "--json")
    assert len(fitted.json["data"]["columns"]) == 35 + 3


def test_outputs_make_their_folders(run, sensors):
    sensors["load", "on", "broken"].write_csv("rows.csv")
    assert run("fit", "pca", "rows.csv", "--label", "broken", "--out", "a/b/m", "--runs", "c/d/runs").code == 0
    made = run("evaluate", "a/b/m", "rows.csv", "--runs", "e/f/runs", "--json").json
    for words in (
        ("score", "a/b/m", "rows.csv", "--out", "g/h/scores.csv"),
        ("score", "a/b/m", "rows.csv", "--out", "i/j/scores.csv", "--resume"),
        ("report", made["run"], "--out", "k/l/report.html"),
        ("inspect", "rows.csv", "--out", "n/o/rows.html"),
        ("threshold", "a/b/m", "--rate", "0.05", "--out", "p/q/m"),
        ("compose", "a/b/m", "--set", "composition=RankAverage", "--out", "r/s/m"),
    ):
        assert run(*words, "--quiet").code == 0, words
