import json
import math
from datetime import UTC, datetime

import numpy as np
import pytest

from oddgan import InputError
from oddgan.evaluate import (
    DataInfo,
    Items,
    MethodInfo,
    Metric,
    RunInfo,
    ScoreTable,
    ThresholdInfo,
    read_run,
    write_items,
    write_run_info,
    write_scores,
)


@pytest.fixture
def info():
    return RunInfo(
        kind="evaluate",
        name="a run",
        created=datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
        method=MethodInfo(name="AnoGAN", deviations=("one",)),
        parameters={"prior": {"type": "Uniform", "low": -1.0}},
        data=DataInfo(source="x.npz", kind="table", shape=(2,), n_test=3, normal=3, columns=("a", "b")),
        threshold=ThresholdInfo(value=0.5, rule="quantile", rate=0.1, source="held-out normals", n=20),
        metrics={"auroc": Metric(0.9, 0.8, 1.0), "n": Metric(3.0)},
        environment={"torch": "2.13.0", "cores": 2},
    )


@pytest.fixture
def folder(tmp_path, info):
    write_run_info(tmp_path / "run", info)
    return tmp_path / "run"


def epoch(n, **changes):
    fields = {"event": "epoch", "phase": "p", "phase_index": 0, "epoch": n, "epochs": 2, "seconds": 1}
    return json.dumps(fields | {"losses": {"critic": 0.5}} | changes) + "\n"


def test_round_trip(folder, info):
    run = read_run(folder)
    assert run.info == info
    assert (run.epochs, run.scores, run.items) == ((), None, None)
    assert json.loads((folder / "run.json").read_text())["schema"] == 1


def test_a_run_of_an_older_version_is_read(folder):
    document = json.loads((folder / "run.json").read_text())
    del document["composition"], document["semi_supervised"]
    (folder / "run.json").write_text(json.dumps(document))
    info = read_run(folder).info
    assert (info.composition, info.semi_supervised) == (None, False)


def test_every_file_is_read(folder):
    rows = np.arange(3)
    write_scores(folder / "scores.npz", ScoreTable(rows, rows.astype(str), rows / 2, rows > 1))
    write_items(folder / "items.npz", Items(rows, np.zeros((3, 2)), rows / 2))
    (folder / "events.jsonl").write_text('{"event": "fit_started"}\n' + epoch(1) + epoch(2))
    run = read_run(folder)
    assert run.scores is not None
    assert run.scores.anomaly_score.tolist() == [0, 0.5, 1]
    assert run.items is not None
    assert [e.epoch for e in run.epochs] == [1, 2]
    assert run.epochs[0].losses == {"critic": 0.5}


def test_an_interrupted_last_event_is_left_out(folder):
    (folder / "events.jsonl").write_text(epoch(1) + epoch(2)[:-9])
    assert [e.epoch for e in read_run(folder).epochs] == [1]


def test_missing_losses_are_nan(folder):
    (folder / "events.jsonl").write_text(epoch(1, losses={"critic": None, "generator": math.nan}))
    assert all(math.isnan(v) for v in read_run(folder).epochs[0].losses.values())


@pytest.mark.parametrize("line", ["{", '{"event": "epoch"}', '{"no": "event"}', "[1]", epoch(1, losses=3).strip()])
def test_a_bad_event_is_named_by_its_line(folder, line):
    (folder / "events.jsonl").write_text(epoch(1) + line + "\n" + epoch(2))
    with pytest.raises(InputError, match="line 2, is not an event"):
        read_run(folder)


def test_not_a_run_folder(tmp_path):
    with pytest.raises(InputError, match="is not a run folder"):
        read_run(tmp_path)
    with pytest.raises(InputError, match="is not a run folder"):
        read_run(tmp_path / "nowhere")


def change(folder, **changes):
    document = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps(document | changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"schema": 2}, "install a newer oddgan"),
        ({"schema": None}, "is not a run folder"),
        ({"kind": "dance"}, "kind: Input should be"),
        ({"surprise": 1}, "surprise: Extra inputs"),
        ({"threshold": {"value": 1}}, r"threshold\.rule: Field required"),
    ],
)
def test_what_is_wrong_in_run_json_is_named(folder, changes, message):
    change(folder, **changes)
    with pytest.raises(InputError, match=message):
        read_run(folder)


def test_truncated_run_json(folder):
    text = (folder / "run.json").read_text()
    (folder / "run.json").write_text(text[: len(text) // 2])
    with pytest.raises(InputError, match="may have been interrupted"):
        read_run(folder)


def test_items_of_another_kind(folder):
    write_items(folder / "items.npz", Items(np.arange(1), np.zeros((1, 1, 4, 4)), np.zeros(1)))
    with pytest.raises(InputError, match="of the kind table"):
        read_run(folder)


def test_existing_run_stays(folder, info):
    with pytest.raises(InputError, match="exists already"):
        write_run_info(folder, info)
