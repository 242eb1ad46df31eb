"""Tables of results: one line a method or a run, one column a metric or a case."""

import base64
import functools
from collections.abc import Sequence
from pathlib import Path

from oddgan.evaluate import Spread
from oddgan.evaluate.records import SEMI_SUPERVISED
from oddgan_docs.catalogue import table
from oddgan_docs.docstrings import cell
from oddgan_docs.plots import short
from oddgan_docs.results import over_seeds, part

QUALITY = ("AUROC", "AP", "phi")
CURVE = "ecgan split, epoch "
CURVE_METRICS = ("AUROC", "phi", "F1, weighted", "F1, macro", "F1, micro", "F1, anomalies")
F1 = ("F1, class-weighted", "F1, anomalies", "F1, averaging not stated")
CLASSES = tuple(f"AUROC, {name} against N" for name in "SVF")
ALONE = tuple(f"AUROC, {name} alone" for name in ("latent", "latent_norm", "critic", "features"))
SURVEY = ("time of a beat", "spread over batches", "AUROC, search loss", "AUROC, residual", "mean steps")
PATCHES = ("patches, 64 px", "patches, 16 px")
SYSTEM = "β-VAEGAN, "
PEAKS = ("fit: peak of anonymous", "fit: peak of resident", "score: peak of anonymous", "score: peak of resident")
GROWTH = (
    "Rows from above: samples of the same eight latent points at 4, 8, 16, 32 and 64 px while the networks grew; "
    "the same without growth, once that is measured; reconstructions of test tiles by the grown networks; these tiles."
)


def by_metric(folder: Path, *, name: str, case: str, metrics: Sequence[str]) -> str:
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
        return ""
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


def columns(mark: str, name: str, case: str, *metrics: str) -> None:
    """Let such a table fill a mark."""
    part(mark, name)(functools.partial(by_metric, name=name, case=case, metrics=metrics))


@part("heartbeats-curve", "vaegan")
def curve(folder: Path) -> str:
    """Epochs of one training down; what each way to a score reaches, across, with every average of F1."""
    found = [s for s in over_seeds(folder, "vaegan") if s.record.case.startswith(CURVE)]
    rows: dict[tuple[int, str], dict[str, str]] = {}
    for s in found:
        if s.record.metric in CURVE_METRICS:
            key = int(s.record.case.removeprefix(CURVE)), s.record.method.removeprefix(SYSTEM)
            rows.setdefault(key, {})[s.record.metric] = _value(s)
    lines = [[f"{n}", cell(way), *(row.get(m, "") for m in CURVE_METRICS)] for (n, way), row in sorted(rows.items())]
    legend = f"\n{SEMI_SUPERVISED} labels had a part in the score or the threshold.\n"
    return table(["epochs", "", *map(cell, CURVE_METRICS)], lines) + legend if lines else ""


columns("heartbeats-ecgan", "heartbeats", "ecgan split", *QUALITY, *F1)
columns("heartbeats-patients", "heartbeats", "patient-wise", *QUALITY, *F1)
columns("heartbeats-classes", "heartbeats", "patient-wise", *CLASSES, "false alarms", "phi, validation")
columns("heartbeats-cuts", "heartbeats", "cut, test records", *QUALITY, "false alarms")
columns("heartbeats-encoders", "heartbeats", "when the encoder learns", *QUALITY, *ALONE[:2], ALONE[3], ALONE[2])
columns("heartbeats-folds", "beatgan", "BeatGAN's protocol", "AUROC", "AP", ALONE[3])
columns("heartbeats-survey", "survey", "survey's table 1", *SURVEY, "share converged")
columns("growing-numbers", "growing", "magnetic tiles, 64 px", "AUROC", *ALONE[:3], *PATCHES, "training")


def _value(found: Spread | None) -> str:
    if found is None:
        return ""
    if found.record.unit == "1":
        number = f"{found.mean:.3f}" + ("" if found.sd is None else f" ± {found.sd:.3f}")
    else:
        number = f"{short(found.mean)} {found.record.unit}"
    number += SEMI_SUPERVISED * found.record.semi_supervised
    return number if found.record.ratio is None else f"{number} ({1 / found.record.ratio:,.0f}x)"


@part("growing-samples", "growing")
def samples(folder: Path) -> str:
    """The picture that the benchmark of growing drew."""
    file = folder / "results" / "growing.png"
    if not file.exists():
        return ""
    uri = "data:image/png;base64," + base64.b64encode(file.read_bytes()).decode("ascii")
    return f'<figure><img src="{uri}" alt="{GROWTH}"/><figcaption>{GROWTH}</figcaption></figure>\n'


@part("memory", "memory")
def memory(folder: Path) -> str:
    """What fit and score hold: data and how they are read down, peaks in MB across."""
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for each in over_seeds(folder, "memory"):
        rows.setdefault((each.record.case, each.record.method), {})[each.record.metric] = f"{each.mean:.0f}"
    lines = [[cell(case), cell(way), *(found.get(m, "") for m in PEAKS)] for (case, way), found in sorted(rows.items())]
    return table(["data", "read", *(name.replace(": peak of", ",") + ", MB" for name in PEAKS)], lines)


@part("monitor", "monitor")
def monitor(folder: Path) -> str:
    """Runs down, failures across: in how many of the seeds the training monitor named each."""
    found = [each for each in over_seeds(folder, "monitor") if each.record.data == "training runs"]
    failures = list(dict.fromkeys(each.record.case for each in found))
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for each in found:
        said = round(each.mean * each.n)
        key = (each.record.protocol, each.record.method)
        rows.setdefault(key, {})[each.record.case] = f"{said} of {each.n}" if said else ""
    lines = [
        [cell(method), cell(kind.removeprefix("made to fail: ")), *(said.get(name, "") for name in failures)]
        for (kind, method), said in rows.items()
    ]
    return table(["run", "what it is", *(f"says {name}" for name in failures)], lines)
