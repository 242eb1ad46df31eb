"""Find anomalies in images, heartbeats and measurements of cells: train, measure, and write a report of each.

Run `python examples/demo.py [FOLDER]`; the runs go into FOLDER (default: runs). Nothing is downloaded. The settings are
small, so that it takes about a minute; `oddgan methods` lists the other methods.
"""

import dataclasses
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from oddgan.data import Options
from oddgan.report import render
from oddgan.tasks import EvaluateSpec, FitSpec, evaluate, fit
from oddgan.training import ProgressBar

RUNS = Path(sys.argv[1] if len(sys.argv) > 1 else "runs")
RATE = 0.1  # the share of normal rows that may be flagged

CASES = (
    # Images: zeros are normal, every other digit is an anomaly.
    FitSpec(
        method="GANomaly", source="builtin:digits", options=Options(normal=0), settings={"latent_dim": 32, "epochs": 50}
    ),
    # Series: heartbeats; those of the test half are from other patients than those of the training half.
    FitSpec(
        method="GANomaly",
        source="builtin:ecg",
        settings={"latent_dim": 32, "epochs": 12, "backbone": {"series": {"width": 16}}},
    ),
    # A table: cell nuclei of benign lumps are normal, those of malignant ones anomalies.
    FitSpec(
        method="AnoGAN",
        source="builtin:breast-cancer",
        settings={"latent_dim": 16, "epochs": 50, "inversion": {"n_max": 100, "optimiser": {"lr": 0.05}}},
    ),
)


def main() -> None:
    """Run the cases and say what came out."""
    console = Console()
    watch = [ProgressBar()] if sys.stderr.isatty() else []
    table = Table("method", "data", "AUROC", "95 % interval", "false alarms", "asked for", box=None, pad_edge=False)
    reports = []
    for case in CASES:
        console.print(f"{case.method} on {case.source} ...")
        trained = fit(dataclasses.replace(case, runs=RUNS, rate=RATE), callbacks=watch)
        tested = evaluate(EvaluateSpec(model=trained.model, source=case.source, runs=RUNS))
        metrics = tested.info.metrics or {}
        auroc, alarms = metrics["auroc"], metrics["false_alarm_rate"]
        table.add_row(
            case.method,
            case.source.removeprefix("builtin:"),
            f"{auroc.value:.3f}",
            f"{auroc.low:.3f} to {auroc.high:.3f}",
            f"{alarms.value:.1%}",
            f"{RATE:.0%}",
        )
        render(trained.run)
        reports.append(render(tested.run))
    console.print(table)
    console.print(
        "The heartbeats of the test are other patients' than those that set the threshold: hence the false alarms."
    )
    console.print("Reports, to open in a browser:")
    for report in reports:
        console.print(f"  {report.resolve().as_uri()}", soft_wrap=True)


if __name__ == "__main__":
    main()
