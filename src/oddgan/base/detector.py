"""The contract of every detector: a scorer that is fitted, calibrated and saved. It knows nothing about GANs."""

from abc import abstractmethod
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
from sklearn.base import OutlierMixin
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from oddgan._core.card import Card
from oddgan._core.errors import InputError, ModelError
from oddgan._core.hyperparameters import hyperparameters
from oddgan.base.calibration import Calibration, Labelled, check_labels, finite_components
from oddgan.base.checks import check_settings, check_shape
from oddgan.base.fitting import Fitting, Validation, fingerprint, fit_scaling, split
from oddgan.base.scorer import Scorer
from oddgan.base.scoring import Scoring
from oddgan.inputs.rows import Rows, take
from oddgan.inputs.validation import validate
from oddgan.parameters.types import check_type
from oddgan.scaling import AutoScaling, Scaling
from oddgan.scores import Composition, WeightedSum
from oddgan.storage import model_of, save_model
from oddgan.storage.estimators import Values
from oddgan.thresholds import Fixed, Threshold, best_threshold
from oddgan.training import Callback, RandomState, begin, generator, is_first, seeded, team


def _calibrated(name: str, doc: str) -> Any:
    """A property that is a field of `calibration_`."""
    return property(lambda self: getattr(self.calibration_, name), doc=doc)


