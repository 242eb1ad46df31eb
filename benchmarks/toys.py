"""2-D toys: a ring and two moons, told from uniform noise by every detector, with its score field as a picture.

1000 training points; 1000 fresh points against 1000 of uniform noise on the square of side 4 around them. Some noise
falls on the curves: "the true density" is what can be reached. Networks are fully connected, with settings chosen by
looking at the ring (seed 0), and few epochs. A method has its own score, unless its settings name another.

Score fields go to `results/toys.npz`: for each toy and method the scores on a grid of 64 x 64, from the square's lower
left corner on, as shares of the grid that score lower, in 255ths; and some training points of each toy.
"""

import fcntl
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.spatial.distance import cdist
from scipy.special import logsumexp
from sklearn.datasets import make_circles, make_moons

from harness import Bench, Entry, Setup, clock
from oddgan.detectors import methods
from oddgan.inversion import JointSearch, LatentAdam, LatentSearch
from oddgan.networks import MLP
from oddgan.objectives import R1, NonSaturating
from oddgan.scores import WeightedSum
from oddgan.training import Adam

N, NOISE, GRID, SHOWN = 1000, 0.03, 64, 200
TRUTH = "the true density"
SMALL = MLP(hidden=(64, 64))
# Without the penalty most games end far from the ring within so few steps.
R1_GAME = NonSaturating(regulariser=R1(weight=0.1))
FAST, GAME = Adam(lr=3e-3), Adam(lr=1e-3, betas=(0.5, 0.9))


class Toy(NamedTuple):
    """Points on a curve, and the square that noise fills.

    Parameters
    ----------
    centre : the middle of the square.
    half : half the side of the square.
    """

    centre: tuple[float, float]
    half: float = 2.0

    @property
    def corner(self) -> np.ndarray:
        """The lower left corner, (2,)."""
        return np.array(self.centre) - self.half

    def unit(self, x: np.ndarray) -> np.ndarray:
        """Points (n, 2) as shares of the square's sides."""
        return np.asarray((x - self.corner) / (2 * self.half))

    def uniform(self, n: int, seed: int) -> np.ndarray:
        """Noise (n, 2)."""
        return self.corner + 2 * self.half * np.random.default_rng(seed).random((n, 2))

    def grid(self) -> np.ndarray:
        """The middles of the cells (GRID², 2), rows of equal height from below."""
        steps = (np.arange(GRID) + 0.5) / GRID
        return self.corner + 2 * self.half * np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)


TOYS = {"ring": Toy((0.0, 0.0)), "moons": Toy((0.5, 0.25))}


def points(toy: str, n: int, seed: int | None, noise: float = NOISE) -> np.ndarray:
    """Points (n, 2) of a toy."""
    if toy == "ring":
        x, _ = make_circles(n, noise=noise, factor=0.99, random_state=seed)
    else:
        x, _ = make_moons(n, noise=noise, random_state=seed)
    return np.asarray(x)


def network(epochs: int, **settings: Any) -> dict[str, Any]:
    """Settings of a detector that trains networks; an epoch is 8 steps."""
    return {"backbone": SMALL, "batch_size": 125, "epochs": epochs, "calibration_size": 200} | settings


