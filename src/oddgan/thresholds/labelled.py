"""The best threshold for labelled scores, by MCC, F1, Youden's J or cost; choose it on validation rows only."""

import math
from typing import Literal, NamedTuple

from numpy.typing import ArrayLike

from oddgan._core.confusion import Confusion, Floats, balanced_accuracy, checked, f_beta, mcc, sweep
from oddgan._core.errors import InputError

CutMetric = Literal["mcc", "f1", "fbeta", "youden", "cost"]
_METRICS = ("mcc", "f1", "fbeta", "youden", "cost")


class Best(NamedTuple):
    """A cut, and how good it is on the rows that it was chosen with.

    Parameters
    ----------
    threshold : the cut: what scores above it is flagged; `Fixed(value=threshold)` is the rule that keeps it.
    value : the metric there, too good by having been chosen.
    """

    threshold: float
    value: float


def best_threshold(
    scores: ArrayLike,
    is_anomaly: ArrayLike,
    *,
    metric: CutMetric = "mcc",
    beta: float | None = None,
    miss_cost: float | None = None,
) -> Best:
    r"""Return the cut that is best for labelled scores, among all cuts.

    ========  ====================================================================================
    mcc       highest Matthews correlation (phi)
    f1        highest F1 of the anomalies
    fbeta     highest :math:`F_\beta` of the anomalies; above 1, β prefers recall
    youden    highest recall + specificity - 1
    cost      lowest mean cost of a row: 1 for a false alarm, `miss_cost` for a missed anomaly
    ========  ====================================================================================

    Every cut that changes what is flagged is tried, so the result is exact, in one sort. Of equally good cuts the
    highest is returned, which flags least. It lies half way between the scores on its two sides.

    Parameters
    ----------
    scores : (n,) finite, higher = more anomalous.
    is_anomaly : (n,) booleans, both values present.
    metric : what to make best.
    beta : for "fbeta", and needed there: weight of recall against precision, above 0.
    miss_cost : for "cost", and needed there: what a missed anomaly costs, in false alarms, above 0.

    Raises
    ------
    InputError
        If scores and labels are not as described, the metric is unknown, or `beta` and `miss_cost` do not go with it.
    """
    if metric not in _METRICS:
        raise InputError(f"best_threshold got metric={metric!r}: give one of {', '.join(_METRICS)}.")
    for name, value, needed in (("beta", beta, "fbeta"), ("miss_cost", miss_cost, "cost")):
        if (value is not None) != (metric == needed) or (value is not None and not 0 < value < math.inf):
            raise InputError(
                f'best_threshold got metric={metric!r} and {name}={value}: metric "{needed}" takes {name}, a number '
                "above 0, and no other metric does."
            )
    values, labels = checked(scores, is_anomaly)
    swept = sweep(values[None], labels)
    _, best, cut = swept.best(_value(swept.confusion, metric, beta or 1.0, miss_cost or 1.0))
    return Best(cut, -best if metric == "cost" else best)


def _value(c: Confusion, metric: CutMetric, beta: float, miss_cost: float) -> Floats:
    """The metric at every cut, higher = better."""
    match metric:
        case "mcc":
            return mcc(c)
        case "youden":
            return 2 * balanced_accuracy(c) - 1
        case "cost":
            return -(c.fp + miss_cost * c.fn) / (c.tp + c.fp + c.fn + c.tn)
        case _:
            return f_beta(c, beta)
