"""Exit codes, and errors as one sentence on standard error."""

import os
import signal
import textwrap
import time
from unittest.mock import Mock

import numpy as np
import pytest
from PIL import Image

from oddgan.cli import main
from oddgan.families import neural


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nope"], 'Unknown command "nope"'),
        (["fit"], "METHOD requires an argument"),
        (["fit", "knn", "builtin:digits", "--sed", "3"], "Did you mean --seed?"),
        (["fit", "knn", "builtin:digits", "--seed", "x"], 'unable to convert "x" into int'),
        (["fit", "knn", "builtin:digits", "--rate", "0.7"], "--rate is 0.7"),
        (["fit", "knn", "builtin:digits", "--resize", "3x"], "--resize is '3x'"),
        (["fit", "knn", "builtin:digits", "--colour", "red"], "grey"),
        (["fit", "knn", "builtin:digits", "--set", "k"], "expected name=value"),
        (["fit", "knn", "builtin:digits", "--set", "k=3"], "KNN has no parameter 'k'"),
        (["fit", "knn", "builtin:digits", "--method-file", "no.toml"], "no.toml can't be read"),
        (["fit", "anogann", "builtin:digits"], "Did you mean AnoGAN?"),
        (["fit", "knn", "builtin:digits", "--method-file", "pipe.toml"], "pipe.toml can't be read: it is a pipe"),
        (["fit", "knn", "builtin:digits", "--max-memory", "4XB"], "--max-memory: '4XB' is no amount of memory"),
        (["fit", "knn", "a\nb.csv"], r"The argument 'a\nb.csv' holds a line break or control character"),
        (["fit", "knn", "a\u2028.csv"], r"The argument 'a\u2028.csv' holds a line break or control character"),
        (["fit", "knn", "builtin:digits", "--out", "m\udcff"], r"The argument 'm\udcff' holds bytes that are no UTF-8"),
        (["methods", "nope"], "Unknown method 'nope'"),
        (["threshold", "m", "--rate", "0.2"], "give --out FOLDER, or --force"),
    ],
)
def test_wrong_use_is_2(run, tmp_path, words, message):
    os.mkfifo(tmp_path / "pipe.toml")
    found = run(*words)
    assert (found.code, found.out) == (2, "")
    assert message in found.err
    assert found.err.startswith("oddgan: ")
    assert found.err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["fit", "knn", "nowhere.npz"], "There is no file or folder nowhere.npz"),
        (["fit", "knn", "nan.npz"], "1 NaN"),
        (["fit", "knn", "builtin:digits", "--normal", "12"], "No row has the label '12'; the labels are 0 (125 rows)"),
        (["score", "nowhere", "builtin:digits"], "nowhere is not a model"),
        (["report", "nowhere"], "nowhere is not a run folder"),
        (["score", "model", "narrow.npz"], "X has 2 features, but KNN is expecting 3"),
        (["score", "model", "builtin:digits"], "builtin:digits holds images; expected a table"),
        (["evaluate", "model", "plain.npz"], "no labels to compare with"),
        (["fit", "knn", "plain.npz", "--out", "model"], "model exists already"),
        (["fit", "knn", "plain.npz", "--max-memory", "700"], "and 720 bytes in memory, but 700 bytes are allowed"),
        (["inspect", os.devnull], "it is a device; expected a file"),
    ],
)
def test_failure_is_1(run, tmp_path, words, message):
    x = np.random.default_rng(0).normal(size=(30, 3))
    np.savez(tmp_path / "plain.npz", X=x)
    np.savez(tmp_path / "narrow.npz", X=x[:, :2])
    np.savez(tmp_path / "nan.npz", X=np.where(x == x[4, 1], np.nan, x))
    assert run("fit", "knn", "plain.npz", "--out", "model", "--quiet").code == 0
    found = run(*words)
    assert (found.code, found.out) == (1, "")
    assert message in found.err
    assert found.err.count("\n") == 1


def test_an_interruption_is_130_and_leaves_nothing(run, monkeypatch, tmp_path):
    monkeypatch.setattr(neural, "run", Mock(side_effect=KeyboardInterrupt))
    found = run("fit", "ganomaly", "builtin:digits", "--out", "models/m")
    assert (found.code, found.err) == (130, "oddgan: Interrupted: nothing half-written is left.\n")
    assert [p for p in tmp_path.rglob("*") if p.is_file() or p.name.endswith(".part")] == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)])
