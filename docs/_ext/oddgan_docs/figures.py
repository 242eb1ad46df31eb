"""What the figures of the pages show: benchmark records as panels, and a line of text where there are none yet."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from oddgan.evaluate import Record
from oddgan_docs.catalogue import table
from oddgan_docs.plots import Bar, Bars, Line, Panel, Point, figure, limits, over_runs, short, widened
from oddgan_docs.results import all_records, over_seeds, part

TIME = "time for each image"
# Where 0 steps stand on a logarithmic axis, whose first step is 5.
NO_STEPS = 2.5


class Value(NamedTuple):
    """A number of a benchmark, the mean over its seeds, with the record that stands for them."""

    record: Record
    mean: float


def _measured(folder: Path, name: str) -> list[Value]:
    """The numbers of a results file that were measured; none without the file."""
    return [Value(s.record, s.mean) for s in over_seeds(folder, name) if s.record.role == "measured"]


def _with_metric(values: Sequence[Value], metric: str) -> dict[tuple[str, str], Value]:
    """Values of a metric by case and method."""
    return {(v.record.case, v.record.method): v for v in values if v.record.metric == metric}


def _cases(values: Sequence[Value], prefix: str) -> list[str]:
    return sorted({v.record.case for v in values if v.record.case.startswith(prefix)})


def _kind(method: str) -> str:
    """`RULE, N steps` without the steps."""
    return method.rpartition(", ")[0]


def _steps(value: Value) -> int:
    steps = value.record.settings["steps"]
    assert isinstance(steps, int)  # noqa: S101
    return steps


@part("figure-depth", "inversion")
def depth(folder: Path) -> str:
    """AUROC against search steps, one panel a digit."""
    values = _measured(folder, "inversion")
    auroc = _with_metric(values, "AUROC")
    panels = []
    for case in _cases(values, "search depth, "):
        of_case = sorted((v for (c, _), v in auroc.items() if c == case), key=_steps)
        kinds = sorted({_kind(v.record.method) for v in of_case}, reverse=True)
        lines = [
            Line(kind, [Point(_steps(v) or NO_STEPS, v.mean) for v in of_case if _kind(v.record.method) == kind], i)
            for i, kind in enumerate(kinds)
        ]
        panels.append(Panel(case.removeprefix("search depth, "), "steps of the search", "AUROC", lines))
    steps = sorted({p.x for panel in panels for line in panel.lines for p in line.points})
    ticks = [(s, f"{0 if s == NO_STEPS else s:g}") for s in steps]
    x_limits = limits(steps, log=True) if steps else None
    panels = [widened(replace(p, x_ticks=ticks, x_limits=x_limits)) for p in panels]
    caption = "AUROC of the score after a search of so many steps; 0 is the encoder alone. Scales differ."
    return figure("search-depth", panels, caption)


@part("figure-rules", "inversion")
def rules(folder: Path) -> str:
    """What each rule for z reaches in which time."""
    values = [v for v in _measured(folder, "inversion") if v.record.case.startswith("rules for z")]
    times = _with_metric(values, TIME)
    panels = []
    for metric, title in (("mean loss of normals", "how far the loss falls"), ("AUROC", "how well it detects")):
        found = {key: v for key, v in _with_metric(values, metric).items() if key in times}
        kinds = list(dict.fromkeys(_kind(method) for _, method in found))
        lines = [
            Line(kind, [Point(times[k].mean, v.mean) for k, v in found.items() if _kind(k[1]) == kind], i)
            for i, kind in enumerate(kinds)
        ]
        if lines:
            panels.append(Panel(title, "CPU ms an image", metric, lines))
    steps: dict[str, list[int]] = {}
    for key, v in times.items():
        steps.setdefault(_kind(key[1]), []).append(_steps(v))
    groups: dict[tuple[int, ...], list[str]] = {}
    for kind, numbers in steps.items():
        groups.setdefault(tuple(sorted(numbers)), []).append(kind)
    said = "; ".join(f"{', '.join(kinds)}: {', '.join(map(str, n))} steps" for n, kinds in groups.items())
    return figure("rules-for-z", panels, f"The digit 8, squared residual. Points from left to right: {said}.")


REFERENCE = "Adam on θ, each start's own"  # as in the paper


class _Mode(NamedTuple):
    """A way to move θ: what it reached on the digits that all ways were measured on."""

    name: str
    auroc: list[float]
    ms: list[float]


def _modes(folder: Path) -> list[_Mode]:
    """The ways to move θ, the paper's first."""
    values = _measured(folder, "inversion")
    auroc, times = _with_metric(values, "AUROC"), _with_metric(values, TIME)
    cases = _cases(values, "θ, digit ")
    names = list(dict.fromkeys(method for case, method in auroc if case in cases and (case, method) in times))
    names.sort(key=lambda name: name != REFERENCE)
    cases = [c for c in cases if all((c, n) in auroc and (c, n) in times for n in names)]
    modes = [_Mode(n, [auroc[c, n].mean for c in cases], [times[c, n].mean for c in cases]) for n in names]
    return modes if cases else []


