"""The page of latent restriction: what restricted searches, priors in training and the size of z do to detection."""

import math
import re
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from oddgan_docs.catalogue import table
from oddgan_docs.docstrings import cell
from oddgan_docs.plots import Panel, Point, figure, limits, over_runs, widened
from oddgan_docs.results import NO_BREAK, all_records, marks_of, part, runs_of, with_spread

CASES, METHODS = ("digit 8", "digit 0", "digit 1", "heartbeats"), ("AnoGAN", "f-AnoGAN")
FREE, OWN, FEW = "no bounds", "own support", ("truncated at 1", "shell of 1")
# Each line of a figure by its method and what the search does outside, with its colour.
LINES = {("AnoGAN", ""): 0, ("f-AnoGAN", ""): 1, ("AnoGAN", "penalty"): 2, ("AnoGAN", "accepted"): 3}
TRAINED, SIZE = "digit 8, trained ", "digit 8, z of "
SIZE_OF_OTHERS = 64  # of all GANs but those of the case above, see `benchmarks/gans.py`
SAME_SET = {"uniform": "truncated at 1"}
"""Priors whose support has another name among the levels of the search."""


class Key(NamedTuple):
    """What was scored, by which method, searching how."""

    case: str
    method: str
    level: str


Found = Mapping[Key, Mapping[int | None, float]]
"""AUROC by seed."""


def _found(folder: Path) -> Found:
    found: dict[Key, dict[int | None, float]] = {}
    for r in all_records(folder, "latent"):
        method, _, level = r.method.partition(", ")
        if r.metric == "AUROC" and r.role == "measured":
            found.setdefault(Key(r.case, method, level), {})[r.seed] = r.value
    return found


class Level(NamedTuple):
    """A bound of a search, by the name of its level."""

    name: str
    bound: float
    how: str


def _levels(found: Found, kind: str) -> list[Level]:
    """The levels of a kind, "truncated at" or "shell of", the tightest first."""
    shape = re.compile(rf"{kind} ([\d.]+)(?:, (\w+))?")
    named = (shape.fullmatch(name) for name in {key.level for key in found if key.case in CASES})
    return sorted((Level(m[0], float(m[1]), m[2] or "") for m in named if m), key=lambda level: level[1:])


@part("latent-boxes", "latent")
def boxes(folder: Path) -> str:
    """AUROC against the truncation of the search, one panel a case."""
    return _against(folder, "truncated at", "each coordinate within ±")


@part("latent-shells", "latent")
def shells(folder: Path) -> str:
    """AUROC against the width of the shell, one panel a case."""
    return _against(folder, "shell of", "‖z‖ within so many deviations of its mode")


def _against(folder: Path, kind: str, x_label: str) -> str:
    found = _found(folder)
    levels = _levels(found, kind)
    if not levels:
        return ""
    free = 2 * max(level.bound for level in levels)  # where no bounds stand on a logarithmic axis
    levels += [Level(FREE, free, "")]
    bounds = sorted({level.bound for level in levels})
    ticks = [(bound, "none" if bound == free else f"{bound:g}") for bound in bounds]
    panels, counts = [], list[int]()
    for case in CASES:
        lines = []
        for (method, how), colour in LINES.items():
            name = f"{method}, {how}" if how else method
            by_bound = {
                level.bound: found[key]
                for level in levels
                if level.how == how and (key := Key(case, method, level.name)) in found
            }
            lines += over_runs(name, _points(by_bound), colour)
            counts += [len(by_seed) for by_seed in by_bound.values()]
        if lines:
            panels.append(Panel(case, x_label, "AUROC", lines, x_ticks=ticks, x_limits=limits(bounds, log=True)))
    caption = f"{marks_of(counts)} Scales differ."
    return figure(f"latent-{kind.partition(' ')[0]}", [widened(panel) for panel in panels], caption)


def _points(by_place: Mapping[float, Mapping[int | None, float]]) -> list[list[Point]]:
    """The values of all seeds at each place."""
    return [[Point(x, y) for y in by_seed.values()] for x, by_seed in sorted(by_place.items())]


