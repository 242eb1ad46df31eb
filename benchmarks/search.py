"""Latent search: the loop that most public code runs, with and without its common mistake, and ours.

One sample at a time with weight gradients left on is what most public code does. All rows search with Adam (step size
0.1, betas 0.5 and 0.999) from one start until the mean squared error is at most eps, at most 60 steps; eps is the
median after half of them, so that some rows end early, each at its own step. The generators
are trained for a minute or two: MNIST digit 8 by DCGAN-32 with a latent space of 64, and normal heartbeats by a ladder
on series. Ratios are medians over interleaved rounds, of processor seconds on one thread; with ODDGAN_BENCH_THREADS=2,
of seconds on the clock on two.
"""

import importlib
import os
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from harness import Bench, Setup, clock, cpu_rounds, data_path, mnist
from oddgan import AnoGAN
from oddgan.evaluate import Record
from oddgan.inversion import Execution, Inverted, LatentAdam, LatentSearch, Slots
from oddgan.networks import DCGAN_32, ConvLadder, prepare
from oddgan.objectives import NonSaturating
from oddgan.priors import Gaussian
from oddgan.tasks.profile import measure_machine
from oddgan.training import Adam

LR, BETAS, N_MAX, ROUNDS = 0.1, (0.5, 0.999), 60, 5
FEW, SOME, MANY = 8, 128, 512
THREADS = int(os.environ.get("ODDGAN_BENCH_THREADS", "1"))
CORES = "" if THREADS == 1 else f", {THREADS} cores"


class Case(NamedTuple):
    """A generator with samples to search for."""

    name: str
    data: str
    generator: nn.Module
    x: Tensor
    start: Tensor
    eps: float


class Anywhere:
    """The whole latent space."""

    def project(self, z: Tensor) -> Tensor:
        """Return z."""
        return z


class Counted:
    """A generator that counts the rows it is given."""

    def __init__(self, generator: Callable[[Tensor], Tensor]) -> None:
        self.generator, self.rows = generator, 0

    def __call__(self, z: Tensor) -> Tensor:
        """Map z (n, m) to samples."""
        self.rows += len(z)
        return self.generator(z)


def squared(x: Tensor, y: Tensor) -> Tensor:
    """Mean squared error (n,)."""
    return (x - y).square().flatten(1).mean(dim=1)


