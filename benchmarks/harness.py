"""What the benchmarks share: arguments, data, clocks, records, resuming, tables.

    python benchmarks/NAME.py [--json] [--quick] [--fresh] [--only TEXT]

A benchmark prints a table (or, with --json, its document) and writes `benchmarks/results/NAME.json` after each case;
what is there already is not run again, so an interrupted run goes on where it stopped. Times are processor seconds of
this process on one thread (set OMP_NUM_THREADS=1), so that another process on the machine does not count.
"""

import argparse
import fcntl
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from oddgan import Detector
from oddgan._core.errors import InputError
from oddgan.data import Split
from oddgan.evaluate import Record, evaluate, read_results, spread, write_results
from oddgan.evaluate.records import Role
from oddgan.storage.models import versions

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


def split_normals(x: np.ndarray, anomalous: np.ndarray, share: float = 0.5) -> Split:
    """Divide a table by rows, with a fixed seed: a share of the normal rows to train on, everything else to test on.

    Parameters
    ----------
    x, anomalous : rows (n, d) and what each is, (n,) bool.
    share : of the normal rows, in (0, 1).
    """
    normal = np.random.default_rng(0).permutation(np.flatnonzero(~anomalous))
    cut = round(share * len(normal))
    test = np.sort(np.concatenate([normal[cut:], np.flatnonzero(anomalous)]))
    protocol = f"{share:.0%} of normals train, rest + anomalies test"
    return Split(protocol, x[np.sort(normal[:cut])], x[test], anomalous[test])


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


def cpu_rounds(functions: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Processor seconds of each function, interleaved over the rounds, so that the machine's moods hit all alike."""
    taken: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(rounds):
        for name, function in functions.items():
            with clock() as watch:
                function()
            taken[name].append(watch.seconds)
    return taken


def median_seconds(functions: dict[str, Callable[[], object]], *, cheap: float = 0.5) -> dict[str, float]:
    """Processor seconds of each function: the median of five interleaved rounds, or one where a call is not cheap.

    Parameters
    ----------
    functions : what to call, by name; every one is called at least once.
    cheap : repeat where the first round took less than this in all.
    """
    taken = cpu_rounds(functions, 1)
    if sum(t[0] for t in taken.values()) < cheap:
        taken = cpu_rounds(functions, 5)  # the first round, which warms up, does not count
    return {name: float(np.median(t)) for name, t in taken.items()}


@dataclass(frozen=True)
class Entry:
    """A detector with the settings of a benchmark.

    Parameters
    ----------
    name : the method, as the table shows it.
    cls : the detector.
    settings : what differs from its defaults.
    seeds : of training; one where nothing is random.
    role : a floor is marked as one.
    components : those whose AUROC is reported beside the score's.
    """

    name: str
    cls: type[Detector]
    settings: dict[str, Any] = field(default_factory=dict)
    seeds: tuple[int, ...] = (0,)
    role: Role = "measured"
    components: tuple[str, ...] = ()

    def shortened(self) -> "Entry":
        """The entry for a quick run: one seed, one epoch."""
        once = {name: 1 for name in self.settings if name.endswith("epochs")}
        return replace(self, seeds=self.seeds[:1], settings=self.settings | once)


@dataclass(frozen=True)
class Setup:
    """What all records of one measurement share; the fields are those of `Record`."""

    case: str
    method: str
    data: str
    protocol: str
    settings: Mapping[str, object]
    seed: int | None = None
    n_test: int | None = None
    cpu_s: float | None = None
    role: Role = "measured"
    semi_supervised: bool = False

    def record(self, metric: str, value: float, unit: str = "1", *, baseline: float | None = None) -> Record:
        """One number of the measurement; with a baseline in the same unit, its ratio to the value too."""
        shared: dict[str, Any] = {
            **vars(self),
            "settings": {k: v if isinstance(v, int | float | str) else str(v) for k, v in self.settings.items()},
            "cpu_s": None if self.cpu_s is None else round(self.cpu_s, 1),
        }
        if baseline is not None:
            shared |= {"baseline": baseline, "ratio": baseline / value}
        return Record(metric=metric, value=value, unit=unit, **shared)

    def quality(self, scores: np.ndarray, anomalous: np.ndarray, threshold: float | None = None) -> list[Record]:
        """AUROC and AP of scores (n,) and, at a threshold, phi and the false-alarm rate."""
        names = {"auroc": "AUROC", "average_precision": "AP", "phi": "phi", "false_alarm_rate": "false alarms"}
        found = evaluate(scores, anomalous, threshold, n_bootstrap=0)
        return [self.record(names[k], metric.value) for k, metric in found.items() if k in names]

    def alone(self, parts: Mapping[str, np.ndarray], anomalous: np.ndarray) -> list[Record]:
        """AUROC of components (n,) by name."""
        aurocs = {name: self.quality(values, anomalous)[0].value for name, values in parts.items()}
        return [self.record(f"AUROC, {name} alone", value) for name, value in aurocs.items()]


class Bench:
    """One benchmark: its arguments, its records, its file.

    Parameters
    ----------
    name : the file's name without its ending.
    about : what it measures, for `--help`; the first line is the table's title.
    peers : packages that are compared with, whose versions go into the file.
    held_out : whether it has the option --held-out, a run on other data than the test's, to choose settings by.
    """

    def __init__(self, name: str, about: str, peers: tuple[str, ...] = (), *, held_out: bool = False) -> None:
        parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
        parser.add_argument("--json", action="store_true", help="print the document instead of a table")
        parser.add_argument("--quick", action="store_true", help="a short run, to see that it works")
        parser.add_argument("--fresh", action="store_true", help="forget the results that are there")
        parser.add_argument("--only", default="", help="run only the cases and methods whose name holds this text")
        if held_out:
            parser.add_argument(
                "--held-out", action="store_true", help="a run to choose settings by, without test data"
            )
        self.options = parser.parse_args()
        self.name, self.title = name, about.strip().partition("\n")[0]
        self.versions = versions() | {peer: version(peer) for peer in peers}
        self.quick: bool = self.options.quick
        self.held_out: bool = held_out and self.options.held_out
        kind = "-held-out" * self.held_out + "-quick" * self.quick
        self.path = RESULTS / f"{name}{kind}.json"
        self.forget: bool = self.options.fresh
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
        self.replace(lambda r: r.role == "published", *records)

    def replace(self, outdated: Callable[[Record], bool], *records: Record) -> None:
        """Put records in the place of others."""
        self._update(lambda kept: [r for r in kept if not outdated(r)] + list(records))

    def _update(self, change: Callable[[list[Record]], list[Record]]) -> None:
        """Change what the file holds now, so that two processes with different `--only` can share it."""
        RESULTS.mkdir(exist_ok=True)
        with (RESULTS / f".{self.path.name}.lock").open("w") as lock:
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
        print(f"Written to {self.path.relative_to(ROOT)}")


def _group(record: Record) -> tuple[str, str, str, str, str]:
    return record.case, record.method, record.metric, record.role, json.dumps(record.settings, sort_keys=True)
