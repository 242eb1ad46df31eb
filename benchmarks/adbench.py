"""Ten tables of ADBench, every detector: AUROC, AP, and the mean rank over the tables; half of the normal rows train.

The rest of the normal rows and all anomalies test; the division is drawn once, seeds are those of training. The ten
were chosen by size and kind before any score was seen: 350 to 7200 rows, so that every method has enough to train on
and those that search score in minutes, 6 to 166 columns, 3 to 40 % anomalies, and no kind more than three times:
medicine (annthyroid, breastw, cardio), machines (fault), radar (Ionosphere), shapes of letters and digits (letter,
optdigits), chemistry (musk), texts (SpamBase), and made-up waves (Waveform).

Every method has its defaults. The budget of all networks is 60,000 rows, as many passes as that takes, but no more than
300. Stages (an encoder after the GAN, pretraining) have it each; the five models of WAIC share it, and ARAE and NAE,
whose steps hold forty and sixty smaller ones, have a fifth. ADGAN searches from 4 starts instead of 64, and LSA has the
small density of `mnist.py`. No setting saw a label. A rank counts among the methods that have all ten tables; equal
values share the mean of their ranks.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.stats import rankdata

from harness import Bench, Entry, Setup, adbench_table, split_normals
from oddgan import Detector
from oddgan.data import Split
from oddgan.detectors import methods
from oddgan.evaluate import Record, spread
from oddgan.families import NeuralDetector

TABLES = {
    "annthyroid": "2_annthyroid",
    "breastw": "4_breastw",
    "cardio": "6_cardio",
    "fault": "12_fault",
    "Ionosphere": "18_Ionosphere",
    "letter": "20_letter",
    "musk": "25_musk",
    "optdigits": "26_optdigits",
    "SpamBase": "35_SpamBase",
    "Waveform": "41_Waveform",
}
FLOORS = ("MeanDistance", "PCA")
ROWS, MOST = 60_000, 300
SETTINGS: dict[str, dict[str, Any]] = {
    "ADGAN": {"n_seed": 4},
    "LSA": {"latent_dim": 32, "channels": (8, 8), "bins": 50},
}
SHARE = {"WAIC": 0.2, "ARAE": 0.2, "NAE": 0.2}
MEAN = "mean of the ten"


def entry(name: str, cls: type[Detector]) -> Entry:
    """A detector with its budget in the place of passes, which differ from table to table: a method has one line."""
    settings = SETTINGS.get(name, {}) | {"rows": round(ROWS * SHARE.get(name, 1.0))}
    return Entry(name, cls, settings, role="floor" if name in FLOORS else "measured")


def measure(budgeted: Entry, case: str, seed: int, split: Split, share: float) -> list[Record]:
    """Train on normal rows, with as many passes as a share of the budget has, and score the others."""
    settings = dict(budgeted.settings)
    passes = max(1, min(MOST, round(share * settings.pop("rows") / len(split.x_train))))
    stages = [
        f
        for f in ("epochs", "pretrain_epochs", "pretraining_epochs")
        if issubclass(budgeted.cls, NeuralDetector) and hasattr(budgeted.cls, f)
    ]
    trained = replace(budgeted, settings=settings | dict.fromkeys(stages, passes))
    found = trained.measure(case, "ADBench", split, seed)
    return replace(found, setup=replace(found.setup, settings=budgeted.settings)).quality()


def summary(records: Iterable[Record]) -> list[Record]:
    """The mean rank and the mean AUROC and AP of every method that has all tables."""
    summaries = []
    for metric in ("AUROC", "AP"):
        means = {(s.record.method, s.record.case): s for s in spread([r for r in records if r.metric == metric])}
        methods = [m for m in dict.fromkeys(m for m, _ in means) if all((m, case) in means for case in TABLES)]
        if not methods:
            continue
        values = np.array([[means[m, case].mean for case in TABLES] for m in methods])
        ranks = rankdata(-values, axis=0).mean(axis=1)
        for method, rank, value in zip(methods, ranks, values.mean(axis=1), strict=True):
            first = means[method, next(iter(TABLES))].record
            setup = Setup(MEAN, method, "ADBench", first.protocol, first.settings, n_test=len(TABLES), role=first.role)
            summaries.append(setup.record(f"rank of {metric} among {len(methods)}", float(rank), "rank"))
            summaries.append(setup.record(metric, float(value)))
    return summaries


def main() -> None:
    """Run what is not measured yet."""
    bench = Bench("adbench", __doc__)
    entries = [entry(name, cls) for name, cls in methods().items() if "table" in cls.card.kinds]
    splits = {case: split_normals(*adbench_table(file)) for case, file in TABLES.items()}
    if bench.quick:
        s = splits["breastw"]
        splits = {"breastw": replace(s, x_test=s.x_test[::10], is_anomaly=s.is_anomaly[::10])}
    for case, chosen, seed in bench.missing(splits, entries):
        bench.add(*measure(chosen, case, seed, splits[case], 1 / 60 if bench.quick else 1.0))
    measured = [r for r in bench.records if r.case != MEAN]
    bench.replace(lambda r: r.case == MEAN, *summary(measured))
    bench.finish()


if __name__ == "__main__":
    main()
