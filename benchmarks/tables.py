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
from dataclasses import dataclass, field, replace
from functools import partial
from importlib import import_module
from inspect import signature
from itertools import product
from typing import Any, Protocol, cast

import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from harness import Bench, Setup, clock, data_path, median_seconds, split_normals
from oddgan import (
    GMM,
    KDE,
    KNN,
    OCSVM,
    PCA,
    VAE,
    AnoGAN,
    AutoEncoder,
    Detector,
    FAnoGAN,
    GANomaly,
    IForest,
    MeanDistance,
)
from oddgan.data import Split
from oddgan.evaluate import Record

SEEDS = (0, 1, 2)
TABLES = {"breast-cancer": None, "thyroid": "38_thyroid", "cardio": "6_cardio"}
TRAIN_SHARE = {"breast-cancer": 0.6}
NETWORK = {"epochs": 100}


@dataclass(frozen=True)
class Pair:
    """A detector and its counterpart.

    Parameters
    ----------
    name : the method.
    cls : our class.
    peer : PyOD's module and class; None where it has none.
    settings, peer_settings : what differs from the defaults.
    seeds : of training.
    role : a floor is marked as one.
    """

    name: str
    cls: type[Detector]
    peer: tuple[str, str] | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    peer_settings: dict[str, Any] = field(default_factory=dict)
    seeds: tuple[int, ...] = (0,)
    floor: bool = False


QUIET = {"verbose": 0}
PAIRS = (
    Pair("L1 to the mean", MeanDistance, floor=True),
    Pair("PCA", PCA, ("pca", "PCA"), floor=True),
    Pair("kNN", KNN, ("knn", "KNN")),
    Pair("KDE", KDE, ("kde", "KDE"), seeds=SEEDS),
    Pair("OC-SVM", OCSVM, ("ocsvm", "OCSVM"), seeds=SEEDS),
    Pair("isolation forest", IForest, ("iforest", "IForest"), seeds=SEEDS),
    Pair("GMM", GMM, ("gmm", "GMM"), seeds=SEEDS),
    Pair("autoencoder", AutoEncoder, ("auto_encoder", "AutoEncoder"), NETWORK, QUIET, SEEDS),
    Pair("VAE", VAE, ("vae", "VAE"), NETWORK, QUIET, SEEDS),
    Pair("GANomaly", GANomaly, None, NETWORK, seeds=SEEDS),
    Pair("f-AnoGAN", FAnoGAN, None, NETWORK, seeds=SEEDS),
    Pair("AnoGAN", AnoGAN, ("anogan", "AnoGAN"), NETWORK, {"epochs": 100}),
)


class Scorer(Protocol):
    """What both libraries' detectors are here."""

    def fit(self, X: np.ndarray) -> object:
        """Learn from normal rows (n, d)."""
        ...


def table(name: str) -> Split:
    """Split a table by rows, with a fixed seed."""
    file = TABLES[name]
    if file is None:
        loaded = load_breast_cancer()
        x, anomalous = loaded.data, loaded.target == 0
    else:
        with np.load(data_path("adbench") / f"{file}.npz") as stored:
            x, anomalous = stored["X"].astype(np.float64), stored["y"] == 1
    return split_normals(x, anomalous, TRAIN_SHARE.get(name, 0.5))


def peer_of(pair: Pair, seed: int) -> Scorer:
    """PyOD's detector behind a standardisation."""
    assert pair.peer is not None
    module, name = pair.peer
    cls = getattr(import_module(f"pyod.models.{module}"), name)
    seeded = {"random_state": seed} if "random_state" in signature(cls).parameters else {}
    return cast(Scorer, make_pipeline(StandardScaler(), cls(**pair.peer_settings, **seeded)))


def measure(pair: Pair, case: str, split: Split, seed: int) -> list[Record]:
    """Fit and score both; times are medians of interleaved rounds where they are short."""
    makers: dict[str, Callable[[], Any]] = {"oddgan": lambda: pair.cls(**pair.settings, random_state=seed)}
    if pair.peer is not None:
        peer_of(pair, seed)  # imports are not timed
        makers["PyOD"] = lambda: peer_of(pair, seed)
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
    ours = Setup(
        case,
        pair.name,
        case,
        split.protocol,
        pair.settings,
        seed,
        n,
        watch.seconds,
        "floor" if pair.floor else "measured",
    )
    records = []
    for name, values in scores.items():
        own = name == "oddgan"
        setup = ours if own else replace(ours, method=f"PyOD {pair.name}", settings=pair.peer_settings)
        records += setup.quality(values, split.is_anomaly)
        peer = "PyOD" if own and "PyOD" in fits else None
        micro = {k: v / n * 1e6 for k, v in times.items()}
        records.append(setup.record("fit", fits[name], "CPU s", baseline=fits[peer] if peer else None))
        records.append(setup.record("score", micro[name], "CPU µs/row", baseline=micro[peer] if peer else None))
    return records


def shortened(pair: Pair) -> Pair:
    """The pair for a quick run."""
    return replace(pair, seeds=(0,), settings=pair.settings | {k: 2 for k in pair.settings if k == "epochs"})


def main() -> None:
    """Run what is not measured yet."""
    bench = Bench("tables", __doc__ or "", peers=("pyod",))
    for detector in (
        AutoEncoder(epochs=1),
        peer_of(Pair("", AutoEncoder, ("auto_encoder", "AutoEncoder"), {}, QUIET), 0),
    ):
        detector.fit(np.random.default_rng(0).normal(size=(128, 4)))  # what torch loads on first use is not timed
    pairs = [shortened(pair) for pair in PAIRS] if bench.quick else PAIRS
    splits = {case: table(case) for case in (list(TABLES)[:1] if bench.quick else TABLES)}
    # One seed of everything comes before the next, so that an interrupted run is a whole one with fewer seeds.
    for seed, (case, split), pair in product(SEEDS, splits.items(), pairs):
        if seed in pair.seeds and bench.wanted(case, pair.name, seed):
            bench.add(*measure(pair, case, split, seed))
    bench.finish()


if __name__ == "__main__":
    main()
