"""What each stabiliser is worth: how far a GAN's samples are from the data, at which step, and after how much time."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

from oddgan_docs.catalogue import table
from oddgan_docs.docstrings import cell
from oddgan_docs.plots import Panel, Point, figure, limits, over_runs
from oddgan_docs.results import all_records, marks_of, part, seeds_of, with_spread

METRICS = {
    "distance": re.compile(r"Fréchet distance at (\d+) steps"),
    "seconds": re.compile(r"CPU time to (\d+) steps"),
}
PLAIN, STEPS = "WGAN-GP", "steps of the generator"
GAMES = {PLAIN: 0, "non-saturating": 4}
"""Colours of the games alone, beside those of up to three stabilisers. Times are relative to the first game's."""
# One figure each, by what goes wrong: more lines than colours would not be told apart.
GROUPS = {
    "Against one sample drawn over and over": ("MinibatchDiscrimination", "MinibatchStdDev", "FeatureMatching"),
    "Against one player that runs away": ("TwoTimescale", "CriticWarmUp", "CriticEnsemble"),
    "Against a critic that is steep, or certain at once": ("Penalised", "InstanceNoise", "LabelSmoothing"),
}
SIDES = {
    frozenset({True}): "nearer",
    frozenset({False}): "farther",
    frozenset({True, False}): "nearer with some seeds only",
}


class Key(NamedTuple):
    """A training: the class that it draws, and a game with or without a stabiliser."""

    case: str
    method: str

    @property
    def game(self) -> "Key":
        """The same without the stabiliser."""
        return Key(self.case, self.method.partition(" + ")[0])

    @property
    def stabiliser(self) -> str:
        """Its name, or nothing for the game alone."""
        return self.method.partition(" + ")[2]

    @property
    def place(self) -> tuple[bool, int]:
        """Where it stands among others: each game before its stabilisers, those in the order of the figures."""
        listed = ["", *(name for names in GROUPS.values() for name in names)]
        rank = listed.index(self.stabiliser) if self.stabiliser in listed else len(listed)
        return self.game.method != PLAIN, rank


Curves = Mapping[Key, Mapping[int, Mapping[int | None, float]]]
"""Values by training, step and seed."""


def _curves(folder: Path, metric: str) -> Curves:
    found: dict[Key, dict[int, dict[int | None, float]]] = {}
    for r in all_records(folder, "stabilisers"):
        named = METRICS[metric].fullmatch(r.metric)
        if named and r.role == "measured":
            found.setdefault(Key(r.case, r.method), {}).setdefault(int(named[1]), {})[r.seed] = r.value
    return dict(sorted(found.items(), key=lambda pair: pair[0].place))


def _at_end(curves: Curves) -> tuple[int, dict[Key, Mapping[int | None, float]]]:
    """The last step of all, and the values there."""
    end = max((step for by_step in curves.values() for step in by_step), default=0)
    return end, {key: by_step[end] for key, by_step in curves.items() if end in by_step}


def _cases(keys: Mapping[Key, object]) -> list[str]:
    return sorted({key.case for key in keys}, key=lambda case: (not case.startswith("digit"), case))


@part("stabilisers-worth", "stabilisers")
def worth(folder: Path) -> str:
    """The distance at the end of training, and CPU time as a ratio to the plain game's."""
    end, distances = _at_end(_curves(folder, "distance"))
    if not distances:
        return ""
    seconds, cases = _at_end(_curves(folder, "seconds"))[1], _cases(distances)
    timed = [case for case in cases if any(_ratio(seconds, key) for key in distances if key.case == case)]
    rows = [
        [
            cell(method),
            *(with_spread(found.values(), ".1f") if (found := distances.get(Key(case, method))) else ""
              for case in cases),
            *(_ratio(seconds, Key(case, method)) for case in timed),
        ]
        for method in dict.fromkeys(key.method for key in distances)
    ]  # fmt: skip
    counts = {case: seeds_of([len(found) for key, found in distances.items() if key.case == case]) for case in cases}
    seeds = "; ".join(f"{case}: {said}" for case, said in counts.items())
    head = ["", *(f"{case}, distance" for case in cases), *(f"{case}, CPU time" for case in timed)]
    said = f"Distances after {end} steps of the generator, lower is better ({seeds})."
    said += f" CPU time relative to {PLAIN}'s, median over seeds." * bool(timed)
    return f"{table(head, rows)}\n{said}\n\n{_verdicts(distances, cases)}"


