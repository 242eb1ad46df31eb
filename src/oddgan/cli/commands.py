"""The commands. Each imports what it needs when it runs, so that help needs no torch."""

import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

import oddgan
from oddgan.cli.methods import help_on_method, list_methods
from oddgan.cli.options import (
    EvaluateOptions,
    FitOptions,
    OutputOptions,
    ReportOptions,
    ScoreOptions,
    ThresholdOptions,
)
from oddgan.cli.output import (
    bar,
    document,
    metrics_table,
    notes,
    row_documents,
    rows_table,
    show,
    supervised,
    supervision_document,
    threshold_line,
    watched,
)
from oddgan.cli.sources import reading

if TYPE_CHECKING:  # `import oddgan` loads these when they are first named, so that help need not wait for torch
    import oddgan.data
    import oddgan.report.pictures
    import oddgan.tasks
    import oddgan.training

app = App(
    name="oddgan",
    help="Find the odd one out in images, time series and tables, with generative adversarial networks.",
    help_epilogue="Add --debug to any command to see where an error comes from.",
    help_format="plaintext",
    version=oddgan.__version__,
    suppress_keyboard_interrupt=False,
)
_Command = Annotated[tuple[str, ...], Parameter(parse=False)]
_FIT, _SCORE, _EVALUATE = FitOptions(), ScoreOptions(), EvaluateOptions()
_REPORT, _THRESHOLD, _OUTPUT = ReportOptions(), ThresholdOptions(), OutputOptions()


@app.command(sort_key=1)
def methods(name: str | None = None, /, *, output: OutputOptions = _OUTPUT) -> None:
    """List the methods, or show the parameters of one.

    Parameters
    ----------
    name : str
        A method, e.g. f-anogan.
    """
    if name is None:
        list_methods(output)
    else:
        help_on_method(name, output)


@app.command(sort_key=2)
def fit(
    method: str,
    source: str | None = None,
    /,
    *,
    options: FitOptions = _FIT,
    output: OutputOptions = _OUTPUT,
    command: _Command = (),
) -> None:
    """Train a method on normal data; write the model, and a run folder with a report.

    Parameters
    ----------
    method : str
        The method. `oddgan methods` lists all, `oddgan fit METHOD --help` shows its parameters. With --continue the
        model has one: name the data only.
    source : str
        A file (npz, npy, csv, parquet), a folder of images or of WFDB records, or builtin:digits, builtin:ecg,
        builtin:breast-cancer, mnist, fashion-mnist, cifar10, mitbih.
    """
    spec = _fit_spec(method, source, options, command)
    if oddgan.tasks.finished(spec):
        show(f"{spec.out} is finished already: there is nothing to go on with.", output)
        document({"model": spec.out, "finished": True}, output)
        return
    with oddgan.training.workers(), oddgan.training.team():
        if not oddgan.training.is_first():
            oddgan.tasks.assist(spec)
            return
        result = oddgan.tasks.fit(spec, callbacks=[oddgan.training.ProgressBar()] if watched(output) else [])
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


def _fit_spec(method: str, source: str | None, options: FitOptions, command: tuple[str, ...]) -> "oddgan.tasks.FitSpec":
    if options.onto is not None and source is None:
        method, source = "", method
    if source is None:
        raise oddgan.tasks.UsageError(f"What should {method} learn from? Name the data: oddgan fit METHOD DATA.")
    from_file = {} if options.method_file is None else oddgan.tasks.read_settings(options.method_file)
    same = (
        "calibration", "rate", "threshold", "seed", "out", "runs", "name", "force", "checkpoint_every", "resume",
        "trust_changes", "device",
    )  # fmt: skip
    return oddgan.tasks.FitSpec(
        method=method,
        source=source,
        options=reading(options),
        settings=oddgan.tasks.merge(from_file, oddgan.tasks.parse_assignments(options.settings)),
        onto=options.onto,
        epochs=options.epochs,
        monitor=not options.no_monitor,
        command=command,
        **{name: getattr(options, name) for name in same},
    )


