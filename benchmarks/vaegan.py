"""What more training brings the β-VAEGAN on ecgan's split: full width, half precision, a learning curve.

    python benchmarks/vaegan.py [--json] [--quick] [--fresh]

Beats, division and compositions are those of the "ecgan split" in `heartbeats.py`; the networks are the paper's
(VAEGAN_1D), twice as wide as there, and train in bfloat16 in batches of 64 with Adam at 1e-3, which were chosen there.
After the epochs of `LOOKS` all test beats are scored: by the residual alone, whose threshold is for 10 % false alarms
among normal validation beats, and by the paper's support vector machine on three components, and on seven, which learn
from the validation beats, as does their threshold (highest phi).

A run trains for as many processor minutes as ODDGAN_BENCH_MINUTES says (25) and leaves a checkpoint; the next one goes
on from there, up to the paper's 500 epochs. F1 is given by each of the averages that the published one may be.
"""

import os
import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from sklearn.metrics import f1_score

from harness import MODELS, Bench, Setup
from heartbeats import COMPOSITIONS, PAPER, RATE, SETTINGS, Task, Values, at_random, components_now
from oddgan import BetaVAEGAN
from oddgan.evaluate import Record
from oddgan.networks import VAEGAN_1D
from oddgan.scores import Composition, WeightedSum
from oddgan.thresholds import Conformal, best_threshold
from oddgan.training import Callback, Checkpoints, EpochRecord, State

CASE = "ecgan split"
EPOCHS = 500
LOOKS = (1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 75, 100, 150, 200, 300, 400, 500)
EVERY = 200  # steps between checkpoints
SETTINGS_HERE = SETTINGS | {"backbone": VAEGAN_1D, "precision": "bf16", "epochs": EPOCHS}
WAYS: dict[str, Composition] = {
    "residual alone": WeightedSum(residual=1.0),
    "RBF SVM": COMPOSITIONS["RBF SVM"],
    "RBF SVM, seven components": COMPOSITIONS["RBF SVM, seven components"],
}
AVERAGES = ("weighted", "macro", "micro")


class TimeUpError(Exception):
    """The minutes of this run are over."""


class Limit(Callback):
    """End the run after some processor seconds, where a checkpoint was just written."""

    def __init__(self, seconds: float) -> None:
        self.end = time.process_time() + seconds

    def iteration_ended(self, state: State) -> None:
        """Stop at a checkpoint."""
        if (state.clock.iteration + 1) % EVERY == 0 and time.process_time() > self.end:
            raise TimeUpError


class Curve(Callback):
    """Measure after some epochs, and the processor seconds of an epoch."""

    def __init__(self, bench: Bench, detector: BetaVAEGAN, task: Task) -> None:
        self.bench, self.detector, self.task = bench, detector, task
        self.looks = (1, 2) if bench.quick else LOOKS
        self.seconds, self.since = list[float](), 0.0

    def phase_started(self, state: State) -> None:
        """Start the clock; the rest of an epoch that another run began counts as one, too."""
        del state
        self.since = time.process_time()

    def epoch_ended(self, state: State, record: EpochRecord) -> None:
        """Look at the networks as they are now."""
        self.seconds.append(time.process_time() - self.since)
        epoch = record.epoch
        case = f"{CASE}, epoch {epoch:03d}"
        if epoch in self.looks and self.bench.wanted(case, "β-VAEGAN, RBF SVM", 0):
            known, test = components_now(self.detector, state, self.task)
            y = self.task.test.label > 0
            setup = Setup(case, "", "MIT-BIH beats", f"{len(self.task.train)} N -> {len(y)}", SETTINGS_HERE, 0, len(y))
            self.bench.add(*curve(setup, self._all(known, known), self._all(test, known), self.task))
            self.bench.add(replace(setup, method="training").record("an epoch", float(max(self.seconds)), "CPU s"))
        self.since = time.process_time()

    def _all(self, found: Values, known: Values) -> Values:
        """With the components that follow from others, seen from normal validation beats."""
        normal = self.task.validation.label == 0
        return found | self.detector._derived(found, {k: v[normal] for k, v in known.items()})


def curve(setup: Setup, known: Values, test: Values, task: Task) -> Iterator[Record]:
    """Every way to a score."""
    labels, y = task.validation.label > 0, task.test.label > 0
    normals = {k: v[~labels] for k, v in known.items()}
    for name, way in WAYS.items():
        composition = way.fit(normals, (known, labels.astype(int)) if way.needs_labels else None)
        held, scores = (
            composition({k: torch.from_numpy(v) for k, v in found.items()}).numpy() for found in (known, test)
        )
        best = best_threshold(held, labels, metric="mcc").threshold if way.needs_labels else None
        cut = Conformal()(np.sort(held[~labels]), RATE) if best is None else best
        of = replace(setup, method=f"β-VAEGAN, {name}", semi_supervised=way.needs_labels)
        yield from of.quality(scores, y, cut)
        yield from averages(of, y, scores > cut)
    for name in PAPER:
        yield replace(setup, method=f"β-VAEGAN, {name} alone").record(
            "AUROC, alone", setup.quality(test[name], y)[0].value
        )


def averages(setup: Setup, y: np.ndarray, flagged: np.ndarray) -> Iterator[Record]:
    """F1 by each way to average it over the two classes, and that of the anomalies by itself."""
    for average in AVERAGES:
        yield setup.record(f"F1, {average}", f1_score(y, flagged, average=average))
    yield setup.record("F1, anomalies", f1_score(y, flagged))


def main() -> None:
    """Train on, as long as the minutes last."""
    bench = Bench("vaegan", __doc__)
    task = at_random().few(640) if bench.quick else at_random()
    settings = SETTINGS_HERE | ({"epochs": 2} if bench.quick else {})
    detector = BetaVAEGAN(**settings, contamination=RATE, random_state=0)
    folder = MODELS / f"curve{'-quick' * bench.quick}"
    checkpoints = Checkpoints(folder, steps=EVERY, resume=True)
    limit = Limit(60 * float(os.environ.get("ODDGAN_BENCH_MINUTES", "25")))
    try:
        detector.fit(task.train, callbacks=[checkpoints, Curve(bench, detector, task), limit])
    except TimeUpError:
        bench.console.print(f"The minutes are over; the next run goes on from {folder}.")
    if bench.quick:
        checkpoints.remove()
    bench.finish()


if __name__ == "__main__":
    main()
