"""Stored models, with what they remember of the data that they were fitted on."""

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from oddgan import storage
from oddgan._core.errors import InputError, ModelError
from oddgan._core.memmap import Samples
from oddgan._core.part_text import typed_text
from oddgan._core.parts import check_arguments, to_spec
from oddgan._core.text import shown
from oddgan.base import Detector, kind_of
from oddgan.data import Dataset, Reading, is_anomaly, read
from oddgan.detectors import load
from oddgan.evaluate import CompositionInfo, MethodInfo, ThresholdInfo
from oddgan.families import NeuralDetector
from oddgan.options import ComposeSpec, FitSpec, InversionSpec, Options, ThresholdSpec, UsageError
from oddgan.scores import Composition, GridSearch, Logistic, Standardised, WeightedSum
from oddgan.thresholds import Fixed, MeanSigma

_DTYPES = tuple(np.dtype(code).name for code in "?bBhHiIlLqQefd")
_OWN = ("settings", "calibration", "rate", "threshold", "seed")  # what a model brings into a fit that continues it
_HOT = 0.995  # the share of normal pixels that are less than fully hot on a heatmap


@dataclass(frozen=True)
class Memory:
    """What a fit leaves in its model, beside the detector.

    Parameters
    ----------
    reading : how raw data became rows.
    n_train : rows trained on.
    map_scale : the value on an anomaly map that is drawn as fully hot; None without maps.
    trained : marks of the rows trained on, see `row_marks`; None in models of older versions.
    labelled : marks of the rows whose labels the composition or the threshold was chosen with; None without such.
    """

    reading: Reading
    n_train: int
    map_scale: float | None
    trained: np.ndarray | None = None
    labelled: np.ndarray | None = None

    def joined(self, new: "Memory") -> "Memory":
        """What a model remembers after this training and a new one."""
        marks = [memory.trained for memory in (self, new) if memory.trained is not None]
        trained = np.unique(np.concatenate(marks)) if marks else None
        return dataclasses.replace(new, n_train=self.n_train + new.n_train, trained=trained, labelled=self.labelled)

    def to_store(self) -> dict[str, Any]:
        """Plain values and arrays that a model can store."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)} | {
            "reading": self.reading.to_json()
        }

    @classmethod
    def of(cls, detector: Detector) -> Self | None:
        """What the detector's model holds; None for one that was saved by hand.

        Raises
        ------
        ModelError, InputError
            If it is not what a fit leaves, or does not belong to the detector.
        """
        stored = getattr(detector, "reading_", None)
        if stored is None:
            return None
        if not isinstance(stored.get("reading"), Mapping):
            raise ModelError("reading_ lacks how the data was read.")
        given = stored | {"reading": Reading.from_json(stored["reading"])}
        check_arguments(cls, given)
        _check_reading(given["reading"], detector.shape_)
        return cls(**given)


@dataclass(frozen=True)
class Model:
    """A stored detector.

    Parameters
    ----------
    detector : ready to score.
    memory : what it remembers of its data; None if it was saved by hand.
    """

    detector: Detector
    memory: Memory | None

    @property
    def labelled(self) -> np.ndarray | None:
        """Marks (n,) of the rows whose labels have a part in the detector as it is now; None without such."""
        return self.memory.labelled if self.memory is not None and self.detector.semi_supervised_ else None

    def read(
        self, source: str, options: Options, *, half: Literal["train", "test"] = "test", labelled: bool = True
    ) -> Dataset:
        """Read new data in the way of the training data; of two halves that one, unless the options name one.

        Parameters
        ----------
        source, options : as for `oddgan.data.read`.
        half : what is read of a source with two halves.
        labelled : whether rows without a label are left out where others have one.
        """
        if self.memory is not None:
            return read(source, options, like=self.memory.reading, default_split=half, labelled=labelled)
        kind = options.kind or kind_of(self.detector.shape_)
        return read(source, dataclasses.replace(options, kind=kind), default_split=half, labelled=labelled)

    def save(self, target: Path, labelled: np.ndarray | None, *, force: bool) -> None:
        """Write the changed model.

        Parameters
        ----------
        target : the folder.
        labelled : marks (n,) of the rows whose labels had a part in it; None if none had.
        force : replace an existing model.
        """
        if self.memory is not None:
            self.detector.reading_ = dataclasses.replace(self.memory, labelled=labelled).to_store()
        self.detector.save(target, force=force)


def open_model(path: Path, device: str | None = None, *, trust_changes: bool = False) -> Model:
    """Load a model.

    Parameters
    ----------
    path : its folder.
    device : where to compute; None is torch's default device.
    trust_changes : load it although its files have changed since they were saved.

    Raises
    ------
    ModelError
        If it can't be loaded, or what it remembers of its data does not belong to its detector.
    """
    detector = load(path, device=device, trust_changes=trust_changes)
    try:
        return Model(detector, Memory.of(detector))
    except (ModelError, InputError) as error:
        raise ModelError(f"{path} can't say how its data was read: {error}") from error


def _check_reading(reading: Reading, shape: tuple[int, ...]) -> None:
    """Refuse a reading that gives samples of another shape than the detector's."""
    kind = kind_of(shape)
    if reading.kind != kind:
        raise ModelError(f"it reads data of the kind {reading.kind}, but the detector takes {kind} data.")
    if reading.dtype not in _DTYPES:
        raise ModelError(f"it reads values of the type {shown(reading.dtype)}, but knows {', '.join(_DTYPES)}.")
    if reading.resize is not None and (kind != "image" or reading.resize != shape[1:]):
        raise ModelError(f"it resizes to {reading.resize}, but the detector takes samples of shape {shape}.")
    encoding, medians = reading.encoding, reading.medians
    if encoding is not None and (len(encoding.columns) != len(encoding.categories) or (len(encoding.names),) != shape):
        raise ModelError(f"its columns do not become samples of shape {shape}.")
    if medians is not None and (len(medians),) != shape:
        raise ModelError(f"it has {len(medians)} medians, but samples have the shape {shape}.")


