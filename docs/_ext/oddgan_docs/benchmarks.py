"""The benchmark page: every number comes from a file in `benchmarks/results`."""

import ast
from collections.abc import Sequence
from pathlib import Path

from oddgan.evaluate import Record, Results, Spread, read_results, spread
from oddgan.evaluate.records import SEMI_SUPERVISED
from oddgan_docs.catalogue import table
from oddgan_docs.docstrings import cell, markdown_text
from oddgan_docs.results import not_measured

_TITLES = {
    "adbench": "Ten tables of ADBench",
    "adgan": "Cost of ADGAN",
    "alad": "KDD99 and arrhythmia, ALAD's protocol",
    "beatgan": "Heartbeats, BeatGAN's protocol",
    "cifar": "CIFAR-10 (JPEG), one class normal",
    "defaults": "Every method as it comes",
    "curves": "Learning curves",
    "ecg": "Heartbeats",
    "encoder": "Cost of an encoder's inversion",
    "growing": "Progressive growing",
    "heartbeats": "The survey's own system on heartbeats",
    "inversion": "What inversion finds",
    "latent": "Latent restriction",
    "loop": "Cost of the training loop",
    "mnist": "MNIST, one class normal",
    "monitor": "The training monitor",
    "scaling": "Columns that never change in training",
    "search": "Cost of the latent search",
    "survey": "The survey's table of times",
    "toys": "2-D toys",
    "training": "Cost of training",
    "vaegan": "More training for the β-VAEGAN",
}
# Where a benchmark's figures are, with the text that explains them.
_FIGURES = {
    "adgan": "speed.md#adgan",
    "beatgan": "heartbeats.md#beatgans-protocol",
    "curves": "training.md#what-the-next-minute-buys",
    "growing": "growing.md#on-magnetic-tiles",
    "heartbeats": "heartbeats.md",
    "vaegan": "heartbeats.md#beats-at-random",
    "monitor": "monitor.md",
    "inversion": "speed.md#steps-more-is-not-always-better",
    "latent": "latent.md#does-it-help",
    "search": "speed.md#the-latent-search",
    "stabilisers": "stabilisers.md#what-each-is-worth",
    "survey": "heartbeats.md#search-or-encoder",
    "toys": "toys.md",
    "training": "speed.md#training",
}
_PAGES = {
    "training.md": "Training",
    "speed.md": "Speed",
    "toys.md": "2-D toys",
    "heartbeats.md": "Heartbeats",
    "growing.md": "Growing",
    "latent.md": "Restricting the latent space",
    "monitor.md": "Watching training",
    "stabilisers.md": "Stabilisers",
}
# A line of a table: method, role, protocol, settings.
Row = tuple[str, str, str, str]


def benchmarks(folder: Path) -> str:
    """One section a benchmark: its table, or a line that says it is not measured yet.

    Parameters
    ----------
    folder : holds the programs `NAME.py` and `results/NAME.json`.
    """
    programs = sorted(p for p in folder.glob("[a-z]*.py") if "Bench(" in p.read_text(encoding="utf-8"))
    return "\n".join(_section(p, folder / "results" / f"{p.stem}.json") for p in programs) or "There are none yet.\n"


def _section(program: Path, file: Path) -> str:
    about = (ast.get_docstring(ast.parse(program.read_text(encoding="utf-8"))) or "").split("\n\n")[0]
    title = _TITLES.get(program.stem, program.stem.replace("_", " ").capitalize())
    head = f"## {title}\n\n{markdown_text(' '.join(about.split()))}\n"
    if program.stem in _FIGURES:
        page = _PAGES[_FIGURES[program.stem].partition("#")[0]]
        head += f"\nExplained: [{page}]({_FIGURES[program.stem]}).\n"
    run = f"`python benchmarks/{program.name}`"
    if not file.exists():
        return f"{head}\n{not_measured(program.stem)}"
    found = read_results(file)
    versions = ", ".join(f"{name} {number}" for name, number in found.versions.items())
    made = f"*Made by {run} on {cell(found.machine)}; {versions}.*\n"
    first, *others = _tables(found)
    if len(others) > 1:
        others = ["<details><summary>More of this run</summary>\n", *others, "</details>\n"]
    return "\n".join([head, first, *others, made])


