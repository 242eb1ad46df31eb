"""What several gloo processes train is what one trains."""

import functools
import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import distributed as dist
from torch import nn

from oddgan import InputError
from oddgan.networks.blocks.minibatch import MinibatchStdDev
from oddgan.training import SharedEngine, gathered, is_first, many, team, workers
from oddgan.training.distributed.team import Team, agree, same_draws
from training import fits

WORKER = Path(__file__).with_name("worker.py")
NAMES = {3: list(fits.detectors())}
NAMES[2] = [name for name in NAMES[3] if name not in ("svdd", "alocc", "nae", "batches of 4", "batches of 14")]
# Of three workers two may wait for each other when one fails, if its line is not cut: not each time, so ask often.
REFUSED = {2: [name for name in fits.refused() if name != "small batches"], 3: ["small batches", *["broken"] * 9]}


def start(size, folder):
    """Start workers as torchrun does; return what each has noted."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    common = os.environ | {"WORLD_SIZE": str(size), "LOCAL_WORLD_SIZE": str(size), "MASTER_ADDR": "127.0.0.1"}
    running = [
        subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, WORKER, folder, ",".join(NAMES[size]), ",".join(REFUSED[size])],
            env=common | {"MASTER_PORT": str(port), "RANK": str(i), "LOCAL_RANK": str(i), "OMP_NUM_THREADS": "1"},
            stderr=subprocess.PIPE,
            text=True,
        )
        for i in range(size)
    ]
    for process in running:
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors
    return [json.loads((folder / f"{i}.json").read_text()) for i in range(size)]


@pytest.fixture(scope="module", params=[2, pytest.param(3, marks=pytest.mark.slow)])
def ended(request, tmp_path_factory):
    """How many workers there were, where their results are, and what each has noted."""
    if not (dist.is_available() and dist.is_gloo_available()):
        pytest.skip("needs torch with gloo")
    folder = tmp_path_factory.mktemp(f"workers{request.param}")
    with pytest.raises(OSError, match="full"):
        fits.kept(folder / "begun", callbacks=[fits.Failing()])
    return request.param, folder, start(request.param, folder)


@pytest.fixture(scope="module")
def alone():
    """What one process trains, by name."""
    return functools.cache(lambda name: fits.trained(*fits.detectors()[name]))


def distance(found, expected):
    assert found.keys() == expected.keys()
    return max(np.abs(found[name] - tensor).max(initial=0.0) for name, tensor in expected.items())


def test_the_weights_are_those_of_one_process(ended, alone):
    size, folder, _ = ended
    for worker in range(size):
        off = {n: distance(np.load(folder / f"{n}-{worker}.npz"), alone(n)) for n in NAMES[size]}
        assert max(off.values()) < 1e-10, off


def test_what_one_process_began_many_end(ended, alone):
    size, folder, _ = ended
    for worker in range(size):
        assert distance(np.load(folder / f"resumed-{worker}.npz"), alone("beta-vaegan")) < 1e-10


def test_what_many_began_one_process_ends(ended, alone):
    assert distance(fits.kept(ended[1] / "ended", resume=True), alone("beta-vaegan")) < 1e-10


def test_one_worker_speaks_and_writes(ended):
    _, _, told = ended
    assert told[0]["notices"] > 0
    assert all(note["notices"] == 0 for note in told[1:])
    assert all(note["saved"] for note in told)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("apart", "yields one loss for a whole batch to 'autoencoder', which differs among workers"),
        ("drifting", "drifted apart in phase 'reconstruction'"),
        ("shuffling", "shuffles its rows with torch.randperm"),
        ("other rows", "InputError: Worker . got other training rows or hyperparameters than worker"),
        ("other settings", "InputError: Worker . got other training rows or hyperparameters than worker"),
        ("stabilisers", "look at batches as a whole, which several workers can't"),
        ("processes", "n_jobs=2 starts processes"),
    ],
)
def test_what_all_refuse(ended, name, text):
    for note in ended[2] if ended[0] == 2 else ():
        assert re.search(text, note[name]), note[name]


def test_the_message_of_a_batch_that_is_too_small(ended):
    size, _, told = ended
    if size == 2:
        return  # there, two rows are enough
    expected = "InputError: 3 workers can't share a batch of 2 rows: raise batch_size (now 2), give more rows (now 4), "
    assert all(note["small batches"].startswith(expected) for note in told)


@pytest.mark.parametrize(
    ("name", "failed", "sentence"),
    [("callback", 0, "OSError: the disk is full"), ("broken", 1, "ValueError: row 7 can't be read")],
)
def test_a_worker_that_fails_ends_all_with_its_sentence(ended, name, failed, sentence):
    for i, note in enumerate(ended[2]):
        others = f"TrainingError: Training ends on all workers, as worker {failed} ended with {sentence}"
        assert name not in REFUSED[ended[0]] or note[name] == (sentence if i == failed else others)


def test_one_process_is_no_team():
    rng, x = np.random.RandomState(0), torch.arange(3.0)
    with workers(), team():
        agree("anything")
        assert same_draws(rng) is rng
        assert gathered(x) is x
    assert is_first()
    assert not many()


def test_minibatch_layers_are_refused():
    networks = nn.ModuleDict({"critic": nn.Sequential(nn.Linear(2, 2), MinibatchStdDev())})
    with pytest.raises(InputError, match="Minibatch layers look at batches as a whole"):
        SharedEngine(Team(None, (0, 2))).prepare(SimpleNamespace(networks=networks))
