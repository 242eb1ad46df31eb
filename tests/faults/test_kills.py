"""Kills between any two system calls: a name holds the old or the new thing, whole, and the next run cleans up."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from faults.conftest import killed_at, run_command
from oddgan import KNN, load
from oddgan._core import renames
from oddgan._core.files import writing
from oddgan.evaluate import ScoreTable, read_scores, write_scores


def model(k):
    return KNN(n_neighbors=k).fit(np.random.default_rng(0).normal(size=(40, 2)))


def table(k):
    return ScoreTable(np.arange(5), np.arange(5).astype(str), np.full(5, float(k)), np.zeros(5, dtype=bool))


def save_model(k, force):
    model(k).save("out.csv", force=force)


def save_table(k, force):
    write_scores("out.csv", table(k), force=force)


def read_model():
    return load("out.csv").n_neighbors


def read_table():
    return int(read_scores(Path("out.csv")).anomaly_score[0])


THINGS = {"model": (save_model, read_model), "table": (save_table, read_table)}


def start(thing, old):
    """An empty folder, or one that holds the old thing; and a file that only looks like a leftover."""
    for path in Path().iterdir():
        raise AssertionError(f"{path} was left by the kill before")
    if old:
        THINGS[thing][0](2, force=False)
    Path(".out.csv.mine.part").write_text("mine")


def outcome(thing, old):
    """What has the name after a kill, and whether the next run removes everything else."""
    write, read = THINGS[thing]
    found = "nothing" if not (old or Path("out.csv").exists()) else {2: "old", 3: "new"}[read()]
    with writing("other"):
        pass
    left = sorted(p.name for p in Path().iterdir())
    assert left == [".out.csv.mine.part"] + ["out.csv"] * (found != "nothing")
    write(4, force=True)
    assert read() == 4
    Path(".out.csv.mine.part").unlink()
    if thing == "model":
        for path in Path("out.csv").iterdir():
            path.unlink()
        Path("out.csv").rmdir()
    else:
        Path("out.csv").unlink()
    return found


def kills(thing, old, steps):
    """Kill a writer at each of these steps, until one is beyond its end."""
    counts = Counter()
    fitted = model(3)
    for step in steps:
        start(thing, old)
        write = (lambda: fitted.save("out.csv", force=old)) if thing == "model" else lambda: save_table(3, old)
        if not killed_at(write, step):
            assert THINGS[thing][1]() == 3
            outcome(thing, old)
            break
        counts[outcome(thing, old)] += 1
    return counts


@pytest.fixture(params=["exchange", "two renames"])
def system(request, monkeypatch):
    if request.param == "two renames":
        monkeypatch.setattr(renames, "_renameat2", lambda *_: False)
    return request.param


@pytest.mark.usefixtures("system")
def test_a_replacement_that_is_killed_leaves_the_old_or_the_new_model():
    counts = kills("model", True, range(5, 1000, 31))
    assert counts["old"] > 2
    assert counts["old"] + counts["new"] == counts.total()


@pytest.mark.slow
@pytest.mark.usefixtures("system")
@pytest.mark.parametrize("old", [True, False], ids=["replaced", "new"])
@pytest.mark.parametrize("thing", THINGS)
def test_every_step(thing, old, system, capsys):
    counts = kills(thing, old, range(0, 10_000, 7 if thing == "model" else 1))  # a model is several files
    with capsys.disabled():
        kind = "replaced" if old else "written"
        print(f"\n{thing} {kind} by {system}: {counts.total()} kills: {json.dumps(counts)}")  # noqa: T201
    assert counts.total() > 20
    assert set(counts) <= ({"old", "new"} if old else {"nothing", "new"})


@pytest.mark.usefixtures("table")
def test_a_fit_that_is_killed_leaves_what_the_next_one_removes():
    words = ("fit", "knn", "rows.npz", "--out", "models/m", "--quiet")

    def left():
        return [str(p) for p in Path().rglob(".*")]

    for step in (400, 900, 2500):
        killed_at(lambda: run_command(words), step)
    assert run_command(("fit", "knn", "rows.npz", "--out", "models/m2")) == (0, "")
    assert left() == []
    assert not list(Path("runs").glob("*.part"))
    load("models/m2")