def _tables(found: Results) -> list[str]:
    """One table for each data set and metric: methods down, cases across; published values in rows of their own.

    Cases that have no method in common, not even by way of others, stand in tables of their own.
    """
    groups: dict[tuple[str, str, str], list[Spread]] = {}
    for each in spread(found.records):
        record = each.record
        groups.setdefault((record.data, record.metric, record.unit), []).append(each)
    tables = [(key, part) for key, members in groups.items() for part in _apart(members)]
    # What others have published is what a reader looks for first.
    tables.sort(key=lambda pair: all(m.record.role != "published" for m in pair[1]))
    return [_table(key, part) for key, part in tables]


def _apart(members: Sequence[Spread]) -> list[list[Spread]]:
    """Divide numbers so that no two parts share a case or a method; the order stays."""
    parts: list[list[int]] = []
    keys = [{("case", m.record.case), ("method", m.record.method)} for m in members]
    for i, key in enumerate(keys):
        near = [part for part in parts if any(keys[j] & key for j in part)]
        parts = [part for part in parts if part not in near] + [[j for part in near for j in part] + [i]]
    return [[members[i] for i in sorted(part)] for part in sorted(parts, key=min)]


def _table(key: tuple[str, str, str], members: Sequence[Spread]) -> str:
    data, metric, unit = key
    cases = list(dict.fromkeys(m.record.case for m in members))
    rows: dict[Row, dict[str, Spread]] = {}
    for member in members:
        r = member.record
        # Settings tell lines apart only where one case has several.
        same = [m.record for m in members if _line(m.record) == _line(r)]
        settings = _settings(r) if len({o.case for o in same}) < len(same) else ""
        rows.setdefault((r.method, r.role, r.protocol, settings), {})[r.case] = member
    order = sorted(rows, key=lambda row: [m.record.method for m in members].index(row[0]))
    several = any(len({k[3] for k in rows if k[:3] == key[:3]}) > 1 for key in rows)
    head = ["method", *map(cell, cases), "protocol", "seeds"] + ["settings"] * several
    lines = [
        [_name(row), *(_value(rows[row].get(case)) for case in cases), cell(row[2]), _seeds(rows[row])]
        + [cell(row[3])] * several
        for row in order
    ]
    of = "" if unit == "1" else f", {unit}"
    marked = any(m.record.semi_supervised for m in members)
    legend = (
        f"\n{SEMI_SUPERVISED} semi-supervised: labels had a part in the score or the threshold.\n" if marked else ""
    )
    return f"**{cell(metric)}{of}**, {cell(data)}:\n\n{table(head, lines)}{legend}"


def _line(record: Record) -> tuple[str, str, str]:
    return record.method, record.role, record.protocol


def _settings(record: Record) -> str:
    settings = ", ".join(f"{k}={v}" for k, v in record.settings.items())
    return settings + (f"{', ' * bool(settings)}score by {record.composition}" if record.composition else "")


def _name(row: Row) -> str:
    method, role = cell(row[0]), row[1]
    return f"*{method}* ({role})" if role != "measured" else method


def _value(found: Spread | None) -> str:
    if found is None:
        return ""
    record = found.record
    share = record.unit == "1" and record.metric.startswith(("AUROC", "AP"))
    text = f"{found.mean:.3f}" if share else f"{found.mean:.4g}"
    text += "" if found.sd is None else f" ± {found.sd:.3f}" if share else f" ± {found.sd:.2g}"
    text += SEMI_SUPERVISED * record.semi_supervised
    return text if record.ratio is None else f"{text} (ratio {record.ratio:.2f})"


def _seeds(by_case: dict[str, Spread]) -> str:
    counts = {s.n for s in by_case.values() if s.record.role != "published"}
    return "–".join(map(str, sorted({min(counts), max(counts)}))) if counts else ""
