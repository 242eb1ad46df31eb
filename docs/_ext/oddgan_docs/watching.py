"""What the training monitor said about each run of its benchmark, as one table."""

from pathlib import Path

from oddgan_docs.catalogue import table
from oddgan_docs.docstrings import cell
from oddgan_docs.results import not_measured, over_seeds


def monitor(folder: Path) -> str:
    """Runs down, failures across: in how many of the seeds each was named.

    Parameters
    ----------
    folder : holds `results/monitor.json`.
    """
    found = [each for each in over_seeds(folder, "monitor") if each.record.data == "training runs"]
    if not found:
        return not_measured("monitor")
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
    return table(["run", "what it is", *(f"says {name}" for name in failures)], lines) + "\n"
