"""The command `inversion`."""

from typing import TYPE_CHECKING

import oddgan
from oddgan.cli.command import Output, command
from oddgan.cli.commands.methods import described
from oddgan.cli.output import document, notes, show, supervised, supervision_document, threshold_line
from oddgan.options import InversionSpec

if TYPE_CHECKING:
    import oddgan.tasks


@command(sort_key=6)
def inversion(spec: InversionSpec, output: Output) -> None:
    """Show how a model searches its latent space, or change that, e.g. restrict it; nothing is trained again.

    What is not set stays as it is; naming another type starts from that type's defaults. Scores change, so the
    threshold is set anew.
    """
    result = oddgan.tasks.change_inversion(spec)
    notes(result.notes, output)
    show("\n".join(_lines(result)), output)
    states = {"before": result.before, "after": result.after}
    both = {k: vars(v) | {"threshold": v.threshold.model_dump(mode="json")} for k, v in states.items()}
    rest = {name: getattr(result, name) for name in ("rows", "model", "notes")}
    fields = {"fields": [vars(row) for row in result.fields]}
    document(both | supervision_document(result.composition, result.after.threshold) | rest | fields, output)


def _lines(result: "oddgan.tasks.InversionResult") -> list[str]:
    now, marked = result.after, supervised(result.composition, result.after.threshold)
    if result.model is None:
        rows = ["What can be set (--set name=value)", *described(result.fields)]
        return [*_told("finds", now), *marked, *rows]
    flagged = f"flagged {_percent(result.before)} of {result.rows} normal rows before, {_percent(now)} now"
    return [*_told("before", result.before), *_told("now", now), flagged, *marked, f"model   {result.model}"]


def _told(word: str, state: "oddgan.tasks.InversionState") -> list[str]:
    paid = ", with the steps that its budget pays for" if state.budgeted else ""
    return [f"{word:8}{state.text}{paid}", f"{'':8}{threshold_line(state.threshold)}"]


def _percent(state: "oddgan.tasks.InversionState") -> str:
    return "" if state.flagged is None else f"{state.flagged:.1%}"
