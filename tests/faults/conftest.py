"""Processes forked from this one, which has imported everything: a start costs milliseconds."""

import contextlib
import io
import multiprocessing
import os
import signal
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from oddgan.cli import main

FORK = multiprocessing.get_context("fork")
# What changes files: calls of these modules, and of the functions that replace.
_SYSTEM = {"posix", "fcntl", "_io", "builtins"}
_OURS = ("locks.py", "files.py", "publish.py", "renames.py")


@pytest.fixture(autouse=True)
def scratch(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def table():
    """Normal rows, and rows with labels."""
    rng = np.random.default_rng(0)
    np.savez("rows.npz", X=rng.normal(size=(300, 3)))
    np.savez("labelled.npz", X=rng.normal(size=(60, 3)), y=np.repeat([0, 1], 30))


def forked(function):
    """A process that runs a function; its result is the process's exit code."""

    def run():
        torch.set_num_threads(1)  # a forked process must not use its parent's threads
        os._exit(function() or 0)

    process = FORK.Process(target=run)
    process.start()
    return process


def run_command(words):
    """Run a command here: its exit code, and what it wrote to standard error."""
    told = io.StringIO()
    with contextlib.redirect_stderr(told), contextlib.redirect_stdout(io.StringIO()):
        code = main([*words, "--quiet"])
    return code, told.getvalue()


def at_once(*commands):
    """Run commands in processes that begin together: exit code and standard error of each."""
    start, queue = FORK.Barrier(len(commands)), FORK.SimpleQueue()

    def run(number, words):
        start.wait(60)
        queue.put((number, *run_command(words)))

    processes = [forked(lambda n=n, w=w: run(n, w)) for n, w in enumerate(commands)]
    found = sorted(queue.get() for _ in commands)
    for process in processes:
        process.join()
    return [SimpleNamespace(code=code, err=err) for _, code, err in found]


def killed_at(function, number):
    """Run a function in a process that kills itself at a step, 0, 1, ...; whether it came so far.

    A step is the beginning and the end of each call into the system, and of each function that writes.
    """
    left = [number]

    def watch(frame, event, argument):
        name = getattr(argument, "__module__", None) if event.startswith("c_") else None
        file = frame.f_code.co_filename
        if name in _SYSTEM or (not event.startswith("c_") and file.endswith(_OURS)):
            left[0] -= 1
            if left[0] < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def run():
        sys.setprofile(watch)
        function()
        sys.setprofile(None)

    process = forked(run)
    process.join()
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode != 0
