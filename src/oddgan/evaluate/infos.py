"""Run records (``run.json``): where a method, its data, its score and its threshold come from."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, FiniteFloat, JsonValue

from oddgan.evaluate.metrics import Metric


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MethodInfo(_Model):
    """Where a method comes from.

    Parameters
    ----------
    name : the detector's class name.
    title, authors, year, link : of the paper; None for a method without one.
    deviations : from the paper, each with its reason.
    """

    name: str
    title: str | None = None
    authors: str | None = None
    year: int | None = None
    link: str | None = None
    deviations: tuple[str, ...] = ()


class DataInfo(_Model):
    """What the detector was given.

    Parameters
    ----------
    source : a file, folder or built-in name.
    kind : decides how items are shown.
    shape : of one sample: (d,), (c, t) or (c, h, w).
    n_train, n_calibration, n_test : rows trained on, held out for the threshold, and scored.
    dropped : rows left out, e.g. labelled anomalies in training data.
    normal : the label that counts as normal; None without one.
    notes : what a reader should know, e.g. constant columns.
    columns : names of a table's features, or of a series' channels.
    """

    source: str
    kind: Literal["image", "series", "table"]
    shape: tuple[int, ...]
    n_train: int = 0
    n_calibration: int = 0
    n_test: int = 0
    dropped: int = 0
    normal: str | int | None = None
    notes: tuple[str, ...] = ()
    columns: tuple[str, ...] | None = None


class ThresholdInfo(_Model):
    """Where the cut comes from.

    Parameters
    ----------
    value : flagged is score > value.
    rule : the threshold part in words, e.g. "Quantile".
    rate : the false-alarm rate (held-out normals) or share of flagged rows (training rows) that was asked for, in
        (0, 1); None for a rule without one.
    source : which scores set it; those of "labelled rows" make the detector semi-supervised.
    n : how many scores set it; 0 where that is not known.
    """

    value: FiniteFloat
    rule: str
    rate: float | None = None
    source: Literal["held-out normals", "training rows", "labelled rows", "given"]
    n: int = 0

    @property
    def promised(self) -> float | None:
        """The rate that the rule can promise: more than was asked for where few scores set the cut."""
        few = self.rule == "Conformal" and self.n > 0
        return max(self.rate, 1 / (self.n + 1)) if few and self.rate is not None else self.rate


class CompositionInfo(_Model):
    """How the score's components became the score.

    Parameters
    ----------
    text : the composition in words, e.g. "SVM(kernel=linear)".
    components : names of the components that it uses.
    weights : of the components, where it has weights, given or learned.
    needs_labels : whether it was learned from labelled rows, which makes the detector semi-supervised.
    """

    text: str
    components: tuple[str, ...]
    weights: Mapping[str, FiniteFloat] = {}
    needs_labels: bool = False


class Seconds(_Model):
    """Wall-clock times; None for what was not done.

    Parameters
    ----------
    fit, score : seconds.
    """

    fit: float | None = None
    score: float | None = None


class RunInfo(_Model):
    """What ``run.json`` holds, beside ``"schema": 1``.

    Parameters
    ----------
    kind : the command that wrote it.
    name : of the run.
    created : when, with its time zone.
    command : the command line, in words.
    method, data, threshold, seconds : see their classes.
    composition : how the score was composed; None in runs of older versions.
    semi_supervised : whether labels had a part in the composition or the threshold.
    parameters : the detector's hyperparameters; parts are objects with a "type".
    settings : the same in words: of a part what differs from its defaults; empty in runs of older versions.
    components : names of the score's parts.
    metrics : from `evaluate`, None without labels.
    environment : versions and machine, e.g. python, torch, oddgan, platform, cores.
    notes : what a reader should know.
    """

    kind: Literal["fit", "evaluate", "score"]
    name: str
    created: datetime
    command: tuple[str, ...] = ()
    method: MethodInfo
    parameters: Mapping[str, JsonValue] = {}
    settings: Mapping[str, str] = {}
    data: DataInfo
    threshold: ThresholdInfo
    composition: CompositionInfo | None = None
    semi_supervised: bool = False
    components: tuple[str, ...] = ()
    metrics: Mapping[str, Metric] | None = None
    seconds: Seconds = Seconds()
    environment: Mapping[str, str | int | None] = {}
    notes: tuple[str, ...] = ()


def supervision(composition: CompositionInfo | None, threshold: ThresholdInfo) -> str:
    """Say what labels had a part in, in a sentence to show beside results; empty where they had none.

    Parameters
    ----------
    composition, threshold : of the detector.
    """
    parts = []
    if composition is not None and composition.needs_labels:
        parts.append(f"the composition ({composition.text.partition('(')[0]})")
    if threshold.source == "labelled rows":
        parts.append("the threshold")
    if not parts:
        return ""
    return (
        f"Semi-supervised: {' and '.join(parts)} {'were' if len(parts) > 1 else 'was'} chosen with labels of "
        "anomalies. Compare this only with results that used labels, too."
    )
