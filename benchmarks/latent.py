"""Latent restriction: what truncated, boxed and shell-shaped searches do to detection, and how large z should be.

The survey leaves open whether the latent space should be restricted in training, in the search, or in both. One GAN and
one encoder for each case and seed, trained on normal data with z ~ N(0, I); then only the search changes
(`set_inversion`), and AUROC and AP are those of the method's own score:

- truncated at L: every step of AnoGAN's search, or f-AnoGAN's code, is clamped to ±L. A uniform box of the same bounds
  is the same set, so that one line stands for both; where they differ is in training, below;
- shell of k: ‖z‖ is kept within k standard deviations of √(m - 1), by projection, by a penalty on its squared distance
  (of AnoGAN's search only), or by accepting only points inside.

For the digit 8 the prior of training changes too (TruncatedNormal at 1 and 2, Uniform at ±1, Shell at 1), each searched
on its own support, and with no bounds; and so does the size of z (8, 32, 128), searched with no bounds, truncated at 1
and on the shell of 1.

Digits 8, 0, 1 of MNIST at 32 px, GANs of `gans.py` (z has 64 values); normal heartbeats of DS1 to train on, DS2 to test
on, networks of `ecg.py`. 200 normal and 300 anomalous test rows for each case, drawn once. AnoGAN searches for 20 steps
of Adam at 0.1, behind which its AUROC hardly changes (`inversion.py`). f-AnoGAN's encoder is linear: the paper's tanh
reaches only ±1 by itself; how long its codes are is noted. Levels were written down before any result was seen; there
is no best one to report.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import product
from typing import Any, cast

import numpy as np

from ecg import N_TRAIN, NORMAL, WGAN, beats
from gans import ANOGAN, DIGITS, SEEDS, SETTINGS, gan
from harness import MODELS, Bench, Setup, clock, mnist
from inversion import transplanted
from oddgan import AnoGAN, FAnoGAN, load
from oddgan.data.ecg import DS1, DS2
from oddgan.families import SearchDetector
from oddgan.inversion import (
    Accepted,
    EncoderInversion,
    LatentAdam,
    LatentSearch,
    Projected,
    Restriction,
    SupportPenalty,
)
from oddgan.priors import Gaussian, Prior, Shell, TruncatedNormal, Uniform
from oddgan.training import RMSProp

LIMITS, SHELLS, WEIGHT = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0), (0.5, 1.0, 2.0, 4.0), 10.0
LEVELS: dict[str, Restriction | None] = {
    "no bounds": None,
    **{f"truncated at {limit:g}": Projected(TruncatedNormal(limit=limit)) for limit in LIMITS},
    **{f"shell of {k:g}": Projected(Shell(k=k)) for k in SHELLS},
    "shell of 1, penalty": SupportPenalty(Shell(k=1.0), weight=WEIGHT),
    "shell of 1, accepted": Accepted(Shell(k=1.0)),
}
CODES = "f-AnoGAN, codes"
FEW = ("no bounds", "truncated at 1", "shell of 1")
PRIORS: dict[str, Prior] = {
    "truncated at 2": TruncatedNormal(limit=2.0),
    "truncated at 1": TruncatedNormal(limit=1.0),
    "uniform": Uniform(),
    "shell of 1": Shell(k=1.0),
}
SIZES = (8, 32, 128)
N_NORMAL, N_ANOMALOUS, STEPS = 200, 300, 20
# The encoder's published step of 5e-5 is made for more rows and epochs than these; see `ecg.py`.
ENCODER: dict[str, Any] = {"encoder_output": "linear", "encoder_epochs": 10, "encoder_optimiser": RMSProp(lr=5e-4)}


@dataclass(frozen=True)
class Case:
    """Data of one kind, a GAN on it, and what the GAN is searched with.

    Parameters
    ----------
    name : of the case, as the table shows it.
    data : the data set, in words, and `protocol` how it was divided.
    train, x, anomalous : normal rows to train on, test rows and which of them are anomalies.
    settings : of the GAN.
    levels : restrictions by name.
    digit : whose GAN of `gans.py` serves; None trains one.
    """

    name: str
    data: str
    protocol: str
    train: np.ndarray
    x: np.ndarray
    anomalous: np.ndarray
    settings: dict[str, Any]
    levels: dict[str, Restriction | None] = field(default_factory=lambda: LEVELS)
    digit: int | None = None

    def path(self, kind: str, seed: int) -> Any:
        """Where a model of the case is kept."""
        words = "".join(c if c.isalnum() else "-" for c in self.name)
        return MODELS / f"latent-{words}-{kind}-{seed}"


def drawn(anomalous: np.ndarray, n: tuple[int, int]) -> np.ndarray:
    """The numbers of so many normal and anomalous test rows, drawn once."""
    draw = np.random.default_rng(0)
    kinds = (np.flatnonzero(anomalous == kind) for kind in (False, True))
    return np.sort(np.concatenate([draw.permutation(rows)[:k] for rows, k in zip(kinds, n, strict=True)]))


def cases(bench: Bench) -> Iterator[Case]:
    """Digits, heartbeats, then the digit 8 with other priors and sizes."""
    n = (10, 10) if bench.quick else (N_NORMAL, N_ANOMALOUS)
    protocol, images = f"{n[0]} normal, {n[1]} anomalous of the test split", mnist()

    def digit(number: int, name: str, **settings: Any) -> Case:
        train, anomalous = images["x_train"][images["y_train"] == number], images["y_test"] != number
        rows = drawn(anomalous, n)
        return Case(name, "MNIST", protocol, train, images["x_test"][rows], anomalous[rows], SETTINGS | settings)

    for number in DIGITS:
        made = digit(number, f"digit {number}")
        yield replace(made, digit=number)
    known, new = beats(DS1).normal().draw(N_TRAIN, 0), beats(DS2)
    rows, networks = drawn(new.y != NORMAL, n), SETTINGS | {"backbone": WGAN}
    among = f"DS1 N -> {n[0]} N, {n[1]} S, V, F of DS2"
    yield Case("heartbeats", "MIT-BIH beats", among, known.x, new.x[rows], new.y[rows] != NORMAL, networks)
    for name, prior in PRIORS.items():
        levels: dict[str, Restriction | None] = {"own support": None, "no bounds": Projected(Gaussian())}
        yield replace(digit(8, f"digit 8, trained {name}", prior=prior), levels=levels)
    for size in SIZES:
        few = {name: LEVELS[name] for name in FEW}
        yield replace(digit(8, f"digit 8, z of {size}", latent_dim=size), levels=few)


def trained(case: Case, seed: int, *, quick: bool) -> AnoGAN:
    """The case's GAN, as an AnoGAN detector; trained if it is not there, and kept but for short runs."""
    if case.digit is not None and not quick:
        return gan(case.digit, seed, {"x_train": case.train, "y_train": np.full(len(case.train), case.digit)})
    path = case.path("gan", seed)
    if quick or not path.exists():
        shortened = {"epochs": 1} if quick else {}
        settings = ANOGAN | case.settings | shortened | {"inversion": LatentSearch(n_max=1), "calibration_size": 1}
        detector = AnoGAN(**settings, random_state=seed).fit(case.train[:100] if quick else case.train)
        if quick:
            return detector
        MODELS.mkdir(exist_ok=True)
        detector.save(path)
    found = load(path)
    assert isinstance(found, AnoGAN)
    return found


