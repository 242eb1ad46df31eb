"""The page of the heartbeats: methods against metrics, and what training does to the best weights."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from oddgan.evaluate import Spread
from oddgan.evaluate.records import SEMI_SUPERVISED
from oddgan_docs.catalogue import table
from oddgan_docs.docstrings import cell
from oddgan_docs.plots import Line, Panel, Point, figure, short
from oddgan_docs.results import not_measured, over_seeds

QUALITY = ("AUROC", "AP", "phi", "F1, class-weighted", "F1, anomalies")
PARTS = ("residual", "features", "latent_norm")
EPOCH, SYSTEM = ", epoch ", "β-VAEGAN, "


def by_metric(folder: Path, name: str, case: str, metrics: Sequence[str]) -> str:
    """Methods down, metrics across; what others published has rows of its own.

    Parameters
    ----------
    folder : holds `results/NAME.json`.
    name : the benchmark.
    case : whose records are shown.
    metrics : the columns; those without any number are left out.
    """
    found = [s for s in over_seeds(folder, name) if s.record.case == case and s.record.metric in metrics]
    if all(s.record.role == "published" for s in found):
        return not_measured(name)
    shown = [m for m in metrics if any(s.record.metric == m for s in found)]
    rows: dict[tuple[bool, str], dict[str, Spread]] = {}
    for s in found:
        rows.setdefault((s.record.role == "published", s.record.method), {})[s.record.metric] = s
    lines = []
    for (published, method), numbers in sorted(rows.items(), key=lambda row: row[0][0]):
        seeds = "" if published else str(max(s.n for s in numbers.values()))
        name_cell = cell(method.removeprefix(SYSTEM))
        name_cell = f"*{name_cell}* (published)" if published else name_cell
        lines.append([name_cell, *(_value(numbers.get(metric)) for metric in shown), seeds])
    legend = f"\n{SEMI_SUPERVISED} labels had a part in the score or the threshold.\n"
    marked = any(s.record.semi_supervised for s in found)
    return table(["", *map(cell, shown), "runs"], lines) + legend * marked


def _value(found: Spread | None) -> str:
    if found is None:
        return ""
    if found.record.unit == "1":
        number = f"{found.mean:.3f}" + ("" if found.sd is None else f" ± {found.sd:.3f}")
    else:
        number = f"{short(found.mean)} {found.record.unit}"
    number += SEMI_SUPERVISED * found.record.semi_supervised
    return number if found.record.ratio is None else f"{number} ({1 / found.record.ratio:,.0f}x)"


def drift(folder: Path) -> str:
    """The best weights, and what they reach, after each epoch."""
    found = [s for s in over_seeds(folder, "heartbeats") if EPOCH in s.record.case]
    panels = []
    for split in sorted({s.record.case.partition(EPOCH)[0] for s in found}):
        of_split = [s for s in found if s.record.case.startswith(split + EPOCH)]
        weights = [_line(of_split, "grid of weights", f"weight of {part}", part, i) for i, part in enumerate(PARTS)]
        alone = [_line(of_split, f"{part} alone", "AUROC", part, i) for i, part in enumerate(PARTS)]
        reached = [_line(of_split, "grid of weights", "AUROC", "best weights", 3)]
        phi = [_line(of_split, "grid of weights", "phi", "best weights", 3)]
        shown = (("best weights", "weight", weights), ("AUROC", "AUROC", [*alone, *reached]), ("phi", "phi", phi))
        panels += [Panel(f"{split}: {title}", "epoch", label, lines, log_x=False) for title, label, lines in shown]
    if not panels:
        return not_measured("heartbeats")
    text = "Weights that have the highest phi on validation beats after each epoch, and what they reach on test beats."
    return figure("drift", panels, f"{text} Means over the runs.")


def _line(found: Sequence[Spread], method: str, metric: str, name: str, colour: int) -> Line:
    of_line = [s for s in found if (s.record.method, s.record.metric) == (method, metric)]
    return Line(name, sorted(Point(int(s.record.case.rpartition(EPOCH)[2]), s.mean) for s in of_line), colour)


def all_parts() -> Iterator[tuple[str, Callable[[Path], str]]]:
    """Names for the marks in the pages, and what fills them."""
    tables = {
        "ecgan": ("heartbeats", "ecgan split", QUALITY),
        "patients": ("heartbeats", "patient-wise", QUALITY),
        "classes": (
            "heartbeats",
            "patient-wise",
            (*(f"AUROC, {name} against N" for name in "SVF"), "false alarms", "phi, validation"),
        ),
        "cuts": ("heartbeats", "cut, test records", ("AUROC", "AP", "phi", "false alarms")),
        "encoders": (
            "heartbeats",
            "when the encoder learns",
            ("AUROC", "AP", "phi", *(f"AUROC, {k} alone" for k in ("latent", "latent_norm", "features", "critic"))),
        ),
        "folds": ("beatgan", "BeatGAN's protocol", ("AUROC", "AP", *(f"AUROC, {k} alone" for k in ("features",)))),
        "survey": (
            "survey",
            "survey's table 1",
            ("time of a beat", "spread over batches", "AUROC, search loss", "AUROC, residual", "mean steps",
             "share converged"),
        ),
    }  # fmt: skip
    for key, arguments in tables.items():
        yield f"heartbeats-{key}", _of(*arguments)
    yield "heartbeats-drift", drift


def _of(name: str, case: str, metrics: Sequence[str]) -> Callable[[Path], str]:
    return lambda folder: by_metric(folder, name, case, metrics)
