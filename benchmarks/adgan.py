"""ADGAN: what a private generator per start costs, against deep copies and against vmap.

    python benchmarks/adgan.py [--json] [--quick] [--fresh] [--only TEXT]

A DCGAN generator for 32 px (width 64, latent_dim 256) with untrained weights (torch's default initialisation, which
keeps activations at unit scale), 64 starts, 5 steps, one grey image. Ratios are against deep copies of the same
algorithm. Floors: counted operations at the machine's measured peak and, for Adam, the bytes that seven passes over the
weights take at the measured rate of a copy.
"""

import copy
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call, grad_and_value, vmap

from harness import Bench, Setup, cpu_rounds, memory_bytes
from oddgan.evaluate import Record
from oddgan.inversion import Execution, JointSearch, Slots
from oddgan.networks import ConvLadder, private
from oddgan.priors import Gaussian
from oddgan.tasks.profile import Peak, measure_machine

LATENT, N_SEED, PIXELS = 256, 64, (1, 32, 32)
EXACT = Execution(Slots(N_SEED, fixed=True))
GRADIENT_LR = 1.0  # moves the final loss by as much as Adam's 5e-5 does, so that the comparison is not vacuous
CASES = {
    "gradient": JointSearch(theta="gradient", theta_lr=GRADIENT_LR),
    "adam": JointSearch(theta="adam"),
    "shared": JointSearch(theta="shared"),
    "frozen": JointSearch(theta="frozen"),
}


def problem() -> tuple[nn.Module, Tensor, Tensor]:
    """The generator, an image (1, ...) and the starts."""
    torch.manual_seed(0)
    generator = ConvLadder(width=64, init="default").decoder(LATENT, PIXELS, output="tanh").eval()
    return generator.requires_grad_(requires_grad=False), torch.rand(1, *PIXELS) * 2 - 1, torch.randn(N_SEED, LATENT)


def squared(x: Tensor, y: Tensor) -> Tensor:
    """Mean squared difference, (n,)."""
    return (x - y).square().flatten(1).mean(dim=1)


def by_copies(search: JointSearch, generator: nn.Module, x: Tensor, starts: Tensor) -> Tensor:
    """One deep copy after the other, with torch's optimisers: losses (n_seed,)."""
    found = []
    for start in torch.split(starts, len(starts) if search.theta == "shared" else 1):
        g, z = copy.deepcopy(generator).requires_grad_(search.theta != "frozen"), start.clone().requires_grad_()
        adam = torch.optim.Adam([z], search.lr, betas=search.betas)
        weights = list(g.parameters())
        own = (
            torch.optim.SGD(weights, search.rate)
            if search.theta in ("gradient", "frozen")
            else torch.optim.Adam(weights, search.rate, betas=search.betas)
        )
        for _ in range(search.steps):
            adam.zero_grad()
            own.zero_grad()
            torch.autograd.backward(squared(x, g(z)).sum())
            adam.step()
            own.step()
        with torch.no_grad():
            found.append(squared(x, g(z)))
    return torch.cat(found)


def by_vmap(search: JointSearch, generator: nn.Module, x: Tensor, starts: Tensor) -> Tensor:
    """All starts at once with stacked weights: losses (n_seed,)."""
    buffers = dict(generator.named_buffers())
    weights = {k: v.expand(len(starts), *v.shape).clone() for k, v in generator.named_parameters()}

    def loss(weights: dict[str, Tensor], z: Tensor) -> Tensor:
        drawn: Tensor = functional_call(generator, (weights, buffers), (z[None],))
        return squared(x, drawn)[0]

    both = vmap(grad_and_value(loss, argnums=(0, 1)))
    moved = [z := starts.clone().requires_grad_(), *(w.requires_grad_() for w in weights.values())]
    adam = torch.optim.Adam(moved[:1], search.lr, betas=search.betas)
    kind = partial(torch.optim.Adam, betas=search.betas) if search.theta == "adam" else torch.optim.SGD
    own = kind(moved[1:], search.rate)
    for _ in range(search.steps):
        (of_weights, of_z), _ = both({k: v.detach() for k, v in weights.items()}, z.detach())
        z.grad = of_z
        for name, weight in weights.items():
            weight.grad = of_weights[name]
        adam.step()
        own.step()
    with torch.no_grad():
        found: Tensor = vmap(loss)(weights, z)
    return found


def by_oddgan(search: JointSearch, generator: nn.Module, x: Tensor, starts: Tensor) -> Tensor:
    """Ours: losses (n_seed,); x may hold several images, whose losses follow each other."""
    return search(x, partial(private, generator), Gaussian(), squared, starts, EXACT).loss.flatten()


