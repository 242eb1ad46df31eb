"""`oddgan score --resume` after a kill."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import oddgan

SEARCH = ("--set", "epochs=1", "--set", "latent_dim=4", "--set", "backbone.table.hidden=[8]")


@pytest.fixture
def slow(run, tmp_path):
    """A model whose scoring takes a moment, and its data: two blocks of 1024 rows and a short one."""
    x = np.random.default_rng(0).normal(size=(2100, 3))
    np.savez(tmp_path / "few.npz", X=x[:100])
    np.savez(tmp_path / "rows.npz", X=x)
    found = run("fit", "anogan", "few.npz", *SEARCH, "--set", "inversion.n_max=8", "--out", "model", "--quiet")
    assert (found.code, found.err) == (0, "")
    return "score", "model", "rows.npz"


def rows_in(part):
    return part.read_bytes().count(b"\n") - 1 if part.exists() else -1


def test_a_run_that_was_killed_at_any_moment_ends_with_the_same_bytes(run, slow, tmp_path):
    assert run(*slow, "--out", "whole.csv", "--quiet").code == 0
    command = [sys.executable, "-m", "oddgan", *slow, "--out", "scores.csv"]
    environment = os.environ | {"PYTHONPATH": str(Path(oddgan.__file__).parents[1]), "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)  # noqa: S603
    try:
        wanted = random.choice((0, 1024, 2048))  # noqa: S311
        while process.poll() is None and rows_in(tmp_path / "scores.csv.part") < wanted:
            time.sleep(0.002)
        time.sleep(random.uniform(0, 0.1))  # noqa: S311
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert run(*slow, "--out", "scores.csv", "--resume", "--quiet").code == 0
    assert (tmp_path / "scores.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert not (tmp_path / "scores.csv.part").exists()


def test_resuming_what_is_finished_is_no_failure(run, slow):
    run(*slow, "--out", "scores.csv", "--quiet")
    found = run(*slow, "--out", "scores.csv", "--resume")
    assert (found.code, "note: scores.csv is finished already" in found.err) == (0, True)
    assert "of 2100 rows are flagged" in found.out


def test_resume_without_a_file_is_wrong_use(run, slow):
    found = run(*slow, "--resume")
    assert (found.code, "give the --out of the interrupted run" in found.err) == (2, True)
