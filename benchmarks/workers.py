"""What several workers bring: a DCGAN trained by a hand-written loop, by one process and by two gloo processes."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from harness import Bench, Setup
from loop import BATCH, by_hand, detector_for
from oddgan.training import is_first, workers

ROWS, EPOCHS = 512, 3


def images() -> np.ndarray:
    """Noise: what is drawn plays no part in how long it takes."""
    return np.random.default_rng(0).integers(0, 256, (ROWS, 1, 32, 32)).astype(np.float32)


def work(out: Path) -> None:
    """Be one of the workers; the first notes the seconds of the epochs behind the first one."""
    torch.set_num_threads(1)
    detector = detector_for(EPOCHS)
    with workers():
        detector.fit(images())
        if is_first():
            out.write_text(json.dumps([record.seconds for record in detector.history_[1:]]), encoding="utf-8")


def started(size: int) -> float:
    """Rows a second of `size` workers, without their start and their first epoch."""
    with socket.socket() as free, tempfile.TemporaryDirectory() as folder:
        free.bind(("127.0.0.1", 0))
        address = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free.getsockname()[1])}
        free.close()
        common = os.environ | address | {"WORLD_SIZE": str(size), "OMP_NUM_THREADS": "1"}
        out = Path(folder) / "seconds.json"
        command = [sys.executable, __file__, "--worker", str(out)]
        running = [subprocess.Popen(command, env=common | {"RANK": str(i)}) for i in range(size)]  # noqa: S603
        if any(process.wait() for process in running):
            raise RuntimeError("a worker has failed")
        return ROWS / float(np.median(json.loads(out.read_text(encoding="utf-8"))))


def by_one_loop() -> float:
    """Rows a second of the loop in plain PyTorch."""
    start = time.perf_counter()
    by_hand(images(), 1)
    return ROWS / (time.perf_counter() - start)


def main() -> None:
    """Measure in rounds, so that other work on the machine hits all alike."""
    bench = Bench("workers", __doc__, resume=False)
    ways: dict[str, Callable[[], float]] = {
        "hand-written loop": by_one_loop,
        "1 worker": lambda: started(1),
        "2 workers": lambda: started(2),
    }
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(1 if bench.quick else 5):
        for name, way in ways.items():
            found[name].append(way())
    setup = Setup(f"DCGAN-32, batches of {BATCH}, gloo on one machine", "", "noise", "training only", {}, seed=0)
    first = float(np.median(found["1 worker"]))
    bench.add(
        *(
            replace(setup, method=name).record("training", float(np.median(rates)), "rows/s", baseline=first)
            for name, rates in found.items()
        )
    )
    bench.finish()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        work(Path(sys.argv[2]))
    else:
        main()
