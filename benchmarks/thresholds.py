"""Thresholds: how many fresh normal rows are flagged where 1, 5 or 10 % were asked for.

Each detector is fitted with `calibration=0.2`; one fit gives both thresholds that are compared: `Conformal` on the
fifth of the rows that was held out, and `Quantile` on the rows that it was trained on. Every seed draws rows and
training anew.

- breast-cancer: 214 benign rows, 143 fresh ones. 43 are held out, so no threshold can promise less than 1/44 = 2.3 %,
  and 1 % asked is answered with that; one fresh row is 0.7 %.
- MIT-BIH: 1000 normal beats of 21 patients (DS1); 1000 fresh ones of the same patients, drawn together
  with the others, and 1000 of 22 other patients. Only the first are exchangeable with the held-out beats, which the
  promise needs; the second show what it is worth on new patients.
- MNIST: 1000 zeros of the training part, 1000 fresh ones of the same part.

For exchangeable rows the expected rate is the largest k/(n + 1) up to the rate asked for, n held-out rows, or 1/(n + 1)
if that is zero; a single draw scatters about it by √(rate · (1 - rate) · (1/n + 1/fresh)), at 10 % of 200 held-out
rows by 2.3 points. Detectors train briefly here: this is about rates, not about accuracy.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from sklearn.datasets import load_breast_cancer

from ecg import beats
from harness import FLOORS, Bench, Entry, clock, data_path
from oddgan import (
    GMM,
    KDE,
    KNN,
    OCSVM,
    VAE,
    AnoGAN,
    AutoEncoder,
    FAnoGAN,
    GANomaly,
    IForest,
)
from oddgan.data.ecg import DS1, DS2
from oddgan.evaluate import Record
from oddgan.inversion import LatentAdam, LatentSearch
from oddgan.networks import MLP, Auto, ConvLadder
from oddgan.thresholds import Conformal, Quantile
from oddgan.training import RMSProp

RATES = (0.01, 0.05, 0.1)
CHEAP, COSTLY = (0, 1, 2, 3, 4), (0, 1)
N_TRAIN, N_FRESH = 1000, 1000


SMALL = {
    "backbone": Auto(table=MLP(), series=ConvLadder(width=8), image=ConvLadder(width=8)),
    "latent_dim": 16,
    "epochs": 10,
}
# Without batch normalisation in the critic, for the gradient penalty.
SMALL_WGAN = SMALL | {
    "backbone": Auto(
        table=MLP(norm="batch"),
        series=ConvLadder(width=8, critic_norm="layer"),
        image=ConvLadder(width=8, critic_norm="layer"),
    ),
    "n_critic": 1,
    "encoder_optimiser": RMSProp(lr=5e-4),
}
ENTRIES = (
    *(replace(entry, seeds=CHEAP, role="measured") for entry in FLOORS),
    Entry("kNN", KNN, {}, CHEAP),
    Entry("KDE", KDE, {"pca": 40}, CHEAP),
    Entry("OC-SVM", OCSVM, {"pca": 40}, CHEAP),
    Entry("isolation forest", IForest, {"pca": 40}, CHEAP),
    Entry("GMM", GMM, {"pca": 40, "sizes": (1, 2, 4)}, CHEAP),
    Entry("autoencoder", AutoEncoder, SMALL, COSTLY),
    Entry("VAE", VAE, SMALL, COSTLY),
    Entry("GANomaly", GANomaly, SMALL, COSTLY),
    Entry("f-AnoGAN", FAnoGAN, SMALL_WGAN, COSTLY),
    Entry("AnoGAN", AnoGAN, SMALL | {"inversion": LatentSearch(n_max=20, optimiser=LatentAdam(lr=0.1))}, COSTLY),
)


@dataclass(frozen=True)
class Draw:
    """Normal rows to fit on, and fresh ones by where they come from."""

    train: np.ndarray
    fresh: Mapping[str, np.ndarray]


def _shuffled(x: np.ndarray, seed: int) -> np.ndarray:
    return x[np.random.default_rng(seed).permutation(len(x))]


def breast_cancer() -> Callable[[int], Draw]:
    """Benign rows."""
    loaded = load_breast_cancer()
    benign = loaded.data[loaded.target == 1]

    def draw(seed: int) -> Draw:
        x = _shuffled(benign, seed)
        return Draw(x[:214], {"": x[214:]})

    return draw


def heartbeats() -> Callable[[int], Draw]:
    """Normal beats, of the same and of other patients."""
    same, others = beats(DS1).normal().x, beats(DS2).normal().x

    def draw(seed: int) -> Draw:
        x = _shuffled(same, seed)[: N_TRAIN + N_FRESH]
        return Draw(
            x[:N_TRAIN], {", same patients": x[N_TRAIN:], ", other patients": _shuffled(others, seed)[:N_FRESH]}
        )

    return draw


def zeros() -> Callable[[int], Draw]:
    """The digit 0."""
    with np.load(data_path("mnist.npz")) as file:
        images = file["x_train"][file["y_train"] == 0][:, None]

    def draw(seed: int) -> Draw:
        x = _shuffled(images, seed)[: N_TRAIN + N_FRESH]
        return Draw(x[:N_TRAIN], {"": x[N_TRAIN:]})

    return draw


SETS = {"breast-cancer": breast_cancer, "MIT-BIH": heartbeats, "MNIST 0": zeros}


def trained_on(scores: np.ndarray, held_out: np.ndarray) -> np.ndarray:
    """The scores that are not those of held-out rows; a row's score is the same to the last bit in both."""
    rest = np.array(list((Counter(scores.tolist()) - Counter(held_out.tolist())).elements()))
    assert len(rest) == len(scores) - len(held_out)
    return rest


def measure(entry: Entry, case: str, draw: Draw, seed: int) -> list[Record]:
    """Fit once, set each threshold at each rate, count flagged fresh rows."""
    detector = entry.cls(**entry.settings, calibration=0.2, random_state=seed)
    with clock() as watch:
        detector.fit(draw.train)
        held_out = detector.calibration_scores_
        inside = trained_on(detector.anomaly_score(draw.train), held_out)
        fresh = {where: detector.anomaly_score(x) for where, x in draw.fresh.items()}
    rules = {"held-out rows, Conformal": (Conformal(), held_out), "training rows, Quantile": (Quantile(), inside)}
    records = []
    for (where, scores), (protocol, (rule, normal)) in product(fresh.items(), rules.items()):
        setup = entry.setup(case, case + where, protocol, seed)
        setup = replace(setup, n_test=len(scores), cpu_s=watch.seconds)
        for rate in RATES:
            got = float(np.mean(scores > rule(normal, rate)))
            records.append(setup.record(f"false alarms at {rate:.0%}", got))
    return records


def main() -> None:
    """Run what is not measured yet."""
    bench = Bench("thresholds", __doc__)
    for case, load in SETS.items():
        draw = load()
        for _, entry, seed in bench.missing([case], ENTRIES):
            bench.add(*measure(entry, case, draw(seed), seed))
    bench.finish()


if __name__ == "__main__":
    main()
