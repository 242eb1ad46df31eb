"""What the benchmarks share: arguments, results files that are resumed, data sets, clocks, records, published numbers.

    python benchmarks/NAME.py [--json] [--quick] [--fresh] [--only TEXT]

A benchmark prints a table (or, with --json, its document) and writes `benchmarks/results/NAME.json` after each case;
what is there already is not run again, so an interrupted run goes on where it stopped. Times are processor seconds of
this process on one thread (set OMP_NUM_THREADS=1), so that another process on the machine does not count.
"""

from harness.bench import Bench
from harness.clocks import clock, cpu_rounds, memory_bytes
from harness.datasets import adbench_table, data_path, kdd99, mnist, split_normals
from harness.paths import MODELS, ROOT
from harness.records import FLOORS, Entry, Setup

__all__ = [
    "FLOORS",
    "MODELS",
    "ROOT",
    "Bench",
    "Entry",
    "Setup",
    "adbench_table",
    "clock",
    "cpu_rounds",
    "data_path",
    "kdd99",
    "memory_bytes",
    "mnist",
    "split_normals",
]