@part("latent-differences", "latent")
def differences(folder: Path) -> str:
    """AUROC of two levels against that of no bounds, on the same networks, and how far all levels lie apart."""
    found = _found(folder)
    rows, counts, signs = [], list[int](), {level: list[set[bool]]() for level in FEW}
    for case, method in product(CASES, METHODS):
        free = found.get(Key(case, method, FREE))
        if free is None:
            continue
        row = [f"{case}, {method}", with_spread(free.values())]
        counts.append(len(free))
        for level in FEW:
            apart = _apart(found.get(Key(case, method, level), {}), free)
            row.append(with_spread(apart, "+.3f") if apart else "")
            if apart:
                signs[level].append({value > 0 for value in apart})
                counts.append(len(apart))
        means = [fmean(v.values()) for k, v in found.items() if k[:2] == (case, method) and k.level != FREE]
        rows.append([*row, NO_BREAK.join([f"{min(means):.3f}", "to", f"{max(means):.3f}"]) if means else ""])
    if not rows:
        return ""
    head = ["normal, method", f"AUROC, {FREE}", *(f"{level}, difference" for level in FEW), "AUROC, all restrictions"]
    said = [_verdict(level, of_level) for level, of_level in signs.items() if of_level]
    return f"{table(head, rows)}\n{runs_of(counts)} {' '.join(said)}\n"


def _apart(ours: Mapping[int | None, float], free: Mapping[int | None, float]) -> list[float]:
    """Differences on the seeds that both have."""
    return [value - free[seed] for seed, value in ours.items() if seed in free]


def _verdict(level: str, signs: Sequence[set[bool]]) -> str:
    higher, lower = signs.count({True}), signs.count({False})
    return f"{level.capitalize()} is higher with every seed in {higher} of {len(signs)} rows, and with none in {lower}."


@part("latent-priors", "latent")
def priors(folder: Path) -> str:
    """The digit 8: supports of training and of the search, alone and together."""
    found = _found(folder)
    trained = dict.fromkeys(key.case.removeprefix(TRAINED) for key in found if key.case.startswith(TRAINED))
    if not trained:
        return ""
    supports = {
        "everywhere, N(0, I)": [("digit 8", FREE)],
        **{
            name: [(TRAINED + name, OWN), (TRAINED + name, FREE), ("digit 8", SAME_SET.get(name, name))]
            for name in trained
        },
    }
    rows, counts = [], list[int]()
    for method, (support, places) in product(METHODS, supports.items()):
        cells = [found.get(Key(case, method, level), {}) for case, level in places]
        if any(cells):
            values = [with_spread(by_seed.values()) if by_seed else "" for by_seed in cells]
            rows.append([method, cell(support), *values, *[""] * (3 - len(values))])
            counts += [len(by_seed) for by_seed in cells if by_seed]
    if not rows:
        return ""
    head = ["method", "support", "training and search", "training only", "search only, trained on N(0, I)"]
    return f"{table(head, rows)}\n{runs_of(counts)}\n"


@part("latent-sizes", "latent")
def sizes(folder: Path) -> str:
    """The digit 8: AUROC against the size of z, one panel a method."""
    found = _found(folder)
    sized = {key.case: int(key.case.removeprefix(SIZE)) for key in found if key.case.startswith(SIZE)}
    if not sized:
        return ""
    sized["digit 8"] = SIZE_OF_OTHERS
    ticks = [(size, str(size)) for size in sorted(sized.values())]
    x_limits = limits(sized.values(), log=True)
    panels, counts = [], list[int]()
    for method in METHODS:
        lines = []
        for colour, level in enumerate((FREE, *FEW)):
            keys = {float(size): Key(case, method, level) for case, size in sized.items()}
            by_size = {size: found[key] for size, key in keys.items() if key in found}
            lines += over_runs(level, _points(by_size), colour)
            counts += [len(by_seed) for by_seed in by_size.values()]
        if lines:
            panels.append(Panel(method, "size of z", "AUROC", lines, x_ticks=ticks, x_limits=x_limits))
    caption = f"The digit 8. {marks_of(counts)} Scales differ."
    return figure("latent-sizes", [widened(panel) for panel in panels], caption)


@part("latent-codes", "latent")
def codes(folder: Path) -> str:
    """How long the codes of an encoder without bounds are, where its GAN was trained on N(0, I)."""
    found: dict[tuple[str, str], list[float]] = {}
    for r in all_records(folder, "latent"):
        if r.metric.startswith("‖z‖"):
            found.setdefault((r.case, r.metric), []).append(r.value)
    if not found:
        return ""
    metrics = list(dict.fromkeys(metric for _, metric in found))
    cases = [case for case in CASES if (case, metrics[0]) in found]
    rows = [
        [case, *(with_spread(found[case, m], ".1f") if (case, m) in found else "" for m in metrics)] for case in cases
    ]
    mode = f"The mode of ‖z‖ under N(0, I) is {math.sqrt(SIZE_OF_OTHERS - 1):.1f}."
    return f"{table(['normal', *metrics], rows)}\n{runs_of([len(values) for values in found.values()])} {mode}\n"
