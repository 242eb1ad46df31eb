"""Tables: every detector beside PyOD's of the same name, on the same split, in the same run.

Breast-cancer (train on 60 % of the benign rows) and ADBench's thyroid and cardio (train on half of the normal rows);
the rest of the normal rows and all anomalies are the test set. The split is drawn once, seeds are those of training.

Every method has its defaults, but for networks, which have one setting for all tables: 100 epochs, since tables have
few batches an epoch. That was chosen on normal training rows alone: on thyroid and cardio the residual of held-out
ones under an autoencoder falls by half or more up to there. PyOD's AnoGAN has 100 epochs too, a fifth of its default,
which takes minutes; both AnoGANs have one seed. PyOD's detectors get the rows standardised (oddgan's do that
themselves), and that is part of their times. Fitting includes the training scores that both take thresholds from.

PyOD's defaults differ: its OCSVM has nu=0.5, its GMM one component, its KDE a bandwidth of 1, and its PCA weighs all
components by their variance instead of leaving some over.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from importlib import import_module
from inspect import signature
from typing import Any, Protocol, cast

import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from harness import FLOORS, Bench, Entry, adbench_table, clock, cpu_rounds, split_normals
from oddgan import (
    GMM,
    KDE,
    KNN,
    OCSVM,
    PCA,
    VAE,
    AnoGAN,
    AutoEncoder,
    FAnoGAN,
    GANomaly,
    IForest,
)
from oddgan.data import Split
from oddgan.evaluate import Record

SEEDS = (0, 1, 2)
TABLES = {"breast-cancer": None, "thyroid": "38_thyroid", "cardio": "6_cardio"}
NETWORK = {"epochs": 100}
CHEAP = 0.5  # seconds of a round that is repeated


ENTRIES = (
    FLOORS[0],
    Entry("PCA", PCA, role="floor"),
    Entry("kNN", KNN),
    Entry("KDE", KDE, seeds=SEEDS),
    Entry("OC-SVM", OCSVM, seeds=SEEDS),
    Entry("isolation forest", IForest, seeds=SEEDS),
    Entry("GMM", GMM, seeds=SEEDS),
    Entry("autoencoder", AutoEncoder, NETWORK, SEEDS),
    Entry("VAE", VAE, NETWORK, SEEDS),
    Entry("GANomaly", GANomaly, NETWORK, SEEDS),
    Entry("f-AnoGAN", FAnoGAN, NETWORK, SEEDS),
    Entry("AnoGAN", AnoGAN, NETWORK),
)
# PyOD's module and class by method, and what differs from their defaults.
PEERS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "PCA": ("pca", "PCA", {}),
    "kNN": ("knn", "KNN", {}),
    "KDE": ("kde", "KDE", {}),
    "OC-SVM": ("ocsvm", "OCSVM", {}),
    "isolation forest": ("iforest", "IForest", {}),
    "GMM": ("gmm", "GMM", {}),
    "autoencoder": ("auto_encoder", "AutoEncoder", {"verbose": 0}),
    "VAE": ("vae", "VAE", {"verbose": 0}),
    "AnoGAN": ("anogan", "AnoGAN", {"epochs": 100}),
}


class Scorer(Protocol):
    """What both libraries' detectors are here."""

    def fit(self, X: np.ndarray) -> object:
        """Learn from normal rows (n, d)."""
        ...


def table(name: str) -> Split:
    """Split a table by rows, with a fixed seed."""
    file = TABLES[name]
    if file is not None:
        return split_normals(*adbench_table(file))
    loaded = load_breast_cancer()
    return split_normals(loaded.data, loaded.target == 0, 0.6)


def peer_of(method: str, seed: int) -> Scorer:
    """PyOD's detector behind a standardisation."""
    module, name, settings = PEERS[method]
    cls = getattr(import_module(f"pyod.models.{module}"), name)
    seeded = {"random_state": seed} if "random_state" in signature(cls).parameters else {}
    return cast(Scorer, make_pipeline(StandardScaler(), cls(**settings, **seeded)))


def median_seconds(functions: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Processor seconds of each function: the median of five interleaved rounds, or one where a call is not cheap."""
    taken = cpu_rounds(functions, 1)
    if sum(t[0] for t in taken.values()) < CHEAP:
        taken = cpu_rounds(functions, 5)  # the first round, which warms up, does not count
    return {name: float(np.median(t)) for name, t in taken.items()}


def measure(entry: Entry, case: str, split: Split, seed: int) -> list[Record]:
    """Fit and score both; times are medians of interleaved rounds where they are short."""
    makers: dict[str, Callable[[], Any]] = {"oddgan": lambda: entry.cls(**entry.settings, random_state=seed)}
    if entry.name in PEERS:
        peer_of(entry.name, seed)  # imports are not timed
        makers["PyOD"] = lambda: peer_of(entry.name, seed)
    fitted: dict[str, Any] = {}

    def fit(name: str) -> None:
        torch.manual_seed(seed)  # PyOD's networks take it from here
        fitted[name] = makers[name]().fit(split.x_train)

    with clock() as watch:
        fits = median_seconds({name: partial(fit, name) for name in makers})
        functions = {k: v.anomaly_score if k == "oddgan" else v.decision_function for k, v in fitted.items()}
        scores = {name: function(split.x_test) for name, function in functions.items()}
        times = median_seconds({name: partial(function, split.x_test) for name, function in functions.items()})
    n = len(split.x_test)
    ours = replace(entry.setup(case, case, split.protocol, seed), n_test=n, cpu_s=watch.seconds)
    records = []
    for name, values in scores.items():
        own = name == "oddgan"
        setup = ours if own else replace(ours, method=f"PyOD {entry.name}", settings=PEERS[entry.name][2])
        records += setup.quality(values, split.is_anomaly)
        peer = "PyOD" if own and "PyOD" in fits else None
        micro = {k: v / n * 1e6 for k, v in times.items()}
        records.append(setup.record("fit", fits[name], "CPU s", baseline=fits[peer] if peer else None))
        records.append(setup.record("score", micro[name], "CPU µs/row", baseline=micro[peer] if peer else None))
    return records


def main() -> None:
    """Run what is not measured yet."""
    bench = Bench("tables", __doc__, peers=("pyod",))
    for detector in (AutoEncoder(epochs=1), peer_of("autoencoder", 0)):
        detector.fit(np.random.default_rng(0).normal(size=(128, 4)))  # what torch loads on first use is not timed
    splits = {case: table(case) for case in (list(TABLES)[:1] if bench.quick else TABLES)}
    for case, entry, seed in bench.missing(splits, ENTRIES):
        bench.add(*measure(entry, case, splits[case], seed))
    bench.finish()


if __name__ == "__main__":
    main()
