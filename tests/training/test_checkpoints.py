import json
import multiprocessing
import os
import shutil
import signal
import time

import numpy as np
import pytest
import torch

from interruption import Stop
from oddgan import AnoGAN, FAnoGAN, InputError
from oddgan.inversion import LatentAdam, LatentSearch
from oddgan.networks import MLP
from oddgan.training import Checkpoints, Ema, EventLog, Selection

FAST = LatentSearch(n_max=3, optimiser=LatentAdam(lr=0.1))


def make(**settings):
    return FAnoGAN(**{"epochs": 6, "batch_size": 10, "latent_dim": 4, "backbone": MLP(hidden=(16,))} | settings)


def data():
    return np.random.default_rng(0).normal(size=(64, 5))


def weights(detector):
    return {k: v.clone() for k, v in detector.networks_.state_dict().items()}


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def interrupted(folder, steps, resume=False, every=3, **settings):
    with pytest.raises(KeyboardInterrupt):
        make(random_state=0, **settings).fit(
            data(), callbacks=[Checkpoints(folder, steps=every, resume=resume), Stop(steps)]
        )


def _fit(folder, out):
    torch.set_num_threads(1)  # a forked process must not use its parent's threads
    detector = make(random_state=0).fit(data(), callbacks=[Checkpoints(folder, seconds=0.0, resume=True)])
    detector.save(out)
    os._exit(0)


def test_twenty_kills_change_no_bit(tmp_path):
    # Real kills of real processes, at random moments: while building, training, writing a checkpoint, calibrating.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    started = time.perf_counter()
    whole = weights(make(random_state=0).fit(data()))
    taken = time.perf_counter() - started
    torch.set_num_threads(threads)
    fork, rng, kills = multiprocessing.get_context("fork"), np.random.default_rng(0), 0
    while kills < 20:
        process = fork.Process(target=_fit, args=(tmp_path / "ckpt", tmp_path / "model"))
        process.start()
        process.join(rng.uniform(0.02, 0.5) * taken)
        if process.is_alive():
            os.kill(process.pid, signal.SIGKILL)
            kills += 1
        process.join()
        if (tmp_path / "model").exists():  # it was fast enough: from the beginning
            shutil.rmtree(tmp_path / "ckpt")
            shutil.rmtree(tmp_path / "model")
    process = fork.Process(target=_fit, args=(tmp_path / "ckpt", tmp_path / "model"))
    process.start()
    process.join()
    from oddgan import load  # noqa: PLC0415

    assert process.exitcode == 0
    assert same(weights(load(tmp_path / "model")), whole)


def test_the_last_ones_are_kept_and_those_of_finished_phases_go(tmp_path):
    interrupted(tmp_path / "c", 16, every=2)  # 7 batches a pass
    names = sorted(p.name for p in (tmp_path / "c").iterdir())
    assert names == ["begun.json", "step-0-000000012", "step-0-000000014", "step-0-000000016"]
    shutil.rmtree(tmp_path / "c")
    interrupted(tmp_path / "c", 42 + 5, every=2)  # in the encoder's phase
    names = sorted(p.name for p in (tmp_path / "c").iterdir())
    assert names == ["begun.json", "phase-0", "step-1-000000002", "step-1-000000004"]


def test_files_are_json_and_safetensors(tmp_path):
    interrupted(tmp_path / "c", 4)
    folder = tmp_path / "c" / "step-0-000000003"
    assert sorted(p.name for p in folder.iterdir()) == ["state.json", "tensors.safetensors"]
    state = json.loads((folder / "state.json").read_text())
    assert (state["steps"], state["epoch"], state["records"]) == (3, 0, [])


def test_no_checkpoint_yet_means_start(tmp_path):
    made = make(random_state=0).fit(data(), callbacks=[Checkpoints(tmp_path / "c", resume=True)])
    assert same(weights(made), weights(make(random_state=0).fit(data())))


