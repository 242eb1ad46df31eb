"""Stabilisers on images: how near a GAN's samples come to the data, by generator steps and by CPU time.

One class is drawn at 32 px: the digit 8 of MNIST (three seeds) and the deer of CIFAR-10 (JPEG copies, one seed), by a
WGAN-GP with a DCGAN ladder of width 16 and one critic step for each of the generator's, alone and with each stabiliser
at its default settings, none of which was tuned (start and learning rate of the plain one were: so that it learns at
all); label smoothing, which needs probabilities, beside a non-saturating GAN. Training stops at the last checkpoint.

The distance is Fréchet's between the features of 2000 samples (of one fixed draw of z) and of the training images of
the class, as FID is, but in a small classifier of the ten classes that is trained here on the data's own training
split and kept in `benchmarks/models` (not tracked). It can be compared within a data set only, and with nobody else's
FID. CPU seconds count training alone, not the measuring.
"""

import time
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

import cifar
import mnist
from harness import MODELS, Bench, Setup
from harness.one_class import Images
from oddgan import AnoGAN
from oddgan.evaluate import Record
from oddgan.families.selection import frechet_distance as frechet
from oddgan.inversion import LatentSearch
from oddgan.networks import ConvLadder
from oddgan.objectives import WGANGP, NonSaturating
from oddgan.training import (
    Adam,
    Callback,
    CriticEnsemble,
    CriticWarmUp,
    FeatureMatching,
    InstanceNoise,
    LabelSmoothing,
    MinibatchDiscrimination,
    MinibatchStdDev,
    Penalised,
    Stabiliser,
    State,
    TwoTimescale,
)

SEEDS = {"digit 8": (0, 1, 2), "deer": (0,)}
CHECKPOINTS = (50, 100, 200, 400, 700)
SAMPLES, LATENT, FEATURES = 2000, 64, 64
WASSERSTEIN: dict[str, Any] = {
    # At this width DCGAN's small start (0.02) leaves a critic with hardly a slope, and nothing is learned in 700 steps.
    "backbone": ConvLadder(width=16, critic_norm="none", init="he"),
    "objective": WGANGP(),
    "optimiser": Adam(lr=5e-4, betas=(0.0, 0.9)),
}
PLAIN: dict[str, Any] = {"backbone": ConvLadder(width=16), "objective": NonSaturating(), "optimiser": Adam(lr=2e-4)}
WARM_UP = 50


@dataclass(frozen=True)
class Run:
    """A GAN and what steadies it.

    Parameters
    ----------
    settings : of the GAN.
    stabilisers : beside them.
    """

    settings: dict[str, Any]
    stabilisers: tuple[Stabiliser, ...] = ()

    @property
    def name(self) -> str:
        """The method as the table shows it."""
        game = "WGAN-GP" if self.settings is WASSERSTEIN else "non-saturating"
        return " + ".join([game, *(type(one).__name__ for one in self.stabilisers)])


RUNS = (
    Run(WASSERSTEIN),
    *(
        Run(WASSERSTEIN, (one,))
        for one in (
            MinibatchDiscrimination(), MinibatchStdDev(), CriticEnsemble(), FeatureMatching(), TwoTimescale(),
            CriticWarmUp(steps=WARM_UP), Penalised(every=16), InstanceNoise(),
        )
    ),
    Run(PLAIN),
    Run(PLAIN, (LabelSmoothing(),)),
)  # fmt: skip


class Classifier(nn.Module):
    """Three strided convolutions and a layer of features, of images at 32 px with values from -1 to 1."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        widths = (channels, 16, 32, 64)
        convolutions = [
            layer
            for before, after in pairwise(widths)
            for layer in (nn.Conv2d(before, after, 4, 2, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU())
        ]
        self.body = nn.Sequential(*convolutions, nn.Flatten(), nn.Linear(64 * 4 * 4, FEATURES), nn.ReLU())
        self.head = nn.Linear(FEATURES, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (n, c, 32, 32) to logits (n, 10)."""
        y: Tensor = self.head(self.body(x))
        return y

    @torch.inference_mode()
    def features(self, x: Tensor) -> np.ndarray:
        """Map images (n, c, 32, 32) to features (n, 64), float64."""
        return torch.cat([self.body(part) for part in torch.split(x, 500)]).double().numpy()


def scaled(images: np.ndarray) -> Tensor:
    """Images with values from 0 to 255 as network input."""
    return torch.from_numpy(images.astype(np.float32) / 127.5 - 1)