@part("figure-theta", "inversion")
def theta(folder: Path) -> str:
    """AUROC against cost for the ways to move θ."""
    modes = _modes(folder)
    if not modes:
        return ""
    lines = [
        line
        for i, m in enumerate(modes)
        for line in over_runs(m.name, [[Point(*pair) for pair in zip(m.ms, m.auroc, strict=True)]], i)
    ]
    caption = f"Small marks: one digit each; large marks: the mean over {len(modes[0].auroc)} digits."
    return figure("theta-modes", [Panel("ways to move θ", "CPU ms an image", "AUROC", lines)], caption)


@part("figure-theta-table", "")
def theta_table(folder: Path) -> str:
    """The means of the ways to move θ, beside the first, which is the paper's."""
    modes = _modes(folder)
    if not modes:
        return ""
    first = np.array(modes[0].auroc)
    rows = []
    for m in modes:
        apart = np.array(m.auroc) - first
        worst = float(apart[np.abs(apart).argmax()])
        difference = [f"{apart.mean():+.4f}", f"{worst:+.4f}"] if m is not modes[0] else ["", ""]
        rows.append([m.name, f"{np.mean(m.auroc):.4f}", *difference, short(float(np.mean(m.ms)))])
    head = [
        "θ",
        f"AUROC, mean of {len(first)} digits",
        "against the first",
        "on the digit that differs most",
        "CPU ms an image",
    ]
    return table(head, rows)


@part("figure-starts", "inversion")
def starts(folder: Path) -> str:
    """AUROC against time for steps and starts of ADGAN."""
    values = [v for v in _measured(folder, "inversion") if v.record.case.startswith("steps and starts")]
    auroc, times = _with_metric(values, "AUROC"), _with_metric(values, TIME)
    found = [(v.record.settings, times[key].mean, v.mean) for key, v in auroc.items() if key in times]
    if not found:
        return ""
    numbers = sorted({int(str(settings["n_seed"])) for settings, _, _ in found})
    lines = [
        Line(
            f"n_seed={n}",
            sorted(Point(ms, a, f"k={settings['k']}") for settings, ms, a in found if settings["n_seed"] == n),
            i,
        )
        for i, n in enumerate(numbers)
    ]
    caption = "The digit 8. n_seed starts move for k steps; k=0 compares with what is drawn at the starts."
    panel = Panel("steps and starts of ADGAN", "CPU ms an image", "AUROC", lines)
    return figure("steps-and-starts", [panel], caption)


@part("figure-apart", "inversion")
def apart(folder: Path) -> str:
    """What some of ADGAN's starts find."""
    found: dict[int, dict[str, float]] = {}
    for v in _measured(folder, "inversion"):
        if v.record.case.startswith("starts taken apart"):
            found.setdefault(int(str(v.record.settings["n_seed"])), {})[v.record.metric] = v.mean
    if not found:
        return ""
    metrics = ("AUROC of the mean loss", "lowest", "highest", "AUROC of the least loss")
    return table(["starts", *metrics], [[str(n), *(f"{found[n][m]:.3f}" for m in metrics)] for n in sorted(found)])