def encoded(case: Case, seed: int, around: AnoGAN, *, quick: bool) -> FAnoGAN:
    """F-AnoGAN around the case's GAN: only its encoder is trained, and kept but for short runs."""
    path = case.path("encoder", seed)
    if quick or not path.exists():
        # A linear encoder leaves a narrower prior's support; it learns from images alone.
        settings = case.settings | ENCODER | {"prior": Gaussian()} | ({"encoder_epochs": 1} if quick else {})
        made: FAnoGAN = transplanted(FAnoGAN, around, **settings)
        type(made).__name__ = "FAnoGAN"  # what it is, but for how it was trained
        made.fit(case.train[:100] if quick else case.train)
        if quick:
            return made
        made.save(path)
    found = load(path)
    assert isinstance(found, FAnoGAN)
    return found


def inversions(case: Case, *, quick: bool) -> Iterator[tuple[str, type[SearchDetector], Any, dict[str, object]]]:
    """Each search by its name, with its detector and settings; only projections say something about a bare encoder."""
    steps = 2 if quick else STEPS
    for name, rule in case.levels.items():
        how: dict[str, object] = {"restriction": str(rule), "level": name}
        search = LatentSearch(n_max=steps, optimiser=LatentAdam(lr=0.1), restriction=rule)
        yield f"AnoGAN, {name}", AnoGAN, search, how | {"steps": steps}
        if name != "own support" and (rule is None or isinstance(rule, Projected)):
            yield f"f-AnoGAN, {name}", FAnoGAN, EncoderInversion(restriction=rule), how
    own = case.settings.get("prior")
    if own is not None:
        how = {"restriction": str(own), "level": "own support"}
        yield "f-AnoGAN, own support", FAnoGAN, EncoderInversion(restriction=Projected(own)), how


def measure(bench: Bench, case: Case, seed: int) -> None:
    """Score the case's test rows by every search that is not measured yet."""

    @cache
    def model(kind: type[SearchDetector]) -> SearchDetector:
        if kind is AnoGAN:
            return trained(case, seed, quick=bench.quick)
        return encoded(case, seed, cast(AnoGAN, model(AnoGAN)), quick=bench.quick)

    setup = Setup(case.name, "", case.data, case.protocol, {}, seed, n_test=len(case.x))
    for name, kind, inversion, settings in inversions(case, quick=bench.quick):
        if bench.wanted(case.name, name, seed):
            # A search without bounds leaves a narrower prior's support, where that has no finite density to report.
            prior = Gaussian() if settings["level"] == FEW[0] else case.settings.get("prior", Gaussian())
            detector = model(kind).set_params(prior=prior).set_inversion(inversion, case.train[:64])
            with clock() as watch:
                scores = detector.anomaly_score(case.x)
            own = replace(setup, method=name, settings=settings, cpu_s=watch.seconds)
            bench.add(*own.quality(scores, case.anomalous))
    if case.levels is LEVELS and bench.wanted(case.name, CODES, seed):
        encoder = model(FAnoGAN).set_inversion(EncoderInversion(), case.train[:64])
        norms = np.linalg.norm(encoder.invert(case.x).z, axis=1)
        kinds = {"normal": norms[~case.anomalous], "anomalous": norms[case.anomalous]}
        own = replace(setup, method=CODES)
        middle = {f"‖z‖ of {kind} rows, median": float(np.median(norm)) for kind, norm in kinds.items()}
        bench.add(*(own.record(name, value, "length") for name, value in middle.items()))


def main() -> None:
    """Run what is not measured yet: one seed of everything, then the searches of the others, then the trainings."""
    bench = Bench("latent", __doc__)
    found = list(cases(bench))
    first, more = SEEDS[:1], SEEDS[:0] if bench.quick else SEEDS[1:]
    searched, retrained = ([c for c in found if (c.levels is LEVELS) is same] for same in (True, False))
    for seed, case in (*product(first, found), *product(more, searched), *product(more, retrained)):
        measure(bench, case, seed)
    bench.finish()


if __name__ == "__main__":
    main()
