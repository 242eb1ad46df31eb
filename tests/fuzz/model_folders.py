"""Small models for mutations: trees, densities, networks, ensembles, compositions, format 1."""

import zipfile
from pathlib import Path

import numpy as np

from oddgan import (
    GMM,
    KDE,
    KNN,
    OCSVM,
    PCA,
    AnoGAN,
    AutoEncoder,
    Ensemble,
    IForest,
    MeanDistance,
)  # fmt: skip
from oddgan.base import Detector
from oddgan.inversion import LatentSearch
from oddgan.networks import MLP, Auto, ConvLadder
from oddgan.scores import SVM, Average, RankAverage

SMALL = Auto(table=MLP(hidden=(8,)), image=ConvLadder(width=4, max_width=8))
NETWORK = {"latent_dim": 3, "epochs": 1, "backbone": SMALL}
OLD = Path(__file__).parents[1] / "golden" / "format-1"


def rows(*shape: int, seed: int = 0) -> np.ndarray:
    """Rows of normal numbers."""
    return np.random.default_rng(seed).normal(size=shape)


def composed() -> Detector:
    """A detector whose composition has learned support vectors from labels."""
    found = AutoEncoder(**NETWORK, random_state=0).fit(rows(40, 4))
    X, y = rows(40, 4, seed=2), np.arange(40) % 2
    return found.compose(SVM(components=("residual",)), X + 3 * y[:, None], y)


def write(place: Path) -> dict[str, list[Path]]:
    """Write all models to `place`; their folders by kind."""
    table = rows(40, 4)
    search = AnoGAN(**NETWORK, inversion=LatentSearch(n_max=2), n_seed=2, random_state=0)
    parts = (AutoEncoder(**NETWORK), IForest(n_trees=3))
    made = {
        "trees": [IForest(n_trees=4, random_state=0), IForest(n_trees=3, pca=2, random_state=0)],
        "densities": [KDE(bandwidths=(0.5,)), KNN(pca=2), GMM(sizes=(2,)), OCSVM(), PCA(), MeanDistance()],
        "table": [search, AutoEncoder(**NETWORK, composition=Average(), random_state=0)],
        "ensemble": [Ensemble(detectors=parts, n_members=1, random_state=0)],
    }
    fitted = {kind: [detector.fit(table) for detector in some] for kind, some in made.items()}
    fitted["image"] = [AutoEncoder(**NETWORK, random_state=0).fit(rows(20, 1, 8, 8))]
    fitted["composed"] = [composed(), fitted["table"][1].compose(RankAverage())]
    found = {kind: [d.save(place / f"{kind}-{i}") for i, d in enumerate(some)] for kind, some in fitted.items()}
    return found | {"format 1": [_old(name, place) for name in ("IForest", "KDE", "KNN", "OCSVM", "composedSVM")]}


def _old(name: str, place: Path) -> Path:
    target = place / f"old-{name}"
    with zipfile.ZipFile(OLD / f"{name}-table.zip") as archive:
        archive.extractall(target)
    return target / "model"
