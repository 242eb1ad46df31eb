"""The detectors under test, each on its own tiny settings, and the data that they are tested on."""

import copy
import functools
from dataclasses import fields, replace
from typing import Any

import numpy as np

from oddgan.base import Detector, Kind
from oddgan.detectors import classes
from oddgan.families import ClassicalDetector, EnsembleDetector, NeuralDetector
from oddgan.networks import Auto, Backbone

CLASSES: dict[str, type[Detector]] = classes()
NEURAL = {name: cls for name, cls in CLASSES.items() if issubclass(cls, NeuralDetector)}
CLASSICAL = {name: cls for name, cls in CLASSES.items() if issubclass(cls, ClassicalDetector)}
KINDS = [(name, kind) for name, cls in CLASSES.items() for kind in cls.card.kinds]
SHAPES: dict[Kind, tuple[int, ...]] = {"table": (5,), "series": (2, 16), "image": (1, 8, 8)}


def shrink(backbone: Backbone) -> Backbone:
    """The same backbone with few units; norms and the rest stay as the method chose them."""
    if isinstance(backbone, Auto):
        return Auto(table=shrink(backbone.table), series=shrink(backbone.series), image=shrink(backbone.image))
    small = {"hidden": (16,), "width": 4, "max_width": 8}
    return replace(backbone, **{f.name: small[f.name] for f in fields(backbone) if f.name in small})


def make(cls: type[Detector], **settings: Any) -> Detector:
    """An unfitted detector on its tiny settings, seeded."""
    tiny = dict(cls.tiny)
    if issubclass(cls, NeuralDetector) and "backbone" not in tiny:
        tiny["backbone"] = shrink(cls().backbone)
    if issubclass(cls, EnsembleDetector) and "detectors" not in settings:
        few = (make(CLASSES[name], random_state=None) for name in ("AutoEncoder", "IForest"))
        tiny["detectors"] = tuple(few)
    return cls(**{"random_state": 0} | tiny | settings)


def normals(kind: Kind, n: int, seed: int = 0) -> np.ndarray:
    """Rows with two hidden causes and some noise, as floats between about -3 and 3."""
    mixing = np.random.default_rng(99).normal(size=(2, *SHAPES[kind]))
    rng = np.random.default_rng(seed)
    causes = rng.normal(size=(n, 2))
    return np.tensordot(causes, mixing, axes=1) + 0.3 * rng.normal(size=(n, *SHAPES[kind]))


@functools.cache
def _fitted(name: str, kind: Kind) -> Detector:
    return make(CLASSES[name], slots=7).fit(normals(kind, 24))


def fitted(cls: type[Detector], kind: Kind = "table") -> Detector:
    """A copy of a detector that was fitted on 24 rows; 7 slots divide none of the batches that tests score."""
    return copy.deepcopy(_fitted(cls.__name__, kind))


def observe(detector: Detector, X: np.ndarray) -> dict[str, np.ndarray]:
    """Everything that can be seen of a fitted detector."""
    seen = {f"component {k}": v for k, v in detector.score_components(X, extra="all").items()}
    seen |= {"score": detector.anomaly_score(X), "threshold": np.array(detector.threshold_)}
    seen |= {"calibration": detector.calibration_scores_, "probability": detector.anomaly_probability(X)}
    for name in ("reconstruct", "anomaly_map", "encode"):
        if hasattr(detector, name):
            seen[name] = getattr(detector, name)(X)
    if hasattr(detector, "sample"):
        seen["sample"] = detector.sample(3, random_state=0)
    seen["losses"] = np.array([loss for record in getattr(detector, "history_", []) for loss in record.losses.values()])
    return seen


def differences(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> list[str]:
    """The names of what differs, in any bit."""
    return sorted(k for k in a.keys() | b.keys() if k not in a or k not in b or not np.array_equal(a[k], b[k]))
