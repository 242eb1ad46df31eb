"""Damaged data files: each is refused in one line or read as what it says, and nothing is started or exhausted."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("wfdb")
pytest.importorskip("pyarrow")
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="each mutation is read in a forked process")
SCRIPT = Path(__file__).with_name("data_files.py")


def outcomes(first, count):
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    command = [sys.executable, str(SCRIPT), "--first", str(first), "--count", str(count)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stdout + done.stderr
    assert not done.stderr, done.stderr  # no library prints behind the sentence
    return {name: int(n) for name, n in re.findall(r"^all +(\S+) +(\d+)$", done.stdout, re.MULTILINE)}


def test_thirty_three_damaged_files():
    found = outcomes(0, 33)
    assert sum(found.values()) == 33
    assert found["refused"] > 10


@pytest.mark.slow
def test_five_hundred_damaged_files():
    found = outcomes(1000, 506)
    assert sum(found.values()) == 506
    assert min(found["refused"], found["same"], found["other"]) > 10
