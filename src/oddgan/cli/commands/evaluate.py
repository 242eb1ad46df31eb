"""The command `evaluate`."""

from typing import TYPE_CHECKING

import oddgan
from oddgan.cli.command import Output, command
from oddgan.cli.output import bar, document, metrics_table, notes, show, supervised, threshold_line
from oddgan.options import EvaluateSpec

if TYPE_CHECKING:
    import oddgan.report
    import oddgan.tasks


@command(sort_key=4)
def evaluate(spec: EvaluateSpec, output: Output) -> None:
    """Measure a model on labelled rows at its own threshold; write a run folder with a report."""
    with bar("scoring", output) as progress:
        result = oddgan.tasks.evaluate(spec, watch=progress)
    page, info = oddgan.report.render(result.run), result.info
    notes(info.notes, output)
    show(metrics_table(info.metrics or {}), output)
    lines = [threshold_line(info.threshold), *supervised(info.composition, info.threshold)]
    show("\n".join([*lines, f"run     {result.run}", f"report  {page}"]), output)
    document({"run": result.run, "report": page} | info.model_dump(mode="json"), output)