SETTINGS: dict[str, dict[str, Any]] = {
    "KDE": {"bandwidths": (0.05, 0.1, 0.2)},
    "GMM": {"sizes": (20,)},
    "OCSVM": {"gamma": 20.0, "nu": 0.05},
    "PCA": {"n_components": 1},
    "AutoEncoder": network(150, latent_dim=1),
    "VAE": network(
        150,
        latent_dim=2,
        beta=0.02,
        likelihood="unit",
        composition=WeightedSum(reconstruction_probability=1.0),
        optimiser=FAST,
    ),
    "WAIC": network(100, latent_dim=2, n_members=3, optimiser=FAST),
    "LSA": network(150, latent_dim=2, channels=(16, 16)),
    "DeepSVDD": network(100, latent_dim=8, optimiser=FAST, backbone=MLP(hidden=(64, 64), bias=False)),
    "ARAE": network(100, latent_dim=1, epsilon=0.05, attack_steps=3, optimiser=FAST),
    "NAE": network(20, pretraining_epochs=150, latent_dim=2, optimiser=Adam(lr=1e-4), pretraining_optimiser=FAST),
    "AAE": network(150, latent_dim=1, optimiser=GAME),
    "ConstrainedAAE": network(150, latent_dim=1, optimiser=GAME),
    "GPND": network(150, latent_dim=1, optimiser=GAME),
    "BeatGAN": network(150, latent_dim=1, optimiser=GAME),
    "BetaVAEGAN": network(150, latent_dim=1, optimiser=GAME),
    "GANomaly": network(100, latent_dim=1, optimiser=GAME),
    "OCGAN": network(80, latent_dim=1, optimiser=GAME),
    "ALOCC": network(60, optimiser=GAME),
    "LAD": network(100, optimiser=GAME, objective=R1_GAME),
    "AnoGAN": network(
        150,
        latent_dim=2,
        optimiser=GAME,
        objective=R1_GAME,
        inversion=LatentSearch(n_max=10, optimiser=LatentAdam(lr=0.1)),
        bank=256,
        slots=512,
    ),
    "ADGAN": network(
        120,
        latent_dim=2,
        n_seed=4,
        n_critic=1,
        optimiser=GAME,
        objective=R1_GAME,
        backbone=MLP(hidden=(32, 32)),
        inversion=JointSearch(),
        slots=512,
    ),
    "FAnoGAN": network(150, latent_dim=2, n_critic=1, optimiser=GAME, objective=R1_GAME, encoder_optimiser=FAST),
    "JointEncoderGAN": network(150, latent_dim=2, optimiser=GAME, objective=R1_GAME),
    "EGBAD": network(150, latent_dim=2, optimiser=GAME, objective=R1_GAME),
    "ALAD": network(60, latent_dim=2, optimiser=GAME),
}
ENTRIES = tuple(Entry(name, cls, SETTINGS.get(name, {})) for name, cls in methods().items())


def measure(entry: Entry, toy: str, bench: Bench) -> None:
    """Train on one toy; keep AUROC and score field."""
    square = TOYS[toy]
    detector = entry.cls(**entry.settings, random_state=0)
    x = np.concatenate([points(toy, N, 2), square.uniform(N, 1)])
    with clock() as watch:
        detector.fit(points(toy, N, 0))
        scores = detector.anomaly_score(x)
    setup = replace(entry.setup(toy, "2-D toys", "uniform noise", 0), n_test=len(x), cpu_s=watch.seconds)
    field = detector.anomaly_score(square.grid())
    # Noise is uniform: of the grid, the share below the threshold is that of the square that is called normal.
    normal = float(np.mean(field <= detector.threshold_))
    keep(bench.path.with_suffix(".npz"), {f"{toy}/{entry.name}": ranks(field)})
    auroc, ap = setup.quality(scores, np.repeat([False, True], N))
    bench.add(auroc, ap, setup.record("share called normal", normal))


def ranks(scores: np.ndarray) -> np.ndarray:
    """Shares of the grid with lower scores, in 255ths: (GRID, GRID) uint8."""
    lower = np.searchsorted(np.sort(scores), scores, side="left")
    return np.round(255 * lower / len(scores)).astype(np.uint8).reshape(GRID, GRID)


def keep(file: Path, found: dict[str, np.ndarray]) -> None:
    """Add arrays to a file that another process may share."""
    with file.with_name(f".{file.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        kept: dict[str, Any] = {}
        if file.exists():
            with np.load(file) as stored:
                kept = dict(stored)
        np.savez_compressed(file, **(kept | found))


def density(toy: str, bench: Bench) -> None:
    """What the true density reaches: the noise's kernel along the curve."""
    square = TOYS[toy]
    curve = points(toy, N, 0, noise=0.0)

    def score(x: np.ndarray) -> np.ndarray:
        return -logsumexp(-cdist(x, curve, "sqeuclidean") / (2 * NOISE**2), axis=1)

    x = np.concatenate([points(toy, N, 2), square.uniform(N, 1)])
    scores, field = score(x), score(square.grid())
    shown = square.unit(points(toy, SHOWN, 0)).astype(np.float32)
    keep(bench.path.with_suffix(".npz"), {f"{toy}/{TRUTH}": ranks(field), f"{toy}/points": shown})
    setup = Setup(toy, TRUTH, "2-D toys", "uniform noise", {}, n_test=len(x))
    normal = float(np.mean(field <= np.quantile(scores[:N], 0.9)))
    bench.add(*setup.quality(scores, np.repeat([False, True], N)), setup.record("share called normal", normal))


def main() -> None:
    """Run what is not measured yet."""
    bench = Bench("toys", __doc__)
    for toy in TOYS:
        if bench.wanted(toy, TRUTH):
            density(toy, bench)
    for toy, entry, _ in bench.missing(TOYS, ENTRIES):
        measure(entry, toy, bench)
    bench.finish()


if __name__ == "__main__":
    main()
