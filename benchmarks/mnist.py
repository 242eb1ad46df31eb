"""MNIST, one class normal (digits 0, 1, 8), whole test split, three seeds: detectors trained alike, and floors.

The budget: every network sees its class 20 times, about 1850 batches of 64, at 32 pixels and a quarter of DCGAN's
width, which takes one to four CPU minutes; papers take from 8 to 80 times as many steps. An encoder that is trained
once the GAN is ready (f-AnoGAN) has 20 passes of its own; a network with two stages divides them (Deep SVDD 10 + 10,
NAE 19 + 1), and so do the five models of WAIC. ALAD and OCGAN, whose steps take nine times as long as an autoencoder's,
have 10. Why passes and not seconds: passes are the same on every machine.

No setting saw a test label. Everything is the method's default, but for: learning rates of 1e-4 and less, which are ten
times as large, for so few steps (not those of critics with a penalty: f-AnoGAN, LAD); small parts where the method's
own take ten minutes (LSA's density, ALOCC's refiner, a quarter of ARAE's attack, two of OCGAN's mining steps, four
draws for WAIC's bound); latent 64 for AnoGAN. GANomaly's variant was chosen on the digits 3 and 5 of the training
split, by images that it had not seen: `--held-out` makes such runs.

Published values: those "from memory" are quoted without the paper at hand and stand as context only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

import numpy as np

from harness import Bench, Entry, Setup, clock, data_path
from oddgan import (
    AAE,
    ALAD,
    ALOCC,
    ARAE,
    EGBAD,
    GMM,
    GPND,
    KDE,
    KNN,
    LAD,
    LSA,
    NAE,
    OCGAN,
    OCSVM,
    PCA,
    VAE,
    WAIC,
    AnoGAN,
    AutoEncoder,
    BeatGAN,
    BetaVAEGAN,
    ConstrainedAAE,
    DeepSVDD,
    FAnoGAN,
    GANomaly,
    IForest,
    JointEncoderGAN,
    MeanDistance,
)
from oddgan.evaluate import Record
from oddgan.inversion import LatentAdam, LatentSearch
from oddgan.networks import ConvLadder, DenseLadder, Refiner
from oddgan.scores import WeightedSum
from oddgan.similarities import L2, Blurred, Relative
from oddgan.training import Adam, CosineDecay, RMSProp, StepDecay

SEEDS = (0, 1, 2)
BUDGET = 20  # passes through the class

# The DCGAN-32 ladder at a quarter of its width, which a minute or two of CPU can train; images are padded to 32 px.
LADDER = ConvLadder(width=16)
LAYERED = ConvLadder(width=16, norm="layer", critic_norm="layer")
WGAN = ConvLadder(width=16, critic_norm="layer")
UNNORMED = ConvLadder(width=16, critic_norm="none", init="he")
PLAIN = {"backbone": LADDER, "epochs": BUDGET, "batch_size": 64}
ALAD_PAIRS = DenseLadder(width=16, depth=2, kernel=5, critic_norm="none", dropout=0.2)
SVDD_STEPS = StepDecay(at=(1 / 3,))

CLASSICAL = (
    Entry("L1 to the mean", MeanDistance, role="floor"),
    Entry("PCA residual", PCA, role="floor"),
    Entry("kNN", KNN),
    Entry("KDE, PCA 40", KDE, {"pca": 40}),
    Entry("OC-SVM", OCSVM),
    Entry("OC-SVM, PCA 40", OCSVM, {"pca": 40}),
    Entry("isolation forest, PCA 40", IForest, {"pca": 40}, seeds=SEEDS),
    Entry("GMM by BIC, PCA 40", GMM, {"pca": 40}),
)
# Chosen on digits 3 and 5 of the training split: a small latent space, squared loss, and a residual that forgives
# strokes put slightly aside and does not grow with the amount of ink.
FOR_DIGITS = Entry(
    "GANomaly, latent 16, relative residual",
    GANomaly,
    {
        "backbone": LADDER,
        "epochs": BUDGET,
        "latent_dim": 16,
        "similarity": L2(),
        "residual": Relative(Blurred(L2(), sigma=1.0)),
        "composition": WeightedSum(residual=1.0),
        "optimiser": Adam(lr=1e-3, schedule=CosineDecay()),
    },
    components=("latent", "features"),
    seeds=SEEDS,
)
NETWORKS = (
    Entry("autoencoder", AutoEncoder, {"backbone": LADDER, "epochs": BUDGET}, SEEDS),
    Entry(
        "VAE", VAE, {"backbone": LADDER, "epochs": BUDGET}, SEEDS, components=("reconstruction_probability", "residual")
    ),
    Entry("AAE", AAE, PLAIN, SEEDS, components=("latent", "latent_norm", "latent_critic")),
    Entry("constrained AAE", ConstrainedAAE, PLAIN, SEEDS, components=("latent", "latent_critic")),
    Entry("GPND", GPND, PLAIN, SEEDS, components=("latent_nll", "jacobian", "residual_nll")),
    Entry("ARAE", ARAE, {"epochs": BUDGET, "batch_size": 64, "steps": 10}, SEEDS, components=("latent",)),
    Entry(
        "LSA",
        LSA,
        PLAIN | {"latent_dim": 32, "channels": (8, 8), "bins": 50},
        SEEDS,
        components=("latent_nll", "residual"),
    ),
    Entry(
        "Deep SVDD",
        DeepSVDD,
        {
            "epochs": BUDGET // 2,
            "pretrain_epochs": BUDGET // 2,
            "batch_size": 64,
            "optimiser": Adam(lr=1e-3, weight_decay=5e-7, schedule=SVDD_STEPS, betas=(0.9, 0.999)),
            "pretrain_optimiser": Adam(lr=1e-3, weight_decay=5e-4, schedule=SVDD_STEPS, betas=(0.9, 0.999)),
        },
        SEEDS,
    ),
    Entry(
        "WAIC",
        WAIC,
        {"backbone": WGAN, "epochs": BUDGET // 5, "n_draws": 4},
        SEEDS,
        components=("mean", "variance", "typicality"),
    ),
    Entry(
        "NAE",
        NAE,
        {
            "backbone": ConvLadder(width=16, norm="none", init="he"),
            "pretraining_epochs": BUDGET - 1,
            "epochs": 1,
            "batch_size": 64,
            "pretraining_optimiser": Adam(lr=1e-3, betas=(0.9, 0.999)),
            "optimiser": Adam(lr=1e-4, betas=(0.9, 0.999)),
        },
        SEEDS,
    ),
    Entry("BeatGAN", BeatGAN, PLAIN | {"optimiser": Adam(lr=1e-3)}, SEEDS, components=("features", "critic")),
    Entry(
        "β-VAEGAN",
        BetaVAEGAN,
        PLAIN | {"optimiser": Adam(lr=1e-3)},
        SEEDS,
        components=("features", "latent_norm_signed", "elbo"),
    ),
    Entry("GANomaly", GANomaly, {"backbone": LADDER, "epochs": BUDGET}, SEEDS, components=("residual", "features")),
    Entry(
        "OCGAN",
        OCGAN,
        {"backbone": LAYERED, "epochs": BUDGET // 2, "batch_size": 64, "mining_steps": 2},
        SEEDS,
    ),
    Entry("LAD", LAD, {"backbone": UNNORMED, "epochs": BUDGET}, SEEDS),
    Entry("ALOCC", ALOCC, PLAIN | {"refiner": Refiner(widths=(16, 32, 64))}, SEEDS, components=("critic", "residual")),
    Entry("EGBAD", EGBAD, PLAIN, SEEDS, components=("residual", "features", "critic_cross_entropy")),
    Entry(
        "ALAD",
        ALAD,
        PLAIN | {"epochs": BUDGET // 2, "pair_critic": ALAD_PAIRS},
        SEEDS,
        components=("residual", "residual_l2", "critic_cross_entropy"),
    ),
    Entry(
        "joint-encoder GAN",
        JointEncoderGAN,
        PLAIN | {"backbone": WGAN},
        SEEDS,
        components=("latent", "latent_norm", "critic"),
    ),
    # The encoder takes 1/27 of the paper's 50,000 steps, so that its learning rate is ten times the paper's.
    Entry(
        "f-AnoGAN",
        FAnoGAN,
        {"backbone": WGAN, "epochs": BUDGET, "encoder_optimiser": RMSProp(lr=5e-4)},
        SEEDS,
        components=("residual", "features", "latent", "critic"),
    ),
    Entry(
        "AnoGAN",
        AnoGAN,
        {
            "backbone": LADDER,
            "epochs": BUDGET,
            "latent_dim": 64,
            "inversion": LatentSearch(n_max=50, optimiser=LatentAdam(lr=0.1)),
        },
        components=("residual", "features", "critic_cross_entropy"),
    ),
)
ENTRIES = (*CLASSICAL, FOR_DIGITS, *NETWORKS)


@dataclass(frozen=True)
class Images:
    """Labelled images in a training and a test part.

    Parameters
    ----------
    data : the set's name.
    cases : the classes that are normal in turn, by name.
    x_train, y_train, x_test, y_test : images (n, c, h, w) and labels (n,).
    """

    data: str
    cases: Mapping[str, int]
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray

    def held_out(self, cases: Mapping[str, int]) -> "Images":
        """The training part alone, its last fifth held out, with other classes, to choose settings by."""
        cut = len(self.x_train) * 4 // 5
        x, y = self.x_train, self.y_train
        return Images(self.data, cases, x[:cut], y[:cut], x[cut:], y[cut:])


@dataclass(frozen=True)
class Published:
    """Values that others have published.

    Parameters
    ----------
    protocol : how rows were divided, and where the values come from.
    values : AUROC by method, one for each case.
    cases : those of the benchmark, where they are others.
    """

    protocol: str
    values: Mapping[str, tuple[float, ...]]
    cases: tuple[str, ...] = field(default=())

    def records(self, images: Images) -> list[Record]:
        """The values beside ours."""
        setup = Setup("", "", images.data, self.protocol, {}, role="published")
        return [
            replace(setup, case=case, method=method).record("AUROC", value)
            for method, values in self.values.items()
            for case, value in zip(self.cases or images.cases, values, strict=True)
        ]


TEN = ("mean of all ten",)
PUBLISHED = (
    Published(
        "OC-5000; Deecke et al., 2018, from memory",
        {
            "AnoGAN": (0.990, 0.998, 0.883),
            "autoencoder": (0.988, 0.993, 0.823),
            "VAE": (0.884, 0.998, 0.751),
            "KDE, PCA 40": (0.982, 0.999, 0.924),
            "OC-SVM, PCA 40": (0.993, 1.000, 0.958),
            "isolation forest, PCA 40": (0.957, 1.000, 0.814),
            "GMM by BIC, PCA 40": (0.970, 0.999, 0.889),
        },
    ),
    Published(
        "OC-std; Ruff et al., 2018, from memory", {"Deep SVDD": (0.980, 0.997, 0.939), "AnoGAN": (0.966, 0.992, 0.849)}
    ),
    Published("OC-std; Perera et al., 2019, as two later papers quote it", {"OCGAN": (0.998, 0.999, 0.939)}),
    Published("OC-std; README of a TensorFlow re-implementation", {"OCGAN": (0.995, 0.998, 0.901)}),
    Published("OC-std; the authors' logs, mean over epochs", {"ARAE": (0.991, 0.997, 0.927)}),
    Published("OC-std; the methods' papers, from memory", {"LSA": (0.975,), "Deep SVDD": (0.948,)}, TEN),
    Published("OC-std; as two later papers quote it", {"OCGAN": (0.975,)}, TEN),
    Published("OC-std; the authors' logs, mean over epochs", {"ARAE": (0.970,)}, TEN),
)


def measure(entry: Entry, case: str, seed: int, images: Images) -> list[Record]:
    """Train on one class of the training part and score the whole test part."""
    label = images.cases[case]
    detector = entry.cls(**entry.settings, random_state=seed)
    with clock() as fit:
        detector.fit(images.x_train[images.y_train == label])
    with clock() as score:
        parts = detector.score_components(images.x_test, extra=entry.components)
        scores = detector.score_from(parts)
    anomalous = images.y_test != label
    setup = Setup(
        case,
        entry.name,
        images.data,
        "OC-std",
        entry.settings,
        seed,
        len(anomalous),
        fit.seconds + score.seconds,
        entry.role,
    )
    alone = setup.alone({name: parts[name] for name in entry.components}, anomalous)
    return [*setup.quality(scores, anomalous), *alone, setup.record("fit", round(fit.seconds, 2), "CPU s")]


def run(
    bench: Bench,
    images: Images,
    entries: tuple[Entry, ...],
    published: tuple[Published, ...],
    others: Mapping[str, int],
) -> None:
    """Run what is not measured yet.

    Parameters
    ----------
    bench : with the option --held-out.
    images : of both parts.
    entries : the methods.
    published : values to stand beside theirs.
    others : the classes that a run on held-out images has instead.
    """
    if bench.held_out:
        images = images.held_out(others)
    else:
        bench.publish(*(r for source in published for r in source.records(images)))
    cases = tuple(images.cases)
    if bench.quick:
        few = {"x_train": 2000, "y_train": 2000, "x_test": 300, "y_test": 300}
        images = replace(images, **{name: getattr(images, name)[:n] for name, n in few.items()})
        entries, cases = tuple(entry.shortened() for entry in entries), cases[:1]
    # One seed of everything comes before the next, so that an interrupted run is a whole one with fewer seeds.
    for seed, entry, case in product(SEEDS, entries, cases):
        if seed in entry.seeds and bench.wanted(case, entry.name, seed):
            bench.add(*measure(entry, case, seed, images))
    bench.finish()


def load() -> Images:
    """MNIST, padded to 32 px."""
    with np.load(data_path("mnist.npz")) as file:
        data: dict[str, Any] = {k: file[k] for k in ("x_train", "y_train", "x_test", "y_test")}
    for part in ("x_train", "x_test"):
        data[part] = np.pad(data[part], ((0, 0), (2, 2), (2, 2)))[:, None]
    return Images("MNIST", {f"digit {d}": d for d in (0, 1, 8)}, **data)


def main() -> None:
    """Run what is not measured yet."""
    bench = Bench("mnist", __doc__ or "", held_out=True)
    run(bench, load(), ENTRIES, PUBLISHED, {f"digit {d}": d for d in (3, 5)})


if __name__ == "__main__":
    main()