@hyperparameters
class Detector(OutlierMixin, Scorer):
    """An anomaly detector that is a scikit-learn estimator.

    Inside, higher means more anomalous (`anomaly_score`, `score_components`, `threshold_`); at scikit-learn's methods
    (`score_samples`, `decision_function`, `predict`) higher means more normal. The only minus is in `score_samples`.

    Parameters
    ----------
    composition : how the components of the score become the anomaly score; `compose` exchanges it later.
    scaling : how raw values become network input; learned from the training rows.
    contamination : the share of normal rows that the threshold may flag, in (0, 0.5].
    threshold : the rule from scores to the threshold; None takes the quantile of training scores, or the conformal
        quantile of held-out ones.
    calibration : share of the rows to hold out for the threshold and for p-values, in [0, 1); 0 uses training rows,
        whose scores are too low for flexible generators, so that too much is flagged later.
    calibration_size : with `calibration` 0, at most how many training rows the threshold is taken from.
    scoring : "exact" makes forward passes of fixed sizes, so that a score never depends on batch size, order or
        neighbours; "fast" does not pad, and scores may differ by rounding.
    slots : rows of one forward pass when scoring, >= 1; "exact" fills up to a multiple of 64. While many rows remain,
        passes are larger where that is faster and changes no bit.
    device : where to compute, e.g. "cpu" or "cuda:0"; None is torch's default device.
    random_state : seed of everything random in `fit`; None draws a fresh one. Global generators are left alone.
    """

    card: ClassVar[Card]
    tiny: ClassVar[Mapping[str, Any]] = {}
    renamed: ClassVar[Mapping[str, str]] = {}
    """Parameters that earlier versions called something else: today's name by the old one, for stored models."""

    kept_by_clones: ClassVar[tuple[str, ...]] = ()
    """Attributes beside the parameters that make a detector what it is, e.g. a network that it was given."""

    composition: Composition = WeightedSum(residual=1.0)
    scaling: Scaling = AutoScaling()
    contamination: float = 0.1
    threshold: Threshold | None = None
    calibration: float = 0.0
    calibration_size: int = 1000
    scoring: Scoring = "exact"
    slots: int = 64
    device: str | None = None
    random_state: RandomState = None

    # -- what a method supplies
    @abstractmethod
    def _learn(self, rows: Rows, fitting: Fitting) -> None:
        """Learn from raw training rows, inside a seeded scope, with `scaling_` fitted.

        Arrays of any shape that scoring needs go into `learned_`, by name: it is stored with the model.
        """

    def _check(self) -> None:
        """Refuse hyperparameters that do not fit each other or the shape, before training."""

    def __sklearn_clone__(self) -> Self:
        found: Self = super().__sklearn_clone__()
        found.__dict__.update({name: vars(self)[name] for name in self.kept_by_clones if name in vars(self)})
        return found

    # -- fitting
    @team()
    def fit(
        self,
        X: Any,
        y: object = None,
        *,
        callbacks: Sequence[Callback] = (),
        validation: tuple[Any, Any] | None = None,
    ) -> Self:
        """Learn what is normal.

        Parameters
        ----------
        X : normal rows (n, d), (n, c, t) or (n, c, h, w): an array, memory map, tensor, data frame or map-style
            dataset.
        y : ignored.
        callbacks : observe training, e.g. `ProgressBar()`, or save it: `Checkpoints(folder)`.
        validation : rows that choose among epochs as `selection` says, instead of a share of X: `(X_val, None)` with
            normal rows, or `(X_val, y_val)` with labels, 1 for anomalous, which only the criterion "auroc" looks at.

        Raises
        ------
        InputError
            If the rows or a hyperparameter can't be used.
        TrainingError
            If a loss is not finite.
        """
        del y
        rows, rng = self._training_rows(X), generator(self.random_state)
        chosen_by = Validation.of(self, validation)
        given = {"rows": rows, "validation rows": None if chosen_by is None else chosen_by.rows}
        with begin(callbacks, rng, lambda: fingerprint(self, given)) as taking_part:
            return self._train(rows, rng, Fitting(taking_part, chosen_by))

    def _training_rows(self, X: Any) -> Rows:
        """Check hyperparameters and rows, and take over the rows' shape."""
        check_settings(self)
        rows = validate(self, X, reset=True)
        check_shape(self)
        return rows

    def _train(self, rows: Rows, rng: np.random.RandomState, fitting: Fitting) -> Self:
        """Learn from checked rows, and calibrate."""
        seed = int(rng.randint(2**31 - 1))
        train, calibration = self._split(rows, rng)
        self.scaling_ = self._fit_scaling(train)
        self._check()
        with fitting.told(type(self).__name__, len(train)), seeded(seed, self._device):
            self._learn(train, fitting)
        self.calibration_ = Calibration.fit(
            self._calibration_components(calibration),
            self._derived,
            self.composition,
            held_out=self.calibration > 0,
            rule=self.threshold,
            rate=self.contamination,
        )
        return self

    def _split(self, rows: Rows, rng: np.random.RandomState) -> tuple[Rows, Rows]:
        """Training rows, and the rows that the threshold comes from; `calibration_rows_` has the latter's numbers."""
        train, self.calibration_rows_ = split(len(rows), self.calibration, self.calibration_size, rng)
        every, all_calibrate = len(train) == len(rows), len(self.calibration_rows_) == len(rows)
        return rows if every else take(rows, train), rows if all_calibrate else take(rows, self.calibration_rows_)

    def _fit_scaling(self, rows: Rows) -> Scaling:
        return fit_scaling(self.scaling, self.shape_, rows)

    # -- calibration
    composition_ = _calibrated("composition", "How components become the score, fitted to the calibration rows.")
    calibration_components_ = _calibrated("components", "The components of the calibration rows by name, (n,) each.")
    calibration_scores_ = _calibrated("scores", "The scores of the calibration rows in ascending order, (n,).")
    held_out_ = _calibrated("held_out", "Whether the calibration rows were held out from training.")
    threshold_rule_ = _calibrated("rule", "The rule from scores to the threshold.")
    threshold_tuned_ = _calibrated("tuned", "Whether the threshold was tuned on labelled rows.")
    rate_ = _calibrated("rate", "The share of normal rows that the threshold may flag.")
    offset_ = _calibrated("offset", "The threshold with scikit-learn's sign.")
    threshold_ = _calibrated("threshold", "The cut on the scale of `anomaly_score`: what scores above it is anomalous.")

    @property
    def component_names_(self) -> tuple[str, ...]:
        """The names of all components that the fitted detector has, those that follow from others included."""
        return tuple(self.calibration_.all_components)

    @property
    def semi_supervised_(self) -> bool:
        """Whether labels had a part in the weights, the score or the threshold."""
        known = self.calibration_
        return known.composition.needs_labels or known.tuned or getattr(self, "selection_labelled_", False)

    def scores_of_calibration(self) -> np.ndarray:
        """The scores (n,) of the calibration rows, in the order of `calibration_rows_`; `fit` has computed them."""
        check_is_fitted(self, "calibration_")
        return self.calibration_.score(self.calibration_.all_components)

    def set_threshold(self, rule: Threshold | None = None, *, rate: float | None = None) -> Self:
        """Set the threshold anew from the stored calibration scores; nothing is trained again.

        Parameters
        ----------
        rule : the rule; None takes the quantile of training scores, or the conformal quantile of held-out ones.
        rate : the share of normal rows that may be flagged; None takes `contamination`.
        """
        check_is_fitted(self, "calibration_")
        check_type("set_threshold", "rule", rule, Threshold | None)
        check_type("set_threshold", "rate", rate, float | None)
        self.calibration_ = self.calibration_.with_rule(rule, self.contamination if rate is None else rate)
        return self

    def tune_threshold(self, X_val: Any, y_val: Any, *, metric: Literal["mcc", "f1", "youden"] = "mcc") -> Self:
        """Set the threshold to the cut that is best on labelled rows, which makes the detector semi-supervised.

        Parameters
        ----------
        X_val : rows with known labels, or their components as `score_components` returns them.
        y_val : their labels (n,): 0 normal, 1 anomalous.
        metric : what to make best: "mcc" (phi), "f1" of the anomalies, or "youden" (recall + specificity);
            `oddgan.thresholds.best_threshold` knows more.
        """
        check_is_fitted(self, "calibration_")
        found, labels = self._labelled("tune_threshold", X_val, y_val, self.composition_.uses)
        best = best_threshold(self.calibration_.score(found), labels.astype(bool), metric=metric)
        self.calibration_ = self.calibration_.with_rule(Fixed(value=best.threshold), self.contamination, tuned=True)
        return self

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
        check_is_fitted(self, "calibration_")
        check_type("compose", "composition", composition, Composition)
        labelled = None
        if composition.needs_labels:
            labelled = self._labelled(type(composition).__name__, X_val, y_val, composition.uses or None)
        elif X_val is not None or y_val is not None:
            raise InputError(f"{type(composition).__name__} looks at no labels: leave X_val and y_val out.")
        self.calibration_ = self.calibration_.with_composition(composition, labelled)
        return self

    def _labelled(self, name: str, X: Any, y: Any, wanted: Collection[str] | None) -> Labelled:
        """Components (n,) and labels (n,) of validation rows."""
        labels = check_labels(name, X, y)
        found = dict(X) if isinstance(X, Mapping) else self._found(self._rows(X), wanted)
        if any(len(values) != len(labels) for values in found.values()):
            raise InputError(f"X_val has {len(next(iter(found.values())))} rows, but y_val has {len(labels)} labels.")
        return found, labels

    def _calibration_components(self, rows: Rows) -> dict[str, np.ndarray]:
        return finite_components(self._method_components(rows, None), type(self).__name__)

    def _recalibrate(self, rows: Rows, *, held_out: bool | None = None) -> Self:
        """Take from rows what scores are compared with, once these have changed, and set the threshold anew."""
        known = self.calibration_
        held_out = known.held_out if held_out is None else held_out
        self.calibration_ = known.with_components(self._calibration_components(rows), held_out=held_out)
        return self

    # -- scores, by scikit-learn's signs
    def score_samples(self, X: Any) -> np.ndarray:
        """Scores (n,) with scikit-learn's sign: higher = more normal."""
        return -self.anomaly_score(X)

    def decision_function(self, X: Any) -> np.ndarray:
        """`score_samples(X) - offset_`, (n,): negative means anomalous."""
        decision: np.ndarray = self.score_samples(X) - self.offset_
        return decision

    def predict(self, X: Any) -> np.ndarray:
        """+1 for normal rows and -1 for anomalous ones, (n,)."""
        return np.where(self.decision_function(X) >= 0, 1, -1)

    def anomaly_probability(self, X: Any) -> np.ndarray:
        """The conformal p-value (n,) of each row against the calibration rows: small = anomalous.

        p = (1 + #{calibration scores >= score}) / (1 + #calibration scores), in (0, 1]. For rows that are normal and
        exchangeable with held-out calibration rows, P(p <= a) <= a for every a (Vovk et al., 2005). With
        `calibration=0` the calibration rows were trained on and the p-values are too small.
        """
        return self.p_values(self.anomaly_score(X))

    def p_values(self, scores: np.ndarray) -> np.ndarray:
        """The conformal p-values (n,) of anomaly scores (n,)."""
        check_is_fitted(self, "calibration_")
        return self.calibration_.p_values(scores)

    def score_from(self, components: Mapping[str, np.ndarray]) -> np.ndarray:
        """Scores (n,) of rows whose components are known: what `anomaly_score` returns, without the networks.

        Parameters
        ----------
        components : as `score_components` returns them, (n,) each, at least those that the composition uses.

        Raises
        ------
        InputError
            If one of them is missing.
        """
        check_is_fitted(self, "calibration_")
        return self.calibration_.score_from(components)

    # -- storage
    def save(self, path: str | Path, *, force: bool = False) -> Path:
        """Write the model to a folder: JSON and safetensors, never pickle. Of several workers, the first writes.

        Raises
        ------
        InputError
            If the folder exists without `force`, or can't be written.
        """
        check_is_fitted(self, "calibration_")
        return save_model(model_of(self), path, force=force) if is_first() else Path(path)

    def _restore(self, weights: Mapping[str, Tensor], estimators: Mapping[str, Values]) -> None:
        """Take over stored weights, and what is stored of estimators, where the method has such."""
        if weights or estimators:
            raise ModelError(f"it has weights or estimators, which {type(self).__name__} has not.")

    def _take_members(self, members: Sequence["Detector"]) -> None:
        """Take over stored members, where the method has such."""
        if members:
            raise ModelError(f"it has {len(members)} members, but {type(self).__name__} has none.")
