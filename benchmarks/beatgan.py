"""BeatGAN's protocol on MIT-BIH: reconstruction, adversarial and not, on single heartbeats, five folds.

Beats are cut by BeatGAN's rule: 360 Hz, filtered, 140 values before the R peak and 180 from it on, normal ones only
where a detected peak confirms the annotated one; records 102, 104, 107 and 217 are left out. A fifth of the normal
beats (the fold) and nine tenths of each anomalous class are the test; patients are in both parts. Validation beats are
not used: the paper picks the epoch with the best AUROC on them, which takes labels; here it is the last.

The budget is cut for a CPU, alike for all: 8000 of the normal beats, 12 epochs of batches of 64 (the paper: all beats,
100 epochs), networks at half the paper's width, Adam with 1e-3 (the paper: 1e-4) for the few steps. 4000 test beats are
scored, drawn once for each fold. AnoGAN's search takes 50 steps, and its training the usual 2e-4.
"""

from collections.abc import Mapping

import numpy as np

from harness import Bench, Entry, Setup, clock, data_path
from oddgan import PCA, VAE, AnoGAN, AutoEncoder, BeatGAN, GANomaly, MeanDistance
from oddgan.data.ecg import Beats, EcgOptions, read_beats, split_beats
from oddgan.evaluate import Record
from oddgan.inversion import LatentAdam, LatentSearch
from oddgan.networks import ConvLadder
from oddgan.training import Adam, TimeWarp

CASE, FOLDS = "BeatGAN's protocol", range(5)
N_TRAIN, N_TEST = 8000, 4000
LADDER = ConvLadder(width=16, init="xavier")
SHORT = {"backbone": LADDER, "epochs": 12, "batch_size": 64, "latent_dim": 50, "optimiser": Adam(lr=1e-3)}
SEARCH = LatentSearch(n_max=50, optimiser=LatentAdam(lr=0.1))
ENTRIES = (
    Entry("L1 to the mean", MeanDistance, role="floor"),
    Entry("PCA", PCA),
    Entry("autoencoder", AutoEncoder, SHORT),
    Entry("VAE", VAE, SHORT, components=("residual",)),
    Entry("GANomaly", GANomaly, SHORT, components=("residual",)),
    Entry("BeatGAN", BeatGAN, SHORT, components=("features", "critic")),
    Entry("BeatGAN, time warp", BeatGAN, SHORT | {"augmentation": TimeWarp()}, components=("features", "critic")),
    Entry("AnoGAN", AnoGAN, SHORT | {"optimiser": Adam(), "inversion": SEARCH}, components=("residual",)),
)
# AUROC and AP, Zhou et al., 2019, table 2, from memory.
PUBLISHED: Mapping[str, tuple[float, float]] = {
    "PCA": (0.816, 0.652),
    "autoencoder": (0.894, 0.842),
    "VAE": (0.832, 0.788),
    "AnoGAN": (0.864, 0.804),
    "GANomaly": (0.908, 0.870),
    "BeatGAN": (0.945, 0.911),
    "BeatGAN, time warp": (0.9475, 0.914),
}


def measure(entry: Entry, fold: int, beats: Beats, n: tuple[int, int]) -> list[Record]:
    """Train on normal beats of the other folds, score this one with the anomalies; the fold is also the seed."""
    split, draw = split_beats(beats, "beatgan", fold=fold), np.random.default_rng(fold)
    train, test = (
        beats.take(np.sort(draw.permutation(rows)[:k])) for rows, k in zip((split.train, split.test), n, strict=True)
    )
    detector = entry.cls(**entry.settings, random_state=fold)
    with clock() as fit:
        detector.fit(train.x)
    with clock() as score:
        parts = detector.score_components(test.x, extra=entry.components)
    anomalous = test.label > 0
    setup = Setup(
        CASE, entry.name, "MIT-BIH beats", f"{len(train.x)} N -> {len(test.x)}, fold = seed", entry.settings, fold,
        len(anomalous), fit.seconds + score.seconds, entry.role,
    )  # fmt: skip
    alone = setup.alone({name: parts[name] for name in entry.components}, anomalous)
    return [*setup.quality(detector.score_from(parts), anomalous), *alone]


def main() -> None:
    """Run what is not measured yet."""
    bench = Bench("beatgan", __doc__ or "")
    protocol = "5 folds, all beats; Zhou et al., 2019, from memory"
    bench.publish(
        *(
            Setup(CASE, method, "MIT-BIH beats", protocol, {}, role="published").record(name, value)
            for method, values in PUBLISHED.items()
            for name, value in zip(("AUROC", "AP"), values, strict=True)
        )
    )
    wanted = [
        (fold, entry.shortened() if bench.quick else entry)
        for fold in (FOLDS[:1] if bench.quick else FOLDS)
        for entry in ENTRIES
        if bench.wanted(CASE, entry.name, fold)
    ]
    beats = read_beats(data_path("mitdb"), EcgOptions(cut="beatgan")) if wanted else None
    for fold, entry in wanted:
        assert beats is not None
        bench.add(*measure(entry, fold, beats, (640, 300) if bench.quick else (N_TRAIN, N_TEST)))
    bench.finish()


if __name__ == "__main__":
    main()
