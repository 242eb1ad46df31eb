"""Verdict of a run in plain sentences, with cautions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import special

from oddgan.evaluate import Metric, Run, RunInfo, ScoreTable, ThresholdInfo
from oddgan.report.numbers import counted, number, percent

NOUNS = {"image": ("image", "images"), "series": ("series", "series"), "table": ("row", "rows")}
FEW = 10  # false alarms expected among the held-out normals: below that the realised rate varies widely


@dataclass(frozen=True)
class Verdict:
    """Sentences for the top of the page.

    Parameters
    ----------
    findings : what was found.
    cautions : what makes it less sure than it looks.
    """

    findings: tuple[str, ...]
    cautions: tuple[str, ...]


def verdict(run: Run, metrics: Mapping[str, Metric] | None) -> Verdict:
    """Say what the run found, from its scores, its threshold and, where there are labels, its metrics."""
    table, info = run.scores, run.info
    if table is None or not len(table):
        finding = f"This run has no scores: it stored a detector with the threshold {number(info.threshold.value)}."
        return Verdict((finding,), tuple(_threshold_cautions(info.threshold)))
    findings = [_flagged(table, info)]
    cautions = [*_score_cautions(table), *_threshold_cautions(info.threshold)]
    if table.label is not None:
        findings.append(_labelled(table, table.label, info.threshold))
        cautions += _label_cautions(table, table.label, info.threshold)
    if metrics is not None:
        findings += _metrics(metrics)
        cautions += _metric_cautions(metrics)
    return Verdict(tuple(findings), tuple(cautions))


def _flagged(table: ScoreTable, info: RunInfo) -> str:
    n, flagged, t = len(table), int(table.is_anomaly.sum()), info.threshold
    noun = counted(n, *NOUNS[info.data.kind])
    origin = "which was chosen as the best for labelled rows" if t.source == "labelled rows" else "which was given"
    if t.source not in ("given", "labelled rows"):
        origin = f"which was set on {t.n} {t.source}"
        if t.rate is not None:
            goal = (
                "for a false-alarm rate of"
                if t.source == "held-out normals"
                else "so that the share of them flagged is"
            )
            origin += f" {goal} {percent(t.rate)}"
    return (
        f"{flagged} of {noun} ({percent(flagged / n)}) {_be(flagged)} flagged as anomalous "
        f"at the threshold {number(t.value)}, {origin}."
    )


def _labelled(table: ScoreTable, label: np.ndarray, t: ThresholdInfo) -> str:
    sentences = []
    anomalies, normals = int(label.sum()), int((~label).sum())
    if anomalies:
        found = int((table.is_anomaly & label).sum())
        noun = counted(anomalies, "labelled anomaly", "labelled anomalies")
        sentences.append(f"Of the {noun} {found} {_be(found)} flagged ({percent(found / anomalies)})")
    if normals:
        alarms = int((table.is_anomaly & ~label).sum())
        share = percent(alarms / normals)
        asked = f"; {percent(t.rate)} was asked for" if t.rate is not None and t.source == "held-out normals" else ""
        start = "of" if sentences else "Of"
        sentences.append(f"{start} the {counted(normals, 'normal')} {alarms} {_be(alarms)} flagged ({share}{asked})")
    return "; ".join(sentences) + "."


def _be(n: int) -> str:
    return "is" if n == 1 else "are"


def _metrics(metrics: Mapping[str, Metric]) -> Iterator[str]:
    auroc = metrics.get("auroc")
    if auroc is not None:
        interval = ""
        if auroc.low is not None and auroc.high is not None:
            interval = f" (95 % interval {auroc.low:.3f} to {auroc.high:.3f})"
        yield f"AUROC {auroc.value:.3f}{interval}: the chance that an anomaly scores higher than a normal."
        return
    for name, rows in (("false_alarm_rate", "normals"), ("recall", "anomalies")):
        found = metrics.get(name)
        if found is not None and found.low is not None and found.high is not None:
            yield (
                f"Of {rows} like these, between {percent(found.low)} and {percent(found.high)} are flagged "
                "(95 % interval)."
            )


def _score_cautions(table: ScoreTable) -> Iterator[str]:
    bad = int((~np.isfinite(table.anomaly_score)).sum())
    if bad:
        yield f"{counted(bad, 'score is', 'scores are')} NaN or infinite and left out of the charts."


def _threshold_cautions(t: ThresholdInfo) -> Iterator[str]:
    if t.source == "training rows":
        yield (
            "The threshold comes from the rows that the detector was trained on. It scores these lower than new ones, "
            "so more new normals than asked for will be flagged. Hold some normals out to set it."
        )
    elif t.source == "held-out normals" and t.rate is not None and 0 < t.rate < 1 and 0 < t.n * t.rate < FEW:
        low, high = _realised(t.n, t.rate)
        yield (
            f"Only {counted(t.n, 'held-out normal')} set the threshold: for a quantile rule, 9 times in 10 the "
            f"false-alarm rate on new normals lies between {percent(low)} and {percent(high)}."
        )


def _realised(n: int, rate: float) -> tuple[float, float]:
    """90 % interval of the false-alarm rate at the (1 - rate) quantile of n scores: Beta(alarms + 1, n - alarms)."""
    alarms = int(np.floor(n * rate))
    low, high = special.betaincinv(alarms + 1, max(n - alarms, 1), [0.05, 0.95])
    return float(low), float(high)


def _label_cautions(table: ScoreTable, label: np.ndarray, t: ThresholdInfo) -> Iterator[str]:
    normals = int((~label).sum())
    if t.rate is not None and t.source == "held-out normals" and normals and t.n:
        realised = float((table.is_anomaly & ~label).sum()) / normals
        chance = np.sqrt(t.rate * (1 - t.rate) * (1 / normals + 1 / t.n))
        if realised > t.rate + 3 * chance:
            yield (
                f"Normals are flagged far more often ({percent(realised)}) than asked for ({percent(t.rate)}), more "
                "than chance explains: these normals differ from those that set the threshold."
            )
    if 0.5 < label.mean() < 1:
        yield (
            f"Most labelled rows are anomalies ({percent(float(label.mean()))}), which lifts precision, F1 and average "
            "precision; phi and AUROC are safer to compare."
        )


def _metric_cautions(metrics: Mapping[str, Metric]) -> Iterator[str]:
    auroc = metrics.get("auroc")
    if auroc is None or auroc.low is None or auroc.high is None:
        return
    if auroc.high < 0.5:
        yield "Anomalies score lower than normals: the detector is worse than chance on these data."
    elif auroc.low < 0.5:
        yield "The interval of the AUROC includes 0.5: these data do not show that the detector beats chance."