def test_a_fresh_seed_is_kept(tmp_path):
    # Without a seed the first run draws one: the second must go on with it, from the same split of the rows.
    interrupted(tmp_path / "c", 20, calibration=0.2)
    with pytest.raises(KeyboardInterrupt):
        make(calibration=0.2).fit(data(), callbacks=[Checkpoints(tmp_path / "d", steps=3), Stop(20)])
    ends = []
    for _ in range(2):
        shutil.copytree(tmp_path / "d", tmp_path / "e")
        ends.append(make(calibration=0.2).fit(data(), callbacks=[Checkpoints(tmp_path / "e", resume=True)]))
        shutil.rmtree(tmp_path / "e")
    assert same(*map(weights, ends))
    assert ends[0].calibration_rows_.tolist() == ends[1].calibration_rows_.tolist()


def test_averages_and_choices_go_on(tmp_path):
    settings = {"selection": Selection("features", patience=2), "epochs": 5}
    whole = make(random_state=0, **settings).fit(data())
    interrupted(tmp_path / "c", 14, **settings)
    keep = Checkpoints(tmp_path / "c", steps=3, resume=True)
    made = make(random_state=0, **settings).fit(data(), callbacks=[keep])
    assert same(weights(whole), weights(made))
    assert [(r.epoch, r.criterion, r.chosen) for r in whole.history_] == [
        (r.epoch, r.criterion, r.chosen) for r in made.history_
    ]
    assert sum(r.chosen for r in whole.history_ if r.phase_index == 0) == 1


def test_an_average_in_place_for_a_while():
    weight = torch.nn.Parameter(torch.tensor([1.0]))
    ema = Ema([weight], 0.5)
    with torch.no_grad():
        weight.fill_(3.0)
    ema.step()  # d = min(0.5, 1/10): 0.1 * 1 + 0.9 * 3
    with ema.applied():
        assert weight.item() == pytest.approx(2.8)
    assert weight.item() == 3.0


def test_the_log_has_what_was_trained_before(tmp_path):
    interrupted(tmp_path / "c", 20)
    log = EventLog(tmp_path / "events.jsonl")
    make(random_state=0).fit(data(), callbacks=[log, Checkpoints(tmp_path / "c", resume=True)])
    events = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    epochs = [(e["phase_index"], e["epoch"]) for e in events if e["event"] == "epoch"]
    assert epochs == [(phase, epoch) for phase in (0, 1) for epoch in range(1, 7)]


def test_another_training_is_refused(tmp_path):
    interrupted(tmp_path / "c", 4)
    again = {"callbacks": [Checkpoints(tmp_path / "c", resume=True)]}
    with pytest.raises(InputError, match="holds checkpoints of a training that has begun: go on with it"):
        make(random_state=0).fit(data(), callbacks=[Checkpoints(tmp_path / "c")])
    with pytest.raises(InputError, match="is of a training with other parameters: give those that it was begun with"):
        make(random_state=1).fit(data(), **again)
    with pytest.raises(InputError, match="is of a training with other rows"):
        make(random_state=0).fit(data() + 1e-9, **again)
    with pytest.raises(InputError, match="is of a training with other methods and parameters"):
        AnoGAN(inversion=FAST, random_state=0).fit(data(), **again)


def test_a_damaged_checkpoint_is_named(tmp_path):
    interrupted(tmp_path / "c", 4)
    (tmp_path / "c" / "step-0-000000003" / "tensors.safetensors").write_bytes(b"no")
    with pytest.raises(InputError, match="step-0-000000003 is damaged: remove it, and training goes on from before"):
        make(random_state=0).fit(data(), callbacks=[Checkpoints(tmp_path / "c", resume=True)])


def test_arguments():
    with pytest.raises(InputError, match=r"steps of at least 1, or None, .* but got 0, 60.0 and 3"):
        Checkpoints("x", steps=0)


def test_the_clock_decides_without_steps(tmp_path):
    make(random_state=0, epochs=1).fit(data(), callbacks=[Checkpoints(tmp_path / "c", seconds=1e6)])
    assert sorted(p.name for p in (tmp_path / "c").iterdir()) == ["begun.json", "phase-0", "phase-1"]
    folder = Checkpoints(tmp_path / "c", seconds=1e6)
    folder.remove()
    assert not (tmp_path / "c").exists()
