"""The command `inspect`."""

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from rich.table import Table

import oddgan
from oddgan._core.text import texts_if
from oddgan.cli.command import Output, command
from oddgan.cli.output import SHOWN, document, notes, show, table
from oddgan.options import InspectSpec

if TYPE_CHECKING:
    import oddgan.data
    import oddgan.report
    import oddgan.tasks
    from oddgan.data import Inspection

_FEW = 10


@command(sort_key=1)
def inspect(spec: InspectSpec, output: Output) -> None:
    """Look at data before training: what is in it, how large a latent space it needs, which rows are suspect."""
    found = oddgan.tasks.inspect(spec)
    page = None if spec.out is None else oddgan.report.render_inspection(found, spec.out, force=spec.force)
    notes(found.notes, output)
    show("\n".join(oddgan.report.sentences(found)), output)
    show(_columns(found), output)
    if found.suspects:
        show(_suspects(found), output)
    if page is not None:
        show(f"page    {page}", output)
    document(_plain(found) | {"page": page}, output)


def _columns(found: "Inspection") -> Table:
    """The ranges of the first columns."""
    shown = table("column" if found.kind == "table" else "channel", "min", "25 %", "median", "75 %", "max", "mean", "")
    for c in found.columns[:SHOWN]:
        values = [c.least, c.q25, c.median, c.q75, c.most, c.mean]
        remarks = texts_if(
            (c.constant, "constant"), (c.nan, f"{c.nan} missing"), (c.infinite, f"{c.infinite} infinite")
        )
        shown.add_row(c.name, *("" if v is None else f"{v:.4g}" for v in values), ", ".join(remarks))
    if len(found.columns) > SHOWN:
        shown.add_row("...", f"and {len(found.columns) - SHOWN} more: --json shows all")
    return shown


def _suspects(found: "Inspection") -> Table:
    """The most suspect rows."""
    labelled = found.labels is not None
    shown = table("row", "id", "score", "why", *texts_if((labelled, "label")))
    for s in found.suspects[:_FEW]:
        shown.add_row(str(s.row), s.id, f"{s.score:.1f}", s.reason, *texts_if((labelled, s.label or "")))
    if len(found.suspects) > _FEW:
        shown.add_row("...", f"and {len(found.suspects) - _FEW} more: --json shows all")
    return shown


def _plain(found: "Inspection") -> dict[str, Any]:
    """The result without the data itself."""
    values = {f.name: getattr(found, f.name) for f in fields(found) if f.name != "data"}
    values |= {name: [vars(part) for part in values[name]] for name in ("columns", "suspects")}
    for name in ("dimension", "advice"):
        values[name] = None if values[name] is None else values[name]._asdict()
    return values
