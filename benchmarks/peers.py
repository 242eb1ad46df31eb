"""Speed beside PyOD, every method that both have, scoring 1,000, 10,000 and 100,000 rows, and fitting 2,000.

Rows have 20 columns made of 5 hidden causes. Both sides have the same settings where both know them: components of the
mixture, the kernel's width and ν, neighbours, layers, epochs and batches of networks without dropout, for the
autoencoder and Deep SVDD the same widths of every layer, for the VAE one draw of z as PyOD takes (oddgan's default of
ten is beside it, which PyOD has not; it counts for no bar). Sides take turns; times are medians of processor seconds on
one thread, the ratio is PyOD's time over ours: above 1, ours is faster. Fits differ in what they do besides: PyOD
scores all training rows, oddgan at most 1,000, and chooses kernel widths and numbers of components where they are not
given; the cases "by default" show that. Scores of oddgan are exact: no row's depends on the rows beside it.

Start-up: processor seconds of commands in a process of their own, system time included, bytecode cached; the floor is
the import of torch and scikit-learn. `ODDGAN_BENCH_BEFORE` may name the `src` folder of another version.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from harness import ROOT, Bench, Setup
from oddgan import GMM, KDE, KNN, OCSVM, PCA, VAE, AutoEncoder, DeepSVDD, Detector, IForest
from oddgan.networks import MLP

SIZES, TRAINED, COLUMNS, CAUSES = (1_000, 10_000, 100_000), 2_000, 20, 5
EPOCHS, BATCH = 5, 32
BUDGET, MOST = 2.0, 25  # processor seconds of one comparison, and its rounds at most

Pair = tuple[Callable[[], Detector], Callable[[], Any]]


def rows(n: int, seed: int) -> np.ndarray:
    """Rows (n, 20) of five hidden causes and some noise."""
    mixing = np.random.default_rng(99).normal(size=(CAUSES, COLUMNS))
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, CAUSES)) @ mixing + 0.3 * rng.normal(size=(n, COLUMNS))


def classical() -> dict[str, Pair]:
    """By method: ours and PyOD's on the same settings."""
    from pyod.models import gmm, iforest, kde, knn, ocsvm, pca  # noqa: PLC0415

    return {
        "IForest": (
            lambda: IForest(max_samples=256, random_state=0),
            lambda: iforest.IForest(max_samples=256, random_state=0),
        ),
        "PCA": (lambda: PCA(n_components=CAUSES), lambda: pca.PCA(n_components=CAUSES)),
        "GMM": (lambda: GMM(sizes=(5,), random_state=0), lambda: gmm.GMM(n_components=5, random_state=0)),
        "GMM, 1 component": (lambda: GMM(sizes=(1,), random_state=0), lambda: gmm.GMM(random_state=0)),
        "KDE": (lambda: KDE(bandwidths=(1.0,), random_state=0), lambda: kde.KDE(bandwidth=1.0)),
        "OC-SVM": (
            lambda: OCSVM(nu=0.1, gamma=1 / COLUMNS, random_state=0),
            lambda: ocsvm.OCSVM(nu=0.1, gamma=1 / COLUMNS),
        ),
        "kNN": (lambda: KNN(n_neighbors=5), lambda: knn.KNN(n_neighbors=5)),
    }


def networks() -> dict[str, Pair]:
    """By method: ours and PyOD's on layers of the same widths."""
    from pyod.models import vae  # noqa: PLC0415
    from pyod.models.auto_encoder import AutoEncoder as PyodAE  # noqa: PLC0415
    from pyod.models.deep_svdd import DeepSVDD as PyodSVDD  # noqa: PLC0415

    ours: dict[str, Any] = {"epochs": EPOCHS, "batch_size": BATCH, "random_state": 0}
    theirs: dict[str, Any] = {"dropout_rate": 0.0, "batch_size": BATCH, "verbose": 0}
    torch_based = theirs | {"epoch_num": EPOCHS, "device": "cpu"}
    svdd = {"n_features": COLUMNS, "hidden_neurons": [64, 32], "epochs": EPOCHS, "random_state": 0}
    wide = MLP(hidden=(128, 64, 32), slope=0.0)
    return {
        "Autoencoder": (
            lambda: AutoEncoder(latent_dim=32, backbone=MLP(hidden=(64,), slope=0.0), **ours),
            lambda: PyodAE(hidden_neuron_list=[64, 32], batch_norm=False, **torch_based),
        ),
        "Deep SVDD": (
            lambda: DeepSVDD(latent_dim=32, backbone=MLP(hidden=(64,), bias=False), pretrain_epochs=0, **ours),
            lambda: PyodSVDD(**svdd, **theirs),
        ),
        "VAE, one draw": (
            lambda: VAE(latent_dim=2, backbone=wide, n_draws=1, **ours),
            lambda: vae.VAE(**torch_based),
        ),
        "VAE, ten draws (PyOD takes one)": (
            lambda: VAE(latent_dim=2, backbone=wide, **ours),
            lambda: vae.VAE(**torch_based),
        ),
    }


def defaults() -> dict[str, Pair]:
    """By method: both by default where fits differ, as users meet them."""
    from pyod.models import gmm, kde, ocsvm  # noqa: PLC0415

    return {
        "GMM": (lambda: GMM(random_state=0), gmm.GMM),
        "KDE": (lambda: KDE(random_state=0), kde.KDE),
        "OC-SVM": (lambda: OCSVM(random_state=0), ocsvm.OCSVM),
    }


