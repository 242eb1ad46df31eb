"""The command `threshold`."""

from typing import TYPE_CHECKING

import oddgan
from oddgan.cli.command import Output, command
from oddgan.cli.output import document, show, supervised, supervision_document, threshold_line
from oddgan.options import ThresholdSpec

if TYPE_CHECKING:
    import oddgan.tasks


@command(sort_key=6)
def threshold(spec: ThresholdSpec, output: Output) -> None:
    """Show a model's threshold, or set it anew from the scores that the model keeps; nothing is trained again."""
    result = oddgan.tasks.change_threshold(spec)
    marked = supervised(result.composition, result.after)
    if result.model is None:
        show("\n".join([threshold_line(result.after), *marked]), output)
    else:
        lines = [f"before  {threshold_line(result.before)}", f"now     {threshold_line(result.after)}", *marked]
        show("\n".join([*lines, f"model   {result.model}"]), output)
    both = {"before": result.before.model_dump(mode="json"), "after": result.after.model_dump(mode="json")}
    document(both | supervision_document(result.composition, result.after) | {"model": result.model}, output)