@part("figure-choice", "inversion")
def choice(folder: Path) -> str:
    """AnoGAN's AUROC after some steps, on the digits that the default was chosen by."""
    auroc = _with_metric(_measured(folder, "inversion"), "AUROC")
    found = {key: v for key, v in auroc.items() if key[0].startswith("choice of steps")}
    if not found:
        return ""
    digits, lengths = {case for case, _ in found}, sorted({_steps(v) for v in found.values()})
    means = [np.mean([v.mean for v in found.values() if _steps(v) == n]) for n in lengths]
    return table(
        ["steps", *map(str, lengths)], [[f"AUROC, mean of {len(digits)} digits", *(f"{m:.3f}" for m in means)]]
    )


def ratios(name: str, metric: str, caption: str, title: Callable[[Record], str] = lambda r: r.case) -> None:
    """Let bars of a benchmark's ratios fill a mark: the median over rounds, one panel a case, the peer itself first."""

    @part(f"figure-{name}-ratios", name)
    def drawn(folder: Path) -> str:
        taken: dict[str, dict[str, list[float]]] = {}
        for r in all_records(folder, name):
            if r.role == "measured" and r.metric == metric and r.ratio is not None:
                taken.setdefault(title(r), {}).setdefault(r.method, []).append(r.ratio)
        groups = {t: [Bar(m, float(np.median(values))) for m, values in found.items()] for t, found in taken.items()}
        longest = max((bar.value for bars in groups.values() for bar in bars), default=0.0)
        return figure(f"{name}-ratios", [Bars(t, bars, longest) for t, bars in groups.items()], caption)


FASTER = "How many times faster"
CYCLES = f"{FASTER} a cycle is than by a plain loop in float32; median of three rounds, one thread."
ENCODERS = f"{FASTER} a row is than by PyTorch as it is, at so many rows at once; one thread."
IMAGES = f"{FASTER} an image of 64 starts is than by deep copies of the generator with the same steps."
STEPS = f"{FASTER} one step of one sample is than in the first line's loop, which counts as 1."
ratios("training", "a cycle", CYCLES)
ratios("encoder", "time of a row", ENCODERS)
ratios("adgan", "time", IMAGES, lambda r: f'theta="{r.case}"')
ratios("search", "time of a step", STEPS, lambda r: f"{r.case}, {r.protocol}")


@part("figure-training-floors", "training")
def training_floors(folder: Path) -> str:
    """Operations of a cycle, and how near training comes to the machine's peak."""
    found = [s.record for s in over_seeds(folder, "training") if s.record.role == "floor"]
    floors = {(r.method, r.metric): r.value for r in found if "peak" in r.case}
    taken = {v.record.method: v.mean for v in _measured(folder, "training") if v.record.metric == "a cycle"}
    rows = [
        [
            method,
            f"{floors[method, 'operations']:.0f}",
            f"{floors[method, 'peak']:.0f}",
            f"{floors[method, 'a cycle']:.2f}",
            f"{taken[method]:.2f}",
            f"{floors[method, 'a cycle'] / taken[method]:.0%}",
        ]
        for method in dict.fromkeys(method for method, _ in floors)
        if method in taken
    ]
    head = ["a cycle", "GFLOP", "peak, GFLOP/s", "floor, s", "measured, CPU s", "of the peak"]
    return table(head, rows)


@part("figure-precision-table", "training")
def precision_table(folder: Path) -> str:
    """How far the images of GANs that were trained in either precision are from real ones."""
    found = [s for s in over_seeds(folder, "training") if s.record.metric == "Fréchet distance"]
    rows = [[s.record.method, str(s), str(s.n)] for s in found]
    measured = any(s.record.role == "measured" for s in found)
    return table(["trained in", "Fréchet distance", "seeds"], rows) if measured else ""


@part("figure-step-table", "training")
def step_table(folder: Path) -> str:
    """What a training step on a table costs, beside PyOD."""
    found = _with_metric(_measured(folder, "training"), "a step")
    rows = [
        [case.removeprefix("steps on a table, "), f"{v.mean:.2f}", f"{peer.mean:.2f}", f"{peer.mean / v.mean:.1f}"]
        for (case, method), v in found.items()
        if method == "oddgan" and (peer := found.get((case, "PyOD"))) is not None
    ]
    head = ["a step on a table", "oddgan, CPU ms", "PyOD, CPU ms", "ratio"]
    return table(head, rows)
