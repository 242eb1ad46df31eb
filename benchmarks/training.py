"""Training: a WGAN-GP's cycles by a plain PyTorch loop and by ours, each measure alone; what half precision costs.

Cycles: five critic steps and one generator step of a DCGAN at 32 px, width 64, without norm in the critic, batches of
64 of MNIST's digit 8. The plain loop is eager PyTorch as tutorials write it: two passes of the critic, a gradient that
is differentiated again, torch's defaults. "without measures" is our loop with every measure switched off, and "only"
adds one of them. Variants take turns; each run trains two cycles, of which the second counts; times are processor
seconds on one thread. The floor is the time of a cycle's operations at the speed of a large matrix product or
convolution, whichever is the faster here. torch.compile is left out: it can't differentiate a gradient, and CUDA graphs
need another machine.

Quality: the same at width 16 for some hundred generator steps, in float32 and bfloat16, over three seeds, judged by the
Fréchet distance between 2000 drawn and 2000 real images that the GAN has not seen, in the 32 features of a small
classifier of digits that is trained here; so distances compare with each other, not with published FIDs. The floor is
the distance between real images and other real ones.

Tables: steps a second of PyOD's autoencoder and AnoGAN beside ours on layers of the same widths; the time of one epoch
is the difference between long and short fits, which leaves out preparation and scoring. anomalib is not measured: it
needs other versions of the packages here.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from harness import Bench, Setup, adbench_table, clock, mnist
from oddgan import AnoGAN, AutoEncoder
from oddgan.families.selection import frechet_distance
from oddgan.networks import MLP, HalfPrecision, Logits
from oddgan.objectives import GradientPenalty, NonSaturating
from oddgan.tasks.profile import measure_machine
from oddgan.training import Adam
from training_cases import (
    BATCH,
    CRITICS,
    NET,
    OURS,
    SEARCHLESS,
    SHAPE,
    Cycles,
    Measures,
    operations,
    plain_cycles,
)

PLAIN = "plain PyTorch loop"
CYCLE = "a WGAN-GP cycle, DCGAN-32, width 64"
PRECISIONS: tuple[Literal["fp32", "bf16"], ...] = ("fp32", "bf16")
ROUNDS = 3
DIGIT, STEPS, SEEDS, JUDGED = 8, 200, (0, 1, 2), 2000


def plain_seconds(x: Tensor, seed: int, *, half: bool = False) -> float:
    """Processor seconds of the plain loop's second cycle."""
    cycle = plain_cycles(x, seed, half=half)
    cycle()
    with clock() as watch:
        cycle()
    return watch.seconds


def one_cycle(measures: Measures, x: np.ndarray, seed: int) -> float:
    """Processor seconds of the second cycle."""
    watch = Cycles()
    with measures.switched():
        measures.detector(NET, random_state=seed).fit(x, callbacks=[watch])
    return watch.seconds[-1]


def measure_cycles(bench: Bench, images: np.ndarray) -> None:
    """Time the cycles of all variants in turns; a round is a seed."""
    rows = images[: 2 * CRITICS * BATCH]
    x = torch.from_numpy((rows[: CRITICS * BATCH] / 127.5 - 1).astype(np.float32))
    variants: dict[str, Callable[[int], float]] = {
        PLAIN: lambda seed: plain_seconds(x, seed),
        f"{PLAIN}, bf16": lambda seed: plain_seconds(x, seed, half=True),
    } | {name: partial(one_cycle, measures, rows) for name, measures in OURS.items()}
    for seed in range(1 if bench.quick else ROUNDS):
        wanted = [name for name in variants if bench.wanted(CYCLE, name, seed)]
        base = variants[PLAIN](seed) if wanted else 0.0
        for name in wanted:
            seconds = base if name == PLAIN else variants[name](seed)
            setup = Setup(CYCLE, name, "MNIST", "training only", {"batch": BATCH, "critic steps": CRITICS}, seed)
            bench.add(
                setup.record("a cycle", seconds, "CPU s", baseline=base),
                setup.record("steps a second", (CRITICS + 1) / seconds, "steps/s"),
            )
    measure_floors(bench, rows[: CRITICS * BATCH], x)


