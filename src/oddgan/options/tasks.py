"""What each task is told: one frozen class a command, whose fields are its arguments and flags."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from oddgan.options.assignments import parse_assignments
from oddgan.options.data import Options
from oddgan.options.fields import ARGUMENT, Flag, Range, UsageError, check_fields

Projection = Literal["pca", "tsne"]
Settings = Mapping[str, Any]
_TRAINING, _COMPOSITION, _THRESHOLD = Flag("Training"), Flag("Composition"), Flag("Threshold")
_RATE, _SEED, _FROM_1 = Range(above=0, most=0.5), Range(least=0, below=2**32), Range(least=1)


def _assignments(group: str) -> Flag:
    return Flag(group, name="set", parse=parse_assignments, repeatable=True)


@dataclass(frozen=True, kw_only=True)
class _Spec:
    """A task."""

    def __post_init__(self) -> None:
        check_fields(self, "--")


@dataclass(frozen=True, kw_only=True)
class _Loads(_Spec):
    """A task that may load a model.

    Parameters
    ----------
    trust_changes : load the model although its files have changed since they were saved, by your own hand.
    """

    trust_changes: Annotated[bool, Flag("Model")] = False


@dataclass(frozen=True, kw_only=True)
class _Model(_Loads):
    """A task with a stored model.

    Parameters
    ----------
    model : the model's folder.
    """

    model: Annotated[Path, ARGUMENT]


@dataclass(frozen=True, kw_only=True)
class _Reads(_Spec):
    """A task that reads data.

    Parameters
    ----------
    options : how to read the source, beyond what the model remembers.
    """

    options: Options = field(default_factory=Options)


@dataclass(frozen=True, kw_only=True)
class _Out(_Spec):
    """A task with a result that is written.

    Parameters
    ----------
    out : where to write the result.
    force : replace what exists already.
    """

    out: Path | None = None
    force: bool = False


@dataclass(frozen=True, kw_only=True)
class _Run(_Spec):
    """A task that leaves a run folder.

    Parameters
    ----------
    runs : folder for run folders.
    name : name of the run; by default, of method and source.
    command : the command line, for the record.
    """

    runs: Path = Path("runs")
    name: str | None = None
    command: Annotated[tuple[str, ...], Flag(hidden=True)] = ()


@dataclass(frozen=True, kw_only=True)
class _Device(_Spec):
    """A task that computes with a detector.

    Parameters
    ----------
    device : where to compute, e.g. cpu or cuda:0.
    """

    device: str | None = None


@dataclass(frozen=True, kw_only=True)
class FitSpec(_Device, _Out, _Run, _Loads, _Reads):
    """Train a detector.

    Parameters
    ----------
    method : the method. `oddgan methods` lists all, `oddgan fit METHOD --help` shows its parameters. With --continue
        the model has one: name the data only.
    source : a file (npz, npy, csv, parquet), a folder of images or of WFDB records, or builtin:digits, builtin:ecg,
        builtin:breast-cancer, mnist, fashion-mnist, cifar10, mitbih.
    settings : set a parameter, e.g. latent_dim=64, prior=Uniform or prior.low=-1; repeatable.
    method_file : TOML file of parameters; tables are parts with a type. `--set` overrides it.
    published : the settings of the paper or its released code for a data set, e.g. MNIST, where the defaults differ;
        `oddgan methods METHOD` lists them. `--method-file` and `--set` override them.
    seed : seed of everything random (default 0).
    calibration : share of normals held out for the threshold (default 0.2).
    rate : share of normals that may be flagged (default 0.1).
    threshold : rule: quantile, conformal (default), mean-sigma, evt or fixed.
    checkpoint_every : steps (500) or time (30s, 5min) between checkpoints, which go beside --out, to OUT.ckpt; with
        --resume, one a minute by default.
    resume : resume the same fit after it was killed; without checkpoints, start.
    onto : continue training this model, instead of a new one: oddgan fit DATA --continue MODEL --out NEW.
    epochs : with --continue: passes over the new rows.
    minutes : how long to train, about: measured on the first steps, and turned into a number of steps that the model
        keeps.
    monitor : watch training for failures; --no-monitor leaves that out.
    generator : model whose trained generator is searched, of a method that draws samples, e.g. f-anogan or vae (only
        adgan takes one); nothing is trained then, and the data is read as that model read its own.

    Raises
    ------
    UsageError
        If there is no source, or a value is out of range.
    """

    method: Annotated[str, ARGUMENT]
    source: Annotated[str, ARGUMENT] = ""
    settings: Annotated[Settings, _assignments("Training")] = field(default_factory=dict)
    method_file: Annotated[Path | None, _TRAINING] = None
    published: Annotated[str | None, _TRAINING] = None
    seed: Annotated[int | None, _TRAINING, _SEED] = None
    calibration: Annotated[float | None, _TRAINING, Range(least=0, below=1)] = None
    rate: Annotated[float | None, _TRAINING, _RATE] = None
    threshold: Annotated[str | None, _TRAINING] = None
    checkpoint_every: Annotated[str | None, _TRAINING] = None
    resume: Annotated[bool, _TRAINING] = False
    onto: Annotated[Path | None, Flag("Training", name="continue")] = None
    epochs: Annotated[int | None, _TRAINING, _FROM_1] = None
    minutes: Annotated[float | None, _TRAINING, Range(above=0, below=math.inf)] = None
    monitor: Annotated[bool, _TRAINING] = True
    generator: Annotated[Path | None, _TRAINING] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.onto is not None and not self.source:
            object.__setattr__(self, "source", self.method)
            object.__setattr__(self, "method", "")
        if self.minutes is not None and (self.onto is not None or self.resume):
            other = (
                "--continue takes --epochs" if self.onto is not None else "--resume needs the steps of the first run"
            )
            raise UsageError(f"--minutes sets the steps of a new model; {other}, so leave --minutes out.")
        if self.generator is not None and (self.onto is not None or self.minutes is not None):
            raise UsageError("--generator trains nothing: leave --continue and --minutes out.")
        if not self.source:
            raise UsageError(f"What should {self.method} learn from? Name the data: oddgan fit METHOD DATA.")


@dataclass(frozen=True, kw_only=True)
class ScoreSpec(_Device, _Out, _Model, _Reads):
    """Score new rows; labels among them are ignored.

    Parameters
    ----------
    source : the data, as for `fit`; labels are ignored. Of a source with two halves, test is read.
    explain : name the three columns of a table, or channels of a series, that contribute most to each score.
    heatmaps : folder for one picture of each image, with its anomaly map.
    resume : resume after an interruption, with the same model, data and --out; otherwise start.
    """

    source: Annotated[str, ARGUMENT]
    explain: bool = False
    heatmaps: Path | None = None
    resume: bool = False


@dataclass(frozen=True, kw_only=True)
class EvaluateSpec(_Device, _Run, _Model, _Reads):
    """Measure a detector on labelled rows.

    Parameters
    ----------
    source : the data, with labels. Of a source with two halves, test is read.
    projection : how the report lays the latent space out.
    """

    source: Annotated[str, ARGUMENT]
    projection: Projection = "pca"


@dataclass(frozen=True, kw_only=True)
class ThresholdSpec(_Out, _Model):
    """Set a model's threshold anew, from the scores that it keeps.

    Parameters
    ----------
    model : the model's folder. A change goes to --out, or into the same folder with --force.
    rule : rule: quantile, conformal, mean-sigma, evt or fixed.
    settings : set a field of the rule, e.g. k=3.
    rate : share of normals that may be flagged.
    """

    rule: Annotated[str | None, _THRESHOLD] = None
    settings: Annotated[Settings, _assignments("Threshold")] = field(default_factory=dict)
    rate: Annotated[float | None, _THRESHOLD, _RATE] = None


@dataclass(frozen=True, kw_only=True)
class ComposeSpec(_Device, _Out, _Model, _Reads):
    """Compose a model's score anew, from the components that it has.

    Parameters
    ----------
    model : the model's folder. A change goes to --out, or into the same folder with --force.
    source : rows with labels, for what learns from labels. Of a source with two halves, test is read.
    settings : choose and set the composition, e.g. composition=SVM, composition.kernel=linear or
        composition.components=residual,features; repeatable.
    tune : set the threshold that is best for the labelled rows by this metric.
    share : share of the labelled rows to learn from (default all), at random in each class; `evaluate` leaves these
        out.
    """

    source: Annotated[str | None, ARGUMENT] = None
    settings: Annotated[Settings, _assignments("Composition")] = field(default_factory=dict)
    tune: Annotated[Literal["mcc", "f1", "youden"] | None, _COMPOSITION] = None
    share: Annotated[float | None, _COMPOSITION, Range(above=0, most=1)] = None


@dataclass(frozen=True, kw_only=True)
class InversionSpec(_Device, _Out, _Model, _Reads):
    """Change how a model finds latent points, and set its threshold anew.

    Parameters
    ----------
    model : the folder of a model that inverts its generator (adgan, anogan, f-anogan). A change goes to --out, or into
        the same folder with --force.
    source : data with normal rows that set the threshold, best that of the fit: rows that the model was trained on and
        those with other labels are left out. Of a source with two halves, train is read.
    settings : set a field of the inversion, e.g. inversion.n_max=100 or inversion.restriction=Projected with
        inversion.restriction.support=Shell; repeatable.
    """

    source: Annotated[str | None, ARGUMENT] = None
    settings: Annotated[Settings, _assignments("Inversion")] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class InspectSpec(_Out, _Reads):
    """Look at data.

    Parameters
    ----------
    source : the data, as for `fit`. Of a source with two halves, train is looked at and compared with the other. With
        --out FILE.html a page shows typical and suspect rows.
    seed : seed of the samples that large data is judged by.
    """

    source: Annotated[str, ARGUMENT]
    seed: Annotated[int, _SEED] = 0


@dataclass(frozen=True, kw_only=True)
class ProfileSpec(_Device, _Model, _Reads):
    """Say where a model's scoring time goes.

    Parameters
    ----------
    source : the data, as for `score`.
    rows : at most so many rows are scored.
    """

    source: Annotated[str, ARGUMENT]
    rows: Annotated[int, _FROM_1] = 256


@dataclass(frozen=True, kw_only=True)
class MethodsSpec(_Spec):
    """List the methods.

    Parameters
    ----------
    name : a method, e.g. f-anogan; without one, all are listed.
    """

    name: Annotated[str | None, ARGUMENT] = None


@dataclass(frozen=True, kw_only=True)
class ReportSpec(_Out):
    """Write a run folder's report again.

    Parameters
    ----------
    run : a folder that `fit` or `evaluate` wrote.
    interactive : draw the charts with plotly, to zoom and read values.
    open : open the report in the browser.
    """

    run: Annotated[Path, ARGUMENT]
    interactive: bool = False
    open: bool = False