def fitted(make: Callable[[], Any], x: np.ndarray) -> Any:
    """A new detector, fitted."""
    detector = make()
    detector.fit(x)
    return detector


def in_turns(functions: Mapping[str, Callable[[], object]], budget: float) -> dict[str, list[float]]:
    """Processor seconds of each function, in turns until the budget is spent; without the first of several rounds."""
    taken: dict[str, list[float]] = {name: [] for name in functions}
    started = time.process_time()
    while len(taken[next(iter(taken))]) < MOST:
        for name, function in functions.items():
            at = time.process_time()
            function()
            taken[name].append(time.process_time() - at)
        if time.process_time() - started > budget:
            break
    return {name: times[1:] if len(times) > 2 else times for name, times in taken.items()}


def compare(bench: Bench, setup: Callable[..., Setup], functions: Mapping[str, Callable[[], object]], n: int) -> None:
    """Time ours and PyOD's in turns; the ratio is PyOD's time over ours."""
    taken = in_turns(functions, BUDGET / 10 if bench.quick else BUDGET)
    micro = {name: 1e6 * float(np.median(times)) / n for name, times in taken.items()}
    for name, value in micro.items():
        base = {} if name == "PyOD" else {"baseline": micro["PyOD"]}
        bench.add(setup(name, {"rounds": len(taken[name])}, n).record("time of a row", value, "us", **base))


def measure_pair(bench: Bench, method: str, pair: Pair, sizes: tuple[int, ...], how: str = "same settings") -> None:
    """Fit both, then score."""

    def case(text: str) -> Callable[..., Setup]:
        return lambda name, settings, n: Setup(text, name, f"{COLUMNS} columns", how, settings, n_test=n)

    wanted = [n for n in sizes if bench.wanted(f"{method}: score {n} rows", "oddgan")]
    fit = f"{method}: fit {TRAINED} rows" + (", by default" if how == "defaults" else "")
    if not wanted and not bench.wanted(fit, "oddgan"):
        return
    x, made = rows(TRAINED, 1), {"oddgan": pair[0], "PyOD": pair[1]}
    if bench.wanted(fit, "oddgan"):
        fits: dict[str, Callable[[], object]] = {name: partial(fitted, make, x) for name, make in made.items()}
        compare(bench, case(fit), fits, TRAINED)
    if wanted:
        ours, theirs = (fitted(make, x) for make in pair)
        for n in wanted:
            t = rows(n, 2)
            scores = {"oddgan": partial(ours.anomaly_score, t), "PyOD": partial(theirs.decision_function, t)}
            compare(bench, case(f"{method}: score {n} rows"), scores, n)


def command_seconds(source: Path, cache: Path, words: list[str]) -> float:
    """Processor seconds of a process, its system time included."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environment |= {"PYTHONPATH": str(source), "PYTHONPYCACHEPREFIX": str(cache / str(abs(hash(source))))}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *words], env=environment, capture_output=True, check=True)  # noqa: S603
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure_start(bench: Bench) -> None:
    """Commands in processes of their own."""
    if not bench.wanted("start-up", "oddgan"):
        return
    sources = {"oddgan": ROOT / "src"}
    if other := os.environ.get("ODDGAN_BENCH_BEFORE"):
        sources["before"] = Path(other)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        head = ",".join("abcde")
        np.savetxt(place / "rows.csv", rows(300, 1)[:, :5], delimiter=",", header=head, comments="")
        np.savetxt(place / "one.csv", rows(1, 2)[:, :5], delimiter=",", header=head, comments="")
        floor = ["-c", "import torch, sklearn.base"]
        commands = {"the floor: import torch and scikit-learn": floor, "oddgan methods": ["-m", "oddgan", "methods"]}
        for method in ("knn", "autoencoder"):
            for name, source in sources.items():
                model = str(place / f"{method}-{name}")
                made = ["-m", "oddgan", "fit", method, str(place / "rows.csv"), "--out", model, "--quiet"]
                command_seconds(source, place, [*made, "--runs", str(place / "runs")])
            words = ["-m", "oddgan", "score", str(place / f"{method}-NAME"), str(place / "one.csv")]
            commands[f"oddgan score, one row, {method}"] = words
        for what, words in commands.items():
            calls: dict[str, list[float]] = {name: [] for name in sources}
            for _ in range(2 if bench.quick else 5):
                for name, source in sources.items():
                    given = [word.replace("NAME", name) for word in words]
                    calls[name].append(command_seconds(source, place, given))
            before = {"baseline": float(np.median(calls["before"]))} if "before" in calls else {}
            setup = Setup("start-up", "oddgan", "5 columns", "a process each", {"command": what}, n_test=1)
            bench.add(setup.record(what, float(np.median(calls["oddgan"])), "CPU s", **before))


def main() -> None:
    """Classical methods, networks, defaults, start-up."""
    bench = Bench("peers", __doc__, peers=("pyod",))
    sizes = SIZES[:1] if bench.quick else SIZES
    for method, pair in (classical() | networks()).items():
        measure_pair(bench, method, pair, sizes)
    for method, pair in defaults().items():
        measure_pair(bench, method, pair, (), "defaults")
    measure_start(bench)
    bench.finish()


if __name__ == "__main__":
    main()
