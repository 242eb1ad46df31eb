"""Pure defaults, `Detector(random_state=s).fit(X)`, of every detector, on digits, tables and heartbeats.

Training sees normal rows only, no setting differs from the method's own, and the floors (the distance to the mean, kNN)
are in every run. Three seeds where anything is random; a seed of everything comes before the next.

Defaults are chosen with `--held-out` and judged without it; the two share no class, table or patient. To choose: the
digits 3 and 5 of MNIST's training part, its last fifth held out; six tables of ADBench; the last five patients of DS1
after training on the others. To judge: the digits 0, 1 and 8 with the test part, ten other tables, the patients of DS2.

The six tables were named by size and kind before any result was seen: 340 to 49,097 rows, two of them small (Stamps,
Pima), 8 to 1555 columns; medicine, biology, documents, landscapes and spacecraft. The ten are those of `adbench.py`. No
table has the origin of another on the other side, as thyroid and WBC would. Half of the normal rows train, the rest and
all anomalies test.

At most 4000 rows of a case are scored, drawn once: all of each of the ten tables.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from adbench import TABLES
from ecg import N_TRAIN, NORMAL, windows
from harness import Bench, Entry, Setup, adbench_table, mnist, split_normals
from harness.one_class import Images
from oddgan._core.card import kind_of
from oddgan.data import Split
from oddgan.data.ecg import DS1, DS2
from oddgan.detectors import methods
from oddgan.evaluate import Record

HELD_OUT_TABLES = {
    "InternetAds": "17_InternetAds",
    "Pima": "29_Pima",
    "satellite": "30_satellite",
    "shuttle": "32_shuttle",
    "Stamps": "37_Stamps",
    "yeast": "47_yeast",
}
DIGITS, HELD_OUT_DIGITS = (0, 1, 8), (3, 5)
N_PATIENTS = 5  # of DS1, to choose by
MOST, N_QUICK = 4000, 100  # rows of a case to score
FLOORS = ("MeanDistance", "KNN")
CERTAIN = (*FLOORS, "PCA")  # nothing is random in these
SEEDS = (0, 1, 2)
SHARED = ("AUROC", "fit")

Cases = dict[str, Callable[[], Split]]


def few(split: Split, most: int) -> Split:
    """At most so many rows to score, drawn with a fixed seed."""
    rows = np.sort(np.random.default_rng(0).permutation(len(split.x_test))[:most])
    return replace(split, x_test=split.x_test[rows], is_anomaly=split.is_anomaly[rows])


def table(file: str) -> Split:
    """Half of the normal rows train, the rest and all anomalies test."""
    return split_normals(*adbench_table(file))


def digit(label: int, *, held_out: bool) -> Split:
    """One digit is normal; to choose by, the training part alone."""
    case = {f"digit {label}": label}
    images = Images("MNIST", case, **mnist())
    return (images.held_out(case) if held_out else images).split(f"digit {label}")


def heartbeats(*, held_out: bool) -> Split:
    """Normal beats of some patients to train on, all beats of others to test, in the default cut."""
    train, test = (DS1[:-N_PATIENTS], DS1[-N_PATIENTS:]) if held_out else (DS1, DS2)
    normal, others = windows(train).normal().draw(N_TRAIN, 0), windows(test)
    protocol = "DS1 N, 16 patients -> the other 5" if held_out else "DS1 N -> DS2"
    return Split(protocol, normal.x, others.x, others.y != NORMAL)


def groups(*, held_out: bool) -> dict[str, Cases]:
    """The cases by data set; each is read when it is called."""
    digits = HELD_OUT_DIGITS if held_out else DIGITS
    tables = HELD_OUT_TABLES if held_out else TABLES
    return {
        "ADBench": {name: partial(table, file) for name, file in tables.items()},
        "MNIST": {f"digit {d}": partial(digit, d, held_out=held_out) for d in digits},
        "MIT-BIH beats": {"heartbeats": partial(heartbeats, held_out=held_out)},
    }


def entries(*, quick: bool) -> Iterator[Entry]:
    """Every detector as it comes, floors first; a quick run has the settings of the tests."""
    found = methods()
    for name in (*FLOORS, *(name for name in found if name not in FLOORS)):
        settings = dict(found[name].tiny) if quick else {}
        seeds = SEEDS[:1] if name in CERTAIN else SEEDS
        yield Entry(name, found[name], settings, seeds, role="floor" if name in FLOORS else "measured")


def means(records: Iterable[Record], data: str, cases: Iterable[str]) -> list[Record]:
    """The mean over the cases, for each method and seed that has them all."""
    names = list(cases)
    by_run: dict[tuple[str, int | None, str], dict[str, Record]] = {}
    for r in records:
        if r.case in names and r.metric in SHARED:
            by_run.setdefault((r.method, r.seed, r.metric), {})[r.case] = r
    found = []
    for (method, seed, metric), by_case in by_run.items():
        if len(names) > 1 and len(by_case) == len(names):
            r = by_case[names[0]]
            setup = Setup(f"mean of {len(names)}", method, data, r.protocol, r.settings, seed, len(names), role=r.role)
            found.append(setup.record(metric, float(np.mean([r.value for r in by_case.values()])), r.unit))
    return found


def measure(bench: Bench, data: str, cases: Cases) -> None:
    """Fit and score what is not measured yet, floors before anything else of a case, and take the means anew."""
    chosen = list(entries(quick=bench.quick))
    read: dict[str, Split] = {}
    for case, entry, seed in bench.missing(cases, chosen):
        if case not in read:
            read = {case: few(cases[case](), N_QUICK if bench.quick else MOST)}
        split = replace(read[case], x_train=read[case].x_train[: N_QUICK if bench.quick else None])
        for each in (*chosen[: len(FLOORS)], entry):
            number = seed if each is entry else each.seeds[0]
            suits = kind_of(split.x_train.shape[1:]) in each.cls.card.kinds
            if suits and not bench.measured(case, each.name, number):
                found = each.measure(case, data, split, number)
                bench.add(*found.quality(), found.fit())
    bench.replace(lambda r: r.data == data and r.case.startswith("mean of"), *means(bench.records, data, cases))


def main() -> None:
    """Run what is not measured yet."""
    bench = Bench("defaults", __doc__, held_out=True)
    for data, cases in groups(held_out=bench.held_out).items():
        measure(bench, data, dict(list(cases.items())[:1]) if bench.quick else cases)
    bench.finish()


if __name__ == "__main__":
    main()
