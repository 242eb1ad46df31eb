"""Output of commands: results on standard output, notes and progress on standard error."""

import contextlib
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

import oddgan
from oddgan.cli.command import Output

if TYPE_CHECKING:
    import oddgan.evaluate
    from oddgan.base import Progress as Scored
    from oddgan.evaluate import CompositionInfo, Metric, ScoreTable, ThresholdInfo

SHOWN = 20


def show(text: RenderableType, output: Output) -> None:
    """Print a result for people."""
    if not (output.quiet or output.json):
        Console(highlight=False, soft_wrap=isinstance(text, str)).print(text, markup=False)


def document(value: Any, output: Output) -> None:
    """Print a result for programs."""
    if output.json:
        sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n")


def notes(texts: Iterable[str], output: Output) -> None:
    """Print what the user should know."""
    if not (output.quiet or output.json):
        for text in texts:
            Console(stderr=True, highlight=False, soft_wrap=True).print(f"note: {text}", markup=False)


def table(*columns: str) -> Table:
    """An empty table in the house style."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for i, column in enumerate(columns):
        made.add_column(column, no_wrap=i == 0)
    return made


def watched(output: Output) -> bool:
    """Whether somebody looks at a terminal and wants to see progress."""
    return not (output.quiet or output.json) and Console(stderr=True).is_terminal


@contextlib.contextmanager
def bar(title: str, output: Output) -> "Iterator[Callable[[Scored, int], None] | None]":
    """A progress bar that is told how far of all rows scoring is; None where nobody looks."""
    if not watched(output):
        yield None
        return
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[found]}")
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as progress:
        task = progress.add_task(title, total=None, found="")

        def show_progress(done: "Scored", total: int) -> None:
            if progress.tasks[task].total is None:  # rows of an earlier run say nothing about the speed of this one
                progress.reset(task, total=total, completed=done.rows, found=found_so_far(done))
            progress.update(task, completed=done.rows, found=found_so_far(done))

        yield show_progress


def found_so_far(done: "Scored") -> str:
    """What a search has come to, in words."""
    if done.steps is None:
        return ""
    share = "" if done.converged is None else f", {100 * done.converged:.0f} % converged"
    return f"{done.steps:.0f} steps{share}"


def rows_table(scores: "ScoreTable") -> Table:
    """The first rows of a table of scores, shortened for reading."""
    shown = table("row", "id", "anomaly_score", "is_anomaly", "p_value", *(["contributions"] if scores.top else []))
    for i in range(min(len(scores), SHOWN)):
        p = "" if scores.p_value is None else f"{scores.p_value[i]:.3g}"
        flag = "yes" if scores.is_anomaly[i] else "no"
        top = ", ".join(f"{found.name[i]} {found.contribution[i]:.3g}" for found in scores.top)
        shown.add_row(
            str(scores.row[i]), scores.id[i], f"{scores.anomaly_score[i]:.6g}", flag, p, *([top] if scores.top else [])
        )
    if len(scores) > SHOWN:
        shown.caption = f"... and {len(scores) - SHOWN} more: --out FILE writes all, at full precision"
        shown.caption_justify = "left"
    return shown


def row_documents(scores: "ScoreTable") -> list[dict[str, Any]]:
    """The rows of a table of scores for programs."""
    columns = {name: values.tolist() for name, values in scores.columns().items()}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def metrics_table(metrics: Mapping[str, "Metric"]) -> Table:
    """Metrics with their intervals."""
    shown = table("metric", "value", "95 % interval")
    for name, metric in metrics.items():
        interval = "" if metric.low is None else f"{metric.low:.3f} to {metric.high:.3f}"
        value = f"{metric.value:.0f}" if name == "n" else f"{metric.value:.3f}"
        shown.add_row(name, value, interval)
    return shown


def threshold_line(info: "ThresholdInfo") -> str:
    """The cut, and where it comes from."""
    if info.source == "given":
        return f"threshold {info.value:.6g}, as given"
    if info.source == "labelled rows":
        return f"threshold {info.value:.6g}, chosen as the best for labelled rows"
    goal = "" if info.promised is None else f", to flag {100 * info.promised:.4g} % of normals"
    return f"threshold {info.value:.6g}: {info.rule} on the scores of {info.n} {info.source}{goal}"


def supervised(composition: "CompositionInfo | None", threshold: "ThresholdInfo") -> list[str]:
    """The sentence that says what labels had a part in, if they had."""
    sentence = oddgan.evaluate.supervision(composition, threshold)
    return [sentence] if sentence else []


def supervision_document(composition: "CompositionInfo", threshold: "ThresholdInfo") -> dict[str, Any]:
    """The same for programs."""
    return {
        "composition": composition.model_dump(mode="json"),
        "semi_supervised": bool(supervised(composition, threshold)),
    }
