"""What a column that never changes in training is divided by: AUROC where some change later, and where none does.

    zero        mapped to zero, whatever happens later: what oddgan did before
    unit        divided by 1, the unit of the raw values
    median      divided by the median standard deviation of the columns that vary
    default     the median, but at most 1 (and at least a millionth of the constant): `oddgan.scaling.Standard`

Every recording of MSL and SMAP that has both kinds of points (points, not windows; each with its own training part),
KDD99 (10 %, normal traffic trains, each of three attacks or all tests), and twelve tables of ADBench, of which
InternetAds and optdigits have constants. At most 2000 rows of a recording or of traffic train and 3000 test, drawn
once. kNN and PCA have their defaults; GANomaly, with 15,000 rows of training, runs on all tables and some of the other
cases, before and after. Other columns are standardised as ever, so that a case without constants that change has one
value.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Self, cast

import numpy as np

from adbench import TABLES
from harness import Bench, Setup, adbench_table, clock, data_path, kdd99, split_normals
from oddgan import KNN, PCA, Detector, GANomaly
from oddgan.data import Split
from oddgan.evaluate import Record
from oddgan.scaling import Standard

TRAIN, TEST, BUDGET = 2000, 3000, 15_000
RULES = ("zero", "unit", "median", "default")
RECORDINGS = {"MSL": "msl.npz", "SMAP": "smap.npz"}
ATTACKS = ("all", "teardrop", "satan", "warezmaster")
MORE = {"InternetAds": "17_InternetAds", "thyroid": "38_thyroid"}
SOME = ("MSL M-6", "MSL D-14", "MSL C-2", "MSL F-7", "SMAP A-7", "SMAP D-7", "KDD99 teardrop", "KDD99 all")


@dataclass(frozen=True)
class Ruled(Standard):
    """`Standard` with another rule for constants.

    Parameters
    ----------
    rule : one of `RULES`.
    """

    rule: str = "default"

    def fit(self, chunks: Iterable[np.ndarray]) -> Self:
        """Learn as `Standard` does, then change the spread of constants."""
        fitted = super().fit(chunks)
        spread, constants = cast(np.ndarray, fitted.spread), cast(np.ndarray, fitted.constants)
        median = float(np.median(spread[~constants])) if not constants.all() else 1.0
        given = {"zero": 0.0, "unit": 1.0, "median": median}
        if self.rule == "default":
            return fitted
        return replace(fitted, spread=np.where(constants, given[self.rule], spread))


def drawn(x: np.ndarray, most: int, *more: np.ndarray) -> tuple[np.ndarray, ...]:
    """At most so many rows, in order, and the same of other arrays."""
    rows = np.sort(np.random.default_rng(0).permutation(len(x))[:most])
    return tuple(values[rows] for values in (x, *more))


def recordings(name: str) -> Iterator[tuple[str, Split]]:
    """The recordings with both kinds of points."""
    with np.load(data_path(RECORDINGS[name])) as file:
        for key in sorted(k.removesuffix("_label") for k in file.files if k.endswith("_label")):
            label = file[f"{key}_label"] == 1
            if 0 < label.mean() < 1:
                x, anomalous = drawn(file[f"{key}_test"].astype(np.float64), TEST, label)
                (train,) = drawn(file[f"{key}_train"].astype(np.float64), TRAIN)
                yield f"{name} {key}", Split("points, own training part", train, x, anomalous)


def attacks() -> Iterator[tuple[str, Split]]:
    """Normal traffic, and attacks among other normal traffic."""
    x, kind = kdd99()
    normal = np.random.default_rng(0).permutation(np.flatnonzero(kind == "normal"))
    for attack in ATTACKS:
        found = np.flatnonzero(kind != "normal" if attack == "all" else kind == attack)
        (found,) = drawn(found, TEST // 2)
        rows = np.concatenate([normal[TRAIN : TRAIN + TEST // 2], found])
        yield f"KDD99 {attack}", Split("normal trains", x[normal[:TRAIN]], x[rows], kind[rows] != "normal")


def tables() -> Iterator[tuple[str, Split]]:
    """Twelve tables."""
    for name, file in (TABLES | MORE).items():
        yield name, split_normals(*adbench_table(file))


def made(method: str, rule: str, n: int) -> Detector:
    """The detector with this rule."""
    scaling = Ruled(rule=rule)
    if method == "GANomaly":
        return GANomaly(scaling=scaling, random_state=0, epochs=max(1, round(BUDGET / n)))
    return {"kNN": KNN, "PCA": PCA}[method](scaling=scaling, random_state=0)


def measure(case: str, data: str, method: str, rule: str, split: Split) -> Record:
    """AUROC of one detector with one rule."""
    with clock() as watch:
        scores = made(method, rule, len(split.x_train)).fit(split.x_train).anomaly_score(split.x_test)
    setup = Setup(case, f"{method}, {rule}", data, split.protocol, {}, 0, len(scores), watch.seconds)
    return setup.quality(scores, split.is_anomaly)[0]


def summary(records: list[Record]) -> Iterator[Record]:
    """Means over the cases of each data set, and where a method loses or gains most by the default."""
    for data in dict.fromkeys(r.data for r in records):
        found = {(r.case, r.method): r.value for r in records if r.data == data}
        for method in dict.fromkeys(m.partition(",")[0] for _, m in found):
            cases = [c for c, m in found if m == f"{method}, default" and (c, f"{method}, zero") in found]
            if not cases:
                continue
            rules = [rule for rule in RULES if all((c, f"{method}, {rule}") in found for c in cases)]
            change = {c: found[c, f"{method}, default"] - found[c, f"{method}, zero"] for c in cases}
            about = Setup(f"mean of {data}", method, data, f"{len(cases)} cases", {}, 0, len(cases))
            for rule in rules:
                mean = float(np.mean([found[c, f"{method}, {rule}"] for c in cases]))
                yield replace(about, method=f"{method}, {rule}").record("AUROC", mean)
            for name, worst in (("largest loss", min), ("largest gain", max)):
                case = worst(change, key=lambda c: change[c])
                setup = replace(about, case=f"{name} in {data}", method=f"{method}, {case}")
                yield setup.record("AUROC, default less zero", change[case])


SOURCES: dict[str, Callable[[], Iterator[tuple[str, Split]]]] = {
    "MSL": lambda: recordings("MSL"),
    "SMAP": lambda: recordings("SMAP"),
    "KDD99": attacks,
    "ADBench": tables,
}


def main() -> None:
    """Run what is not measured yet."""
    bench = Bench("scaling", __doc__)
    for data, cases in SOURCES.items():
        for case, split in cases() if not bench.quick or data == "MSL" else ():
            methods = (
                ("kNN", "PCA", "GANomaly") if case in (*SOME, *TABLES, *MORE) and not bench.quick else ("kNN", "PCA")
            )
            rules = {m: RULES if m != "GANomaly" else ("zero", "default") for m in methods}
            pairs = [(m, rule) for m in methods for rule in rules[m] if bench.wanted(case, f"{m}, {rule}", 0)]
            bench.add(*(measure(case, data, m, rule, split) for m, rule in pairs))
    measured = [r for r in bench.records if not r.case.startswith(("mean of", "largest"))]
    bench.replace(lambda r: r.case.startswith(("mean of", "largest")), *summary(measured))
    bench.finish()


if __name__ == "__main__":
    main()
