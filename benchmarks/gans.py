"""GANs that several benchmarks invert: trained once for each digit and seed, kept in `benchmarks/models` (not tracked).

    python benchmarks/gans.py [DIGIT SEED ...]

trains those that are missing: all that the benchmarks need, or the pairs that are named.
"""

import sys
from typing import Any

import numpy as np
import torch

from harness import MODELS, clock, mnist
from oddgan import AnoGAN, load
from oddgan.inversion import LatentSearch
from oddgan.networks import ConvLadder
from oddgan.objectives import WGANGP
from oddgan.priors import Gaussian
from oddgan.similarities import L1
from oddgan.training import Adam

SEEDS, DIGITS = (0, 1, 2), (8, 0, 1)
# DCGAN-32 at half its width with a Wasserstein loss (as a penalty). Chosen on the digits 3 and 5 of the training split,
# by images that the GANs had not seen: a latent space of 64 (with the paper's 256 AnoGAN's search finds anything), and
# one critic step for each step of the generator, since 560 of those (twelve epochs, two critic steps) are too few: what
# ADGAN's five steps leave over of normal images halves with 1900. Twenty epochs take five CPU minutes.
SETTINGS: dict[str, Any] = {
    "backbone": ConvLadder(width=32, critic_norm="layer"),
    "latent_dim": 64,
    "prior": Gaussian(),
    "objective": WGANGP(),
    "n_critic": 1,
    "optimiser": Adam(lr=2e-4, betas=(0.0, 0.9)),
    "epochs": 20,
}
ANOGAN: dict[str, Any] = {"similarity": L1(reduction="sum")}  # the paper's


def gan(digit: int, seed: int, data: dict[str, np.ndarray]) -> AnoGAN:
    """The GAN of one digit of the training split, as an AnoGAN detector; trained if it is not there."""
    path = MODELS / f"mnist-{digit}-{seed}"
    if not path.exists():
        MODELS.mkdir(exist_ok=True)
        # Scores are not wanted here, so that one step of search for one row serves the threshold.
        detector = AnoGAN(**SETTINGS, **ANOGAN, inversion=LatentSearch(n_max=1), calibration_size=1, random_state=seed)
        with clock() as watch:
            detector.fit(data["x_train"][data["y_train"] == digit])
        detector.save(path)
        print(f"digit {digit}, seed {seed}: {watch.seconds:.0f} CPU s", flush=True)
    found = load(path)
    assert isinstance(found, AnoGAN)
    return found


def main() -> None:
    """Train what is missing."""
    torch.set_num_threads(1)
    data, numbers = mnist(), [int(a) for a in sys.argv[1:]]
    pairs = list(zip(numbers[::2], numbers[1::2], strict=True))
    pairs = pairs or [(d, s) for s in SEEDS for d in DIGITS] + [(d, 0) for d in range(10) if d not in DIGITS]
    for digit, seed in pairs:
        gan(digit, seed, data)


if __name__ == "__main__":
    main()
