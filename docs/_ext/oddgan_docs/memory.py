"""What fit and score hold in memory, as one table."""

from pathlib import Path

from oddgan_docs.catalogue import table
from oddgan_docs.docstrings import cell
from oddgan_docs.results import not_measured, over_seeds

PEAKS = ("fit: peak of anonymous", "fit: peak of resident", "score: peak of anonymous", "score: peak of resident")


def memory(folder: Path) -> str:
    """Data and how they are read down, peaks in MB across.

    Parameters
    ----------
    folder : holds `results/memory.json`.
    """
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for each in over_seeds(folder, "memory"):
        rows.setdefault((each.record.case, each.record.method), {})[each.record.metric] = f"{each.mean:.0f}"
    if not rows:
        return not_measured("memory")
    lines = [
        [cell(case), cell(way), *(found.get(name, "") for name in PEAKS)] for (case, way), found in sorted(rows.items())
    ]
    heads = [name.replace(": peak of", ",") + ", MB" for name in PEAKS]
    return table(["data", "read", *heads], lines) + "\n"
