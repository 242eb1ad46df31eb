"""A benchmark's command line, its results file that is resumed, and its table."""

import argparse
import fcntl
import json
import os
import platform
import sys
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import version
from itertools import product
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from harness import published
from harness.paths import RESULTS, ROOT
from harness.records import Entry
from oddgan._core.errors import InputError
from oddgan.evaluate import Record, read_results, spread, write_results
from oddgan.storage.models import versions

OPTIONS = {
    "--json": "print the document instead of a table",
    "--quick": "a short run, to see that it works",
    "--fresh": "forget the results that are there",
    "--held-out": "a run to choose settings by, without test data",
}


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


class Bench:
    """One benchmark: its arguments, its records, its file.

    Parameters
    ----------
    name : the file's name without its ending.
    about : what it measures, for `--help`; the first line is the table's title.
    peers : packages that are compared with, whose versions go into the file.
    held_out : whether it has the option --held-out, a run on other data than the test's, to choose settings by.
    resume : whether it goes on with what its file holds; a comparison is of one run.
    """

    def __init__(
        self,
        name: str,
        about: str | None,
        peers: tuple[str, ...] = (),
        *,
        held_out: bool = False,
        resume: bool = True,
    ) -> None:
        parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
        for option, meaning in OPTIONS.items():
            if option != "--held-out" or held_out:
                parser.add_argument(option, action="store_true", help=meaning)
        parser.add_argument("--only", default="", help="run only the cases and methods whose name holds this text")
        self.options = parser.parse_args()
        self.name, self.title = name, (about or "").strip().partition("\n")[0]
        self.versions = versions() | {peer: version(peer) for peer in peers}
        self.quick: bool = self.options.quick
        self.held_out: bool = held_out and self.options.held_out
        kind = "-held-out" * self.held_out + "-quick" * self.quick
        self.path = RESULTS / f"{name}{kind}.json"
        self.forget: bool = self.options.fresh or not resume
        self.records: list[Record] = [] if self.forget else self._stored()
        self.console = Console(stderr=True)
        torch.set_num_threads(1)
        self.output = sys.stdout
        if self.options.json:  # whatever is printed on the way, by exporters for instance, is no part of the document
            sys.stdout = sys.stderr

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
        return not self.measured(case, method, seed)

    def measured(self, case: str, method: str, seed: int | None = None) -> bool:
        """Whether there are numbers of this case already."""
        key = (case, method, seed)
        return any((r.case, r.method, r.seed) == key for r in self.records if r.role != "published")

    def missing(self, cases: Iterable[str], entries: Iterable[Entry]) -> Iterator[tuple[str, Entry, int]]:
        """Cases, entries and seeds that are asked for and not measured yet; a quick run has shortened entries.

        One seed of everything comes before the next, so that an interrupted run is a whole one with fewer seeds.
        """
        entries = [entry.shortened() if self.quick else entry for entry in entries]
        seeds = sorted({seed for entry in entries for seed in entry.seeds})
        for seed, case, entry in product(seeds, cases, entries):
            if seed in entry.seeds and self.wanted(case, entry.name, seed):
                yield case, entry, seed

    def add(self, *records: Record) -> None:
        """Keep records and write the file."""
        self._update(lambda kept: [*kept, *records])
        for r in records:
            self.console.print(
                f"{r.case} | {r.method} | seed {r.seed} | {r.metric} {r.value:.4g} {r.unit}", style="dim"
            )

    def publish(self) -> None:
        """Put published numbers beside the measured ones, replacing those of an earlier run; not on held-out data."""
        if not self.held_out:
            self.replace(lambda r: r.role == "published", *published.records(self.name))

    def replace(self, outdated: Callable[[Record], bool], *records: Record) -> None:
        """Put records in the place of others."""
        self._update(lambda kept: [r for r in kept if not outdated(r)] + list(records))

    def _update(self, change: Callable[[list[Record]], list[Record]]) -> None:
        """Change what the file holds now, so that two processes with different `--only` can share it."""
        self.path.parent.mkdir(exist_ok=True)
        with self.path.with_name(f".{self.path.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            kept = self.records if self.forget else self._stored()
            self.records, self.forget = change(kept), False
            write_results(self.path, machine(), self.versions, self.records)

    def finish(self) -> None:
        """Print the table, or the document."""
        if self.options.json:
            sys.stdout = self.output
            print(self.path.read_text(encoding="utf-8"))
            return
        table = Table("case", "method", "metric", "value", "ratio", "n", "protocol", "role", title=self.title)
        for s in spread(self.records):
            same = [r.ratio for r in self.records if _group(r) == _group(s.record) and r.ratio is not None]
            ratio = f"{np.median(same):.2f}" if same else ""
            unit = "" if s.record.unit == "1" else f" {s.record.unit}"
            r = s.record
            table.add_row(r.case, r.method, r.metric, f"{s}{unit}", ratio, str(s.n), r.protocol, r.role)
        Console(width=160).print(table)
        print(f"Written to {os.path.relpath(self.path, ROOT)}")


def _group(record: Record) -> tuple[str, str, str, str, str]:
    return record.case, record.method, record.metric, record.role, json.dumps(record.settings, sort_keys=True)
