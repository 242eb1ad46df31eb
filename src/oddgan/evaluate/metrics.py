"""Metrics with confidence intervals: AUROC, average precision, F-beta and others, of scores and of the threshold.

=====================  =========================================================================================
auroc                  area under the ROC curve; ties count half
average_precision      Σ (R_k - R_{k-1}) P_k over falling scores; compare it with the prevalence
partial_auroc          area up to a false-alarm rate of 0.1, standardised so that chance is 0.5 and perfect is 1
                       (McClish 1989; scikit-learn's ``roc_auc_score(max_fpr=0.1)``)
fpr_at_95_tpr          the lowest false-alarm rate at which at least 95 % of the anomalies are flagged
precision, recall      at the threshold: TP / (TP + FP), TP / (TP + FN); precision is 0 if nothing is flagged
f1                     at the threshold: (1 + β²) TP / ((1 + β²) TP + β² FN + FP); named f2, f0.5 ... by β
phi                    at the threshold: (TP·TN - FP·FN) / √((TP+FP)(TP+FN)(TN+FP)(TN+FN)), Matthews' correlation;
                       0 if everything or nothing is flagged
balanced_accuracy      at the threshold: (TP / (TP + FN) + TN / (TN + FP)) / 2
false_alarm_rate       at the threshold: FP / (FP + TN)
best_f1_oracle         the highest F1 over all thresholds: chosen with these very labels, so not attainable
prevalence, n          the share of anomalies and the number of rows, without intervals
=====================  =========================================================================================

Of rows of one class only, `false_alarm_rate` (normals) or `recall` (anomalies) is measured, beside prevalence and n.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from oddgan._core.confusion import Confusion, Floats, balanced_accuracy, checked, f_beta, mcc
from oddgan._core.errors import InputError
from oddgan.evaluate.counts import Counts, counts

PARTIAL_MAX_FPR = 0.1
_CELLS = 1_000_000  # resamples × distinct scores that are in memory at a time


@dataclass(frozen=True)
class Metric:
    """A value with its 95 % interval.

    Parameters
    ----------
    value : the metric on the rows as they are.
    low, high : the interval's ends, None where none was computed.
    """

    value: float
    low: float | None = None
    high: float | None = None


def evaluate(
    scores: ArrayLike,
    is_anomaly: ArrayLike,
    threshold: float | None,
    *,
    beta: float = 1.0,
    seed: int = 0,
    n_bootstrap: int = 1000,
) -> dict[str, Metric]:
    """Measure the scores against labels: the metrics of this module's table, by name.

    The positive class is the anomaly throughout; nothing is class-weighted.

    Intervals are percentiles (2.5, 97.5) over resamples drawn with replacement within each class, so they hold for
    this prevalence and this detector; they say nothing of the spread over training seeds. They take about a second for
    10,000 rows and 1000 resamples, and proportionally longer for more of either. Of rows of one class only, the share
    that is flagged has its exact binomial interval (Clopper & Pearson, 1934), which is honest also where none is.

    Parameters
    ----------
    scores : (n,) finite, higher = more anomalous.
    is_anomaly : (n,) booleans.
    threshold : flagged is score > threshold, strictly; None leaves out the metrics that need one, and then both classes
        must be there.
    beta : weight of recall against precision in F-beta, above 0.
    seed : of the resamples.
    n_bootstrap : resamples; 0 gives no intervals.

    Raises
    ------
    InputError
        If lengths differ, a score is not finite, the labels are not boolean, or one class is missing and there is
        no threshold.
    """
    if beta <= 0 or n_bootstrap < 0:
        raise InputError(f"beta is {beta} and n_bootstrap {n_bootstrap}: beta must be above 0, n_bootstrap 0 or more.")
    if threshold is not None and np.isnan(threshold):
        raise InputError("The threshold is NaN: give a number, or None to leave out the metrics that need one.")
    values, labels = checked(scores, is_anomaly, both=threshold is None)
    size = {"prevalence": Metric(float(np.mean(labels))), "n": Metric(float(len(values)))}
    if threshold is not None and (labels.all() or not labels.any()):
        name = "recall" if labels.all() else "false_alarm_rate"
        return {name: _share(int((values > threshold).sum()), len(values), interval=n_bootstrap > 0)} | size
    measured = _all(counts(values, labels), threshold, beta)
    drawn = [_all(c, threshold, beta) for c in _resamples(values, labels, seed, n_bootstrap)]
    metrics = {name: _metric(value, [d[name] for d in drawn]) for name, value in measured.items()}
    return metrics | size


def _share(k: int, n: int, *, interval: bool) -> Metric:
    """The share k of n with the exact 95 % interval of a binomial share."""
    if not interval:
        return Metric(k / n)
    low = float(special.betaincinv(k, n - k + 1, 0.025)) if k > 0 else 0.0
    high = float(special.betaincinv(k + 1, n - k, 0.975)) if k < n else 1.0
    return Metric(k / n, low, high)


def _metric(value: Floats, drawn: list[Floats]) -> Metric:
    if not drawn:
        return Metric(float(value))
    low, high = np.quantile(np.concatenate(drawn), [0.025, 0.975]).tolist()
    return Metric(float(value), low, high)


def _resamples(scores: Floats, is_anomaly: np.ndarray, seed: int, n_bootstrap: int) -> Iterator[Counts]:
    """Draw rows with replacement within each class; counts have a leading axis of resamples."""
    distinct, group = np.unique(-scores, return_inverse=True)
    g = len(distinct)
    rng = np.random.default_rng(seed)
    chunk = max(1, _CELLS // len(scores))

    def drawn(of: np.ndarray, size: int) -> Floats:
        picked = of[rng.integers(len(of), size=(size, len(of)))] + np.arange(size)[:, None] * g
        found = np.bincount(picked.ravel(), minlength=size * g).reshape(size, g)
        return np.cumsum(found, axis=1, dtype=np.float64)

    for start in range(0, n_bootstrap, chunk):
        size = min(chunk, n_bootstrap - start)
        yield Counts(-distinct, drawn(group[is_anomaly], size), drawn(group[~is_anomaly], size))


def _all(c: Counts, threshold: float | None, beta: float) -> dict[str, Floats]:
    at_threshold = {} if threshold is None else _at(c, threshold, beta)
    f1 = 2 * c.flagged_anomalies / (c.flagged_anomalies + c.flagged_normals + c.n_anomalies)
    return _ranking(c) | at_threshold | {"best_f1_oracle": np.max(f1, axis=-1)}


def _ranking(c: Counts) -> dict[str, Floats]:
    alarm_rate, hit_rate = c.roc()
    precision, recall = c.precision_recall()
    enough = np.argmax(recall >= 0.95 - 1e-12, axis=-1)[..., None]
    low, high = PARTIAL_MAX_FPR**2 / 2, PARTIAL_MAX_FPR
    return {
        "auroc": area(alarm_rate, hit_rate, 1.0),
        "average_precision": np.sum(np.diff(recall, axis=-1, prepend=0.0) * precision, axis=-1),
        "partial_auroc": 0.5 * (1 + (area(alarm_rate, hit_rate, PARTIAL_MAX_FPR) - low) / (high - low)),
        "fpr_at_95_tpr": np.take_along_axis(alarm_rate, enough + 1, axis=-1)[..., 0],
    }


def _at(c: Counts, threshold: float, beta: float) -> dict[str, Floats]:
    tp, fp = c.at(threshold)
    fn, tn = c.n_anomalies[..., 0] - tp, c.n_normals[..., 0] - fp
    confusion = Confusion(tp, fp, fn, tn)
    return {
        "precision": tp / np.maximum(tp + fp, 1),
        "recall": tp / (tp + fn),
        f"f{beta:g}": f_beta(confusion, beta),
        "phi": mcc(confusion),
        "balanced_accuracy": balanced_accuracy(confusion),
        "false_alarm_rate": fp / (fp + tn),
    }


def area(x: Floats, y: Floats, limit: float) -> Floats:
    """Area under the line through the points (x, y), rising in x from 0, up to x = limit; (..., g) -> (...)."""
    left, right = np.minimum(x[..., :-1], limit), np.minimum(x[..., 1:], limit)
    width = x[..., 1:] - x[..., :-1]
    share = (right - left) / np.where(width > 0, width, 1.0)
    end = y[..., :-1] + share * (y[..., 1:] - y[..., :-1])
    return np.asarray(np.sum((right - left) * (y[..., :-1] + end), axis=-1) / 2)