def measure_floors(bench: Bench, rows: np.ndarray, x: Tensor) -> None:
    """The time of a cycle's operations at the machine's peak."""
    case = f"{CYCLE}, at the machine's peak"
    if not bench.wanted(case, PLAIN):
        return
    machine, ours = measure_machine(), Measures().detector(NET)
    plain, chain = operations(plain_cycles(x, 0), lambda: ours.fit(rows))
    for name, flops, peak in (
        (PLAIN, plain, machine.fp32),
        ("as it is", chain, machine.fp32),
        ("as it is, bf16", chain, machine.bf16),
    ):
        floor = Setup(case, name, "MNIST", "training only", {}, role="floor")
        bench.add(
            floor.record("operations", flops / 1e9, "GFLOP"),
            floor.record("peak", peak / 1e9, "GFLOP/s"),
            floor.record("a cycle", flops / peak, "CPU s"),
        )


# -- what half precision costs
class Small(nn.Module):
    """A classifier of digits; its features are the 32 values before the last layer."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 16, 4, 2, 1), nn.ReLU(), nn.Conv2d(16, 32, 4, 2, 1), nn.ReLU(), nn.Flatten(),
            nn.Linear(32 * 64, 32), nn.ReLU(),
        )  # fmt: skip
        self.head = nn.Linear(32, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (n, 1, 32, 32) to ten logits."""
        logits: Tensor = self.head(self.body(x))
        return logits


def classifier(images: np.ndarray, labels: np.ndarray) -> Small:
    """Train it on all digits, two passes over 12,000 images."""
    torch.manual_seed(0)
    net, order = Small(), torch.randperm(len(images))[:12000]
    adam = torch.optim.Adam(net.parameters(), lr=1e-3)
    for part in torch.split(order.repeat(2), 100):
        x = torch.from_numpy(images[part.numpy()].astype(np.float32) / 127.5 - 1)
        loss = functional.cross_entropy(net(x), torch.from_numpy(labels[part.numpy()].astype(np.int64)))
        adam.zero_grad()
        torch.autograd.backward(loss)
        adam.step()
    return net.eval()


def features(net: Small, images: np.ndarray) -> np.ndarray:
    """The features (n, 32) of images (n, 1, 32, 32) in [0, 255]."""
    with torch.no_grad():
        found: np.ndarray = net.body(torch.from_numpy(images.astype(np.float32) / 127.5 - 1)).double().numpy()
    return found


