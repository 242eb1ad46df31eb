"""The page of growing: samples of each level, and what growth changes."""

import base64
from pathlib import Path

from oddgan_docs.heartbeats import by_metric
from oddgan_docs.results import not_measured

CASE = "magnetic tiles, 64 px"
PARTS = ("latent", "latent_norm", "critic")
METRICS = ("AUROC", *(f"AUROC, {part} alone" for part in PARTS), "patches, 64 px", "patches, 16 px", "training")
ROWS = (
    "Rows from above: samples of the same eight latent points at 4, 8, 16, 32 and 64 px while the networks grew; "
    "the same without growth, once that is measured; reconstructions of test tiles by the grown networks; these tiles."
)


def numbers(folder: Path) -> str:
    """With and without growth, and the floors."""
    return by_metric(folder, "growing", CASE, METRICS)


def samples(folder: Path) -> str:
    """The picture that the benchmark drew."""
    file = folder / "results" / "growing.png"
    if not file.exists():
        return not_measured("growing")
    uri = "data:image/png;base64," + base64.b64encode(file.read_bytes()).decode("ascii")
    return f'<figure><img src="{uri}" alt="{ROWS}"/><figcaption>{ROWS}</figcaption></figure>\n'
