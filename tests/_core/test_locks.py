"""Locks, with real processes that hold them and die."""

import contextlib
import errno
import multiprocessing
import os
import re
import signal
import socket
import threading
from pathlib import Path

import pytest

from oddgan._core import locks
from oddgan._core.errors import InputError
from oddgan._core.files import new_file, new_folder, numbered_folder, writing
from oddgan._core.locks import HeldError, lock_file, locked, sweep

FORK = multiprocessing.get_context("fork")


@pytest.fixture
def elsewhere():
    """Enter a context in another process, which stays in it until the test ends or kills it."""
    made = []

    def start(context):
        ready, end = FORK.Event(), FORK.Event()

        def hold():
            with context():
                ready.set()
                end.wait()
            os._exit(0)

        process = FORK.Process(target=hold)
        process.start()
        assert ready.wait(20)
        made.append((process, end))
        return process

    yield start
    for process, end in made:
        if process.is_alive():
            end.set()
        process.join()


def names(folder):
    return sorted(p.name for p in folder.iterdir())


def killed(process):
    os.kill(process.pid, signal.SIGKILL)
    process.join()


@pytest.mark.parametrize("writer", [new_file, new_folder])
def test_the_second_writer_says_who_is_writing(tmp_path, elsewhere, writer):
    process = elsewhere(lambda: writer(tmp_path / "m"))
    holder = rf"process {process.pid} on {re.escape(socket.gethostname())}"
    words = rf"^\S+/m is being written by {holder} since 2[-0-9]+ [\d:]+: wait until it ends, or give another name\.$"
    for force in (False, True):
        with pytest.raises(HeldError, match=words) as told, writer(tmp_path / "m", force=force):
            pytest.fail("the work was begun")
        assert str(told.value).count("\n") == 0
    with writer(tmp_path / "m.2"):
        pass
    assert "m.2" in names(tmp_path)


def test_what_a_killed_process_has_left_goes_and_nothing_else(tmp_path, elsewhere):
    mine = [".m.0123abcd.part", ".m.download.part", ".m.2.0123abcd.part", "m.part", ".other.oddgan.lock"]
    for name in mine:
        (tmp_path / name).write_text("mine")
    dead = [elsewhere(lambda n=n: new_folder(tmp_path / n)) for n in ("m", "m.2")]
    elsewhere(lambda: new_folder(tmp_path / "live"))
    [killed(process) for process in dead]
    assert len(names(tmp_path)) == len(mine) + 3 * 2
    sweep(tmp_path)
    left = [name for name in names(tmp_path) if "live" not in name]
    assert left == sorted(set(mine) - {".other.oddgan.lock"})  # a lock file that nobody holds
    assert len([name for name in names(tmp_path) if "live" in name]) == 2


def test_the_next_writer_cleans_up(tmp_path, elsewhere):
    killed(elsewhere(lambda: numbered_folder(tmp_path / "runs" / "a")))
    killed(elsewhere(lambda: new_file(tmp_path / "runs" / "b.csv")))
    assert len(names(tmp_path / "runs")) == 4
    with writing(tmp_path / "runs" / "c"):
        assert names(tmp_path / "runs") == [".c.oddgan.lock"]
    assert names(tmp_path / "runs") == []


def test_a_lock_file_names_only_files_of_its_own(tmp_path):
    """A lock file made by hand can't remove what it likes."""
    for name in ("m", "x", ".x.0123abcd.part", ".m.0123abcd.partial"):
        (tmp_path / name).write_text("mine")
    listed = "".join(f'{{"name": "{n}"}}\n' for n in ("m", "x", "../x", ".x.0123abcd.part", ".m.0123abcd.partial"))
    lock_file(tmp_path / "m").write_text('{"pid": 1}\n' + listed + "[1]\nno json\n")
    sweep(tmp_path)
    assert names(tmp_path) == [".m.0123abcd.partial", ".x.0123abcd.part", "m", "x"]


def test_a_thread_shares_its_lock_and_no_other_does(tmp_path):
    found = []

    def other():
        try:
            with locked(tmp_path / "m", patience=0.0):
                found.append("taken")
        except HeldError:
            found.append("held")

    with locked(tmp_path / "m"), locked(tmp_path / "m"):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        with pytest.raises(HeldError):
            locked(tmp_path / "m", patience=0.0, again=False).__enter__()
    assert found == ["held"]
    assert names(tmp_path) == []


def test_a_forked_process_does_not_keep_the_lock(tmp_path, elsewhere):
    @contextlib.contextmanager
    def parent_of_one_that_lives_on():
        with locked(tmp_path / "m"):
            FORK.Process(target=end.wait).start()
            yield

    end = FORK.Event()
    killed(elsewhere(parent_of_one_that_lives_on))
    with locked(tmp_path / "m", patience=0.0):
        pass
    end.set()


def test_folders_are_made_and_go_again_if_nothing_comes_to_be(tmp_path):
    with pytest.raises(ValueError, match="no"), new_folder(tmp_path / "a" / "b" / "m"):
        raise ValueError("no")
    assert names(tmp_path) == []


@pytest.mark.parametrize("name", [".", "..", "/"])
def test_a_name_is_needed(name):
    with pytest.raises(InputError, match="can't be written: give the name of a file or folder"):
        locked(locks.Path(name)).__enter__()


def test_where_the_system_has_no_locks_the_file_is_the_lock(tmp_path, monkeypatch, elsewhere):
    def unsupported(*_):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(locks, "_flock", unsupported)
    process = elsewhere(lambda: new_folder(tmp_path / "m"))
    with pytest.raises(HeldError, match=rf"process {process.pid} .*; if it has ended, remove \S+/\.m\.oddgan\.lock\.$"):
        locked(tmp_path / "m", patience=0.0).__enter__()
    killed(process)
    sweep(tmp_path)  # nobody can know whether the process lives: nothing goes
    assert len(names(tmp_path)) == 2
    lock_file(tmp_path / "m").unlink()
    with new_folder(tmp_path / "m"):
        pass
    assert "m" in names(tmp_path)


def test_what_could_not_be_removed_is_left_to_the_next_run(tmp_path):
    with locked(tmp_path / "m") as lock:
        lock.temporary(".part").mkdir()  # e.g. Ctrl-C again, while it is removed
    assert len(names(tmp_path)) == 2
    sweep(tmp_path)
    assert names(tmp_path) == []


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a file system that takes no files")
@pytest.mark.parametrize("patience", [0.0, 0.1])
def test_a_folder_that_takes_no_files_is_not_taken_for_one_that_is_being_written(monkeypatch, patience):
    monkeypatch.setattr(locks, "_PATIENCE", 0.1)
    with pytest.raises(
        InputError, match="/proc/m can't be written: /proc takes no new files; give another folder"
    ) as found:
        locked(Path("/proc/m"), patience=patience).__enter__()
    assert not isinstance(found.value, HeldError)


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a file system that takes no files")
def test_a_numbered_folder_is_not_looked_for_without_end(monkeypatch):
    monkeypatch.setattr(locks, "_PATIENCE", 0.1)
    with pytest.raises(InputError, match="/proc takes no new files"), numbered_folder(Path("/proc/run")):
        pass
