"""Processor seconds and peak memory of a process."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch


@dataclass
class Clock:
    """Processor seconds of a block."""

    seconds: float = 0.0


@contextmanager
def clock() -> Iterator[Clock]:
    """Measure a block in processor seconds; with several threads, in seconds on the clock."""
    now = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
    watch, start = Clock(), now()
    yield watch
    watch.seconds = now() - start


def cpu_rounds(
    functions: Mapping[str, Callable[[], object]], rounds: int, *, budget: float = float("inf")
) -> dict[str, list[float]]:
    """Processor seconds of each function, interleaved over the rounds, so that the machine's moods hit all alike.

    Parameters
    ----------
    functions : what to call, by name.
    rounds : how often, at most.
    budget : no new round starts once so many seconds are spent.
    """
    taken: dict[str, list[float]] = {name: [] for name in functions}
    spent = 0.0
    while rounds > 0 and spent <= budget:
        for name, function in functions.items():
            with clock() as watch:
                function()
            taken[name].append(watch.seconds)
            spent += watch.seconds
        rounds -= 1
    return taken


def memory_bytes(name: str) -> float:
    """A line of this process' status in bytes, e.g. "VmHWM", the most memory it has had. Linux only."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(float(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))
