"""The detector under test on tiny settings, the rows that it is tested on, and what can be seen of it."""

import copy
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from oddgan.base import Detector, Kind
from oddgan.detectors import classes, load
from oddgan.families import EnsembleDetector, NeuralDetector
from oddgan.networks import Auto, Backbone

Seen = Mapping[str, np.ndarray]
SHAPES: dict[Kind, tuple[int, ...]] = {"table": (5,), "series": (2, 16), "image": (1, 8, 8)}


def shrink(backbone: Backbone) -> Backbone:
    """The same backbone with few units; norms and the rest stay as the method chose them."""
    if isinstance(backbone, Auto):
        return Auto(table=shrink(backbone.table), series=shrink(backbone.series), image=shrink(backbone.image))
    small: dict[str, Any] = {"hidden": (16,), "width": 4, "max_width": 8}
    return replace(backbone, **{f.name: small[f.name] for f in fields(backbone) if f.name in small})


def tiny_settings(cls: type[Detector]) -> dict[str, Any]:
    """Settings that train in a second: the class's own `tiny`, a small backbone, and two quick members."""
    tiny = dict(cls.tiny)
    if issubclass(cls, NeuralDetector):
        tiny = {"backbone": shrink(cls().backbone)} | tiny
    if issubclass(cls, EnsembleDetector):
        few = (Subject(classes()[name]).make(random_state=None) for name in ("AutoEncoder", "IForest"))
        tiny = {"detectors": tuple(few)} | tiny
    return tiny


def normals(kind: Kind, n: int, seed: int = 0) -> np.ndarray:
    """Rows (n, ...) with two hidden causes and some noise, as floats between about -3 and 3."""
    mixing = np.random.default_rng(99).normal(size=(2, *SHAPES[kind]))
    rng = np.random.default_rng(seed)
    causes = rng.normal(size=(n, 2))
    return np.tensordot(causes, mixing, axes=1) + 0.3 * rng.normal(size=(n, *SHAPES[kind]))


class Subject:
    """A detector under test.

    Parameters
    ----------
    detector : the class, which is tested on tiny settings, or an unfitted instance, which is tested on its own.
    beside : what must be set, too, for a parameter to have an effect, by parameter.
    """

    def __init__(
        self, detector: type[Detector] | Detector, beside: Mapping[str, Mapping[str, Any]] | None = None
    ) -> None:
        self.cls: type[Detector]
        if isinstance(detector, type):
            self.cls, self.settings = detector, tiny_settings(detector)
        else:
            self.cls, self.settings = type(cast(Detector, detector)), cast(Detector, detector).get_params(deep=False)
        self.beside = beside or {}
        self.kinds = self.cls.card.kinds
        self.kind: Kind = "table" if "table" in self.kinds else self.kinds[0]
        self._fitted: dict[Kind, Detector] = {}
        self._seen: dict[Kind, Seen] = {}

    def make(self, **settings: Any) -> Detector:
        """An unfitted detector, seeded."""
        return self.cls(**self.settings | {"random_state": 0} | settings)

    def fitted(self, kind: Kind) -> Detector:
        """A copy of a detector that was fitted on 24 rows; 7 slots divide none of the batches that are scored."""
        if kind not in self._fitted:
            self._fitted[kind] = self.make(slots=7).fit(normals(kind, 24))
        return copy.deepcopy(self._fitted[kind])

    def seen(self, kind: Kind) -> Seen:
        """What is seen of the fitted detector on 9 new rows."""
        if kind not in self._seen:
            self._seen[kind] = observe(self.fitted(kind), normals(kind, 9, seed=1))
        return self._seen[kind]

    @contextmanager
    def stored(self, detector: Detector) -> Iterator[Path]:
        """The folder of a saved detector, for a while."""
        with tempfile.TemporaryDirectory() as folder:
            yield detector.save(Path(folder) / "model")

    def load(self, folder: Path) -> Detector:
        """Read a model, be the class one of oddgan's or not."""
        known = self.cls.__name__ in classes() and classes()[self.cls.__name__] is self.cls
        return load(folder, classes=() if known else (self.cls,))


def observe(detector: Detector, X: Any) -> dict[str, np.ndarray]:
    """Everything that can be seen of a fitted detector on rows X (n, ...)."""
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


def differences(a: Seen, b: Seen) -> list[str]:
    """The names of what differs, in any bit."""
    return sorted(k for k in a.keys() | b.keys() if k not in a or k not in b or not np.array_equal(a[k], b[k]))
