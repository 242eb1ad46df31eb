import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import oddgan
from oddgan.cli import main


@pytest.fixture(autouse=True)
def scratch(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(capsys):
    """Run a command in this process: its exit code, what it printed, and that as JSON where it is."""

    def command(*words):
        code = main([str(word) for word in words])
        printed = capsys.readouterr()
        document = json.loads(printed.out) if printed.out.startswith(("{", "[")) else None
        return SimpleNamespace(code=code, out=printed.out, err=printed.err, json=document)

    return command


@pytest.fixture
def python():
    """Run a fresh interpreter that finds the same oddgan: what it returned and printed."""
    environment = os.environ | {"PYTHONPATH": str(Path(oddgan.__file__).parents[1])}

    def fresh(*words):
        command = [sys.executable, *words]
        return subprocess.run(command, check=False, capture_output=True, text=True, env=environment)  # noqa: S603

    return fresh
