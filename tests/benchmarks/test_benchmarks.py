"""Benchmarks say how they are used, run shortly, and what they wrote can be read."""

import importlib
import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from oddgan.evaluate import read_results

FOLDER = Path(__file__).parents[2] / "benchmarks"
DATA = Path(os.environ.get("ODDGAN_DATA", FOLDER.parents[1] / "shared" / "data"))
SCRIPTS = sorted(p for p in FOLDER.glob("*.py") if not p.stem.endswith("_cases") and p.stem != "gans")
RESULTS = sorted(p for p in (FOLDER / "results").glob("*.json") if not p.stem.endswith(("-quick", "-held-out")))


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs a benchmark with options; its results go to a folder of the test, whose path comes back."""
    monkeypatch.syspath_prepend(FOLDER)
    monkeypatch.setenv("ODDGAN_DATA", str(DATA))
    monkeypatch.setattr("harness.bench.RESULTS", tmp_path / "results")

    def ran(name: str, *options: str) -> Path:
        monkeypatch.setattr("sys.argv", [f"{name}.py", *options])
        runpy.run_path(str(FOLDER / f"{name}.py"), run_name="__main__")
        return tmp_path / "results" / f"{name}-quick.json"

    return ran


def test_there_are_benchmarks_and_results():
    assert {"tables", "ecg", "localisation", "thresholds", "mnist", "loop"} <= {p.stem for p in SCRIPTS}
    assert {p.stem for p in RESULTS} <= {p.stem for p in SCRIPTS}, "a results file without its benchmark"


def test_make_runs_the_programs():
    made = subprocess.run(["make", "-pqn", "bench"], cwd=FOLDER.parent, capture_output=True, text=True)  # noqa: S607, PLW1510
    (line,) = [line for line in made.stdout.splitlines() if line.startswith("BENCHMARKS :=")]
    assert {Path(name).stem for name in line.split()[2:]} == {p.stem for p in SCRIPTS} | {"gans"}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda p: p.stem)
def test_help(script, monkeypatch, capsys):
    monkeypatch.syspath_prepend(FOLDER)
    monkeypatch.setattr("sys.argv", [script.name, "--help"])
    with pytest.raises(SystemExit) as stopped:
        runpy.run_path(str(script), run_name="__main__")
    assert stopped.value.code == 0
    printed = capsys.readouterr().out
    for option in ("--json", "--quick", "--fresh", "--only"):
        assert option in printed
    assert script.name in printed


@pytest.mark.data
@pytest.mark.skipif(not (DATA / "adbench").exists(), reason="ODDGAN_DATA has no adbench")
@pytest.mark.parametrize(
    ("name", "only", "metric"),
    [
        ("mnist", "constrained AAE", "AUROC, latent alone"),
        ("cifar", "PCA residual", "AUROC"),
        ("alad", "arrhythmia ALAD", "F1, residual_l2 alone"),
        ("adbench", "PCA", "AP"),
        ("defaults", "annthyroid PCA", "fit"),
        ("scaling", "MSL C-1 PCA", "AUROC"),
        ("stabilisers", "digit 8 WGAN-GP + FeatureMatching", "Fréchet distance at 4 steps"),
        ("latent", "z of 8 f-AnoGAN, shell of 1", "AUROC"),
    ],
)
def test_a_short_run(run, name, only, metric):
    records = [r for r in read_results(run(name, "--quick", "--only", only)).records if r.role != "published"]
    assert metric in {r.metric for r in records}
    assert all(r.n_test and r.seed == 0 for r in records if not r.case.startswith("mean of"))


@pytest.mark.data
@pytest.mark.skipif(not (DATA / "adbench").exists(), reason="ODDGAN_DATA has no adbench")
def test_an_interrupted_run_goes_on(run, monkeypatch):
    """What is measured is not measured again, and the whole run's numbers are those of a run without interruption."""

    def numbers(file):
        return [(r.case, r.method, r.metric, r.value) for r in read_results(file).records]

    only = ("--quick", "--only", "breastw k")  # KDE and KNN
    whole = numbers(run("adbench", *only))
    records = importlib.import_module("harness.records")
    measure, fitted = records.Entry.measure, []

    def interrupted(entry, *arguments, **more):
        fitted.append(entry.name)
        if entry.name == "KNN" and len(fitted) == 2:
            raise KeyboardInterrupt
        return measure(entry, *arguments, **more)

    monkeypatch.setattr(records.Entry, "measure", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run("adbench", "--fresh", *only)
    file = run("adbench", *only)
    assert fitted == ["KDE", "KNN", "KNN"]
    assert numbers(file) == whole
    run("adbench", *only)
    assert fitted == ["KDE", "KNN", "KNN"], "nothing is left to measure"


@pytest.mark.data
@pytest.mark.skipif(not (DATA / "adbench").exists(), reason="ODDGAN_DATA has no adbench")
def test_defaults_stand_beside_the_floors(run):
    records = read_results(run("defaults", "--quick", "--only", "annthyroid pca")).records
    assert [(r.method, r.role) for r in records if r.metric == "AUROC"] == [
        ("MeanDistance", "floor"), ("KNN", "floor"), ("PCA", "measured"),
    ]  # fmt: skip


def test_means_of_defaults_are_of_whole_runs(monkeypatch):
    monkeypatch.syspath_prepend(FOLDER)
    program = runpy.run_path(str(FOLDER / "defaults.py"))
    setup = importlib.import_module("harness").Setup

    def auroc(case, seed, value):
        return setup(case, "method", "data", "protocol", {}, seed, n_test=1).record("AUROC", value)

    records = [auroc("a", 0, 0.5), auroc("b", 0, 0.7), auroc("a", 1, 0.9), auroc("mean of 2", 0, 0.1)]
    (mean,) = program["means"](records, "data", ["a", "b"])
    assert (mean.case, mean.seed, mean.value) == ("mean of 2", 0, pytest.approx(0.6))


def test_defaults_are_chosen_on_other_data_than_they_are_judged_on(monkeypatch):
    monkeypatch.syspath_prepend(FOLDER)
    groups = runpy.run_path(str(FOLDER / "defaults.py"))["groups"]
    judged, chosen = groups(held_out=False), groups(held_out=True)
    assert [len(cases) for cases in judged.values()] == [10, 3, 1]
    assert [len(cases) for cases in chosen.values()] == [6, 2, 1]
    assert not set(judged["ADBench"]) & set(chosen["ADBench"])
    assert not set(judged["MNIST"]) & set(chosen["MNIST"])


def test_frechet_distance_by_hand(monkeypatch):
    monkeypatch.syspath_prepend(FOLDER)
    frechet = runpy.run_path(str(FOLDER / "stabilisers.py"))["frechet"]
    a = np.random.default_rng(0).normal(size=(500, 3))
    assert frechet(a, a) == pytest.approx(0, abs=1e-9)
    assert frechet(a, a + np.array([3.0, 4.0, 0.0])) == pytest.approx(25)
    # Twice as wide: tr(Σ + 4Σ - 2·2Σ) = tr Σ, and the means are put together.
    wide = 2 * (a - a.mean(0)) + a.mean(0)
    assert frechet(a, wide) == pytest.approx(np.trace(np.cov(a, rowvar=False)))


@pytest.mark.parametrize("path", RESULTS, ids=lambda p: p.stem)
def test_results(path):
    results = read_results(path)
    assert results.machine
    assert "oddgan" in results.versions
    assert results.records
    for r in results.records:
        assert r.role == "published" or r.n_test or path.stem in ("loop", "training", "workers"), (
            f"{r.method}: on how many rows?"
        )
        if r.baseline is not None:
            assert r.ratio == pytest.approx(r.baseline / r.value), f"{r.case}, {r.method}"
        if r.unit == "1":
            assert -1 <= r.value <= 1, f"{r.case}, {r.method}, {r.metric}: a share or a correlation"


@pytest.mark.parametrize("path", RESULTS, ids=lambda p: p.stem)
def test_nothing_is_measured_twice(path):
    seen = set()
    for r in read_results(path).records:
        key = (r.case, r.method, r.data, r.protocol, r.metric, r.seed, r.role, str(r.settings))
        assert key not in seen, key
        seen.add(key)


def test_json_is_all_that_is_printed(tmp_path, monkeypatch, capsys):
    monkeypatch.syspath_prepend(FOLDER)
    monkeypatch.setattr("harness.bench.RESULTS", tmp_path)
    monkeypatch.setattr("sys.argv", ["some.py", "--json"])
    harness = importlib.import_module("harness")
    with monkeypatch.context() as kept:
        kept.setattr("sys.stdout", sys.stdout)  # put back whatever happens
        bench = harness.Bench("some", "Some.")
        sys.stdout.write("what an exporter prints")
        bench.add(harness.Setup("case", "method", "data", "protocol", {}, n_test=1).record("time", 1.0, "ms"))
        bench.finish()
    printed = capsys.readouterr()
    assert json.loads(printed.out)["records"]
    assert "what an exporter prints" in printed.err


def test_a_short_run_is_not_committed():
    assert "results/*-quick*" in (FOLDER / ".gitignore").read_text(encoding="utf-8").splitlines()
