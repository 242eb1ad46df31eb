"""How a detector's components become its score: composed at first in `fit`, and anew whenever the user likes."""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self, cast

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from oddgan._core.errors import InputError
from oddgan.base.components import Derived, evaluated
from oddgan.base.scoring import Report
from oddgan.inputs.rows import Rows
from oddgan.parameters.types import check_type
from oddgan.priors import Gaussian, Shell
from oddgan.scores import Composition
from oddgan.scores.bounds import REACH, bounded, finite, reach
from oddgan.thresholds import Fixed, best_threshold

if TYPE_CHECKING:
    from oddgan.base.detector import Detector


class Composes:
    """A detector's components and their composition."""

    composition_: Composition
    calibration_components_: dict[str, np.ndarray]
    calibration_scores_: np.ndarray
    threshold_tuned_: bool

    @property
    def semi_supervised_(self) -> bool:
        """Whether labels had a part in the weights, the score or the threshold."""
        return self.composition_.needs_labels or self.threshold_tuned_ or getattr(self, "selection_labelled_", False)

    @property
    def component_names_(self) -> tuple[str, ...]:
        """The names of all components that the fitted detector has, those that follow from others included."""
        return tuple(self._calibrated())

    def anomaly_score(self, X: Any, *, report: Report | None = None) -> np.ndarray:
        """Scores (n,), float64, higher = more anomalous.

        Parameters
        ----------
        X : rows like those given to `fit`.
        report : told from time to time how far it is.
        """
        rows = cast("Detector", self)._rows(X)
        return self._composed(self._found(rows, self.composition_.uses, report))

    def score_components(self, X: Any, *, extra: Sequence[str] | Literal["all"] = ()) -> dict[str, np.ndarray]:
        """The parts of the score by name: (n,) each, float64, higher = more anomalous.

        Parameters
        ----------
        X : rows like those given to `fit`.
        extra : further components that the method has, by name, or "all"; without it, those that the composition uses.

        Raises
        ------
        InputError
            If the method has no such component; the message lists those that it has.
        """
        rows = cast("Detector", self)._rows(X)
        if extra == "all":
            return self._found(rows, None)
        wanted = list(dict.fromkeys((*self.composition_.uses, *extra)))
        found = self._found(rows, wanted)
        return {name: found[name] for name in wanted}

    def score_from(self, components: Mapping[str, np.ndarray]) -> np.ndarray:
        """Scores (n,) of rows whose components are known: what `anomaly_score` returns, without the networks.

        Parameters
        ----------
        components : as `score_components` returns them, at least those that the composition uses.

        Raises
        ------
        InputError
            If one of them is missing.
        """
        check_is_fitted(self, "offset_")
        missing = sorted(set(self.composition_.uses) - components.keys())
        if missing:
            raise InputError(
                f"The composition uses {', '.join(self.composition_.uses)}, but {', '.join(missing)} is not among the "
                "components given: take them from score_components."
            )
        return self._composed(components)

    def scores_of_calibration(self) -> np.ndarray:
        """The scores (n,) of the calibration rows, in the order of `calibration_rows_`; `fit` has computed them."""
        check_is_fitted(self, "offset_")
        return self._composed(self._calibrated())

    def compose(self, composition: Composition, X_val: Any = None, y_val: Any = None) -> Self:
        """Score by another composition from now on; nothing is trained again, and no search changes.

        What the composition needs to know of normal rows, it takes from the calibration rows; the threshold is set
        anew from their scores, by the default rule if it was a fixed number. A composition that learns from labels
        makes the detector semi-supervised, which is shown wherever its results are.

        Parameters
        ----------
        composition : how components become the score, e.g. `RankAverage()`; one that takes all components gets those
            that the method gives, without those that follow from them.
        X_val : rows with known labels, or their components as `score_components` returns them; only for compositions
            that learn from labels.
        y_val : their labels (n,): 0 normal, 1 anomalous.

        Raises
        ------
        InputError
            If labels are missing, given in vain, or not of both kinds, or a component is unknown.
        """
        check_is_fitted(self, "offset_")
        check_type("compose", "composition", composition, Composition)
        labelled = None
        if composition.needs_labels:
            labelled = self._labelled(type(composition).__name__, X_val, y_val, composition.uses or None)
        elif X_val is not None or y_val is not None:
            raise InputError(f"{type(composition).__name__} looks at no labels: leave X_val and y_val out.")
        normals = self._normals(composition)
        fitted = composition.fit(normals, labelled)
        scores = np.sort(_apply(fitted, normals))  # a composition that is refused changes nothing
        self.composition_, self.calibration_scores_ = fitted, scores
        return self._threshold_anew()

    def tune_threshold(self, X_val: Any, y_val: Any, *, metric: Literal["mcc", "f1", "youden"] = "mcc") -> Self:
        """Set the threshold to the cut that is best on labelled rows, which makes the detector semi-supervised.

        Parameters
        ----------
        X_val : rows with known labels, or their components as `score_components` returns them.
        y_val : their labels (n,): 0 normal, 1 anomalous.
        metric : what to make best: "mcc" (phi), "f1" of the anomalies, or "youden" (recall + specificity);
            `oddgan.thresholds.best_threshold` knows more.
        """
        check_is_fitted(self, "offset_")
        found, labels = self._labelled("tune_threshold", X_val, y_val, self.composition_.uses)
        best = best_threshold(self._composed(found), labels.astype(bool), metric=metric)
        cast("Detector", self).set_threshold(Fixed(value=best.threshold))
        self.threshold_tuned_ = True
        return self

    def _labelled(
        self, name: str, X: Any, y: Any, wanted: Collection[str] | None
    ) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Components and labels of validation rows."""
        if X is None or y is None:
            raise InputError(
                f"{name} learns from labels: give rows X_val and labels y_val, 1 where they are anomalous."
            )
        labels = np.asarray(y)
        if labels.ndim != 1 or set(np.unique(labels).tolist()) != {0, 1}:
            raise InputError(
                f"y_val must hold 0 (normal) and 1 (anomalous), and both of them, for {name} to learn from."
            )
        found = dict(X) if isinstance(X, Mapping) else self._found(cast("Detector", self)._rows(X), wanted)
        if any(len(values) != len(labels) for values in found.values()):
            raise InputError(f"X_val has {len(next(iter(found.values())))} rows, but y_val has {len(labels)} labels.")
        return found, labels.astype(int)

    def _found(self, rows: Rows, wanted: Collection[str] | None, report: Report | None = None) -> dict[str, np.ndarray]:
        """The wanted components of rows, and all that follow from them; None wants all."""
        return self._settled(self._measured(rows, wanted, report))

    def _settled(self, measured: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Components that are finite, and all that follow from them."""
        known = self.calibration_components_
        found = bounded(measured, known, cast("Detector", self).scaling_.limit)
        return found | {name: finite(values) for name, values in self._derived(found, known).items()}

    def _looked_up(self, rows: Rows, wanted: Collection[str] | None) -> dict[str, np.ndarray]:
        """The wanted components as the method gives them."""
        measured = self._measured(rows, wanted, None)
        return {name: values for name, values in measured.items() if name != REACH}

    def _measured(self, rows: Rows, wanted: Collection[str] | None, report: Report | None) -> dict[str, np.ndarray]:
        """The wanted components as the method gives them, and how far out each row is."""
        detector, name = cast("Detector", self), type(self).__name__

        def measured(x: Tensor) -> dict[str, Tensor]:
            parts = evaluated(detector._components(x), wanted, self._derived, name)
            return parts | {REACH: reach(x, detector.scaling_.limit)}

        return detector._apply(measured, rows, report)

    def _calibrated(self) -> dict[str, np.ndarray]:
        """The components of the calibration rows, with those that follow from them."""
        known = self.calibration_components_
        return known | self._derived(known, known)

    def _normals(self, composition: Composition) -> dict[str, np.ndarray]:
        """What a composition learns normal rows from: one that names no components does not take derived ones."""
        return self._calibrated() if composition.uses else self.calibration_components_

    @property
    def _derived(self) -> Derived:
        normal = isinstance(getattr(self, "prior", None) or Gaussian(), Gaussian | Shell)
        return Derived(getattr(self, "latent_dim", None) if normal else None)

    def _composed(self, found: Mapping[str, np.ndarray]) -> np.ndarray:
        return _apply(self.composition_, found)

    def _calibrate_on(self, rows: Rows, composition: Composition, *, refit: bool = True) -> None:
        """Take from rows what scores are compared with."""
        self.calibration_components_ = {k: self._checked(k, v) for k, v in self._looked_up(rows, None).items()}
        self.composition_ = composition.fit(self._normals(composition)) if refit else composition
        self.calibration_scores_ = np.sort(self._composed(self._calibrated()))

    def _checked(self, name: str, values: np.ndarray) -> np.ndarray:
        """A component (n,) of calibration rows, made finite.

        Raises
        ------
        InputError
            If most values are not.
        """
        lost = int((~np.isfinite(values)).sum())
        if 2 * lost > len(values):
            raise InputError(
                f"{type(self).__name__} gives no finite {name} for {lost} of {len(values)} rows that are meant to be "
                "normal: look at the rows for huge values, or train with a lower learning rate."
            )
        return finite(values)

    def _recalibrate(self, rows: Rows) -> Self:
        """Take from rows what scores are compared with, once these have changed, and set the threshold anew."""
        self._calibrate_on(rows, self.composition_, refit=not self.composition_.needs_labels)
        return self._threshold_anew()

    def _threshold_anew(self) -> Self:
        """Set the threshold from the calibration scores by its own rule; a fixed number gives way to the default."""
        detector = cast("Detector", self)
        rule = detector.threshold_rule_
        detector.set_threshold(None if isinstance(rule, Fixed) else rule, rate=detector.rate_)
        return self


def _apply(composition: Composition, components: Mapping[str, np.ndarray]) -> np.ndarray:
    """The composed score (n,) of components (n,)."""
    with np.errstate(all="ignore"):
        return finite(composition({k: torch.from_numpy(v) for k, v in components.items()}).numpy())
