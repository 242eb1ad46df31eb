import io
import json

import pytest
import torch
from rich.console import Console

from oddgan.training import Callback, EventLog, Phase, Plan, Player, ProgressBar, TensorSource, Update, run

from .nets import dcgan, game, line, rows


class Note(Callback):
    def __init__(self):
        self.seen = []

    def fit_started(self, method, rows):
        self.seen.append(("fit_started", method, rows))

    def phase_started(self, state):
        self.seen.append(("phase_started", state.phase.name, state.batches))

    def iteration_ended(self, state):
        self.seen.append(("iteration_ended", state.clock.iteration))

    def epoch_ended(self, state, record):
        self.seen.append(("epoch_ended", record.epoch, sorted(record.losses)))

    def phase_ended(self, state):
        self.seen.append(("phase_ended", state.phase.name))

    def fit_ended(self, seconds):
        self.seen.append(("fit_ended",))


def train(*callbacks, epochs=2):
    networks = dcgan()
    for callback in callbacks:
        callback.fit_started("DCGAN", 20)
    records = run(
        game(networks, epochs), networks, TensorSource(rows(20)), Plan(batch_size=10, index=1, callbacks=callbacks)
    )
    for callback in callbacks:
        callback.fit_ended(1.23456)
    return records


def test_order():
    note = Note()
    train(note)
    players = ["discriminator", "generator"]
    assert note.seen == [
        ("fit_started", "DCGAN", 20),
        ("phase_started", "step", 2),
        ("iteration_ended", 0),
        ("iteration_ended", 1),
        ("epoch_ended", 1, players),
        ("iteration_ended", 2),
        ("iteration_ended", 3),
        ("epoch_ended", 2, players),
        ("phase_ended", "step"),
        ("fit_ended",),
    ]


def test_watching_changes_nothing():
    found = []
    for callbacks in ([], [Note(), ProgressBar(Console(file=io.StringIO()))]):
        torch.manual_seed(0)
        found.append([record.losses for record in train(*callbacks)])
    assert found[0] == found[1]


def test_default_callback_does_nothing():
    train(Callback())


def test_event_log(tmp_path):
    log = EventLog(tmp_path / "events.jsonl")
    records = train(log)
    events = [json.loads(text) for text in log.path.read_text().splitlines()]
    assert [e["event"] for e in events] == ["fit_started", "phase_started", "epoch", "epoch", "fit_ended"]
    assert all(isinstance(e["time"], float) for e in events)
    assert (events[0]["method"], events[0]["rows"]) == ("DCGAN", 20)
    assert (events[1]["phase"], events[1]["phase_index"], events[1]["epochs"]) == ("step", 1, 2)
    assert [e["epoch"] for e in events[2:4]] == [1, 2]
    assert [e["losses"] for e in events[2:4]] == [r.losses for r in records]
    assert 0 <= events[2]["seconds"] <= events[3]["seconds"]
    assert events[4]["seconds"] == 1.235


def test_event_log_can_be_followed_and_starts_anew(tmp_path):
    log = EventLog(tmp_path / "events.jsonl")
    for _ in range(2):
        log.fit_started("A", 1)
        assert len(log.path.read_text().splitlines()) == 1  # before the file is closed
        log.fit_ended(0.0)
    assert len(log.path.read_text().splitlines()) == 2


def test_event_log_survives_a_copy_that_never_started(tmp_path):
    EventLog(tmp_path / "events.jsonl").fit_ended(0.0)
    assert not (tmp_path / "events.jsonl").exists()


@pytest.mark.parametrize("terminal", [True, False])
def test_progress_bar(terminal):
    out = io.StringIO()
    train(ProgressBar(Console(file=out, force_terminal=terminal, width=120)))
    if terminal:
        shown = out.getvalue()
        assert "step 2/2" in shown
        assert "discriminator" in shown
        assert "generator" in shown


def test_progress_bar_counts_updates_of_the_slowest_player():
    out, networks = io.StringIO(), line()

    def step(x, _clock):
        yield Update("net", networks["net"](x).mean())

    bar = ProgressBar(Console(file=out, force_terminal=True, width=120))
    bar.fit_started("A", 4)
    phase = Phase(step, {"net": Player(("net",))}, 1, steps=3, slowest=5)
    run(phase, networks, TensorSource(torch.ones(4, 1)), Plan(batch_size=2, callbacks=[bar]))
    bar.fit_ended(0.0)
    assert "step 3/3" in out.getvalue()


def test_a_callback_can_end_a_phase():
    class Enough(Callback):
        def stops(self, state):
            return state.clock.iteration == 2

    records = train(Enough(), epochs=5)  # two batches a pass
    assert [(r.epoch, r.updates) for r in records] == [(1, 2), (2, 1)]


def test_progress_bar_counts_all_phases():
    out = io.StringIO()
    bar = ProgressBar(Console(file=out, force_terminal=True, width=120))
    networks = line()

    def second_stage(x, _clock):
        yield Update("net", networks["net"](x).mean())

    bar.fit_started("A", 4)
    for epochs in (2, 3):
        phase = Phase(second_stage, {"net": Player(("net",))}, epochs)
        run(phase, networks, TensorSource(torch.ones(4, 1)), Plan(batch_size=2, callbacks=[bar]))
    bar.fit_ended(0.0)
    assert "second stage 2/2" in out.getvalue()
    assert "second stage 3/3" in out.getvalue()
