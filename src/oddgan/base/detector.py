"""The contract of every detector: fit, score, threshold, explain, save. It knows nothing about GANs."""

from abc import ABCMeta, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, Self, cast

import numpy as np
import torch
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from oddgan._core.card import Card
from oddgan._core.errors import InputError, ModelError
from oddgan._core.hyperparameters import hyperparameters
from oddgan._core.notices import notice
from oddgan.base.calibration import Calibration, finite_components
from oddgan.base.capabilities import Encodes, Reconstructs, Samples
from oddgan.base.checks import check_settings, check_shape
from oddgan.base.components import Derived, ScoreParts, evaluated
from oddgan.base.explanation import Explanation, residual_map, residuals, scores_without_each
from oddgan.base.fitting import Fitting, Validation, fingerprint
from oddgan.base.scoring import Passes, Report, Scoring, passes_of, run_rows
from oddgan.inputs.device import usable_device
from oddgan.inputs.rows import Rows, chunks, take
from oddgan.inputs.validation import validate
from oddgan.parameters.nested import nested_parameters, updated_parameters
from oddgan.parameters.types import check_type
from oddgan.priors import Gaussian, Shell
from oddgan.scaling import AutoScaling, Scaling
from oddgan.scores import Composition, WeightedSum
from oddgan.scores.bounds import REACH, reach
from oddgan.storage import FITTED, Model, check_names, save_model, stored_parameters
from oddgan.storage.estimators import Values
from oddgan.thresholds import Fixed, Threshold, best_threshold
from oddgan.training import Callback, RandomState, begin, generator, is_first, seeded, team


def _can(capability: type) -> Callable[[object], bool]:
    """A test for `available_if`: capabilities show in `hasattr`."""
    return lambda self: isinstance(self, capability)


def _calibrated(name: str, doc: str) -> Any:
    """A property that is a field of `calibration_`."""
    return property(lambda self: getattr(self.calibration_, name), doc=doc)