@app.command(sort_key=3)
def score(
    model: Path,
    source: str,
    /,
    *,
    options: ScoreOptions = _SCORE,
    output: OutputOptions = _OUTPUT,
) -> None:
    """Score new rows: row, id, anomaly_score, is_anomaly, p_value; higher scores are more anomalous.

    Parameters
    ----------
    model : Path
        The model's folder.
    source : str
        The data, as for `fit`; labels are ignored. Of a source with two halves, test is read.
    """
    same = ("trust_changes", "out", "heatmaps", "force", "resume", "device", "explain")
    given = {name: getattr(options, name) for name in same}
    spec = oddgan.tasks.ScoreSpec(model=model, source=source, options=reading(options), **given)
    draw = None if options.heatmaps is None else oddgan.report.pictures.overlay
    with bar("scoring", output) as progress:
        result = oddgan.tasks.score(spec, watch=progress, draw=draw)
    notes(result.notes, output)
    found, flagged = result.table, int(result.table.is_anomaly.sum())
    if options.out is None:
        show(rows_table(found), output)
    written = {"scores": options.out, "heatmaps": options.heatmaps}
    lines = [f"{flagged} of {len(found)} rows are flagged: their score is above {result.threshold.value:.6g}."]
    lines += supervised(result.composition, result.threshold)
    show("\n".join(lines + [f"{name:9} {path}" for name, path in written.items() if path]), output)
    summary = {"n": len(found), "flagged": flagged, "threshold": result.threshold.value, "notes": result.notes}
    summary |= supervision_document(result.composition, result.threshold)
    document(summary | written | ({"rows": row_documents(found)} if output.json and not options.out else {}), output)


@app.command(sort_key=4)
def evaluate(
    model: Path,
    source: str,
    /,
    *,
    options: EvaluateOptions = _EVALUATE,
    output: OutputOptions = _OUTPUT,
    command: _Command = (),
) -> None:
    """Measure a model on labelled rows at its own threshold; write a run folder with a report.

    Parameters
    ----------
    model : Path
        The model's folder.
    source : str
        The data, with labels. Of a source with two halves, test is read.
    """
    spec = oddgan.tasks.EvaluateSpec(
        model=model,
        trust_changes=options.trust_changes,
        source=source,
        options=reading(options),
        projection=options.projection,
        runs=options.runs,
        name=options.name,
        command=command,
        device=options.device,
    )
    with bar("scoring", output) as progress:
        result = oddgan.tasks.evaluate(spec, watch=progress)
    page = oddgan.report.render(result.run)
    notes(result.info.notes, output)
    show(metrics_table(result.info.metrics or {}), output)
    lines = [threshold_line(result.info.threshold), *supervised(result.info.composition, result.info.threshold)]
    show("\n".join([*lines, f"run     {result.run}", f"report  {page}"]), output)
    document({"run": result.run, "report": page} | result.info.model_dump(mode="json"), output)


@app.command(sort_key=6)
def threshold(
    model: Path,
    /,
    *,
    options: ThresholdOptions = _THRESHOLD,
    output: OutputOptions = _OUTPUT,
) -> None:
    """Show a model's threshold, or set it anew from the scores that the model keeps; nothing is trained again.

    Parameters
    ----------
    model : Path
        The model's folder. A change goes to --out, or into the same folder with --force.
    """
    spec = oddgan.tasks.ThresholdSpec(
        model=model,
        trust_changes=options.trust_changes,
        rule=options.rule,
        settings=oddgan.tasks.parse_assignments(options.settings),
        rate=options.rate,
        out=options.out,
        force=options.force,
    )
    result = oddgan.tasks.change_threshold(spec)
    marked = supervised(result.composition, result.after)
    if result.model is None:
        show("\n".join([threshold_line(result.after), *marked]), output)
    else:
        lines = [f"before  {threshold_line(result.before)}", f"now     {threshold_line(result.after)}", *marked]
        show("\n".join([*lines, f"model   {result.model}"]), output)
    both = {"before": result.before.model_dump(mode="json"), "after": result.after.model_dump(mode="json")}
    document(both | supervision_document(result.composition, result.after) | {"model": result.model}, output)


@app.command(sort_key=5)
def report(
    run: Path,
    /,
    *,
    options: ReportOptions = _REPORT,
    output: OutputOptions = _OUTPUT,
) -> None:
    """Write a run folder's report again, e.g. interactive; needs neither the model nor torch.

    Parameters
    ----------
    run : Path
        A folder that `fit` or `evaluate` wrote.
    """
    force = options.force or options.out is None
    page = oddgan.report.render(run, out=options.out, interactive=options.interactive, force=force)
    if options.open:
        webbrowser.open(page.resolve().as_uri())
    show(f"report  {page}", output)
    document({"report": page}, output)