def measure_quality(bench: Bench, data: dict[str, np.ndarray]) -> None:
    """Train the small GAN in both precisions and compare what they draw."""
    case = f"digit {DIGIT}, width 16, {STEPS} generator steps"
    seeds = SEEDS[:1] if bench.quick else SEEDS
    jobs = [(p, s) for s in seeds for p in PRECISIONS if bench.wanted(case, p, s)]
    if not jobs and not bench.wanted(case, "real images"):
        return
    eights = data["x_train"][data["y_train"] == DIGIT]
    eights, unseen = eights[:-JUDGED], eights[-JUDGED:]
    net = classifier(data["x_train"], data["y_train"])
    guess = net(torch.from_numpy(data["x_test"].astype(np.float32) / 127.5 - 1)).argmax(1).numpy()
    real = features(net, unseen)
    if bench.wanted(case, "real images"):
        floor = Setup(case, "real images", "MNIST", "training digits", {}, n_test=JUDGED, role="floor")
        bench.add(
            floor.record("Fréchet distance", frechet_distance(real, features(net, eights[:JUDGED])), "units"),
            replace(floor, method="the classifier").record("accuracy", float((guess == data["y_test"]).mean())),
        )
    epochs = 1 if bench.quick else -(-STEPS * CRITICS * BATCH // len(eights))
    for precision, seed in jobs:
        gan = Measures(precision=precision).detector(
            replace(NET, width=16), epochs=epochs, random_state=seed, optimiser=Adam(lr=3e-4, betas=(0.0, 0.9))
        )
        with clock() as watch:
            gan.fit(eights)
        drawn = features(net, gan.sample(JUDGED, random_state=0))
        setup = Setup(case, precision, "MNIST", "training digits", {"epochs": epochs}, seed, JUDGED, watch.seconds)
        bench.add(setup.record("Fréchet distance", frechet_distance(real, drawn), "units"))


def measure_gradients(bench: Bench) -> None:
    """How far the gradient of a penalty in half precision is from that in full."""
    case = "gradient of the penalty, width 64"
    if not bench.wanted(case, "bf16"):
        return
    torch.manual_seed(0)
    critic, real, fake = NET.critic(SHAPE), torch.rand(BATCH, *SHAPE) * 2 - 1, torch.randn(BATCH, *SHAPE).tanh()
    weights = [w for name, w in critic.named_parameters() if not name.endswith("bias")]
    found = []
    for network in (critic, HalfPrecision(critic)):
        torch.manual_seed(1)
        penalty = GradientPenalty()(Logits(network), real, fake).mean()
        found.append(torch.cat([g.flatten() for g in torch.autograd.grad(penalty, weights)]))
    share = float((found[1] - found[0]).norm() / found[0].norm())
    setup = Setup(case, "bf16", "noise", "training only", {"batch": BATCH}, seed=0)
    bench.add(setup.record("relative difference", share))


# -- PyOD on a table
def peers() -> dict[str, tuple[Callable[[int], Any], Callable[[int], Any]]]:
    """By method: ours and PyOD's, given the number of epochs, on layers of the same widths."""
    from pyod.models.anogan import AnoGAN as PyodGAN  # noqa: PLC0415
    from pyod.models.auto_encoder import AutoEncoder as PyodAE  # noqa: PLC0415

    common: dict[str, Any] = {"dropout_rate": 0.0, "batch_size": BATCH, "verbose": 0, "device": "cpu"}
    ours: dict[str, Any] = {"batch_size": BATCH, "random_state": 0, "calibration_size": 1}
    gan: dict[str, Any] = {"G_layers": [16, 32, 64], "D_layers": [64, 32, 16], "latent_dim_G": 8}
    gan |= {"epochs_query": 1}  # it searches for each training row after training, which is not what is compared
    return {
        "autoencoder": (
            lambda e: AutoEncoder(latent_dim=32, backbone=MLP(hidden=(64,), slope=0.0), epochs=e, **ours),
            lambda e: PyodAE(hidden_neuron_list=[64, 32], batch_norm=False, epoch_num=e, **common),
        ),
        "AnoGAN": (
            lambda e: AnoGAN(
                latent_dim=8,
                backbone=MLP(hidden=(64, 32, 16)),
                objective=NonSaturating(),
                optimiser=Adam(),
                epochs=e,
                **SEARCHLESS,
            ),
            lambda e: PyodGAN(epochs=e, **gan, **common),
        ),
    }


def measure_tables(bench: Bench) -> None:
    """Steps a second of ours and of PyOD's."""
    rows, anomalous = adbench_table("6_cardio")
    x = rows[~anomalous][: 8 * BATCH]
    steps = -(-len(x) // BATCH)
    short, long = (1, 11) if bench.quick else (2, 42)
    for method, makers in peers().items():
        case = f"steps on a table, {method}"
        if not bench.wanted(case, "oddgan"):
            continue
        rates: dict[str, list[float]] = {"oddgan": [], "PyOD": []}
        for make in makers:  # the first step of a process imports much of torch
            make(1).fit(x)
        for _ in range(1 if bench.quick else ROUNDS):
            for name, make in zip(rates, makers, strict=True):
                taken = []
                for epochs in (short, long):
                    with clock() as watch:
                        make(epochs).fit(x)
                    taken.append(watch.seconds)
                rates[name].append((taken[1] - taken[0]) / ((long - short) * steps))
        ms = {name: 1000 * float(np.median(values)) for name, values in rates.items()}
        setup = Setup(case, "PyOD", "6_cardio", "normal rows", {"batch": BATCH})
        bench.add(setup.record("a step", ms["PyOD"], "CPU ms"))
        bench.add(replace(setup, method="oddgan").record("a step", ms["oddgan"], "CPU ms", baseline=ms["PyOD"]))


def main() -> None:
    """Cycles, quality, tables."""
    bench = Bench("training", __doc__, peers=("pyod",))
    data = mnist()
    images = data["x_train"][data["y_train"] == DIGIT]
    measure_cycles(bench, images)
    measure_gradients(bench)
    measure_quality(bench, data)
    measure_tables(bench)
    bench.finish()


if __name__ == "__main__":
    main()