def operations(search: JointSearch, generator: nn.Module) -> float:
    """Operations of a sample by the recommended form: products only, a multiplication and an addition counting two."""
    per_pass, of_theta = 0.0, 0.0
    for layer, p in zip((m for m in generator.modules() if hasattr(m, "kernel_size")), (1, 16, 64, 256), strict=True):
        weight = cast(Tensor, layer.weight)
        a, b = weight.shape[0], weight[0].numel()
        per_pass += 2 * p * a * b
        factors = 2 * (p * search.steps) ** 2 * (a + b)
        formed = search.steps * 2 * p * a * b
        of_theta += 0 if search.theta == "frozen" else min(factors, formed) if search.theta == "gradient" else formed
    # The first pass is shared by all samples; k more go forward, and k back.
    return N_SEED * (2 * search.steps * per_pass + of_theta)


def peak_memory(case: str) -> float:
    """Peak memory of our search beyond the imports, MB, in a process of its own."""
    run = subprocess.run([sys.executable, __file__, "--memory", case], capture_output=True, text=True, check=True)  # noqa: S603
    return float(run.stdout)


def report_memory(case: str) -> None:
    """Print how much the peak memory grows by a search."""
    generator, x, starts = problem()
    # A child's `ru_maxrss` would start at its parent's.
    before = memory_bytes("VmHWM")
    by_oddgan(CASES[case], generator, x, starts)
    print((memory_bytes("VmHWM") - before) / 2**20)


def variants(case: str, generator: nn.Module, x: Tensor, starts: Tensor) -> dict[str, Callable[[], Any]]:
    """What computes the losses of one algorithm, by name."""
    search = CASES[case]
    low = replace(search, precision="bf16")
    found: dict[str, Callable[[], Any]] = {"deep copies": lambda: by_copies(search, generator, x, starts)}
    if case in ("gradient", "adam"):
        found["vmap"] = lambda: by_vmap(search, generator, x, starts)
    several = x.repeat(3, 1, 1, 1)  # the first pass and the preparation are shared: the cost of one of three images
    return found | {
        "oddgan": lambda: by_oddgan(search, generator, several, starts)[:N_SEED],
        "oddgan bf16": lambda: by_oddgan(low, generator, several, starts)[:N_SEED],
    }


def measure(bench: Bench, case: str, machine: Peak) -> None:
    """All variants of one algorithm, interleaved."""
    search, (generator, x, starts) = CASES[case], problem()
    runs = variants(case, generator, x, starts)
    scores = {name: run() for name, run in runs.items()}  # warms up, too
    taken = cpu_rounds(runs, 1 if bench.quick else 5)
    seconds = {k: float(np.median(v)) / (3 if k.startswith("oddgan") else 1) for k, v in taken.items()}
    count, naive = operations(search, generator), "deep copies"
    setup = Setup(case, "", "one image", f"{N_SEED} starts, {search.steps} steps", {}, n_test=1)
    for name, used in seconds.items():
        of = replace(setup, method=name)
        records: list[Record] = [of.record("time", 1000 * used, "ms", baseline=1000 * seconds[naive])]
        if name != naive:
            error = float((scores[name] - scores[naive]).abs().max())
            mean = float((scores[name].mean() - scores[naive].mean()).abs())
            records += [of.record("max error of a start", error), of.record("error of the score", mean)]
        if name.startswith("oddgan"):
            floor = count / (machine.bf16 if "bf16" in name else machine.fp32)
            records.append(of.record("share of the floor", floor / used))
            if case == "adam":
                traffic = 7 * 4 * sum(p.numel() for p in generator.parameters()) * N_SEED * search.steps
                records.append(of.record("memory-traffic floor", 1000 * traffic / machine.bandwidth, "ms"))
        bench.add(*records)
    bench.add(replace(setup, method="oddgan").record("peak memory", peak_memory(case), "MB"))
    bench.add(replace(setup, method="oddgan").record("operations", count / 1e9, "GFLOP"))


def main() -> None:
    """Run all algorithms."""
    if sys.argv[1:2] == ["--memory"]:
        report_memory(sys.argv[2])
        return
    bench = Bench("adgan", __doc__)
    machine = measure_machine()
    for case in CASES:
        if bench.wanted(case, "deep copies"):
            measure(bench, case, machine)
    if bench.wanted("machine", "peak"):
        setup = Setup("machine", "peak", "-", "products, convolutions, copies", {}, n_test=1)
        rates = {"fp32": machine.fp32, "bf16": machine.bf16, "bandwidth": machine.bandwidth}
        bench.add(*(setup.record(k, v / 1e9, "GB/s" if k == "bandwidth" else "GFLOP/s") for k, v in rates.items()))
    bench.finish()


if __name__ == "__main__":
    main()
