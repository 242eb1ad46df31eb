"""The command `compose`."""

from typing import TYPE_CHECKING

import oddgan
from oddgan.cli.command import Output, command
from oddgan.cli.output import document, notes, show, supervised, supervision_document, threshold_line
from oddgan.options import ComposeSpec

if TYPE_CHECKING:
    import oddgan.tasks
    from oddgan.evaluate import CompositionInfo


@command(sort_key=6)
def compose(spec: ComposeSpec, output: Output) -> None:
    """Show how a model composes its score and what components it has, or compose it anew; nothing is trained again.

    Compositions: WeightedSum, Standardised, Average, Maximum, RankAverage, Fisher, OneClass and Mixture need no
    labels; GridSearch, Logistic and SVM learn from labels, which makes the model semi-supervised.
    """
    result = oddgan.tasks.compose(spec)
    notes(result.notes, output)
    show("\n".join(_lines(result)), output)
    rest = {name: getattr(result, name) for name in ("components", "labelled", "anomalous", "model", "notes")}
    both = {name: getattr(result, name).model_dump(mode="json") for name in ("before", "after", "threshold")}
    document(both | supervision_document(result.after, result.threshold) | rest, output)


def _lines(result: "oddgan.tasks.ComposeResult") -> list[str]:
    now, marked = result.after, supervised(result.after, result.threshold)
    about = [f"uses    {_used(now)}"]
    if result.model is None:
        about = [f"score   {now.text}", *about, f"has     {', '.join(result.components)}"]
        return [*about, threshold_line(result.threshold), *marked]
    lines = [f"before  {result.before.text}", f"now     {now.text}", *about]
    if result.labelled:
        lines.append(f"labels  of {result.labelled} rows, {result.anomalous} of them anomalous")
    return [*lines, threshold_line(result.threshold), *marked, f"model   {result.model}"]


def _used(info: "CompositionInfo") -> str:
    """The components, with their weights where they have some."""
    return ", ".join(f"{name} ({info.weights[name]:.4g})" if name in info.weights else name for name in info.components)
