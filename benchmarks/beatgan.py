"""BeatGAN's protocol on MIT-BIH: reconstruction, adversarial and not, on single heartbeats, five folds.

Beats are cut by BeatGAN's rule: 360 Hz, filtered, 140 values before the R peak and 180 from it on, normal ones only
where a detected peak confirms the annotated one; records 102, 104, 107 and 217 are left out. A fifth of the normal
beats (the fold) and nine tenths of each anomalous class are the test; patients are in both parts. Validation beats are
not used: the paper picks the epoch with the best AUROC on them, which takes labels; here it is the last.

The budget is cut for a CPU, alike for all: 8000 of the normal beats, 12 epochs of batches of 64 (the paper: all beats,
100 epochs), networks at half the paper's width, Adam with 1e-3 (the paper: 1e-4) for the few steps. 4000 test beats are
scored, drawn once for each fold. AnoGAN's search takes 50 steps, and its training the usual 2e-4.
"""

from dataclasses import replace

import numpy as np

from harness import FLOORS, Bench, Entry, data_path
from oddgan import PCA, VAE, AnoGAN, AutoEncoder, BeatGAN, GANomaly
from oddgan.data import Split
from oddgan.data.ecg import Beats, EcgOptions, read_beats, split_beats
from oddgan.inversion import LatentAdam, LatentSearch
from oddgan.networks import ConvLadder
from oddgan.training import Adam, TimeWarp

CASE, FOLDS = "BeatGAN's protocol", (0, 1, 2, 3, 4)
N_TRAIN, N_TEST = 8000, 4000
LADDER = ConvLadder(width=16, init="xavier")
SHORT = {"backbone": LADDER, "epochs": 12, "batch_size": 64, "latent_dim": 50, "optimiser": Adam(lr=1e-3)}
SEARCH = LatentSearch(n_max=50, optimiser=LatentAdam(lr=0.1))
METHODS = (
    FLOORS[0],
    Entry("PCA", PCA),
    Entry("autoencoder", AutoEncoder, SHORT),
    Entry("VAE", VAE, SHORT, components=("residual",)),
    Entry("GANomaly", GANomaly, SHORT, components=("residual",)),
    Entry("BeatGAN", BeatGAN, SHORT, components=("features", "critic")),
    Entry("BeatGAN, time warp", BeatGAN, SHORT | {"augmentation": TimeWarp()}, components=("features", "critic")),
    Entry("AnoGAN", AnoGAN, SHORT | {"optimiser": Adam(), "inversion": SEARCH}, components=("residual",)),
)
ENTRIES = tuple(replace(entry, seeds=FOLDS) for entry in METHODS)


def divided(beats: Beats, fold: int, n: tuple[int, int]) -> Split:
    """So many normal beats of the other folds to train on, so many of this one and of the anomalies to test on."""
    split, draw = split_beats(beats, "beatgan", fold=fold), np.random.default_rng(fold)
    train, test = (
        beats.take(np.sort(draw.permutation(rows)[:k])) for rows, k in zip((split.train, split.test), n, strict=True)
    )
    return Split(f"{len(train.x)} N -> {len(test.x)}, fold = seed", train.x, test.x, test.label > 0)


def main() -> None:
    """Run what is not measured yet."""
    bench = Bench("beatgan", __doc__)
    bench.publish()
    wanted = list(bench.missing([CASE], ENTRIES))
    beats = read_beats(data_path("mitdb"), EcgOptions(cut="beatgan")) if wanted else None
    for case, entry, fold in wanted:
        assert beats is not None
        split = divided(beats, fold, (640, 300) if bench.quick else (N_TRAIN, N_TEST))
        found = entry.measure(case, "MIT-BIH beats", split, fold)
        bench.add(*found.quality(), *found.alone())
    bench.finish()


if __name__ == "__main__":
    main()