def test_a_signal_cleans_up_as_ctrl_c_does(run, monkeypatch, tmp_path, number, code):
    def signalled(*_):
        os.kill(os.getpid(), number)
        time.sleep(10)

    ends = {signal.SIGTERM: signal.SIG_DFL, signal.SIGHUP: signal.SIG_DFL, signal.SIGINT: signal.default_int_handler}
    before = {n: signal.signal(n, handler) for n, handler in ends.items()}  # tests may run where some are ignored
    try:
        monkeypatch.setattr(neural, "run", signalled)
        found = run("fit", "ganomaly", "builtin:digits", "--out", "models/m")
        assert (found.code, found.err) == (code, "oddgan: Interrupted: nothing half-written is left.\n")
        assert list(tmp_path.iterdir()) == []
        assert {n: signal.getsignal(n) for n in ends} == ends
    finally:
        for n, handler in before.items():
            signal.signal(n, handler)


def test_a_signal_gives_its_exit_code_wherever_it_comes(python, tmp_path):
    """CPython ends by SIGINT after a plain KeyboardInterrupt in `exec`, where the main module is run by `-m`."""
    text = """
        import importlib, sys
        main = importlib.import_module("oddgan.cli.main")
        main._run = lambda words: exec("import os, time; os.kill(os.getpid(), 15); time.sleep(10)")
        sys.exit(main.main(["methods"]))
    """
    (tmp_path / "signalled.py").write_text(textwrap.dedent(text))
    found = python("-m", "signalled")
    assert (found.returncode, found.stderr) == (143, "oddgan: Interrupted: nothing half-written is left.\n")


def test_a_signal_that_is_ignored_stays_so(run, monkeypatch):
    monkeypatch.setattr("oddgan.detectors.method_rows", lambda: os.kill(os.getpid(), signal.SIGHUP) or [])
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as `nohup` does
    try:
        assert run("methods").code == 0
    finally:
        signal.signal(signal.SIGHUP, before)


def test_debug_shows_where_an_error_comes_from():
    with pytest.raises(Exception, match="no file or folder"):
        main(["fit", "knn", "nowhere.npz", "--debug"])


def test_an_unexpected_error_is_a_sentence_too(run, monkeypatch):
    monkeypatch.setattr("oddgan.detectors.method_rows", Mock(side_effect=RuntimeError("oops")))
    found = run("methods")
    assert (found.code, found.err) == (1, "oddgan: Unexpected RuntimeError: oops. Add --debug to see where.\n")


def test_help_needs_no_torch(python):
    heavy = "any(m in sys.modules for m in ('torch', 'sklearn', 'scipy'))"
    for words in (["--help"], ["fit", "--help"], ["score", "--help"], ["--version"]):
        code = f"import sys; from oddgan.cli import main; main({words!r}); sys.exit({heavy})"
        found = python("-c", code)
        assert (found.returncode, found.stderr) == (0, "")
        assert found.stdout


def test_the_module_is_the_command(python):
    found = python("-m", "oddgan", "nope")
    assert found.returncode == 2
    assert "Unknown command" in found.stderr


def test_odd_names_are_refused_by_all_commands_alike(run, tmp_path):
    rng = np.random.default_rng(0)
    for folder, names in (("old", "abcdefghij"), ("new", "ab")):
        (tmp_path / folder).mkdir()
        for one in names:
            Image.fromarray(rng.integers(0, 255, (8, 8), np.uint8)).save(tmp_path / folder / f"{one}.png")
    assert run("fit", "knn", "old", "--out", "model", "--quiet").code == 0
    for name in ("line\nbreak.png", "sep\u2028.png", os.fsdecode(b"bytes\xff.png")):
        (tmp_path / "new" / name).write_bytes((tmp_path / "new" / "a.png").read_bytes())
    score = ["score", "model", "new", "--out", "s.csv"]
    for words in (score, [*score, "--resume"], ["evaluate", "model", "new"], ["fit", "knn", "new"], ["inspect", "new"]):
        found = run(*words)
        assert (found.code, found.err.count("\n"), found.err.count("its name holds")) == (1, 1, 3)
        assert not (tmp_path / "s.csv").exists()
    assert run(*score, "--skip-bad", "--quiet").code == 0
    assert len((tmp_path / "s.csv").read_text().splitlines()) == 3