def map_scale(detector: Detector, x: Samples) -> float | None:
    """The value that only one in 200 pixels of normal rows x (n, ...) exceeds; None where there are no maps."""
    if not hasattr(detector, "anomaly_map") or not len(x):
        return None
    return float(np.quantile(detector.anomaly_map(x[: detector.slots]), _HOT))


def method_info(detector: Detector) -> MethodInfo:
    """Where the method comes from, for the record."""
    card = type(detector).card
    return MethodInfo(
        name=card.name,
        title=card.title,
        authors=card.authors,
        year=card.year,
        link=card.link,
        deviations=card.deviations,
    )


def threshold_info(detector: Detector) -> ThresholdInfo:
    """Where the detector's cut comes from."""
    rule = detector.threshold_rule_
    if isinstance(rule, Fixed):
        source: Literal["labelled rows", "given"] = "labelled rows" if detector.threshold_tuned_ else "given"
        return ThresholdInfo(value=detector.threshold_, rule="Fixed", source=source)
    return ThresholdInfo(
        value=detector.threshold_,
        rule=type(rule).__name__,
        rate=None if isinstance(rule, MeanSigma) else detector.rate_,
        source="held-out normals" if detector.held_out_ else "training rows",
        n=len(detector.calibration_scores_),
    )


def composition_info(composition: Composition) -> CompositionInfo:
    """How the components become the score."""
    part = composition.composition if isinstance(composition, Standardised) else composition
    weights: dict[str, float] = {}
    if isinstance(part, WeightedSum):
        weights = dict(part.weights)
    elif isinstance(part, GridSearch | Logistic) and part.weights is not None:
        weights = dict(zip(part.uses, part.weights, strict=True))
    return CompositionInfo(
        text=typed_text(composition),
        components=composition.uses,
        weights=weights,
        needs_labels=composition.needs_labels,
    )


def parameters(detector: Detector) -> dict[str, Any]:
    """The hyperparameters as plain values."""
    return {name: to_spec(value, {}, name) for name, value in detector.get_params(deep=False).items()}


def versions() -> dict[str, str]:
    """The versions that results depend on."""
    return storage.versions()


def require_absent(path: Path, *, force: bool) -> None:
    """Say before the work begins that its result would meet an existing file."""
    if path.exists() and not force:
        raise InputError(f"{path} exists already: give another name, or --force to replace it.")


def check_target(spec: ThresholdSpec | ComposeSpec | InversionSpec, *, changes: bool) -> None:
    """Say before the work begins that a changed model has no place, or would meet an existing one."""
    if changes and spec.out is None and not spec.force:
        raise UsageError(f"This changes {spec.model}: give --out FOLDER, or --force to change it in place.")
    if spec.out is not None:
        require_absent(spec.out, force=spec.force)


def labels_of(data: Dataset, instead: str) -> NDArray[np.bool_]:
    """Which rows are anomalous, (n,).

    Parameters
    ----------
    data : the rows.
    instead : what else to do without labels, for the message.

    Raises
    ------
    InputError
        If there are no labels.
    """
    if data.y is None:
        raise InputError(
            "The data has no labels to compare with: name their column with --label or their array with --y, "
            f"{instead}."
        )
    return is_anomaly(data.y, data.reading.normal)


def row_marks(data: Dataset) -> NDArray[np.int64]:
    """Numbers (n,) by which rows are known again: 64 bits of a hash of each row's id and values."""
    marks, pairs = np.empty(len(data), dtype="<i8"), zip(data.ids, data.x, strict=True)
    for i, (name, row) in enumerate(pairs):
        marks[i] = int.from_bytes(
            hashlib.blake2b(f"{name}\n".encode() + row.tobytes(), digest_size=8).digest(), "little", signed=True
        )
    return marks.astype(np.int64)


def among(data: Dataset, marks: np.ndarray | None) -> NDArray[np.bool_]:
    """Which rows (n,) have one of these marks; none where there are no marks."""
    return np.zeros(len(data), dtype=np.bool_) if marks is None else np.isin(row_marks(data), marks)


def model_to_continue(spec: FitSpec) -> Model:
    """The model that a fit continues to train.

    Raises
    ------
    UsageError
        If parameters are given, which the model has, or it can't be trained on.
    """
    if spec.onto is None:
        raise UsageError("There is no model to continue: name it with --continue.")
    given = [name for name in _OWN if getattr(spec, name) not in (None, {})]
    if given:
        raise UsageError(f"--continue takes the model's own parameters: leave {', '.join(given)} out.")
    if spec.out is None and not spec.force:
        raise UsageError(f"Where should the model go? Give --out FOLDER, or --force to replace {spec.onto}.")
    model = open_model(spec.onto, spec.device, trust_changes=spec.trust_changes)
    if not isinstance(model.detector, NeuralDetector):
        name = type(model.detector).__name__
        raise UsageError(f"{name} is fitted at once and can't be trained on: fit it anew on all rows.")
    if model.memory is None:
        raise InputError(f"{spec.onto} was not made by `oddgan fit`: continue with partial_fit in Python.")
    return model
