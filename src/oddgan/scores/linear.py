"""Weighted sums learned from labelled rows: grid search and logistic regression."""

import dataclasses
import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import ClassVar, Literal, Self

import numpy as np
from torch import Tensor

from oddgan._core.checks import positive
from oddgan._core.confusion import Bools, Confusion, balanced_accuracy, f_beta, mcc, sweep
from oddgan._core.errors import InputError
from oddgan._core.lazy import LazyModule
from oddgan.scores.composition import weighted
from oddgan.scores.learned import Floats, learned
from oddgan.scores.standardisation import Scaled

linear_model = LazyModule("sklearn.linear_model")

MOST = 100_000
"""More candidates than this are refused: at about 2 ms each on 20,000 rows they take minutes."""
_CELLS = 250_000  # candidates × rows that are in memory at a time
_AT_A_CUT: dict[str, Callable[[Confusion], Floats]] = {
    "mcc": mcc,
    "f1": f_beta,
    "balanced_accuracy": balanced_accuracy,
}
_METRICS = (*_AT_A_CUT, "auroc", "average_precision")


@dataclass(frozen=True, eq=False)
class GridSearch(Scaled):
    r"""Weighted sum of standardised components whose weights are the best of a lattice, by labelled rows.

    .. math:: S = \sum_i \lambda_i s_i, \quad \lambda_i \ge 0, \quad \sum_i \lambda_i = 1

    All weights that are multiples of `step` are tried, and for each all thresholds that change what is flagged: one
    sort per candidate, no threshold between two of a list is missed. Of weights that are equally good, those nearest
    to equal weights are taken.

    Parameters
    ----------
    step : distance of the lattice's points, 1 divided by a whole number; k components have
        C(1/step + k - 1, k - 1) points.
    metric : what to make best: "mcc", "f1" or "balanced_accuracy" at the best threshold, or "auroc" or
        "average_precision", which need none.
    weights : learned: one weight per component; None before `fit`.
    best_threshold : learned: the threshold where the metric is best, for the rankings that of the highest MCC. It was
        chosen with labels; `Fixed(value=best_threshold)` uses it.

    References
    ----------
    F. Lüer, C. Böhm: Anomaly Detection using Generative Adversarial Networks: Reviewing Methodological Progress and
    Challenges, 2023, equation 9 and section 4.4.
    """

    needs_labels: ClassVar[bool] = True

    step: float = 1 / 20
    metric: Literal["mcc", "f1", "balanced_accuracy", "auroc", "average_precision"] = "mcc"
    weights: tuple[float, ...] | None = None
    best_threshold: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.step <= 1 or abs(1 / self.step - round(1 / self.step)) > 1e-6 / self.step:
            raise InputError(f"GridSearch got step={self.step}: give 1 divided by a whole number, e.g. 0.05.")
        if self.metric not in _METRICS:
            raise InputError(f"GridSearch got metric={self.metric!r}: give one of {', '.join(_METRICS)}.")

    def _train(self, rows: Floats, is_anomaly: Bools) -> Self:
        candidates = lattice(len(self.components), round(1 / self.step))
        best = _search(candidates, rows, is_anomaly, self.metric)
        return dataclasses.replace(self, weights=tuple(best[0].tolist()), best_threshold=best[1])

    def _combine(self, columns: Sequence[Tensor]) -> Tensor:
        return weighted(columns, learned(self, self.weights))


def lattice(k: int, steps: int) -> Floats:
    """All k weights that are multiples of 1/steps and add up to 1, those nearest to equal weights first, (p, k)."""
    size = math.comb(steps + k - 1, k - 1)
    if size > MOST:
        fits = max(m for m in range(1, steps) if m == 1 or math.comb(m + k - 1, k - 1) <= MOST)
        raise InputError(
            f"GridSearch would try {size:,} weights of {k} components with step=1/{steps}, more than {MOST:,}: take "
            f"step=1/{fits}, or fewer components."
        )
    bars = np.array(list(itertools.combinations(range(steps + k - 1), k - 1)), dtype=np.int64).reshape(size, k - 1)
    whole = np.diff(bars, axis=1, prepend=-1, append=steps + k - 1) - 1
    nearest = np.argsort((whole**2).sum(axis=1), kind="stable")
    return np.asarray(whole[nearest] / steps, dtype=np.float64)


def _search(candidates: Floats, rows: Floats, is_anomaly: Bools, metric: str) -> tuple[Floats, float]:
    """Return the best weights and their best threshold, exactly; of equally good ones the first."""
    found, chunk = (-math.inf, candidates[0], math.nan), max(1, _CELLS // len(rows))
    for start in range(0, len(candidates), chunk):
        some = candidates[start : start + chunk]
        # Elementwise and in this order, as scoring adds, so that ties and the threshold are right to the last bit.
        scores = reduce(np.add, [some[:, i, None] * rows[:, i] for i in range(rows.shape[1])])
        swept = sweep(scores, is_anomaly)
        if metric in _AT_A_CUT:
            row, value, cut = swept.best(_AT_A_CUT[metric](swept.confusion))
        else:
            ranking = swept.auroc() if metric == "auroc" else swept.average_precision()
            row, value = int(np.argmax(ranking)), float(ranking.max())
            alone = sweep(scores[row : row + 1], is_anomaly)
            _, _, cut = alone.best(mcc(alone.confusion))
        if value > found[0]:
            found = (value, some[row], cut)
    return found[1], found[2]


@dataclass(frozen=True, eq=False)
class Logistic(Scaled):
    r"""Logistic regression on the standardised components, learned from labelled rows.

    .. math:: S = b + \sum_i w_i s_i

    the log-odds of an anomaly at the labelled rows' share of anomalies; weights may be negative.

    Parameters
    ----------
    C : inverse strength of the penalty ‖w‖²/2, above 0.
    balanced : whether both classes count the same, however many rows each has.
    weights : learned: w, one per component; None before `fit`.
    intercept : learned: b.
    """

    needs_labels: ClassVar[bool] = True

    C: float = 1.0
    balanced: bool = False
    weights: tuple[float, ...] | None = None
    intercept: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        positive(self, C=self.C)

    def _train(self, rows: Floats, is_anomaly: Bools) -> Self:
        weights = "balanced" if self.balanced else None
        model = linear_model.LogisticRegression(C=self.C, class_weight=weights, max_iter=1000)
        model.fit(rows, is_anomaly)
        return dataclasses.replace(
            self,
            weights=tuple(model.coef_[0].tolist()),
            intercept=float(model.intercept_[0]),
        )

    def _combine(self, columns: Sequence[Tensor]) -> Tensor:
        return weighted(columns, learned(self, self.weights)) + self.intercept