def classifier(images: Images, *, steps: int, path: Path | None) -> Classifier:
    """The classifier of a data set; trained if it is not there.

    Parameters
    ----------
    images : the data set, whose training part is learned and whose test part says how well.
    steps : training steps of 128 images.
    path : where it is kept, or none to keep it nowhere.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = Classifier(images.x_train.shape[1])
        if path is not None and path.exists():
            net.load_state_dict(load_file(path))
            return net.eval()
        optimiser = torch.optim.Adam(net.parameters(), lr=1e-3)
        for _ in range(steps):
            index = torch.randint(len(images.x_train), (128,)).numpy()
            loss = functional.cross_entropy(
                net(scaled(images.x_train[index])), torch.from_numpy(images.y_train[index]).long()
            )
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
    net.eval()
    with torch.inference_mode():
        right = np.mean(net(scaled(images.x_test[:2000])).argmax(1).numpy() == images.y_test[:2000])
    print(f"classifier of {images.data}: {right:.3f} of 2000 test images right", flush=True)
    if path is not None:
        path.parent.mkdir(exist_ok=True)
        save_file(net.state_dict(), path)
    return net


class Finished(Exception):  # noqa: N818
    """The last checkpoint is behind us."""


@dataclass
class Curve(Callback):
    """Measures the generator at checkpoints, and stops training at the last one.

    Parameters
    ----------
    net : whose features are compared.
    target : those of the data, (n, d).
    checkpoints : generator steps at which to measure, rising.
    samples : how many are drawn.
    """

    net: Classifier
    target: np.ndarray
    checkpoints: tuple[int, ...]
    samples: int
    found: list[tuple[int, float, float]] = field(default_factory=list)
    started: float = 0.0

    def phase_started(self, state: State) -> None:
        """Start the clock."""
        del state
        self.started = time.process_time()

    def iteration_ended(self, state: State) -> None:
        """Measure where a checkpoint is reached."""
        moments = state.optimisers["generator"].state
        steps = int(next(iter(moments.values()))["step"]) if moments else 0
        if steps != self.checkpoints[len(self.found)]:
            return
        seconds = time.process_time() - self.started
        self.found.append((steps, self._distance(state.networks["generator"]), seconds))
        self.started = time.process_time() - seconds
        if len(self.found) == len(self.checkpoints):
            raise Finished

    def _distance(self, generator: nn.Module) -> float:
        draws = torch.randn(self.samples, LATENT, generator=torch.Generator().manual_seed(0))
        generator.eval()
        with torch.inference_mode():
            images = torch.cat([generator(z) for z in torch.split(draws, 500)])
        generator.train()
        return frechet(self.net.features(images), self.target)


def measure(run: Run, setup: Setup, images: np.ndarray, curve: Curve) -> list[Record]:
    """Train one GAN; the distance and the seconds at each checkpoint."""
    batches = len(images) // 64 + 1
    epochs = -(-(curve.checkpoints[-1] + WARM_UP) // batches)
    detector = AnoGAN(
        **run.settings, latent_dim=LATENT, n_critic=1, epochs=epochs, stabilisers=run.stabilisers,
        inversion=LatentSearch(n_max=1), calibration_size=1, random_state=setup.seed,
    )  # fmt: skip
    with suppress(Finished):
        detector.fit(images, callbacks=[curve])
    records = []
    for steps, distance, seconds in curve.found:
        records.append(setup.record(f"Fréchet distance at {steps} steps", distance, "fd"))
        records.append(setup.record(f"CPU time to {steps} steps", seconds, "s"))
    return records


def main() -> None:
    """Run what is not measured yet."""
    bench = Bench("stabilisers", __doc__)
    quick = bench.quick
    loaders = {"digit 8": (mnist.load, 8)} | ({} if quick else {"deer": (cifar.load, 4)})
    checkpoints, samples = ((2, 4), 100) if quick else (CHECKPOINTS, SAMPLES)
    for case, (load, label) in loaders.items():
        todo = [
            (run, s) for s in SEEDS[case][: 1 if quick else None] for run in RUNS if bench.wanted(case, run.name, s)
        ]
        if not todo:
            continue
        data = load()
        kept = None if quick else MODELS / f"classifier-{case.replace(' ', '-')}.safetensors"
        net = classifier(data, steps=20 if quick else 1500, path=kept)
        own = data.x_train[data.y_train == label][: 200 if quick else None]
        target = net.features(scaled(own))
        for run, seed in todo:
            settings = run.settings | {"stabilisers": run.stabilisers, "latent_dim": LATENT}
            setup = Setup(case, run.name, data.data, "training images of the class", settings, seed, samples)
            bench.add(*measure(run, setup, own, Curve(net, target, checkpoints, samples)))
    bench.finish()


if __name__ == "__main__":
    main()
