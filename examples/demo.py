"""Find anomalies in images, heartbeats and measurements of cells: train, measure, and write a report of each.

Run `python examples/demo.py [FOLDER]`; the runs go into FOLDER (default: runs). Nothing is downloaded. It takes about a
minute; `oddgan methods` lists the other methods.

Beside each result stand those of two detectors that take no training: the distance to the mean of the normal rows, and
to the nearest of them. The threshold is set on normal rows that were held out from training, for a share of false
alarms. How many come is a matter of chance, within bounds that are printed.
"""

import dataclasses
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table
from scipy.stats import betabinom

from oddgan.data import Options
from oddgan.report import render
from oddgan.tasks import EvaluateSpec, FitSpec, evaluate, fit
from oddgan.training import ProgressBar

RUNS = Path(sys.argv[1] if len(sys.argv) > 1 else "runs")
RATE = 0.1  # the share of normal rows that may be flagged
HELD_OUT = 0.3  # the share of the normal rows that set the threshold
FLOORS = {"mean": "MeanDistance", "kNN": "KNN"}
SURE = 0.95  # of the bounds

CASES = (
    # Images: zeros are normal, every other digit is an anomaly.
    FitSpec(method="GANomaly", source="builtin:digits", options=Options(normal=0), settings={"steps": 300}),
    # Series: heartbeats. The detector has learned from other beats of the same people. Strangers' hearts differ, which
    # no threshold foresees: with protocol="patient-wise" there may be twice as many false alarms as were asked for.
    FitSpec(
        method="BetaVAEGAN",
        source="builtin:ecg",
        options=Options(protocol="random"),
        settings={"steps": 300, "latent_dim": 16, "beta": 0.01},
    ),
    # A table: cell nuclei of benign lumps are normal, those of malignant ones anomalies.
    FitSpec(method="LAD", source="builtin:breast-cancer"),
)


def measured(case: FitSpec) -> tuple[list[Path], dict[str, float], int]:
    """Train and test; return the folders of both runs, the metrics and how many rows set the threshold."""
    spec = dataclasses.replace(case, settings={"calibration": HELD_OUT, **case.settings}, runs=RUNS, rate=RATE)
    trained = fit(spec, callbacks=[ProgressBar()] if sys.stderr.isatty() else [])
    tested = evaluate(EvaluateSpec(model=trained.model, source=case.source, runs=RUNS))
    metrics = {name: metric.value for name, metric in (tested.info.metrics or {}).items()}
    return [trained.run, tested.run], metrics, trained.info.data.n_calibration


def bounds(held_out: int, normals: int) -> tuple[float, float]:
    """Between which shares of false alarms chance leaves a test.

    The threshold is the k-th largest score of n held-out rows. The chance that a new normal row lies above it then
    follows the distribution Beta(k, n + 1 - k), and the number of those that do is beta-binomial.

    Parameters
    ----------
    held_out : n, the normal rows that set the threshold.
    normals : how many normal rows are tested.
    """
    k = max(int((held_out + 1) * RATE), 1)
    low, high = betabinom.ppf([(1 - SURE) / 2, (1 + SURE) / 2], normals, k, held_out + 1 - k) / normals
    return float(low), float(high)


def main() -> None:
    """Run the cases and say what came out."""
    console = Console()
    table = Table("method", "data", "AUROC", *FLOORS, "alarms", "asked", "by chance", box=None, pad_edge=False)
    reports = []
    for case in CASES:
        console.print(f"{case.method} on {case.source} ...")
        runs, found, held_out = measured(case)
        floors = [measured(dataclasses.replace(case, method=name, settings={}))[1]["auroc"] for name in FLOORS.values()]
        low, high = bounds(held_out, round(found["n"] * (1 - found["prevalence"])))
        shown = (f"{value:.3f}" for value in (found["auroc"], *floors))
        alarms = (f"{found['false_alarm_rate']:.1%}", f"{RATE:.0%}", f"{low:.1%} to {high:.1%}")
        table.add_row(case.method, case.source.removeprefix("builtin:"), *shown, *alarms)
        reports.append([render(run) for run in runs][-1])
    console.print(table)
    console.print(
        "AUROC: the chance that an anomaly scores higher than a normal row; beside it that of the distance to the mean "
        "of the normal rows, and to the nearest of them. Alarms: the share of new normal rows that is flagged, the "
        "share that was asked for, and between what chance leaves it 19 times in 20."
    )
    console.print("Reports, to open in a browser:")
    for report in reports:
        console.print(f"  {report.resolve().as_uri()}", soft_wrap=True)


if __name__ == "__main__":
    main()
