"""Learning curves: AUROC of ten methods against the CPU minutes of their training, up to twice the default steps.

Every point is a fit of its own with a share of the method's default steps, in all phases alike, so that each is what a
user gets who sets so many; nothing else differs from the defaults. The digit 5 of MNIST's training part is normal, a
digit that no table of results has; a fifth of that part is held out, 500 rows of which are scored.
"""

from collections.abc import Iterator
from typing import cast

from defaults import few
from harness import Bench, Entry, mnist
from harness.one_class import Images
from oddgan.data import Split
from oddgan.detectors import methods
from oddgan.families import NeuralDetector
from oddgan.training.length import default_lengths

METHODS = ("GANomaly", "LAD", "FAnoGAN", "EGBAD", "ALAD", "AnoGAN", "OCGAN", "ALOCC", "WAIC", "ADGAN")
SHARES = (0.125, 0.25, 0.5, 1.0, 2.0)
CASE, N_TEST, N_QUICK = "digit 5", 500, 100


def entries(split: Split) -> Iterator[Entry]:
    """Each method with each share of its steps, the small ones of all methods first."""
    for share in SHARES:
        for name in METHODS:
            cls = cast(type[NeuralDetector], methods()[name])
            detector = cls()
            detector.shape_ = split.x_train.shape[1:]
            lengths = {key: max(1, round(share * steps)) for key, steps in default_lengths(detector).items()}
            yield Entry(f"{name}, {share:g} of the default steps", cls, lengths)


def main() -> None:
    """Run what is not measured yet."""
    bench = Bench("curves", __doc__)
    split = few(Images("MNIST", {CASE: 5}, **mnist()).held_out({CASE: 5}).split(CASE), N_TEST)
    chosen = list(entries(split))
    if bench.quick:
        chosen = [Entry(e.name, e.cls, dict(e.cls.tiny)) for e in chosen[:1]]
        split = few(split, N_QUICK)
    for _, entry, seed in bench.missing([CASE], chosen):
        found = entry.measure(CASE, "MNIST", split, seed)
        bench.add(*found.quality(), found.fit())
    bench.finish()


if __name__ == "__main__":
    main()
