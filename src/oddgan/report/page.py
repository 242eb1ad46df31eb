"""Render a run folder as one HTML file that needs no network."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import jinja2
import numpy as np

from oddgan._core.errors import InputError
from oddgan._core.files import new_file
from oddgan._core.part_text import stored_text
from oddgan.evaluate import Items, Metric, Run, RunInfo, counts, evaluate, read_run, supervision
from oddgan.report.charts import Chart, precision_recall_chart, roc_chart, score_chart, training_charts
from oddgan.report.drawing import draw
from oddgan.report.gallery import gallery
from oddgan.report.interactive import figure, plotly_script
from oddgan.report.latent import latent_chart, map_charts
from oddgan.report.numbers import metric_name, number, share
from oddgan.report.pictures import colour_bar
from oddgan.report.training import album, monitor_charts
from oddgan.report.verdict import verdict
from oddgan.report.views import CHANNELS, heat_range


def render(run: str | Path, *, out: str | Path | None = None, interactive: bool = False, force: bool = True) -> Path:
    """Write the report of a run folder: one file that opens anywhere, without a network.

    The same folder gives the same file, byte for byte.

    Parameters
    ----------
    run : a folder that `fit`, `evaluate` or `score` wrote.
    out : the file to write; ``report.html`` in the run folder if not given.
    interactive : draw the charts with plotly, to zoom and read values; adds about 5 MB. Needs the extra `report`.
    force : replace an existing file.

    Returns
    -------
    Path
        Of the written file.

    Raises
    ------
    InputError
        If `run` is not a run folder or one of its files is cut short, or the file exists without `force`.
    MissingExtraError
        If `interactive` is asked for without plotly.
    """
    script = plotly_script() if interactive else None
    content = _content(read_run(run))
    if interactive:
        content |= {"plotly": script, "figures": [figure(d.chart) for d in content["drawings"].values()]}
    target = Path(run) / "report.html" if out is None else Path(out)
    text = environment().get_template("report.html.jinja").render(content)
    with new_file(target, force=force) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return target


def environment() -> jinja2.Environment:
    """The templates, and what they write numbers with."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("oddgan.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": number, "share": share, "setting": stored_text}
    environment.globals |= {"metric_name": metric_name}
    return environment


def _content(run: Run) -> dict[str, Any]:
    metrics = _metrics(run)
    latent = None if run.items is None else run.items.latent
    maps = [] if latent is None else map_charts(latent)
    shots = album(run)
    drawings = {chart.key: draw(chart) for chart in [*_charts(run), *maps, *monitor_charts(run.watched), *shots.charts]}
    low, high = (0.0, 1.0) if run.items is None else heat_range(run.items)
    link = run.info.method.link or ""
    return {
        "info": run.info,
        "verdict": verdict(run, metrics),
        "notes": [note for note in run.info.notes if note not in {alarm.text for alarm in run.alarms}],
        "supervision": _supervision(run.info),
        "components": _components(run.info),
        "metrics": metrics or {},
        "drawings": drawings,
        "keys": _keys(drawings),
        "alarms": run.alarms,
        "shots": shots,
        "groups": gallery(run),
        "has_map": run.items is not None and run.items.map is not None,
        "has_reconstruction": run.items is not None and run.items.reconstruction is not None,
        "has_contributions": run.items is not None and run.items.contributions is not None,
        "channels_shown": CHANNELS,
        "heat": {"low": low, "high": high, "bar": colour_bar()},
        "link": link if link.startswith(("https://", "http://")) else None,
        "plotly": None,
        "figures": [],
    }


def _keys(drawings: Iterable[str]) -> dict[str, list[str]]:
    """The keys of charts by the section that they belong to."""
    found: dict[str, list[str]] = {"training": [], "map": [], "samples": [], "score": []}
    for key in drawings:
        found[next((section for section in found if key.startswith(section)), "score")].append(key)
    return found


def _supervision(info: RunInfo) -> str:
    """What labels had a part in; a run that only says that they had one says no more."""
    known = supervision(info.composition, info.threshold)
    return known or (
        "Semi-supervised: labels had a part in the score or the threshold." if info.semi_supervised else ""
    )


def _components(info: RunInfo) -> str:
    """The components that the score uses, with their weights where they have some."""
    weights = {} if info.composition is None else info.composition.weights
    return ", ".join(f"{name} ({number(weights[name])})" if name in weights else name for name in info.components)


def _metrics(run: Run) -> Mapping[str, Metric] | None:
    """The stored metrics; without them, those of the labelled scores."""
    if run.info.metrics is not None or run.scores is None or run.scores.label is None:
        return run.info.metrics
    try:
        return evaluate(run.scores.anomaly_score, run.scores.label, run.info.threshold.value)
    except InputError:
        return None


def _ways(items: Items | None) -> list[Chart]:
    """How the searches for the least and the most anomalous item moved, where the latent space has two dimensions."""
    if items is None or items.way is None or len(items.way) < 2:
        return []
    least, most = (int(pick(items.score)) for pick in (np.argmin, np.argmax))
    names = {f"least anomalous (row {items.row[least]})": least, f"most anomalous (row {items.row[most]})": most}
    return [latent_chart({name: items.way[i].astype(np.float64) for name, i in names.items()})]


def _charts(run: Run) -> list[Chart]:
    charts = training_charts(run.epochs)
    table, threshold = run.scores, run.info.threshold.value
    if table is None:
        return charts
    histogram = score_chart(table, threshold)
    charts += [] if histogram is None else [histogram]
    charts += _ways(run.items)
    if table.label is not None:
        finite = np.isfinite(table.anomaly_score)
        scores, label = table.anomaly_score[finite], table.label[finite]
        if label.any() and not label.all():
            points = evaluate(scores, label, None, n_bootstrap=0)
            c = counts(scores, label)
            charts.append(roc_chart(c, threshold, points["auroc"].value))
            charts.append(precision_recall_chart(c, threshold, points["average_precision"].value))
    return charts
