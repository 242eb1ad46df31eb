"""From a detector with its settings to the records of what it reached."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from harness.clocks import clock
from oddgan import PCA, Detector, MeanDistance
from oddgan.data import Split
from oddgan.evaluate import Record, evaluate
from oddgan.evaluate.records import Role

METRICS = {
    "auroc": "AUROC",
    "average_precision": "AP",
    "phi": "phi",
    "false_alarm_rate": "false alarms",
}


@dataclass(frozen=True)
class Setup:
    """What all records of one measurement share; the fields are those of `Record`."""

    case: str
    method: str
    data: str
    protocol: str
    settings: Mapping[str, object]
    seed: int | None = None
    n_test: int | None = None
    cpu_s: float | None = None
    role: Role = "measured"
    semi_supervised: bool = False

    def record(self, metric: str, value: float, unit: str = "1", *, baseline: float | None = None) -> Record:
        """One number of the measurement; with a baseline in the same unit, its ratio to the value too."""
        shared: dict[str, Any] = {
            **vars(self),
            "settings": {k: v if isinstance(v, int | float | str) else str(v) for k, v in self.settings.items()},
            "cpu_s": None if self.cpu_s is None else round(self.cpu_s, 1),
        }
        if baseline is not None:
            shared |= {"baseline": baseline, "ratio": baseline / value}
        return Record(metric=metric, value=value, unit=unit, **shared)

    def quality(self, scores: np.ndarray, anomalous: np.ndarray, threshold: float | None = None) -> list[Record]:
        """AUROC and AP of scores (n,) and, at a threshold, phi and the false-alarm rate."""
        found = evaluate(scores, anomalous, threshold, n_bootstrap=0)
        return [self.record(METRICS[k], metric.value) for k, metric in found.items() if k in METRICS]

    def alone(self, parts: Mapping[str, np.ndarray], anomalous: np.ndarray) -> list[Record]:
        """AUROC of components (n,) by name."""
        aurocs = {name: self.quality(values, anomalous)[0].value for name, values in parts.items()}
        return [self.record(f"AUROC, {name} alone", value) for name, value in aurocs.items()]


@dataclass(frozen=True)
class Measured:
    """A fitted detector and what it says of test rows.

    Parameters
    ----------
    setup : what the records share.
    detector : the fitted detector.
    scores : of the test rows, (n,).
    components : those that the entry reports beside the score, (n,) each.
    anomalous : which test rows are anomalies, (n,).
    fit_s : processor seconds of the fit.
    """

    setup: Setup
    detector: Detector
    scores: np.ndarray
    components: dict[str, np.ndarray]
    anomalous: np.ndarray
    fit_s: float

    def quality(self, threshold: float | None = None) -> list[Record]:
        """AUROC and AP of the score; at a threshold, phi and the false-alarm rate, too."""
        return self.setup.quality(self.scores, self.anomalous, threshold)

    def alone(self) -> list[Record]:
        """AUROC of each component alone."""
        return self.setup.alone(self.components, self.anomalous)

    def fit(self) -> Record:
        """How long the fit took."""
        return self.setup.record("fit", self.fit_s, "CPU s")


@dataclass(frozen=True)
class Entry:
    """A detector with the settings of a benchmark.

    Parameters
    ----------
    name : the method, as the table shows it.
    cls : the detector.
    settings : what differs from its defaults.
    seeds : of training; one where nothing is random.
    role : a floor is marked as one.
    components : those whose AUROC is reported beside the score's.
    """

    name: str
    cls: type[Detector]
    settings: dict[str, Any] = field(default_factory=dict)
    seeds: tuple[int, ...] = (0,)
    role: Role = "measured"
    components: tuple[str, ...] = ()

    def shortened(self) -> "Entry":
        """The entry for a quick run: one seed, one epoch."""
        once = {name: 1 for name in self.settings if name.endswith("epochs")}
        return replace(self, seeds=self.seeds[:1], settings=self.settings | once)

    def setup(self, case: str, data: str, protocol: str, seed: int) -> Setup:
        """What the records of this entry share; rows and seconds are not known yet."""
        return Setup(case, self.name, data, protocol, self.settings, seed, role=self.role)

    def measure(self, case: str, data: str, split: Split, seed: int, **more: Any) -> Measured:
        """Fit on the training rows of a division and score its test rows.

        Parameters
        ----------
        case, data : what the records say of them.
        split : the division.
        seed : of training.
        more : settings beside the entry's, which the records name, too.
        """
        entry = replace(self, settings=self.settings | more)
        detector = self.cls(**entry.settings, random_state=seed)
        with clock() as fit:
            detector.fit(split.x_train)
        with clock() as score:
            parts = detector.score_components(split.x_test, extra=self.components)
            scores = detector.score_from(parts)
        setup = replace(
            entry.setup(case, data, split.protocol, seed), n_test=len(scores), cpu_s=fit.seconds + score.seconds
        )
        components = {name: parts[name] for name in self.components}
        return Measured(setup, detector, scores, components, split.is_anomaly, fit.seconds)


FLOORS = (Entry("L1 to the mean", MeanDistance, role="floor"), Entry("PCA residual", PCA, role="floor"))
"""What any detector should beat."""
