"""What the benchmarks share: arguments, data, clocks, records, resuming, tables.

    python benchmarks/NAME.py [--json] [--quick] [--fresh] [--only TEXT]

A benchmark prints a table (or, with --json, its document) and writes `benchmarks/results/NAME.json` after each case;
what is there already is not run again, so an interrupted run goes on where it stopped. Times are processor seconds of
this process on one thread, so that another process on the machine does not count.
"""

import argparse
import fcntl
import json
import os
import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from oddgan._core.errors import InputError
from oddgan.base.storage import versions
from oddgan.evaluate import Record, read_results, spread, write_results

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"


def data_path(name: str) -> Path:
    """A file or folder of the data sets that `ODDGAN_DATA` names (by default `shared/data` beside the repository).

    Raises
    ------
    SystemExit
        With the reason, if it is not there.
    """
    path = Path(os.environ.get("ODDGAN_DATA", ROOT.parent / "shared" / "data")) / name
    if not path.exists():
        raise SystemExit(f"{path.name} is not in {path.parent}: set ODDGAN_DATA to the folder that holds it.")
    return path


def machine() -> str:
    """The machine in words."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = {
            line.partition(":")[2].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        }
        model = ", ".join(sorted(names)) or model
    return f"{model}, {os.cpu_count()} cores, {torch.get_num_threads()} thread(s) used"


@dataclass
class Clock:
    """Processor seconds of a block."""

    seconds: float = 0.0


@contextmanager
def clock() -> Iterator[Clock]:
    """Measure a block in processor seconds."""
    watch, start = Clock(), time.process_time()
    yield watch
    watch.seconds = time.process_time() - start


def cpu_rounds(functions: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Processor seconds of each function, interleaved over the rounds, so that the machine's moods hit all alike."""
    taken: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(rounds):
        for name, function in functions.items():
            with clock() as watch:
                function()
            taken[name].append(watch.seconds)
    return taken


class Bench:
    """One benchmark: its arguments, its records, its file.

    Parameters
    ----------
    name : the file's name without its ending.
    about : one line for `--help` and the table's title.
    """

    def __init__(self, name: str, about: str) -> None:
        parser = argparse.ArgumentParser(description=about)
        parser.add_argument("--json", action="store_true", help="print the document instead of a table")
        parser.add_argument("--quick", action="store_true", help="a short run, to see that it works")
        parser.add_argument("--fresh", action="store_true", help="forget the results that are there")
        parser.add_argument("--only", default="", help="run only the cases and methods whose name holds this text")
        self.options = parser.parse_args()
        self.name, self.about = name, about
        self.quick: bool = self.options.quick
        self.path = RESULTS / f"{name}{'-quick' if self.quick else ''}.json"
        self.forget: bool = self.options.fresh
        self.records: list[Record] = [] if self.forget else self._stored()
        self.console = Console(stderr=True)
        torch.set_num_threads(1)

    def _stored(self) -> list[Record]:
        try:
            return list(read_results(self.path).records)
        except InputError:
            return []

    def wanted(self, case: str, method: str, seed: int | None = None) -> bool:
        """Whether this case is asked for and not measured yet."""
        only = self.options.only.casefold()
        if only and only not in f"{case} {method} {seed}".casefold():
            return False
        key = (case, method, seed)
        return all((r.case, r.method, r.seed) != key for r in self.records if r.role != "published")

    def add(self, *records: Record) -> None:
        """Keep records and write the file."""
        self._update(lambda kept: [*kept, *records])
        for r in records:
            self.console.print(
                f"{r.case} | {r.method} | seed {r.seed} | {r.metric} {r.value:.4g} {r.unit}", style="dim"
            )

    def publish(self, *records: Record) -> None:
        """Put published numbers beside the measured ones, replacing those of an earlier run."""
        self._update(lambda kept: [r for r in kept if r.role != "published"] + list(records))

    def _update(self, change: Callable[[list[Record]], list[Record]]) -> None:
        """Change what the file holds now, so that two processes with different `--only` can share it."""
        RESULTS.mkdir(exist_ok=True)
        with (RESULTS / f".{self.path.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            kept = self.records if self.forget else self._stored()
            self.records, self.forget = change(kept), False
            write_results(self.path, machine(), versions(), self.records)

    def finish(self) -> None:
        """Print the table, or the document."""
        if self.options.json:
            print(self.path.read_text(encoding="utf-8"))
            return
        table = Table("case", "method", "metric", "value", "ratio", "n", "protocol", "role", title=self.about)
        for s in spread(self.records):
            same = [r.ratio for r in self.records if _group(r) == _group(s.record) and r.ratio is not None]
            ratio = f"{np.median(same):.2f}" if same else ""
            unit = "" if s.record.unit == "1" else f" {s.record.unit}"
            r = s.record
            table.add_row(r.case, r.method, r.metric, f"{s}{unit}", ratio, str(s.n), r.protocol, r.role)
        Console(width=160).print(table)
        print(f"Written to {self.path.relative_to(ROOT)}")


def _group(record: Record) -> tuple[str, str, str, str, str]:
    return record.case, record.method, record.metric, record.role, json.dumps(record.settings, sort_keys=True)
