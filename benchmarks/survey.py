"""The survey's table of inference times: a search through the latent space against an encoder, on heartbeats.

Table 1 of Lüer & Böhm times AnoGAN's search and the encoder of one network, the β-VAEGAN, on the 22,427 test beats of
ecgan's split. Here both invert the decoder that `heartbeats.py` has trained on that split (first seed; run it before).
The search is the survey's: Adam with a step size of 0.01, a tenth of it once the loss is below 0.05, a random start,
and one minus a Gaussian kernel as loss, whose bandwidth is the median distance between normal beats. A beat ends by
itself when its loss is at most eps, or after n_max steps.

Search rows see a fixed random subset of 512 test beats, those of batch 1 its first 64: the search finds the same in a
batch of one as in one of 64 (`tests/inversion`), so that AUROC is that of all 512 there, too. Encoder rows see the 512,
and at batch 512 all 22,427. Times are processor milliseconds of a beat on one thread, with the mean and standard
deviation over beats (batch 1) or batches; ratios are to the encoder at the same batch size. As in the survey, the clock
covers the reconstruction alone.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from harness import MODELS, Bench, Setup, clock
from heartbeats import at_random
from oddgan import BetaVAEGAN, InputError, load
from oddgan.evaluate import Record
from oddgan.inversion import Execution, Inverted, LatentAdam, LatentSearch, Slots
from oddgan.networks import prepare
from oddgan.priors import Gaussian
from oddgan.similarities import L2, RBF, Similarity

CASE = "survey's table 1"
FEW, SOME = 64, 512
LR, DROP = 0.01, (0.05, 0.1)
Row = tuple[float, int, int]
# eps, n_max and batch of each search, and the encoder's batches.
SEARCHES: tuple[Row, ...] = ((0.005, 500, 1), (0.005, 500, 64), (0.005, 1000, 1), (0.05, 500, 1), (0.05, 100, 1))
ENCODERS = (1, 512)


@dataclass
class Problem:
    """A trained network with beats to invert.

    Parameters
    ----------
    detector : the trained β-VAEGAN.
    x : all test beats as the network takes them, (n, 1, t).
    y : which of them are anomalous, (n,).
    some : rows of the subset.
    loss : what is searched by.
    """

    detector: BetaVAEGAN
    x: Tensor
    y: np.ndarray
    some: np.ndarray
    loss: Similarity

    @classmethod
    def of(cls, step: int, few: int) -> "Problem":
        """The model of `heartbeats.py`; the test beats at even steps; so few in the subset."""
        try:
            detector = load(MODELS / "ecgan-split-0")
        except InputError as error:
            raise SystemExit(f"{error} Run heartbeats.py first, which trains it.") from None
        assert isinstance(detector, BetaVAEGAN)
        task = at_random()
        x, y = detector._prepare(task.test.x[::step]), task.test.label[::step] > 0
        some = np.random.default_rng(0).permutation(len(x))[:few]
        return cls(detector, x, y, some, RBF().fit(detector._prepare(task.train[:SOME])))

    def search(self, x: Tensor, how: LatentSearch, batch: int) -> Inverted:
        """Search for beats x (n, 1, t)."""
        start = torch.randn(1, self.detector.latent_dim, generator=torch.Generator().manual_seed(0))
        return how(x, self.decoder, Gaussian(), self.loss, start, Execution(Slots(batch)))

    def encode(self, x: Tensor) -> Tensor:
        """Reconstructions of beats x (n, 1, t)."""
        with torch.inference_mode():
            found: Tensor = self.decoder(self.encoder(x)[:, : self.detector.latent_dim])
            return found

    def __post_init__(self) -> None:
        nets = self.detector.networks_
        self.encoder, self.decoder = (prepare(nets[name]) for name in ("encoder", "decoder"))


def times(x: Tensor, batch: int, run: Callable[[Tensor], object]) -> np.ndarray:
    """Milliseconds of a beat, for each batch; the first is run twice, to warm up."""
    batch, found = min(batch, len(x)), []
    run(x[:batch])
    for i in range(0, len(x) - batch + 1, batch):
        with clock() as watch:
            run(x[i : i + batch])
        found.append(1e3 * watch.seconds / batch)
    return np.array(found)


def timed(setup: Setup, ms: np.ndarray, encoder: float) -> list[Record]:
    """Mean and spread over batches, and the ratio of the encoder's time to this."""
    return [
        setup.record("time of a beat", float(ms.mean()), "ms", baseline=encoder),
        setup.record("spread over batches", float(ms.std()), "ms"),
    ]


def by_encoder(bench: Bench, problem: Problem, batch: int) -> float:
    """An encoder's row; returns its milliseconds."""
    some, everything = problem.some, np.arange(len(problem.x))
    x = problem.x[some if batch < SOME else everything]
    settings = {"batch": batch}
    setup = Setup(CASE, f"encoder, batch {batch}", "MIT-BIH beats", "ecgan split", settings, None, len(x))
    ms = times(x, batch, problem.encode)
    records = timed(setup, ms, float(ms.mean()))
    if not bench.wanted(CASE, setup.method):
        return float(ms.mean())
    drawn = Slots(SOME).map(problem.encode, problem.x)
    losses = {"search loss": problem.loss(problem.x, drawn).numpy(), "residual": L2()(problem.x, drawn).numpy()}
    for name, rows in {"": some, ", all beats": everything}.items():
        for part, loss in losses.items():
            records.append(setup.record(f"AUROC, {part}{name}", setup.quality(loss[rows], problem.y[rows])[0].value))
    bench.add(*records)
    return float(ms.mean())


def by_search(bench: Bench, problem: Problem, row: Row, encoder: float) -> None:
    """A search's row."""
    eps, n_max, batch = row
    how = LatentSearch(n_max=n_max, eps=eps, optimiser=LatentAdam(lr=LR, betas=(0.5, 0.99)), drop=DROP)
    x, y = problem.x[problem.some], problem.y[problem.some]
    settings = {"eps": eps, "n_max": n_max, "batch": batch}
    setup = Setup(CASE, named(row), "MIT-BIH beats", "ecgan split", settings, None, len(x))
    ms = times(x[: FEW if batch == 1 else len(x)], batch, lambda part: problem.search(part, how, batch))
    found = problem.search(x, how, 64)
    drawn = L2()(x, found.x).numpy()
    bench.add(
        *timed(setup, ms, encoder),
        setup.record("AUROC, search loss", setup.quality(found.censored.numpy(), y)[0].value),
        setup.record("AUROC, residual", setup.quality(drawn, y)[0].value),
        setup.record("mean steps", float(found.steps.double().mean()), "steps"),
        setup.record("share converged", float(found.converged.double().mean())),
    )


def named(row: Row) -> str:
    """The row's name."""
    return f"search, eps {row[0]:g}, {row[1]} steps, batch {row[2]}"


def main() -> None:
    """Run what is not measured yet."""
    bench = Bench("survey", __doc__)
    names = [*(named(row) for row in SEARCHES), *(f"encoder, batch {batch}" for batch in ENCODERS)]
    if any(bench.wanted(CASE, name) for name in names):
        problem = Problem.of(*(40, 32) if bench.quick else (1, SOME))
        encoder = {batch: by_encoder(bench, problem, batch) for batch in ENCODERS}
        encoder[64] = float(times(problem.x[problem.some], 64, problem.encode).mean())
        for row in SEARCHES:
            if bench.wanted(CASE, named(row)):
                by_search(bench, problem, row, encoder[row[2]])
    bench.publish()
    bench.finish()


if __name__ == "__main__":
    main()