@hyperparameters
class Detector(OutlierMixin, BaseEstimator, metaclass=ABCMeta):
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
        """Learn from raw training rows, inside a seeded scope, with `scaling_` fitted."""

    @abstractmethod
    def _score(self, x: Tensor) -> ScoreParts:
        """The components of the score of network input x (n, ...), and its reconstruction, where the method has one."""

    def _check(self) -> None:
        """Refuse hyperparameters that do not fit each other or the shape, before training."""

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
        order = rng.permutation(len(rows))
        if self.calibration == 0:
            self.calibration_rows_ = few = np.sort(order[: self.calibration_size])
            return rows, rows if len(few) == len(rows) else take(rows, few)
        k = round(self.calibration * len(rows))
        if k < 1 or len(rows) - k < 2:
            raise InputError(
                f"calibration={self.calibration} of {len(rows)} rows leaves {len(rows) - k} to train on and {k} to "
                "calibrate with: at least 2 and 1 are needed."
            )
        self.calibration_rows_ = np.sort(order[:k])
        return take(rows, np.sort(order[k:])), take(rows, self.calibration_rows_)

    def _fit_scaling(self, rows: Rows) -> Scaling:
        fitted = self.scaling.choose(self.shape_).fit(chunks(rows))
        if fitted.constant:
            of = "channel" if fitted.per == "channel" else "column" if len(self.shape_) == 1 else "position"
            many = f"{fitted.constant} {of}s hold" if fitted.constant > 1 else f"1 {of} holds"
            notice(f"{many} one value in all training rows: any later change of it makes a row more anomalous.")
        return fitted

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

    def _labelled(
        self, name: str, X: Any, y: Any, wanted: Collection[str] | None
    ) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Components (n,) and labels (n,) of validation rows."""
        if X is None or y is None:
            raise InputError(
                f"{name} learns from labels: give rows X_val and labels y_val, 1 where they are anomalous."
            )
        labels = np.asarray(y)
        if labels.ndim != 1 or set(np.unique(labels).tolist()) != {0, 1}:
            raise InputError(
                f"y_val must hold 0 (normal) and 1 (anomalous), and both of them, for {name} to learn from."
            )
        found = dict(X) if isinstance(X, Mapping) else self._found(self._rows(X), wanted)
        if any(len(values) != len(labels) for values in found.values()):
            raise InputError(f"X_val has {len(next(iter(found.values())))} rows, but y_val has {len(labels)} labels.")
        return found, labels.astype(int)

    def _recalibrate(self, rows: Rows, *, held_out: bool | None = None) -> Self:
        """Take from rows what scores are compared with, once these have changed, and set the threshold anew."""
        known = self.calibration_
        held_out = known.held_out if held_out is None else held_out
        self.calibration_ = known.with_components(self._calibration_components(rows), held_out=held_out)
        return self

    # -- scores
    def anomaly_score(self, X: Any, *, report: Report | None = None) -> np.ndarray:
        """Scores (n,), float64, higher = more anomalous.

        Parameters
        ----------
        X : rows like those given to `fit`.
        report : told from time to time how far it is.
        """
        return self._score_rows(self._rows(X), report)

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
        rows = self._rows(X)
        if extra == "all":
            return self._found(rows, None)
        wanted = list(dict.fromkeys((*self.composition_.uses, *extra)))
        found = self._found(rows, wanted)
        return {name: found[name] for name in wanted}

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
        missing = sorted(set(self.composition_.uses) - components.keys())
        if missing:
            raise InputError(
                f"The composition uses {', '.join(self.composition_.uses)}, but {', '.join(missing)} is not among the "
                "components given: take them from score_components."
            )
        return self.calibration_.score(components)

    def explain(self, X: Any) -> Explanation:
        r"""Score, components, reconstruction, map and contributions of rows.

        All but the contributions are what `anomaly_score`, `score_components`, `reconstruct` and `anomaly_map` return,
        from one pass. The contribution of column j (of a series: channel j) to the score s of a row x is

        - where the method reconstructs rows, the absolute residual :math:`|x_j - \hat x_j|` on the network's scale,
          of a series its mean over time;
        - otherwise the drop of the score when the column is left out, :math:`s(x) - s(x_1, ..., c_j, ..., x_d)`, with
          :math:`c_j` its centre in training: what `scaling` maps to 0, or to the middle of its interval. That is the
          mean with `Standard`, as tables are scaled by default, the middle of the range with `MinMax`, and 0 with
          `Identity`; of an ensemble the mean of its members' centres. It takes one more score for each column, and is
          negative where the column speaks for a normal row.

        Contributions of a row do not depend on other rows, as its score does not.

        Parameters
        ----------
        X : rows like those given to `fit`.
        """
        rows = self._rows(X)
        found = self._explained(rows)
        if found.contributions is not None or len(self.shape_) > 2:
            return found
        contributions = found.score[:, None] - scores_without_each(self._score_rows, rows, self._centre())
        heat = contributions if contributions.shape == rows.shape else None
        return found._replace(contributions=contributions, map=heat)

    # -- capabilities
    @available_if(_can(Reconstructs))
    def reconstruct(self, X: Any) -> np.ndarray:
        """The rows as the model can draw them, on the scale of X: (n, ...), float64."""
        draw = cast(Reconstructs, self)._reconstruct
        drawn = self._apply(lambda x: {"y": draw(x)}, self._rows(X))["y"]
        return self.scaling_.backward(drawn)

    @available_if(_can(Reconstructs))
    def anomaly_map(self, X: Any) -> np.ndarray:
        """How anomalous each pixel, time step or column is: the shape of X without channels, >= 0.

        The absolute residual |x - x̂| on the network's scale, averaged over channels.
        """
        draw = cast(Reconstructs, self)._reconstruct
        return self._apply(lambda x: {"map": residual_map(x, draw(x))}, self._rows(X))["map"]

    @available_if(_can(Encodes))
    def encode(self, X: Any) -> np.ndarray:
        """Latent codes (n, latent_dim), float64."""
        return self._apply(lambda x: {"z": cast(Encodes, self)._encode(x)}, self._rows(X))["z"]

    @available_if(_can(Samples))
    def sample(self, n: int = 1, *, random_state: RandomState = None) -> np.ndarray:
        """Draw n new rows from the model, on the scale of X: (n, ...), float64."""
        check_is_fitted(self)
        with seeded(int(generator(random_state).randint(2**31 - 1)), self._device), torch.no_grad():
            return self.scaling_.backward(cast(Samples, self)._sample(n).double().cpu().numpy())

    # -- passes over rows
    @property
    def _passes(self) -> Passes:
        """The rows of a forward pass."""
        return passes_of(self.slots, self.scoring)

    def _apply(
        self, function: Callable[[Tensor], Mapping[str, Tensor]], rows: Rows, report: Report | None = None
    ) -> dict[str, np.ndarray]:
        """What a function of network input (k, ...) gives for all n rows, (n, ...) by name."""
        return run_rows(function, rows, self._prepare, passes=self._passes, report=report)

    def _measured(self, rows: Rows, wanted: Collection[str] | None, report: Report | None) -> dict[str, np.ndarray]:
        """The wanted components (n,) as the method gives them, and under `REACH` how far out each row is."""
        return self._pass_over(rows, self._score, wanted, report)

    def _pass_over(
        self,
        rows: Rows,
        score: Callable[[Tensor], ScoreParts],
        wanted: Collection[str] | None,
        report: Report | None,
    ) -> dict[str, np.ndarray]:
        """What `_measured` returns, by a hook like `_score`."""

        def measured(x: Tensor) -> dict[str, Tensor]:
            parts = evaluated(score(x).components, wanted, self._derived, type(self).__name__)
            return parts | {REACH: reach(x, self.scaling_.limit)}

        return self._apply(measured, rows, report)

    def _method_components(self, rows: Rows, wanted: Collection[str] | None) -> dict[str, np.ndarray]:
        """The wanted components (n,) as the method gives them."""
        return {name: values for name, values in self._measured(rows, wanted, None).items() if name != REACH}

    def _calibration_components(self, rows: Rows) -> dict[str, np.ndarray]:
        return finite_components(self._method_components(rows, None), type(self).__name__)

    def _found(self, rows: Rows, wanted: Collection[str] | None, report: Report | None = None) -> dict[str, np.ndarray]:
        """The wanted components (n,) of rows, and all that follow from them; None wants all."""
        return self.calibration_.complete(self._measured(rows, wanted, report), self.scaling_.limit)

    def _score_rows(self, rows: Rows, report: Report | None = None) -> np.ndarray:
        """The scores (n,) of checked rows."""
        return self.calibration_.score(self._found(rows, self.composition_.uses, report))

    def _explained(self, rows: Rows) -> Explanation:
        """What one pass tells about checked rows; contributions are residuals, where there are some."""

        def explained(x: Tensor) -> dict[str, Tensor]:
            parts, drawn = self._score(x)
            found = evaluated(parts, None, self._derived, type(self).__name__)
            y = drawn() if callable(drawn) else drawn
            return found | {REACH: reach(x, self.scaling_.limit)} | residuals(x, y)

        return Explanation.of(self._apply(explained, rows), self.calibration_, self.scaling_)

    def _centre(self) -> np.ndarray:
        """What stands for a column (d,) or a channel (c, t) that is left out, on the scale of the rows."""
        centre: np.ndarray = self.scaling_.backward(np.full((1, *self.shape_), self.scaling_.middle))[0]
        return centre

    @property
    def _derived(self) -> Derived:
        """The components that follow from others; the norms of normally distributed codes have a known distribution."""
        normal = isinstance(getattr(self, "prior", None) or Gaussian(), Gaussian | Shell)
        return Derived(getattr(self, "latent_dim", None) if normal else None)

    @property
    def _device(self) -> torch.device:
        return usable_device(self.device)

    def _rows(self, X: Any) -> Rows:
        check_is_fitted(self, "calibration_")
        return validate(self, X, reset=False)

    def _prepare(self, raw: np.ndarray) -> Tensor:
        """Raw rows (n, ...) to network input (n, ...) on the device."""
        return torch.from_numpy(self.scaling_(raw)).to(self._device)

    # -- hyperparameters, by scikit-learn's names
    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The hyperparameters by name.

        Parameters
        ----------
        deep : with the fields of parts, such as `optimiser__lr` or `backbone__table__hidden`, and with the parameters
            of detectors in a tuple by their place, such as `detectors__0__n_neighbors`.
        """
        return nested_parameters(self, deep=deep)

    def set_params(self, **params: Any) -> Self:
        """Set hyperparameters, or fields of parts; either all of them or, after an error, none.

        Parts are replaced by changed copies. Of a part and its fields in one call, the part is set first.

        Parameters
        ----------
        params : values by the names that `get_params` gives.

        Raises
        ------
        InputError
            If there is no such parameter, or a part refuses a value.
        """
        for name, value in updated_parameters(self, params).items():
            setattr(self, name, value)
        return self

    def _get_params_html(self, deep: bool = True, *more: Any, **options: Any) -> Any:
        """What scikit-learn shows in notebooks: without the fields of parts, which it would mark as set by the user."""
        del deep
        return super()._get_params_html(False, *more, **options)

    # -- storage
    def save(self, path: str | Path, *, force: bool = False) -> Path:
        """Write the model to a folder: JSON and safetensors, never pickle. Of several workers, the first writes.

        Raises
        ------
        InputError
            If the folder exists without `force`, or can't be written.
        """
        check_is_fitted(self, "calibration_")
        return save_model(self._model(), path, force=force) if is_first() else Path(path)

    def _model(self) -> Model:
        """What a model folder holds of the fitted detector."""
        networks, parameters = getattr(self, "networks_", None), stored_parameters(self)
        fitted = {name: getattr(self, name) for name in FITTED if hasattr(self, name)}
        check_names(type(self), parameters | fitted)
        return Model(
            name=type(self).__name__,
            card=type(self).card,
            parameters=parameters,
            fitted=fitted,
            history=getattr(self, "history_", ()),
            estimators=getattr(self, "estimators_", {}),
            weights={} if networks is None else networks.state_dict(),
            members=tuple(member._model() for member in getattr(self, "members_", ())),
        )

    def _restore(self, weights: Mapping[str, Tensor], estimators: Mapping[str, Values]) -> None:
        """Take over stored weights, and what is stored of estimators, where the method has such."""
        if weights or estimators:
            raise ModelError(f"it has weights or estimators, which {type(self).__name__} has not.")

    def _take_members(self, members: Sequence["Detector"]) -> None:
        """Take over stored members, where the method has such."""
        if members:
            raise ModelError(f"it has {len(members)} members, but {type(self).__name__} has none.")