def _ratio(seconds: Mapping[Key, Mapping[int | None, float]], key: Key) -> str:
    """The median over seeds that the plain game has, too."""
    ours, plain = seconds.get(key, {}), seconds.get(Key(key.case, PLAIN), {})
    ratios = [value / plain[seed] for seed, value in ours.items() if seed in plain]
    return f"{median(ratios):.2f}" if ratios else ""


def _verdicts(distances: Mapping[Key, Mapping[int | None, float]], cases: Sequence[str]) -> str:
    """Which stabilisers end nearer to the data than their game without them, as a list of the cases."""
    lines = []
    for case in cases:
        sides: dict[str, list[str]] = {side: [] for side in SIDES.values()}
        for key, found in distances.items():
            alone = distances.get(key.game, {})
            nearer = frozenset(value < alone[seed] for seed, value in found.items() if seed in alone)
            if key.case == case and key.stabiliser and nearer:
                sides[SIDES[nearer]].append(f"`{key.stabiliser}`")
        said = "; ".join(f"{side}: {', '.join(names)}" for side, names in sides.items() if names)
        if said:
            lines.append(f"- {case}, beside the same game and seed without the stabiliser: {said}.")
    return "\n".join(lines) + "\n"


@part("stabilisers-by-steps", "stabilisers")
def by_steps(folder: Path) -> str:
    """Distances against steps of the generator."""
    return _figures(folder, STEPS, lambda _key, step, _seed: float(step))


@part("stabilisers-by-seconds", "stabilisers")
def by_seconds(folder: Path) -> str:
    """Distances against CPU seconds of training."""
    seconds = _curves(folder, "seconds")
    return _figures(folder, "CPU seconds", lambda key, step, seed: seconds.get(key, {}).get(step, {}).get(seed))


At = Callable[[Key, int, int | None], float | None]
"""Where a value stands on the x axis, if that is known."""


def _figures(folder: Path, x_label: str, at: At) -> str:
    """One figure a group, one panel a case; all panels of a case have the same axes."""
    found: dict[Key, list[list[Point]]] = {}
    for key, by_step in _curves(folder, "distance").items():
        placed = (
            [Point(x, y) for seed, y in by_seed.items() if (x := at(key, step, seed)) is not None]
            for step, by_seed in sorted(by_step.items())
        )
        found[key] = [points for points in placed if points]
    drawn: list[str] = []
    counts = [len(points) for steps in found.values() for points in steps]
    for title, names in GROUPS.items():
        panels = [panel for case in _cases(found) if (panel := _panel(found, case, names, x_label))]
        if panels:
            name = f"stabilisers-{x_label.partition(' ')[0]}-{len(drawn)}"
            drawn.append(figure(name, panels, f"{title}. {marks_of(counts)}"))
    return "\n".join(drawn)


def _panel(found: Mapping[Key, list[list[Point]]], case: str, names: Sequence[str], x_label: str) -> Panel | None:
    """The stabilisers of a group beside their games; None where none was measured."""
    shown = [key for key in found if key.case == case and key.stabiliser in names and found[key]]
    if not shown:
        return None
    lines = []
    for key in found:
        if key in shown or key in {one.game for one in shown}:
            colour = 1 + names.index(key.stabiliser) if key.stabiliser else GAMES.get(key.method, 5)
            lines += over_runs(key.method, found[key], colour)
    everywhere = [point for key in found if key.case == case for points in found[key] for point in points]
    steps = sorted({p.x for p in everywhere}) if x_label == STEPS else []
    return Panel(
        case,
        x_label,
        "Fréchet distance",
        lines,
        log_y=True,
        x_ticks=[(step, f"{step:g}") for step in steps],
        x_limits=limits((p.x for p in everywhere), log=True),
        y_limits=limits((p.y for p in everywhere), log=True),
    )
