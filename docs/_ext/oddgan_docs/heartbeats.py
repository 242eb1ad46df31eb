"""The page of the heartbeats: what training does to the best weights of a score."""

from collections.abc import Sequence
from pathlib import Path

from oddgan.evaluate import Spread
from oddgan_docs.plots import Line, Panel, Point, figure
from oddgan_docs.results import over_seeds, part

PARTS = ("residual", "features", "latent_norm")
EPOCH = ", epoch "


@part("heartbeats-drift", "heartbeats")
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
    text = "Weights that have the highest phi on validation beats after each epoch, and what they reach on test beats."
    return figure("drift", panels, f"{text} Means over the runs.")


def _line(found: Sequence[Spread], method: str, metric: str, name: str, colour: int) -> Line:
    of_line = [s for s in found if (s.record.method, s.record.metric) == (method, metric)]
    return Line(name, sorted(Point(int(s.record.case.rpartition(EPOCH)[2]), s.mean) for s in of_line), colour)
