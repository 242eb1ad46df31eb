"""Learning curves: what the next minute of training buys."""

from pathlib import Path

from oddgan_docs.catalogue import table
from oddgan_docs.plots import Line, Panel, Point, figure, limits, widened
from oddgan_docs.results import over_seeds, part

DEFAULT, TWICE = "1", "2"
SHARES = ("0.25", "0.5", DEFAULT, TWICE)
Curves = dict[str, dict[str, Point]]


def _found(folder: Path) -> Curves:
    """CPU minutes and AUROC by method and share of its default steps."""
    means = {(s.record.method, s.record.metric): s.mean for s in over_seeds(folder, "curves")}
    found: Curves = {}
    for (method, metric), auroc in means.items():
        if metric == "AUROC":
            name, _, share = method.partition(", ")
            found.setdefault(name, {})[share.split()[0]] = Point(means[method, "fit"] / 60, auroc)
    return found


@part("figure-curves", "curves")
def curves(folder: Path) -> str:
    """AUROC against the CPU minutes of training, five methods a panel."""
    found = _found(folder)
    lines = [Line(name, sorted(points.values()), i % 5) for i, (name, points) in enumerate(found.items())]
    x_limits = limits([p.x for line in lines for p in line.points], log=True) if lines else None
    groups = [lines[i : i + 5] for i in range(0, len(lines), 5)]
    panels = [widened(Panel("", "CPU minutes", "AUROC", group, x_limits=x_limits)) for group in groups]
    shares = "an eighth, a quarter, a half, all and twice the method's default steps"
    return figure("learning-curves", panels, f"AUROC on MNIST's digit 5, held out, after {shares}; one seed.")


@part("curves-table", "curves")
def curves_table(folder: Path) -> str:
    """AUROC around the default steps, and what doubling them gains."""
    rows = []
    for name, points in _found(folder).items():
        gain = f"{points[TWICE].y - points[DEFAULT].y:+.3f}" if {DEFAULT, TWICE} <= points.keys() else ""
        minutes = f"{points[DEFAULT].x:.1f}" if DEFAULT in points else ""
        rows.append([name, *(f"{points[s].y:.3f}" if s in points else "" for s in SHARES), minutes, gain])
    head = ["method", "a quarter", "a half", "default", "twice", "CPU minutes by default", "twice less default"]
    return table(head, rows) if rows else ""
