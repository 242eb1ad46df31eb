"""What a build reads of `benchmarks/results`, in words, and which function fills which mark of a page."""

import functools
import statistics
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from oddgan.evaluate import Record, Spread, read_results, spread

NO_BREAK = "\N{NO-BREAK SPACE}"
Part = Callable[[Path], str]
PARTS: dict[str, Part] = {}
"""By the name of a mark, what fills it, given the folder that holds `results`."""


def part(name: str, program: str) -> Callable[[Part], Part]:
    """Let a function fill `<!-- generated: NAME -->`; where it has nothing, the page says what program measures it.

    Without a program nothing stands there.
    """

    def registered(function: Part) -> Part:
        @functools.wraps(function)
        def filled(folder: Path) -> str:
            return function(folder) or (not_measured(program) if program else "")

        PARTS[name] = filled
        return filled

    return registered


def not_measured(program: str) -> str:
    """What stands in the place of a benchmark's numbers until there are some."""
    return f"*Not measured yet.* `python benchmarks/{program}.py` measures it.\n"


def all_records(folder: Path, name: str) -> Sequence[Record]:
    """The numbers of a benchmark, each for itself; none without its file."""
    file = folder / "results" / f"{name}.json"
    return read_results(file).records if file.exists() else ()


def over_seeds(folder: Path, name: str) -> list[Spread]:
    """The numbers of a benchmark, over its seeds; none without its file."""
    return spread(all_records(folder, name))


def with_spread(values: Collection[float], form: str = ".3f") -> str:
    """The mean of a number over its runs, with the standard deviation (n - 1) of several, on one line of a table."""
    around = f"{NO_BREAK}±{NO_BREAK}{statistics.stdev(values):{form.lstrip('+')}}" if len(values) > 1 else ""
    return f"{statistics.fmean(values):{form}}{around}"


def seeds_of(counts: Collection[int]) -> str:
    """How many seeds there are, in words; the counts are those of all numbers that are shown."""
    least, most = min(counts), max(counts)
    if most == 1:
        return "one seed"
    return f"{most} seeds" if least == most else f"{least} to {most} seeds"


def marks_of(counts: Collection[int]) -> str:
    """What the marks of a figure stand for, whose means are over so many seeds each."""
    if max(counts, default=1) == 1:
        return "One seed."
    few = " where there are several" * (min(counts) == 1)
    return f"Large marks are means over {seeds_of(counts)}, small ones single seeds{few}."


def runs_of(counts: Collection[int]) -> str:
    """What the numbers of a table stand for, which are means over so many seeds each."""
    return "One seed." if max(counts) == 1 else f"Means over {seeds_of(counts)}, ± standard deviation."
