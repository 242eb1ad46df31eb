"""The command `report`."""

import webbrowser
from typing import TYPE_CHECKING

import oddgan
from oddgan.cli.command import Output, command
from oddgan.cli.output import document, show
from oddgan.options import ReportSpec

if TYPE_CHECKING:
    import oddgan.report


@command(sort_key=5)
def report(spec: ReportSpec, output: Output) -> None:
    """Write a run folder's report again, e.g. interactive; needs neither the model nor torch."""
    force = spec.force or spec.out is None
    page = oddgan.report.render(spec.run, out=spec.out, interactive=spec.interactive, force=force)
    if spec.open:
        webbrowser.open(page.resolve().as_uri())
    show(f"report  {page}", output)
    document({"report": page}, output)
