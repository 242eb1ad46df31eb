"""HTML page of a data inspection: what is in the data, typical rows, suspect rows."""

from pathlib import Path
from typing import Any

import numpy as np

from oddgan._core.files import new_file
from oddgan.data import Inspection
from oddgan.evaluate import DataInfo, Items
from oddgan.report.gallery import Card, Group
from oddgan.report.numbers import number
from oddgan.report.page import environment
from oddgan.report.views import views

SHOWN = 24
_PLURAL = {"image": "images", "series": "series", "table": "rows"}


def render_inspection(found: Inspection, out: str | Path, *, force: bool = False) -> Path:
    """Write what `oddgan.data.inspect` found as a page that opens anywhere, without a network.

    Parameters
    ----------
    found : the result.
    out : the file to write.
    force : replace an existing file.

    Raises
    ------
    InputError
        If the file exists without `force`.
    """
    content: dict[str, Any] = {
        "found": found,
        "sentences": sentences(found),
        "groups": _groups(found),
        "plural": _PLURAL[found.kind],
        "columns": found.columns[:200],
    }
    text = environment().get_template("inspection.html.jinja").render(content)
    target = Path(out)
    with new_file(target, force=force) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return target


def sentences(found: Inspection) -> list[str]:
    """What was found, in words."""
    shape = " x ".join(str(n) for n in found.shape)
    half = f", the {found.split} half" if found.split else ""
    lines = [f"{found.source}: {found.n} {_PLURAL[found.kind]} of {shape} values ({found.dtype}){half}."]
    if found.labels is not None:
        lines.append(f"Labels: {found.labels}.{_share(found)}")
    values = int(np.prod(found.shape))
    if found.constant_values:
        lines.append(f"{found.constant_values} of a row's {values} values are the same in all rows.")
    lines += _trouble(found)
    if found.dimension is not None and found.advice is not None:
        lines.append(
            f"Intrinsic dimension: {found.dimension.two_nn:.1f} (TwoNN), {found.dimension.levina_bickel:.1f} "
            f"(Levina-Bickel). latent_dim: try {found.advice.low} to {found.advice.high}, since {found.advice.reason}."
        )
    return [*lines, _suspicion(found)]


def _share(found: Inspection) -> str:
    if found.anomalies is None:
        return f" No row has the label {found.normal}: name the normal one with --normal."
    return f" With {found.normal} for the normal label (--normal), {100 * found.anomalies:.1f} % are anomalies."


def _trouble(found: Inspection) -> list[str]:
    """Missing values and rows that occur more than once."""
    lines = []
    if found.incomplete:
        lines.append(f"{len(found.incomplete)} rows hold missing or infinite values: {_some(found.incomplete)}.")
    if found.duplicates:
        odd = f", {found.conflicting} of them with another label" if found.conflicting else ""
        lines.append(f"{len(found.duplicates)} rows repeat an earlier row exactly{odd}: {_some(found.duplicates)}.")
    if found.shared:
        lines.append(f"{len(found.shared)} rows are in the other half, too: {_some(found.shared)}.")
    return lines


def _some(rows: tuple[int, ...], most: int = 5) -> str:
    return "row " + ", ".join(str(row) for row in rows[:most]) + ", ..." * (len(rows) > most)


def _suspicion(found: Inspection) -> str:
    if not found.looked_at:
        return "Too few complete rows to suspect any."
    if not found.suspects:
        return f"None of {found.looked_at} rows lies suspiciously far out."
    share = 100 * len(found.suspects) / found.looked_at
    return (
        f"{len(found.suspects)} of {found.looked_at} rows ({share:.2g} %) lie suspiciously far out. That is a "
        "suspicion, not a finding: look at them before you train on them, or leave them out."
    )


def _groups(found: Inspection) -> list[Group]:
    """Cards of suspect and of typical rows, drawn on one scale."""
    suspect = [s.row for s in found.suspects[:SHOWN]]
    rows = np.array([*suspect, *found.typical], dtype=np.int64)
    if not len(rows):
        return []
    scores = {s.row: s.score for s in found.suspects}
    x = found.data.x[rows]
    items = Items(row=rows, x=x, score=np.array([scores.get(r, 0.0) for r in rows.tolist()]), map=_deviation(found, x))
    drawn = views(items, DataInfo(source=found.source, kind=found.kind, shape=found.shape, columns=found.data.columns))
    why = {s.row: s.reason for s in found.suspects}
    cards = [
        Card(
            id=str(found.data.ids[row]),
            row=row,
            score=number(scores[row]) if row in scores else "",
            flagged=row in why,
            label=None,
            view=view,
            name=why.get(row, ""),
        )
        for row, view in zip(rows.tolist(), drawn, strict=True)
    ]
    groups = [Group("Suspect, the most first", tuple(cards[: len(suspect)]))] if suspect else []
    return [*groups, Group("Typical", tuple(cards[len(suspect) :]))]


def _deviation(found: Inspection, x: np.ndarray) -> np.ndarray | None:
    """How far each value of a table's rows is from its column's median, in robust standard deviations."""
    if found.kind != "table":
        return None
    medians = np.array([c.median or 0.0 for c in found.columns])
    spread = np.array([((c.q75 or 0.0) - (c.q25 or 0.0)) / 1.349 or c.std or 1.0 for c in found.columns])
    return np.asarray(np.abs(x - medians) / spread)
