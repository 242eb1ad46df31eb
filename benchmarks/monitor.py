"""What the training monitor says about runs that are made to fail and about healthy ones, and what it costs.

Numbers are shares of the seeds in which a run is told to fail in that way. The thresholds were chosen on
these runs with seeds 0 to 4, which do not count here.
"""

import warnings
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from torch import Tensor

from harness import Bench, Setup, clock, cpu_rounds
from monitor_cases import FAILING, HEALTHY, PLAIN, Case
from oddgan import AnoGAN
from oddgan.base import Notice
from oddgan.networks import DCGAN_32
from oddgan.objectives import NonSaturating
from oddgan.training import FAILURES, Adam, Callback, Monitor

SEEDS = (10, 11)
METRIC = "share of seeds in which the monitor says so"


def watch(case: Case, seed: int, bench: Bench) -> None:
    """Train and note what the monitor says."""
    detector, x = case.make(seed)
    monitor = Monitor()
    with clock() as taken, warnings.catch_warnings():
        warnings.simplefilter("ignore", Notice)
        detector.fit(x, callbacks=[monitor])
    said = {alarm.failure for alarm in monitor.alarms}
    protocol = "healthy" if case.failure is None else f"made to fail: {case.failure}"
    setup = Setup("", f"{case.name} ({case.data})", "training runs", protocol, {}, seed, len(x), taken.seconds)
    bench.add(*(replace(setup, case=failure).record(METRIC, float(failure in said)) for failure in FAILURES))


def train(x: np.ndarray, *callbacks: Callback) -> dict[str, Tensor]:
    """Train a DCGAN for two epochs."""
    detector = AnoGAN(**PLAIN, latent_dim=64, epochs=2, backbone=DCGAN_32, objective=NonSaturating(), optimiser=Adam())
    detector.set_params(random_state=0)
    detector.fit(x, callbacks=callbacks)
    return dict(detector.networks_.state_dict())


def cost(bench: Bench) -> None:
    """Time training with and without the monitor, interleaved, and compare the weights."""
    x = np.random.default_rng(0).integers(256, size=(256 if bench.quick else 1024, 1, 32, 32)).astype(np.uint8)
    watched, alone = (partial(train, x, *callbacks) for callbacks in ((Monitor(),), ()))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Notice)
        ours, plain = watched(), alone()
        seconds = cpu_rounds({"watched": watched, "alone": alone}, 1 if bench.quick else 3)
    median = {name: float(np.median(taken)) for name, taken in seconds.items()}
    size = f"DCGAN-32, {len(x)} images of noise, 2 epochs"
    setup = Setup(size, "without Monitor", "cost", "training only", {}, seed=0, n_test=len(x))
    bench.add(setup.record("training", median["alone"], "CPU s"))
    setup = replace(setup, method="with Monitor")
    bench.add(setup.record("training", median["watched"], "CPU s", baseline=median["alone"]))
    different = sum(not torch.equal(value, ours[name]) for name, value in plain.items())
    bench.add(setup.record("weights and buffers that differ", different, "tensors"))


def main() -> None:
    """Run what is not measured yet."""
    bench = Bench("monitor", __doc__)
    for case in (*FAILING, *HEALTHY):
        for seed in SEEDS[:1] if bench.quick else SEEDS:
            if bench.wanted(FAILURES[0], f"{case.name} ({case.data})", seed):
                watch(case, seed, bench)
    if bench.wanted("cost", "with Monitor", 0) and not any(r.data == "cost" for r in bench.records):
        cost(bench)
    bench.finish()


if __name__ == "__main__":
    main()
