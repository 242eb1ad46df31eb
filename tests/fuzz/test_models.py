"""Mutated models: a sentence, a digest error, or equal scores; never a signal, a hang, a program, or much memory."""

import json
import os
import queue
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

import oddgan

CHILD = Path(__file__).with_name("model_process.py")
STALL = 60  # a child that says nothing for so long is stuck in compiled code
FINE = {"sentence", "general sentence", "digest", "equal"}
# Whoever writes the digests anew may write other weights: what must not happen then is harm.
FINE_IF_SEALED = FINE | {"other", "not finite"}


def run(place: Path, first: int, count: int) -> list[dict]:
    """The outcome of each seed; a child that dies is followed by another one."""
    found: list[dict] = []
    while count > 0:
        done, begun = _child(place, first, count)
        found += done
        n = len(done)
        if n < count:
            found.append(
                {"seed": first + n, "outcome": "died", "text": begun, "kind": "", "sealed": False, "change": ""}
            )
            n += 1
        first, count = first + n, count - n
    return found


def _child(place: Path, first: int, count: int) -> tuple[list[dict], str]:
    lines: queue.Queue[str] = queue.Queue()
    environment = os.environ | {"PYTHONPATH": str(Path(oddgan.__file__).parents[1]), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(CHILD), str(place), str(first), str(count)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)  # noqa: S603
    reader = threading.Thread(target=lambda: [lines.put(line) for line in child.stdout] and None, daemon=True)
    reader.start()
    errors = threading.Thread(target=lambda: complaints.append(child.stderr.read()), daemon=True)
    complaints: list[str] = []
    errors.start()
    done, begun = [], "before the first one"
    try:
        while len(done) < count and (reader.is_alive() or not lines.empty()):
            line = json.loads(lines.get(timeout=STALL))
            if "outcome" in line:
                done.append(line)
            else:
                begun = line["begun"]
    except queue.Empty:
        begun = f"{begun} (hangs)"
    finally:
        child.kill()
        child.wait()
    errors.join()
    return done, begun + "".join(complaints)[-500:] * (len(done) < count)


def check(found: list[dict]) -> None:
    """Print the counts, and fail for what may not be, with the seeds."""
    for sealed in (False, True):
        counts = Counter(line["outcome"] for line in found if line["sealed"] == sealed)
        print("\n", "digests anew" if sealed else "digests as they were", dict(counts.most_common()))  # noqa: T201
    bad = [line for line in found if line["outcome"] not in _fine(line)]
    assert bad == [], "\n".join(json.dumps(line) for line in bad[:20])


def _fine(line: dict) -> set[str]:
    return FINE_IF_SEALED if line["sealed"] or line["kind"] == "format 1" else FINE


def test_sixty_mutations(tmp_path):
    check(run(tmp_path, 0, 60))


@pytest.mark.slow
def test_a_thousand_mutations(tmp_path):
    check(run(tmp_path, 1000, 1000))
