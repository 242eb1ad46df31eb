"""The command `fit`."""

import sys
from functools import partial
from typing import TYPE_CHECKING

import oddgan
from oddgan.cli.command import Output, command
from oddgan.cli.output import document, notes, show, threshold_line, watched
from oddgan.options import FitSpec

if TYPE_CHECKING:  # `import oddgan` loads these when they are first named, so that help need not wait for torch
    import oddgan.report
    import oddgan.tasks
    import oddgan.training


@command(sort_key=2)
def fit(spec: FitSpec, output: Output) -> None:
    """Train a method on normal data; write the model, and a run folder with a report."""
    if oddgan.tasks.finished(spec):
        show(f"{spec.out} is finished already: there is nothing to resume.", output)
        document({"model": spec.out, "finished": True}, output)
        return
    with oddgan.training.workers(), oddgan.training.team():
        if not oddgan.training.is_first():
            oddgan.tasks.assist(spec)
            return
        seen = watched(output)
        bar = [oddgan.training.ProgressBar()] if seen else []
        result = oddgan.tasks.fit(spec, callbacks=bar, tell=partial(print, file=sys.stderr) if seen else None)
    page, info = oddgan.report.render(result.run), result.info
    notes(info.notes, output)
    found = info.data
    held_out = f" and {found.n_calibration} held-out rows set the threshold" if found.n_calibration else ""
    show(
        f"{info.method.name} learned from {found.n_train} rows in {info.seconds.fit:.1f} s{held_out}.\n"
        f"{threshold_line(info.threshold)}\nmodel   {result.model}\nrun     {result.run}\nreport  {page}",
        output,
    )
    document({"model": result.model, "run": result.run, "report": page} | info.model_dump(mode="json"), output)
