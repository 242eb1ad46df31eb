"""The survey's own system on MIT-BIH: β-VAEGAN, the components of its score, and ways to compose them.

    python benchmarks/heartbeats.py [--json] [--quick] [--fresh] [--only TEXT]

Beats are cut by the rule of the published set. "ecgan split" is the random one of ecgan (15 % of the normal beats and
their share of the anomalies are the test, 22,427 beats; patients are in both parts). "patient-wise" trains on normal
beats of DS1 and tests on DS2, without record 201; five records of DS1 are the validation. How beats are cut there
("cut" cases) was chosen on those five records, by PCA, before a beat of DS2 was scored.

Compositions marked as semi-supervised, and their thresholds (highest phi), learn from the validation beats; the others
see normal beats that were held out of training, and their threshold is for 10 % false alarms among those. F1 is given
class-weighted and of the anomalies: no source says how the published one is averaged. Test labels choose nothing. All
methods that are compared on a split have the same networks: one training gives all rows.

The published system trains 500 epochs on a GPU; here it is 20, and 8 between patients, whose beats are longer, with
networks of half the width. For these few, step size (1e-3) and batch size (64) were chosen by the reconstruction of
held-out normal beats of the training part.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from typing import Any, cast

import numpy as np
import torch
from sklearn.metrics import f1_score

from harness import MODELS, Bench, Setup, clock, data_path
from oddgan import PCA, BetaVAEGAN, Detector, JointEncoderGAN
from oddgan.data.ecg import CLASSES, Beats, EcgOptions, adapted_scores, read_beats, split_beats
from oddgan.evaluate import Record
from oddgan.networks import ConvLadder, HeadedLadder
from oddgan.scores import (
    SVM,
    Composition,
    Fisher,
    GridSearch,
    Logistic,
    Maximum,
    Mixture,
    OneClass,
    RankAverage,
    Standardised,
    WeightedSum,
)
from oddgan.training import Adam, Callback, EpochRecord, State

Values = dict[str, np.ndarray]
SEEDS = (0, 1, 2)
SETTINGS: dict[str, Any] = {
    "backbone": HeadedLadder(width=16, max_width=512, norm="batch", critic_norm="none", head=32, init="xavier"),
    "optimiser": Adam(lr=1e-3),
    "batch_size": 64,
    "beta": 0.01,
    "calibration": 0.05,
}
EPOCHS = {"ecgan split": 20, "patient-wise": 8}
PAPER = ("residual", "features", "latent_norm_signed")
MORE = ("latent_norm_absolute", "latent_norm_empirical_absolute", "latent", "kl", "elbo", "critic_centred")
SEVEN = (*PAPER, "latent", "kl", "critic", "critic_cross_entropy")
ALONE = (*PAPER, *MORE, "critic_cross_entropy")
COMPOSITIONS: dict[str, Composition] = {
    "RBF SVM": SVM(components=PAPER),
    "linear SVM": SVM(components=PAPER, kernel="linear"),
    "logistic regression": Logistic(components=PAPER),
    "grid of weights": GridSearch(components=PAPER),
    "equal weights": Standardised(WeightedSum(**dict.fromkeys(PAPER, 1.0))),
    "rank average": RankAverage(components=PAPER),
    "maximum": Maximum(components=PAPER),
    "Fisher": Fisher(components=PAPER),
    "one-class SVM": OneClass(components=PAPER),
    "Gaussian mixture": Mixture(components=PAPER),
    "RBF SVM, seven components": SVM(components=SEVEN),
    "logistic regression, seven components": Logistic(components=SEVEN),
    "Gaussian mixture, seven components": Mixture(components=SEVEN),
}
RATE = 0.1
FEW = 3000  # beats that the components are looked at with after each epoch
MINUTES = 5.0
PUBLISHED = EcgOptions(cut="beat-to-beat")
WINDOW = EcgOptions(rate=0, adapt=0, rhythm=False)
CUTS = {
    "published": PUBLISHED,
    "window": WINDOW,
    "window, record's scale": replace(WINDOW, scale="robust"),
    "window, rhythm": replace(WINDOW, rhythm=True),
    "window, patient's own beat": replace(WINDOW, adapt=MINUTES),
    "window, rhythm, patient's own beat": replace(WINDOW, rhythm=True, adapt=MINUTES),
    "the same at 120 Hz": EcgOptions(),
}
# When the encoder of a GAN learns, and from what: beats (its error in x), or samples of the generator (its error in z).
ENCODERS: dict[str, dict[str, Any]] = {
    "encoder with the GAN, from beats": {"encoder": "joint"},
    "encoder beside the GAN, from beats": {"encoder": "beside"},
    "encoder after the GAN, from beats": {"encoder": "after"},
    "encoder after the GAN, from samples": {"encoder": "after", "image_weight": 0.0, "latent_weight": 1.0},
}
ENCODED: dict[str, Any] = {
    "backbone": ConvLadder(width=16, critic_norm="layer", init="xavier"),
    "latent_dim": 50,
    "epochs": 10,
    "batch_size": 64,
}
N_ENCODED = (8000, 6000)  # normal beats to train on, test beats
CHOSEN = "window, rhythm, patient's own beat"


@dataclass(frozen=True)
class Task:
    """Beats of a split.

    Parameters
    ----------
    name : the case.
    train : normal beats (n, c, t).
    validation, test : labelled beats.
    """

    name: str
    train: np.ndarray
    validation: Beats
    test: Beats

    @classmethod
    def of(cls, name: str, beats: Beats, protocol: str) -> "Task":
        """Divide beats; unclassifiable ones are in no part of a patient-wise task, as usual there."""
        split = split_beats(beats, protocol)
        parts = [beats.take(rows) for rows in (split.train, split.validation, split.test)]
        if protocol == "patient-wise":
            parts = [part.take(part.label < 4) for part in parts]
        return cls(name, parts[0].take(parts[0].label == 0).x, parts[1], parts[2])

    def few(self, n: int) -> "Task":
        """A part of it, for short runs."""
        draw = np.random.default_rng(0)
        some = [np.sort(draw.permutation(len(part))[:n]) for part in (self.train, self.validation, self.test)]
        return Task(self.name, self.train[some[0]], self.validation.take(some[1]), self.test.take(some[2]))


@cache
def at_random() -> Task:
    """Beats at random, as ecgan divides them."""
    return Task.of("ecgan split", read_beats(data_path("mitdb"), PUBLISHED), "ecgan")


@cache
def between_patients() -> Task:
    """Beats by patient, in the chosen cut."""
    return Task.of("patient-wise", read_beats(data_path("mitdb"), CUTS[CHOSEN]), "patient-wise")


class Drift(Callback):
    """Components of some validation and test beats after each epoch."""

    def __init__(self, detector: BetaVAEGAN, task: Task) -> None:
        self.detector, self.task, self.found = detector, task.few(FEW), list[tuple[Values, Values]]()

    def epoch_ended(self, state: State, record: EpochRecord) -> None:
        """Look at the networks as they are now."""
        del record
        self.found.append(components_now(self.detector, state, self.task))


def components_now(detector: BetaVAEGAN, state: State, task: Task) -> tuple[Values, Values]:
    """Components of the validation and the test beats by networks that are being trained."""
    trained = {name: network.training for name, network in state.networks.items()}
    state.networks.eval()
    found = _components(detector, task.validation.x), _components(detector, task.test.x)
    state.networks.train()
    for name, training in trained.items():
        state.networks[name].train(training)
    return found


@torch.no_grad()
def _components(detector: BetaVAEGAN, x: np.ndarray) -> Values:
    parts: list[Values] = []
    for rows in np.array_split(x, max(1, len(x) // 256)):
        found = detector._score(detector._prepare(rows)).components
        values = {k: v() if callable(v) else v for k, v in found.items()}
        parts.append({k: v.detach().double().numpy() for k, v in values.items()})
    return {k: np.concatenate([part[k] for part in parts]) for k in parts[0]}


def measure(setup: Setup, scores: np.ndarray, y: np.ndarray, threshold: float) -> list[Record]:
    """Ranking, and what the threshold makes of it."""
    flagged = scores > threshold
    found = setup.quality(scores, y, threshold)
    weighted, anomalies = f1_score(y, flagged, average="weighted"), f1_score(y, flagged)
    return [*found, setup.record("F1, class-weighted", weighted), setup.record("F1, anomalies", anomalies)]


def by_class(setup: Setup, scores: np.ndarray, label: np.ndarray) -> Iterator[Record]:
    """How well each class of anomalies is told from normal beats."""
    for number, name in enumerate(CLASSES[1:4], start=1):
        rows = (label == 0) | (label == number)
        yield setup.record(f"AUROC, {name} against N", setup.quality(scores[rows], label[rows] > 0)[0].value)


def system(bench: Bench, task: Task, seed: int) -> None:
    """Train once; every component, every composition, and how the weights drift."""
    settings = SETTINGS | {"epochs": 2 if bench.quick else EPOCHS[task.name]}
    detector = BetaVAEGAN(**settings, contamination=RATE, random_state=seed)
    drift = Drift(detector, task)
    with clock() as fit:
        detector.fit(task.train, callbacks=[drift])
    if not bench.quick:
        detector.save(MODELS / f"{task.name.replace(' ', '-')}-{seed}", force=True)
    with clock() as score:
        test = detector.score_components(task.test.x, extra="all")
    known, y = detector.score_components(task.validation.x, extra="all"), task.test.label > 0
    labels = (task.validation.label > 0).astype(int)
    setup = Setup(
        task.name, "", "MIT-BIH beats", f"{len(task.train)} N -> {len(y)}", settings, seed, len(y),
        fit.seconds + score.seconds,
    )  # fmt: skip
    single: dict[str, Composition] = {f"{name} alone": WeightedSum(**{name: 1.0}) for name in ALONE}
    for name, composition in (single | COMPOSITIONS).items():
        if composition.needs_labels:
            detector.compose(composition, known, labels).tune_threshold(known, labels)
        else:
            detector.compose(composition)
        of = replace(setup, method=f"β-VAEGAN, {name}", semi_supervised=detector.semi_supervised_)
        scores = detector.score_from(test)
        bench.add(*measure(of, scores, y, detector.threshold_), *by_class(of, scores, task.test.label))
        if not composition.needs_labels:  # what one could have chosen by, without a look at the test
            held = of.quality(detector.score_from(known), labels > 0, detector.threshold_)
            bench.add(*(record.model_copy(update={"metric": f"{record.metric}, validation"}) for record in held[:3]))
    bench.add(*drifted(setup, drift))


def drifted(setup: Setup, drift: Drift) -> Iterator[Record]:
    """The best weights, and each component alone, after every epoch, on a part of the beats."""
    y, labels = drift.task.test.label > 0, drift.task.validation.label > 0
    for epoch, (known, test) in enumerate(drift.found, start=1):
        normals = {k: v[~labels] for k, v in known.items()}
        search = GridSearch(components=("residual", "features", "latent_norm")).fit(normals, (known, labels))
        of = replace(setup, case=f"{setup.case}, epoch {epoch:03d}", method="grid of weights", n_test=len(y))
        weights = cast(tuple[float, ...], search.weights)
        learned = replace(of, semi_supervised=True)
        for name, weight in zip(search.components, weights, strict=True):
            yield learned.record(f"weight of {name}", weight)
        scores = search({name: torch.from_numpy(values) for name, values in test.items()}).numpy()
        yield from learned.quality(scores, y, search.best_threshold)[:3]
        for name in search.components:
            yield replace(of, method=f"{name} alone").quality(test[name], y)[0]
        yield replace(of, method="held-out normal beats").record("residual", float(normals["residual"].mean()))


def cuts(bench: Bench) -> None:
    """Ways to cut beats, between patients, by a detector that takes seconds; on the validation and the test records."""
    for name, options in CUTS.items():
        if not bench.wanted("cut, test records", name):
            continue
        beats = read_beats(data_path("mitdb"), options)
        task = Task.of("cut", beats, "patient-wise")
        task = task.few(2000) if bench.quick else task
        detector: Detector = PCA(n_components=0.95, calibration=0.2, contamination=RATE, random_state=0)
        detector.fit(task.train)
        for case, part in (("cut, validation records", task.validation), ("cut, test records", task.test)):
            scores, y, first = detector.anomaly_score(part.x), part.label > 0, part.seconds < 60 * MINUTES
            setup = Setup(case, name, "MIT-BIH beats", "patient-wise", {"cut": options}, None, int((~first).sum()))
            bench.add(*measure(setup, scores[~first], y[~first], detector.threshold_))
            own = adapted_scores(scores, part.record, first)
            cut = float(np.quantile(own[first], 1 - RATE))
            bench.add(*measure(replace(setup, method=f"{name}, patient's scores"), own[~first], y[~first], cut))


def encoders(bench: Bench) -> None:
    """One GAN's networks, with the encoder trained at different times and on different sides."""
    n_train, n_test = (500, 500) if bench.quick else N_ENCODED
    case = "when the encoder learns"
    for seed, name in product(SEEDS[:1] if bench.quick else SEEDS, ENCODERS):
        if not bench.wanted(case, name, seed):
            continue
        x, test = at_random().few(n_train).train, at_random().few(n_test).test
        settings = ENCODED | ENCODERS[name] | ({"epochs": 1} if bench.quick else {})
        detector = JointEncoderGAN(**settings, contamination=RATE, calibration=0.1, random_state=seed)
        with clock() as watch:
            parts = detector.fit(x).score_components(test.x, extra=("latent", "latent_norm", "features", "critic"))
        y, protocol = test.label > 0, f"ecgan split, {len(x)} N -> {len(test)}"
        setup = Setup(case, name, "MIT-BIH beats", protocol, settings, seed, len(y), watch.seconds)
        known = setup.record("residual of normal beats", float(np.mean(parts["residual"][~y])), "squared")
        quality = setup.quality(detector.score_from(parts), y, detector.threshold_)
        bench.add(*quality, *setup.alone(parts, y), known)


def main() -> None:
    """Run what is not measured yet."""
    bench = Bench("heartbeats", __doc__)
    cuts(bench)
    tasks: dict[str, Callable[[], Task]] = {"ecgan split": at_random, "patient-wise": between_patients}
    for seed, (name, read) in product(SEEDS[:1] if bench.quick else SEEDS, tasks.items()):
        if bench.wanted(name, "β-VAEGAN, RBF SVM", seed):
            system(bench, read().few(2000) if bench.quick else read(), seed)
    encoders(bench)
    bench.publish()
    bench.finish()


if __name__ == "__main__":
    main()
