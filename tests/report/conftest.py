"""Run folders on real data; a principal component analysis stands in for a detector."""

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.decomposition import PCA

from oddgan.evaluate import (
    DataInfo,
    Items,
    MethodInfo,
    RunInfo,
    ScoreTable,
    Seconds,
    ThresholdInfo,
    evaluate,
    gallery_groups,
    write_items,
    write_run_info,
    write_scores,
)

PARAMETERS = {
    "latent_dim": 8,
    "prior": {"type": "Uniform", "low": -1.0, "high": 1.0},
    "optimiser": {"type": "Adam", "lr": 0.0002, "betas": [0.5, 0.999]},
    "device": None,
}


def write_run(folder: Path, kind: str, source: str, x: np.ndarray, anomalous: np.ndarray, **options) -> Path:
    """Train on two thirds of the normals, set the threshold on a fifth of these, score the rest."""
    rng = np.random.default_rng(0)
    normals = rng.permutation(np.flatnonzero(~anomalous))
    calibration, train, test_normals = np.split(normals, [len(normals) // 6, len(normals) * 2 // 3])
    test = np.sort(np.concatenate([test_normals, np.flatnonzero(anomalous)]))
    flat = x.reshape(len(x), -1).astype(float)
    centre = flat[train].mean(axis=0)
    scale = flat[train].std(axis=0) if kind == "table" else np.ones(flat.shape[1])
    pca = PCA(8, random_state=0).fit((flat[train] - centre) / scale)
    z = (flat - centre) / scale
    reconstruction = pca.inverse_transform(pca.transform(z))
    residual = np.abs(z - reconstruction)
    reconstruction = (reconstruction * scale + centre).reshape(x.shape)
    score = residual.mean(axis=1)
    threshold = float(np.quantile(score[calibration], 0.9))
    labels = anomalous[test] if options.get("labels", True) else None
    chosen = np.concatenate(list(gallery_groups(score[test], threshold).values()))
    rows = test[chosen]
    spatial = residual.reshape(x.shape) if kind == "table" else residual.reshape(x.shape).mean(axis=1)
    folder.mkdir(parents=True)
    write_run_info(
        folder,
        RunInfo(
            kind="evaluate" if labels is not None else "score",
            name=f"{folder.name} with a stand-in",
            created=datetime(2026, 11, 22, 12, 30, tzinfo=UTC),
            command=("oddgan", "evaluate", "models/stand-in", source),
            method=MethodInfo(
                name="AnoGAN",
                title="Unsupervised Anomaly Detection with Generative Adversarial Networks",
                authors="Schlegl et al.",
                year=2017,
                link="https://arxiv.org/abs/1703.05921",
                deviations=("Principal components stand in for the generator.",),
            ),
            parameters=PARAMETERS,
            data=DataInfo(
                source=source,
                kind=kind,
                shape=x.shape[1:],
                n_train=len(train),
                n_calibration=len(calibration),
                n_test=len(test),
                columns=options.get("columns"),
            ),
            threshold=ThresholdInfo(
                value=threshold, rule="quantile", rate=0.1, source="held-out normals", n=len(calibration)
            ),
            components=("residual", "latent"),
            metrics=None if labels is None else evaluate(score[test], labels, threshold, n_bootstrap=200),
            seconds=Seconds(fit=12.345, score=0.67),
            environment={"python": "3.11.7", "oddgan": "0.1.0", "cores": 2},
        ),
    )
    write_scores(
        folder / "scores.csv",
        ScoreTable(
            row=test,
            id=np.array([f"{source}-{i}" for i in test]),
            anomaly_score=score[test],
            is_anomaly=score[test] > threshold,
            label=labels,
            components={"residual": score[test], "latent": np.linalg.norm(z[test], axis=1)},
        ),
    )
    items = Items(row=rows, x=x[rows], score=score[rows], reconstruction=reconstruction[rows], map=spatial[rows])
    write_items(folder / "items.npz", items)
    (folder / "events.jsonl").write_text(events(), encoding="utf-8")
    return folder


def events() -> str:
    rng = np.random.default_rng(1)
    lines = [{"event": "fit_started"}]
    for index, (phase, players) in enumerate(
        {"adversarial": ("discriminator", "generator"), "encoder": ("encoder",)}.items()
    ):
        lines.append({"event": "phase_started", "phase": phase})
        for epoch in range(1, 31):
            losses = {p: float(np.exp(-epoch / 10) + 0.5 + k + 0.1 * rng.random()) for k, p in enumerate(players)}
            seconds = 0.4 * epoch
            progress = {"phase": phase, "phase_index": index, "epoch": epoch, "epochs": 30, "seconds": seconds}
            lines.append({"event": "epoch", "losses": losses} | progress)
    return "".join(json.dumps(line) + "\n" for line in [*lines, {"event": "fit_ended"}])


@pytest.fixture(scope="session")
def image_run(tmp_path_factory) -> Path:
    digits = load_digits()
    images = digits.images[:, None].astype(np.uint8) * 15
    return write_run(tmp_path_factory.mktemp("runs") / "digits", "image", "builtin:digits", images, digits.target != 3)


@pytest.fixture(scope="session")
def table_run(tmp_path_factory) -> Path:
    data = load_breast_cancer()
    folder = tmp_path_factory.mktemp("runs") / "breast-cancer"
    columns = tuple(data.feature_names.tolist())
    return write_run(folder, "table", "builtin:breast-cancer", data.data, data.target == 0, columns=columns)


@pytest.fixture(scope="session")
def series_run(tmp_path_factory) -> Path:
    """Rows of digit images read as two-channel curves: real values whose shape differs by class; without labels."""
    digits = load_digits()
    curves = np.stack([digits.images.mean(axis=1), digits.images.mean(axis=2)], axis=1)
    curves = np.stack([[np.interp(np.linspace(0, 7, 60), range(8), c) for c in pair] for pair in curves])
    folder = tmp_path_factory.mktemp("runs") / "profiles"
    return write_run(folder, "series", "profiles", curves, digits.target != 3, labels=False)
