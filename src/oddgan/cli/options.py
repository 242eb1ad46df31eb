"""Options that commands share."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Group, Parameter

_DATA = Group.create_ordered("How to read the data")
_TRAINING = Group.create_ordered("Training")
_COMPOSITION = Group.create_ordered("Composition")
_INVERSION = Group.create_ordered("Inversion")
_RULE = Group.create_ordered("Threshold")
_MODEL = Group.create_ordered("Model")
_OUTPUT = Group.create_ordered("Output")


def option(text: str, group: Group, *, default: bool = False, name: str | None = None) -> Parameter:
    """An option with its help; its default is shown on request."""
    return Parameter(name=name, help=text, group=group, show_default=default, negative=())


_DEVICE = option("Where to compute, e.g. cpu or cuda:0.", _OUTPUT)


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class DataOptions:
    """How to read a source; see `oddgan.data.Options`."""

    x: Annotated[str | None, option("Key of the data in an npz file.", _DATA)] = None
    y: Annotated[str | None, option("Key of the labels in an npz file.", _DATA)] = None
    label: Annotated[str | None, option("Column of a table that holds the labels.", _DATA)] = None
    drop: Annotated[
        tuple[str, ...], option("Columns of a table to leave out; repeatable, or several with commas.", _DATA)
    ] = ()
    keep: Annotated[
        tuple[str, ...], option("The only columns of a table to read, beside the labels; repeatable.", _DATA)
    ] = ()
    categorical: Annotated[
        tuple[str, ...],
        option("Columns of a table that become one column for each of their texts, however many; repeatable.", _DATA),
    ] = ()
    split: Annotated[
        Literal["train", "test"] | None,
        option(
            "Half of a source that holds both; by default, train to fit, to inspect or for an inversion, else test.",
            _DATA,
        ),
    ] = None
    normal: Annotated[
        str | None, option("Label of normal rows; without it 0, or the texts 'normal' and 'good'.", _DATA)
    ] = None
    kind: Annotated[
        Literal["image", "series", "table"] | None, option("Kind of data; by default, by the shape.", _DATA)
    ] = None
    resize: Annotated[str | None, option("Size of images, e.g. 64 or 64x48 (height x width).", _DATA)] = None
    colour: Annotated[Literal["grey", "rgb"] | None, option("Read images as grey or rgb.", _DATA)] = None
    impute: Annotated[
        Literal["median"] | None, option("Fill missing values of tables; otherwise they are refused.", _DATA)
    ] = None
    skip_bad: Annotated[bool, option("Leave out images and records that can't be read, with a note.", _DATA)] = False
    ecg: Annotated[
        tuple[str, ...],
        option("How beats are cut from WFDB records, e.g. cut=window, lead=MLII or rhythm=true; repeatable.", _DATA),
    ] = ()
    protocol: Annotated[
        str | None,
        option("How MIT-BIH is divided: patient-wise (default), de-chazal, published, random, ecgan, beatgan.", _DATA),
    ] = None
    mapped: Annotated[
        bool,
        option(
            "Read images, csv or parquet piece by piece into a temporary file, for data larger than memory; it lies "
            "where TMPDIR says.",
            _DATA,
        ),
    ] = False
    max_memory: Annotated[
        str | None,
        option("What data may take in memory, e.g. 4GB; by default, three quarters of the machine's.", _DATA),
    ] = None


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """Where a run goes."""

    runs: Annotated[Path, option("Folder for run folders.", _OUTPUT, default=True)] = Path("runs")
    name: Annotated[str | None, option("Name of the run.", _OUTPUT)] = None


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class OutOptions:
    """What is written, and what may be replaced."""

    out: Annotated[Path | None, option("Where to write the result.", _OUTPUT)] = None
    force: Annotated[bool, option("Replace what exists already.", _OUTPUT)] = False


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class ModelOptions:
    """How a model is loaded."""

    trust_changes: Annotated[
        bool, option("Load the model although its files have changed since they were saved, by your own hand.", _MODEL)
    ] = False


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class FitOptions(OutOptions, RunOptions, ModelOptions, DataOptions):
    """The data, what training depends on, and where its results go."""

    settings: Annotated[
        tuple[str, ...],
        option(
            "Set a parameter, e.g. latent_dim=64, prior=Uniform or prior.low=-1; repeatable.", _TRAINING, name="--set"
        ),
    ] = ()
    method_file: Annotated[
        Path | None, option("TOML file of parameters; tables are parts with a type. --set goes first.", _TRAINING)
    ] = None
    seed: Annotated[int | None, option("Seed of everything random (default 0).", _TRAINING)] = None
    calibration: Annotated[
        float | None, option("Share of normals held out for the threshold (default 0.2).", _TRAINING)
    ] = None
    rate: Annotated[float | None, option("Share of normals that may be flagged (default 0.1).", _TRAINING)] = None
    threshold: Annotated[
        str | None, option("Rule: quantile, conformal (default), mean-sigma, evt or fixed.", _TRAINING)
    ] = None
    checkpoint_every: Annotated[
        str | None,
        option("Steps (500) or time (30s, 5min) between checkpoints, which go beside --out, to OUT.ckpt.", _TRAINING),
    ] = None
    resume: Annotated[
        bool,
        option("Go on with the same fit after it was killed; without checkpoints, start.", _TRAINING),
    ] = False
    onto: Annotated[
        Path | None,
        option(
            "Train this model on, instead of a new one: oddgan fit DATA --continue MODEL --out NEW.",
            _TRAINING,
            name="--continue",
        ),
    ] = None
    epochs: Annotated[int | None, option("With --continue: passes over the new rows.", _TRAINING)] = None
    no_monitor: Annotated[bool, option("Do not watch training for failures.", _TRAINING)] = False
    device: Annotated[str | None, _DEVICE] = None


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class ScoreOptions(OutOptions, ModelOptions, DataOptions):
    """The data, what scoring writes, and where it computes."""

    explain: Annotated[
        bool,
        option(
            "Name the three columns of a table, or channels of a series, that contribute most to each score.", _OUTPUT
        ),
    ] = False
    heatmaps: Annotated[Path | None, option("Folder for one picture of each image, with its anomaly map.", _OUTPUT)] = (
        None
    )
    resume: Annotated[
        bool, option("Go on after an interruption, with the same model, data and --out; otherwise start.", _OUTPUT)
    ] = False
    device: Annotated[str | None, _DEVICE] = None


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class EvaluateOptions(RunOptions, ModelOptions, DataOptions):
    """The data, where an evaluation goes, and where it computes."""

    projection: Annotated[
        Literal["pca", "tsne"], option("How the report lays the latent space out.", _OUTPUT, default=True)
    ] = "pca"
    device: Annotated[str | None, _DEVICE] = None


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class ProfileOptions(ModelOptions, DataOptions):
    """The data, how much of it, and where to compute."""

    rows: Annotated[int, option("At most so many rows are scored.", _OUTPUT)] = 256
    device: Annotated[str | None, _DEVICE] = None


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class InspectOptions(OutOptions, DataOptions):
    """The data, the page that is written, and the samples that large data is judged by."""

    seed: Annotated[int, option("Seed of the samples that large data is judged by.", _OUTPUT)] = 0


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class ThresholdOptions(OutOptions, ModelOptions):
    """The new threshold, and where the changed model goes."""

    rule: Annotated[str | None, option("Rule: quantile, conformal, mean-sigma, evt or fixed.", _RULE)] = None
    settings: Annotated[tuple[str, ...], option("Set a field of the rule, e.g. k=3.", _RULE, name="--set")] = ()
    rate: Annotated[float | None, option("Share of normals that may be flagged.", _RULE)] = None


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class ComposeOptions(OutOptions, ModelOptions, DataOptions):
    """The new composition, the labelled rows that it learns from, and where the changed model goes."""

    settings: Annotated[
        tuple[str, ...],
        option(
            "Choose and set the composition, e.g. composition=SVM, composition.kernel=linear or "
            "composition.components=residual,features; repeatable.",
            _COMPOSITION,
            name="--set",
        ),
    ] = ()
    tune: Annotated[
        Literal["mcc", "f1", "youden"] | None,
        option("Set the threshold that is best for the labelled rows by this metric.", _COMPOSITION),
    ] = None
    share: Annotated[
        float | None,
        option("Share of the labelled rows to learn from (default all); `evaluate` leaves these out.", _COMPOSITION),
    ] = None
    device: Annotated[str | None, _DEVICE] = None


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class InversionOptions(OutOptions, ModelOptions, DataOptions):
    """The new inversion, the rows that set the threshold, and where the changed model goes."""

    settings: Annotated[
        tuple[str, ...],
        option(
            "Set a field of the inversion, e.g. inversion.n_max=100 or inversion.restriction=Projected with "
            "inversion.restriction.support=Shell; repeatable.",
            _INVERSION,
            name="--set",
        ),
    ] = ()
    device: Annotated[str | None, _DEVICE] = None


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class ReportOptions(OutOptions):
    """How a report is drawn."""

    interactive: Annotated[bool, option("Draw the charts with plotly, to zoom and read values.", _OUTPUT)] = False
    open: Annotated[bool, option("Open the report in the browser.", _OUTPUT)] = False


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class OutputOptions:
    """What is printed."""

    quiet: Annotated[bool, option("Print nothing but errors.", _OUTPUT)] = False
    json: Annotated[bool, option("Print one JSON document and nothing else.", _OUTPUT)] = False
