"""What is to be done, as data: each spec can be written to JSON and read back."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from oddgan.data import Options

RUNS = Path("runs")


class _Spec(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _ModelSpec(_Spec):
    """A task with a stored model.

    Parameters
    ----------
    model : the model's folder.
    trust_changes : load it although its files have changed since they were saved.
    """

    model: Path
    trust_changes: bool = False


class FitSpec(_Spec):
    """Train a detector.

    Parameters
    ----------
    method : the detector's name; case and punctuation don't matter.
    source : a file, a folder of images, or a named data set.
    options : how to read the source.
    settings : the method's parameters: numbers, texts and lists; parts as names or tables with a `type`.
    calibration : share of the normals held out for the threshold and for p-values, in [0, 1); None takes 0.2.
    rate : the share of normals that may be flagged, in (0, 0.5]; None takes the method's own.
    threshold : the rule's name; None takes the method's own.
    seed : of everything random; None takes 0.
    out : the model's folder; None puts it into the run folder.
    runs : the folder of run folders.
    name : of the run; None makes one of method and source.
    force : replace an existing model.
    checkpoint_every : steps, e.g. "500", or a time, e.g. "30s" or "5min", from one checkpoint to the next; None writes
        none, unless `resume` is set: then one a minute.
    resume : go on from the checkpoints of a killed fit, in `out`.ckpt; without any, start.
    onto : a model that is trained on, instead of a new detector.
    trust_changes : load that model although its files have changed since they were saved.
    epochs : with `onto`, passes over the new rows, >= 1; None takes the method's own.
    monitor : watch training for failures.
    command : the command line, for the record.
    device : where to compute, e.g. cpu or cuda:0; None is torch's default device.
    """

    method: str
    source: str
    options: Options = Options()
    settings: dict[str, JsonValue] = {}
    calibration: Annotated[float | None, Field(ge=0, lt=1)] = None
    rate: Annotated[float | None, Field(gt=0, le=0.5)] = None
    threshold: str | None = None
    seed: Annotated[int | None, Field(ge=0, lt=2**32)] = None
    out: Path | None = None
    runs: Path = RUNS
    name: str | None = None
    force: bool = False
    checkpoint_every: str | None = None
    resume: bool = False
    onto: Path | None = None
    trust_changes: bool = False
    epochs: Annotated[int | None, Field(ge=1)] = None
    monitor: bool = True
    command: tuple[str, ...] = ()
    device: str | None = None


class ScoreSpec(_ModelSpec):
    """Score new rows; labels among them are ignored.

    Parameters
    ----------
    model : the model's folder.
    trust_changes : load it although its files have changed since they were saved.
    source : a file, a folder of images, or a named data set.
    options : how to read the source, beyond what the model remembers.
    out : the table to write, .csv, .npz or .parquet; None writes none.
    heatmaps : a folder for one picture a row; None draws none.
    force : replace existing files.
    resume : go on with an interrupted run that had the same model, data and `out`; without one, start.
    device : where to compute; None is torch's default device.
    explain : name the columns of a table, or channels of a series, that contribute most to each row's score.
    """

    source: str
    options: Options = Options()
    out: Path | None = None
    heatmaps: Path | None = None
    force: bool = False
    resume: bool = False
    device: str | None = None
    explain: bool = False


class EvaluateSpec(_ModelSpec):
    """Measure a detector on labelled rows.

    Parameters
    ----------
    model : the model's folder.
    trust_changes : load it although its files have changed since they were saved.
    source : a file, a folder of images, or a named data set, with labels.
    options : how to read the source, beyond what the model remembers.
    projection : how the report lays the latent space out, pca or tsne.
    runs : the folder of run folders.
    name : of the run; None makes one of method and source.
    command : the command line, for the record.
    device : where to compute; None is torch's default device.
    """

    source: str
    options: Options = Options()
    projection: Literal["pca", "tsne"] = "pca"
    runs: Path = RUNS
    name: str | None = None
    command: tuple[str, ...] = ()
    device: str | None = None


class ThresholdSpec(_ModelSpec):
    """Set a model's threshold anew, from the scores that it keeps.

    Parameters
    ----------
    model : the model's folder.
    trust_changes : load it although its files have changed since they were saved.
    rule : the rule's name; None keeps the model's.
    settings : the rule's fields.
    rate : the share of normals that may be flagged, in (0, 0.5]; None keeps the model's.
    out : where to write the changed model; None writes it in place, which needs `force`.
    force : replace an existing model.
    """

    rule: str | None = None
    settings: dict[str, JsonValue] = {}
    rate: Annotated[float | None, Field(gt=0, le=0.5)] = None
    out: Path | None = None
    force: bool = False


class ComposeSpec(_ModelSpec):
    """Compose a model's score anew, from the components that it has.

    Parameters
    ----------
    model : the model's folder.
    trust_changes : load it although its files have changed since they were saved.
    source : labelled rows for what learns from labels: a file, a folder of images, or a named data set.
    options : how to read the source, beyond what the model remembers.
    settings : the composition, under the name `composition`, as in a fit; empty keeps the model's.
    tune : the metric whose best threshold for the labelled rows is set, mcc, f1 or youden; None sets the threshold from
        the model's calibration rows.
    share : the share of the labelled rows to learn from, in (0, 1], drawn at random in each class; None takes all.
    out : where to write the changed model; None writes it in place, which needs `force`.
    force : replace an existing model.
    device : where to compute; None is torch's default device.
    """

    source: str | None = None
    options: Options = Options()
    settings: dict[str, JsonValue] = {}
    tune: Literal["mcc", "f1", "youden"] | None = None
    share: Annotated[float | None, Field(gt=0, le=1)] = None
    out: Path | None = None
    force: bool = False
    device: str | None = None


class InversionSpec(_ModelSpec):
    """Change how a model finds latent points, and set its threshold anew.

    Parameters
    ----------
    model : the model's folder.
    trust_changes : load it although its files have changed since they were saved.
    source : normal rows that the threshold is taken from: a file, a folder of images, or a named data set; needed with
        settings.
    options : how to read the source, beyond what the model remembers.
    settings : the inversion, under the name `inversion`, as in a fit; empty looks it up.
    out : where to write the changed model; None writes it in place, which needs `force`.
    force : replace an existing model.
    device : where to compute; None is torch's default device.
    """

    source: str | None = None
    options: Options = Options()
    settings: dict[str, JsonValue] = {}
    out: Path | None = None
    force: bool = False
    device: str | None = None


class InspectSpec(_Spec):
    """Look at data.

    Parameters
    ----------
    source : a file, a folder of images, or a named data set.
    options : how to read the source.
    seed : of the samples that large data is judged by.
    """

    source: str
    options: Options = Options()
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0


class ProfileSpec(_ModelSpec):
    """Say where a model's scoring time goes.

    Parameters
    ----------
    model : the model's folder.
    trust_changes : load it although its files have changed since they were saved.
    source : a file, a folder of images, or a named data set; labels are ignored.
    options : how to read the source, beyond what the model remembers.
    rows : at most so many rows are scored.
    device : where to compute; None is torch's default device.
    """

    source: str
    options: Options = Options()
    rows: Annotated[int, Field(ge=1)] = 256
    device: str | None = None
