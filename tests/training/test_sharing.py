"""What several gloo processes train is what one trains."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from training import fits

WORKER = Path(__file__).with_name("worker.py")


def start(size, folder):
    """Start workers as torchrun does; return what they have written, by worker."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    common = os.environ | {"WORLD_SIZE": str(size), "LOCAL_WORLD_SIZE": str(size), "MASTER_ADDR": "127.0.0.1"}
    running = [
        subprocess.Popen(
            [sys.executable, WORKER, folder],
            env=common | {"MASTER_PORT": str(port), "RANK": str(i), "LOCAL_RANK": str(i), "OMP_NUM_THREADS": "1"},
            stderr=subprocess.PIPE,
            text=True,
        )
        for i in range(size)
    ]
    for process in running:
        _, errors = process.communicate(timeout=100)
        assert process.returncode == 0, errors
    return [json.loads((folder / f"{i}.json").read_text()) for i in range(size)]


@pytest.fixture(scope="module", params=[2, 3])
def workers(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(f"workers{request.param}")
    return request.param, folder, start(request.param, folder)


@pytest.fixture(scope="module")
def alone():
    return {name: fits.trained(*pair) for name, pair in fits.detectors().items()}


def test_the_weights_are_those_of_one_process(workers, alone):
    size, folder, _ = workers
    off = {}
    for name, expected in alone.items():
        for worker in range(size):
            found = np.load(folder / f"{name}-{worker}.npz")
            assert found.keys() == expected.keys()
            off[name] = max(np.abs(found[k] - v).max(initial=0.0) for k, v in expected.items())
    assert max(off.values()) < 1e-10, off
