"""Mutate, load and score in a process with limits; one line of JSON for each seed says what came of it.

`python tests/fuzz/model_process.py FOLDER FIRST COUNT` writes models to FOLDER unless they are there.
"""

import contextlib
import json
import resource
import shutil
import signal
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from fuzz.model_folders import rows, write
from fuzz.model_mutations import mutate
from oddgan import InputError, ModelError, load

MEMORY, SECONDS, LONGEST = 2**30, 10, 3000
FORBIDDEN = (
    "subprocess.Popen",
    "os.exec",
    "os.posix_spawn",
    "os.system",
    "os.fork",
    "os.spawn",
    "pty.spawn",
    "ctypes.dlopen",
)
ran: list[str] = []


class HangError(BaseException):
    """A model that takes longer than it may."""


def watch(event: str, _: Any) -> None:
    """Note attempts to start a program; audit hooks see all of them."""
    if event in FORBIDDEN:
        ran.append(event)
        raise PermissionError(event)


def stop(*_: object) -> None:
    raise HangError


def outcome(folder: Path, X: np.ndarray, expected: np.ndarray) -> tuple[str, str]:
    """What came of a model: a word, and details."""
    try:
        detector = load(folder)
        scores = detector.anomaly_score(X)
        detector.predict(X)
    except (ModelError, InputError) as error:
        return _kind_of_sentence(str(error)), str(error)[:500]
    except HangError:
        return "hang", ""
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is what this looks for
        return "raw error", f"{type(error).__name__}: {error}"[:500]
    if np.array_equal(scores, expected):
        return "equal", ""
    return ("other" if np.isfinite(scores).all() else "not finite"), ""


def _kind_of_sentence(text: str) -> str:
    if "\n" in text or len(text) > LONGEST:
        return "unreadable sentence"
    if any(word in text for word in ("MemoryError", "RecursionError", "alloc")):
        return "out of memory"
    if "do not fit each other" in text:  # refused in the words of another library
        return "general sentence"
    return "digest" if "has changed since the model was saved" in text else "sentence"


def say(**what: object) -> None:
    """Print one line."""
    print(json.dumps(what), flush=True)  # noqa: T201


def main(place: Path, first: int, count: int) -> None:
    """Run the mutations of `count` seeds."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    known = place / "models.json"
    if not known.is_file():
        folders = {kind: [str(p) for p in paths] for kind, paths in write(place).items()}
        known.write_text(json.dumps(folders))
    folders = {kind: [Path(p) for p in paths] for kind, paths in json.loads(known.read_text()).items()}
    everything = [path for paths in folders.values() for path in paths]
    expected = {}
    for path in everything:  # also so that all imports are done
        detector = load(path)
        X = rows(5, *detector.shape_, seed=9)
        expected[path] = X, detector.anomaly_score(X)
        detector.predict(X)
    sys.addaudithook(watch)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    signal.signal(signal.SIGALRM, stop)
    for seed in range(first, first + count):
        rng = np.random.default_rng(seed)
        kind = list(folders)[seed % len(folders)]
        source = folders[kind][rng.integers(len(folders[kind]))]
        target = place / "mutant"
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target)
        change, sealed = mutate(target, everything, rng)
        say(seed=seed, begun=f"{kind} {source.name}: {change}")
        ran.clear()
        signal.alarm(SECONDS)
        word, text = outcome(target, *expected[source])
        signal.alarm(0)
        word = f"started a program ({ran[0]})" if ran else word
        say(seed=seed, outcome=word, text=text, kind=kind, model=source.name, change=change, sealed=sealed)


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