def images(n: int, epochs: int) -> Case:
    """MNIST digit 8: half of the samples are eights of the test split, half are other digits."""
    data = mnist()
    train = data["x_train"][data["y_train"] == 8]
    eights, others = (data["x_test"][chosen][: n // 2] for chosen in (data["y_test"] == 8, data["y_test"] != 8))
    return _case(("DCGAN-32, MNIST", "MNIST"), train, np.concatenate([eights, others]), DCGAN_32, epochs)


def beats(n: int, epochs: int) -> Case:
    """Heartbeats: half of the samples are normal beats of the test split, half are others."""
    with np.load(data_path("heartbeat_mitbih_test.npz")) as file:
        x, y = file["k"][:, None], file["y"]
    normal, other = x[y == 0], x[y != 0]
    chosen = np.concatenate([normal[: n // 2], other[:: len(other) // (n // 2)][: n // 2]])
    return _case(("series ladder, ECG", "MIT-BIH"), normal[-4000:], chosen, ConvLadder(width=32), epochs)


def _case(names: tuple[str, str], train: np.ndarray, x: np.ndarray, net: ConvLadder, epochs: int) -> Case:
    detector = AnoGAN(
        backbone=net, latent_dim=64, epochs=epochs, inversion=LatentSearch(n_max=1), calibration_size=1,
        objective=NonSaturating(), optimiser=Adam(), prior=Gaussian(), random_state=0,
    ).fit(train)  # fmt: skip
    order = np.random.default_rng(0).permutation(len(x))  # so that any first few hold both kinds
    generator = detector.networks_["generator"]
    samples, start = detector._prepare(x[order]), detector._stored("starts")
    half = LatentSearch(n_max=N_MAX // 2, optimiser=LatentAdam(lr=LR, betas=BETAS))
    eps = float(half(samples[:64], prepare(generator), Anywhere(), squared, start).loss.median())
    return Case(*names, generator, samples, start, eps)


def naive(case: Case, n: int, *, frozen: bool) -> tuple[Tensor, Tensor]:
    """One sample at a time by torch's own Adam; return losses and steps."""
    case.generator.requires_grad_(not frozen)
    losses, steps = [], []
    for x in case.x[:n]:
        z = case.start.clone().requires_grad_()
        adam = torch.optim.Adam([z], lr=LR, betas=BETAS)
        for step in range(N_MAX + 1):
            loss = squared(x[None], case.generator(z))
            if loss.item() <= case.eps or step == N_MAX:
                break
            adam.zero_grad()
            case.generator.zero_grad()
            torch.autograd.backward(loss.sum())
            adam.step()
        losses.append(loss.item())
        steps.append(step)
    case.generator.requires_grad_(requires_grad=False)
    return torch.tensor(losses), torch.tensor(steps)


class Ours:
    """Our search on prepared copies."""

    def __init__(self, case: Case, n: int, slots: int, precision: str) -> None:
        self.case, self.n = case, n
        self.full = Counted(prepare(case.generator))
        self.rough = Counted(prepare(case.generator, dtype=torch.bfloat16)) if precision == "bf16" else None
        draft = None if self.rough is None else (self.rough, squared)
        self.how = Execution(Slots(slots), draft=draft)
        self.search = LatentSearch(n_max=N_MAX, optimiser=LatentAdam(lr=LR, betas=BETAS), eps=case.eps)

    def __call__(self) -> Inverted:
        """Search."""
        self.full.rows = 0
        if self.rough is not None:
            self.rough.rows = 0
        return self.search(self.case.x[: self.n], self.full, Anywhere(), squared, self.case.start, self.how)

    def wasted(self, found: Inverted) -> int:
        """Rows that the searching generator saw beyond one for each step and one for each end."""
        counted = self.full if self.rough is None else self.rough
        return counted.rows - int(found.steps.sum()) - self.n


def step_flops(case: Case) -> int:
    """Multiplications and additions of one step for one sample: a forward pass and the gradient in z."""
    generator = case.generator.requires_grad_(requires_grad=False)
    z = case.start.clone().requires_grad_()
    with FlopCounterMode(display=False) as counter:
        torch.autograd.backward(generator(z).sum())
    return int(counter.get_total_flops())


def compared(setup: Setup, ours: Ours, found: Inverted, loop: tuple[Tensor, Tensor]) -> list[Record]:
    """What our search found beside the losses and steps of the plain loop, on the samples that both searched for."""
    losses, steps = loop
    difference = (found.loss[: len(losses)] - losses).abs()
    same = (found.steps[: len(steps)] == steps).double().mean()
    return [
        setup.record("wasted evaluations", ours.wasted(found), "rows"),
        setup.record("mean steps", float(found.steps.double().mean()), "steps"),
        setup.record("score against the loop, median difference", float(difference.median())),
        setup.record("share of equal step counts", float(same)),
    ]


def variants(case: Case, many: int) -> dict[str, Ours]:
    """Ours by batch and precision."""
    return {
        "ours, batch 1": Ours(case, min(FEW, many), 1, "fp32"),
        "ours, 64 slots": Ours(case, min(SOME, many), 64, "fp32"),
        "ours, 512 slots": Ours(case, many, 512, "fp32"),
        "ours, bf16, 64 slots": Ours(case, min(SOME, many), 64, "bf16"),
        "ours, bf16, 512 slots": Ours(case, many, 512, "bf16"),
    }


def measure(bench: Bench, case: Case, rounds: int, many: int) -> None:
    """All variants on one case."""
    few, ours = min(FEW, many), variants(case, many)
    runs: dict[str, Callable[[], object]] = {
        "one at a time, weight gradients on": lambda: naive(case, few, frozen=False),
        "one at a time, weights frozen": lambda: naive(case, few, frozen=True),
    }
    cpu_rounds(runs | ours, 1)  # warms up
    taken = cpu_rounds(runs | ours, rounds)
    loop = naive(case, few, frozen=True)
    operations, peak, base = step_flops(case), measure_machine(), np.empty(0)
    settings = {"eps": case.eps, "n_max": N_MAX, "rounds": rounds}
    for name, seconds in taken.items():
        found = ours[name]() if name in ours else None
        n, steps = (few, loop[1]) if found is None else (ours[name].n, found.steps)
        # Samples differ in how long they take: what is compared is the time of one step of one sample.
        ms = np.array(seconds) * 1e3 / (int(steps.sum()) + n)
        base = base if base.size else ms
        setup = Setup(
            case.name + CORES, name, case.data, f"{THREADS} thread(s)", settings, None, n, float(np.sum(seconds))
        )
        value, least = float(np.median(ms)), operations / getattr(peak, "bf16" if "bf16" in name else "fp32") * 1e3
        bench.add(
            setup.record("time of a step", value, "ms", baseline=value * float(np.median(base / ms))),
            setup.record("time over the floor", value / least, "times"),
            *(() if found is None else compared(setup, ours[name], found, loop)),
        )


def pyod_rate(bench: Bench, x: np.ndarray, n: int) -> None:
    """The time of one step of PyOD's search, which it takes for training rows only: it scores new rows without."""
    peer = importlib.import_module("pyod.models.anogan").AnoGAN
    few, many, rows = 5, 25, x[:n].reshape(n, -1).astype(np.float64)
    times = {}
    for steps in (few, many):
        with clock() as watch:
            peer(epochs=1, epochs_query=steps).fit(rows)
        times[steps] = watch.seconds
    setup = Setup(
        case="DCGAN-32, MNIST", method="PyOD's AnoGAN while fitting", data="MNIST", protocol="1 thread(s)",
        settings={"networks": "its own, fully connected 20-10-3-10-20"}, n_test=n, role="floor",
    )  # fmt: skip
    bench.add(setup.record("time of a step", 1e3 * (times[many] - times[few]) / (many - few) / n, "ms"))


def main() -> None:
    """Run what is not measured yet."""
    bench = Bench("search", __doc__, peers=("pyod",))
    torch.set_num_threads(THREADS)
    rounds, many, epochs = (1, 16, 1) if bench.quick else (ROUNDS, MANY, 4)
    for name, make in {"DCGAN-32, MNIST": images, "series ladder, ECG": beats}.items():
        if bench.wanted(name + CORES, "ours, 64 slots"):
            measure(bench, make(many, epochs), rounds, many)
    if THREADS == 1 and bench.wanted("DCGAN-32, MNIST", "PyOD's AnoGAN while fitting"):
        with np.load(data_path("mnist.npz")) as file:
            pyod_rate(bench, file["x_train"], 16 if bench.quick else 64)
    bench.finish()


if __name__ == "__main__":
    main()
