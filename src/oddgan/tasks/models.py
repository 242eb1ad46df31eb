"""Stored detectors, with what they remember of the data that they were fitted on."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np

from oddgan import storage
from oddgan._core.errors import InputError, ModelError
from oddgan._core.memmap import Samples
from oddgan._core.part_text import typed_text
from oddgan._core.parts import check_arguments, to_spec
from oddgan._core.text import shown
from oddgan.base import Detector, kind_of
from oddgan.data import Dataset, Options, Reading, read
from oddgan.detectors import load
from oddgan.evaluate import CompositionInfo, MethodInfo, ThresholdInfo
from oddgan.scores import Composition, GridSearch, Logistic, Standardised, WeightedSum
from oddgan.thresholds import Fixed, MeanSigma

_DTYPES = tuple(np.dtype(code).name for code in "?bBhHiIlLqQefd")
_HOT = 0.995  # the share of normal pixels that are less than fully hot on a heatmap


@dataclass(frozen=True)
class Memory:
    """What a fit leaves in its model, beside the detector.

    Parameters
    ----------
    reading : how raw data became rows.
    n_train : rows trained on.
    map_scale : the value on an anomaly map that is drawn as fully hot; None without maps.
    trained : marks of the rows trained on, see `labels.row_marks`; None in models of older versions.
    labelled : marks of the rows whose labels the composition or the threshold was chosen with; None without such.
    """

    reading: Reading
    n_train: int
    map_scale: float | None
    trained: np.ndarray | None = None
    labelled: np.ndarray | None = None

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
        """Marks of the rows whose labels have a part in the detector as it is now; None without such."""
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
        labelled : marks of the rows whose labels had a part in it; None if none had.
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
