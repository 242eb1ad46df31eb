"""Score fields of detectors on 2-D toys, from the record of `benchmarks/toys.py`."""

import base64
import html
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from oddgan_docs.catalogue import ordered
from oddgan_docs.results import over_seeds, part

TRUTH = "the true density"
# From the most normal place to the threshold, and from there to the most anomalous: blue ends where orange begins.
NORMAL = ((8, 69, 148), (198, 219, 239))
ANOMALOUS = ((254, 237, 222), (166, 54, 3))


class Measured(NamedTuple):
    """What is known of a method on a toy.

    Parameters
    ----------
    auroc : the mean over seeds.
    normal : the share of the square that the method's threshold calls normal.
    """

    auroc: float
    normal: float


Results = Mapping[tuple[str, str], Measured]


def read(folder: Path) -> Results:
    """The numbers by toy and method; none without the file."""
    by = {(s.record.case, s.record.method, s.record.metric): s.mean for s in over_seeds(folder, "toys")}
    return {
        (toy, method): Measured(value, by[toy, method, "share called normal"])
        for (toy, method, metric), value in by.items()
        if metric == "AUROC"
    }


@part("toys", "toys")
def toys(folder: Path) -> str:
    """The fields of all methods, by group."""
    results, file = read(folder), folder / "results" / "toys.npz"
    if not results or not file.exists():
        return ""
    names = list(dict.fromkeys(toy for toy, _ in results))
    with np.load(file) as stored:
        arrays = dict(stored)
    out = [_points(names, arrays)]
    groups = [("What there is to learn", [TRUTH]), *((group, [n for n, _ in found]) for group, found in ordered())]
    for title, methods in groups:
        panels = [_panel(method, names, results, arrays) for method in methods if (names[0], method) in results]
        if panels:
            out.append(f"## {title}\n")
            out.append("\n".join(['<figure class="plots fields"><div class="panels">', *panels, "</div></figure>\n"]))
    return "\n".join(out)


def _points(names: list[str], arrays: Mapping[str, np.ndarray]) -> str:
    """The training points of each toy, once for all panels, on squares of side 64."""
    drawn = []
    for toy in names:
        path = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in arrays[f"{toy}/points"] * (64, -64) + (0, 64))
        drawn.append(f'<path id="points-{toy}" class="points" d="{path}"/>')
    return f'<svg class="defined" aria-hidden="true"><defs>{"".join(drawn)}</defs></svg>\n'


def _panel(method: str, names: list[str], results: Results, arrays: Mapping[str, np.ndarray]) -> str:
    name = html.escape(method)
    title = name if method == TRUTH else f'<a href="methods.html#{name.lower()}"><code>{name}</code></a>'
    squares = [
        _square(f"{method} on {toy}", toy, results[toy, method], arrays[f"{toy}/{method}"])
        for toy in names
        if (toy, method) in results
    ]
    return f'<div class="panel"><p>{title}</p><div class="pair">{"".join(squares)}</div></div>'


def _square(title: str, toy: str, measured: Measured, field: np.ndarray) -> str:
    said = f"AUROC {measured.auroc:.3f}; {measured.normal:.0%} of the square is called normal."
    return "".join([
        f'<div><svg viewBox="0 0 64 64" role="img" aria-label="{html.escape(f"{title}: {said}")}">',
        f'<image href="{picture(field, measured.normal)}" width="64" height="64"/><use href="#points-{toy}"/></svg>',
        f"<p>{toy} {measured.auroc:.3f}</p></div>",
    ])  # fmt: skip


def picture(field: np.ndarray, normal: float) -> str:
    """Ranks (h, w) in 255ths, the lowest row first, as the URI of a PNG file whose palette turns at the threshold."""
    image = Image.fromarray(field[::-1].copy(), mode="P")
    image.putpalette([value for colour in _palette(normal) for value in colour])
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def _palette(normal: float) -> Iterator[tuple[int, int, int]]:
    """256 colours; those of ranks below the share `normal` are blue."""
    for rank in np.arange(256) / 255:
        below = rank < normal
        (start, end), at = (NORMAL, rank / normal) if below else (ANOMALOUS, (rank - normal) / max(1 - normal, 1e-9))
        red, green, blue = (round(a + (b - a) * at) for a, b in zip(start, end, strict=True))
        yield red, green, blue
