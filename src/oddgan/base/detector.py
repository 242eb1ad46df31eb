"""The public contract of every detector: fit, score, threshold, save. It knows nothing about GANs."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self, cast

import numpy as np
import torch
from sklearn.base import OutlierMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from oddgan import storage
from oddgan._core.card import Card
from oddgan._core.errors import InputError, ModelError
from oddgan._core.hyperparameters import hyperparameters
from oddgan.base.capabilities import Encodes, Reconstructs, Samples
from oddgan.base.components import Component
from oddgan.base.composing import Composes
from oddgan.base.explanation import Explains
from oddgan.base.fitting import Fitting, Validation, identity
from oddgan.base.input_scaling import fit_scaling
from oddgan.base.scoring import ScoresInPasses, Scoring
from oddgan.inputs.device import usable_device
from oddgan.inputs.rows import Rows, take
from oddgan.inputs.validation import check_common, check_kind, check_pass, validate
from oddgan.parameters.nested import NestedParameters
from oddgan.parameters.types import check_type
from oddgan.scaling import AutoScaling, Scaling
from oddgan.scores import Composition, WeightedSum
from oddgan.storage.estimators import Values
from oddgan.thresholds import Conformal, Quantile, Threshold
from oddgan.training import Callback, RandomState, begin, generator, is_first, seeded, team


def _is(capability: type) -> Callable[[object], bool]:
    """A test for `available_if`: capabilities show in `hasattr`."""
    return lambda self: isinstance(self, capability)


@hyperparameters
class Detector(Composes, Explains, ScoresInPasses, OutlierMixin, NestedParameters, ABC):
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
    def _train(self, rows: Rows, fitting: Fitting) -> None:
        """Learn from raw training rows, inside a seeded scope, with `scaling_` fitted."""

    @abstractmethod
    def _components(self, x: Tensor) -> Mapping[str, Component]:
        """The parts of the score of network input x (n, ...): `(n,)` each, higher = more anomalous.

        A part may be a function without arguments, which is called if the part is wanted.
        """

    # -- fitting
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
        callbacks : watch training, e.g. `ProgressBar()`, or keep it: `Checkpoints(folder)`.
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
        return self._fit(X, callbacks, validation)

    @team()
    def _fit(
        self,
        X: Any,
        callbacks: Sequence[Callback],
        validation: tuple[Any, Any] | None = None,
        epochs: int | None = None,
    ) -> Self:
        rows = self._new_rows(X)
        rng, chosen_by = generator(self.random_state), Validation.of(self, validation)
        parts = {"rows": rows, "validation rows": None if chosen_by is None else chosen_by.rows}
        with begin(callbacks, rng, lambda: identity(self, parts)) as taking_part:
            return self._fit_on(rows, rng, Fitting(taking_part, chosen_by, epochs))

    def _new_rows(self, X: Any) -> Rows:
        """Check hyperparameters and rows, and take over the rows' shape."""
        check_common(self)
        rows = validate(self, X, reset=True)
        check_kind(self)
        check_pass(self)
        return rows

    def _fit_on(self, rows: Rows, rng: np.random.RandomState, fitting: Fitting) -> Self:
        """Fit to checked rows."""
        seed = int(rng.randint(2**31 - 1))
        train, held_out = self._split(rows, rng)
        self.scaling_ = self._fit_scaling(train)
        self._check()
        with fitting.told(type(self).__name__, len(train)), seeded(seed, self._device):
            self._train(train, fitting)
        self._calibrate_on(held_out, self.composition)
        return self.set_threshold(self.threshold)

    def _check(self) -> None:
        """Refuse hyperparameters that do not fit each other or the shape, before training."""

    def _split(self, rows: Rows, rng: np.random.RandomState) -> tuple[Rows, Rows]:
        """Training rows, and the rows that the threshold comes from; `calibration_rows_` has the latter's numbers."""
        order = rng.permutation(len(rows))
        if self.calibration == 0:
            self.held_out_ = False
            self.calibration_rows_ = few = np.sort(order[: self.calibration_size])
            return rows, rows if len(few) == len(rows) else take(rows, few)
        k = round(self.calibration * len(rows))
        if k < 1 or len(rows) - k < 2:
            raise InputError(
                f"calibration={self.calibration} of {len(rows)} rows leaves {len(rows) - k} to train on and {k} to "
                "calibrate with: at least 2 and 1 are needed."
            )
        self.held_out_, self.calibration_rows_ = True, np.sort(order[:k])
        return take(rows, np.sort(order[k:])), take(rows, self.calibration_rows_)

    def _fit_scaling(self, rows: Rows) -> Scaling:
        return fit_scaling(self.scaling, self.shape_, rows)

    def set_threshold(self, rule: Threshold | None = None, *, rate: float | None = None) -> Self:
        """Set the threshold anew from the stored calibration scores; nothing is trained again.

        Parameters
        ----------
        rule : the rule; None takes the quantile of training scores, or the conformal quantile of held-out ones.
        rate : the share of normal rows that may be flagged; None takes `contamination`.
        """
        check_is_fitted(self, "calibration_scores_")
        check_type("set_threshold", "rule", rule, Threshold | None)
        check_type("set_threshold", "rate", rate, float | None)
        rule = rule if rule is not None else Conformal() if self.held_out_ else Quantile()
        rate = self.contamination if rate is None else rate
        offset = -float(rule(self.calibration_scores_, rate))  # a refused rate changes nothing
        self.threshold_rule_, self.rate_, self.offset_, self.threshold_tuned_ = rule, rate, offset, False
        return self

    # -- scores
    @property
    def threshold_(self) -> float:
        """The cut on the scale of `anomaly_score`: what scores above it is called anomalous."""
        return -float(self.offset_)

    def score_samples(self, X: Any) -> np.ndarray:
        """Scores (n,) with scikit-learn's sign: higher = more normal."""
        return -self.anomaly_score(X)

    def decision_function(self, X: Any) -> np.ndarray:
        """`score_samples(X) - offset_`: negative means anomalous."""
        return self.score_samples(X) - self.offset_

    def predict(self, X: Any) -> np.ndarray:
        """+1 for normal rows and -1 for anomalous ones."""
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
        check_is_fitted(self)
        below = np.searchsorted(self.calibration_scores_, scores, side="left")
        n = len(self.calibration_scores_)
        return (1.0 + n - below) / (1.0 + n)

    # -- capabilities
    @available_if(_is(Reconstructs))
    def reconstruct(self, X: Any) -> np.ndarray:
        """The rows as the model can draw them, on the scale of X: (n, ...), float64."""
        out = self._apply(lambda x: {"y": cast(Reconstructs, self)._reconstruct(x)}, self._rows(X))["y"]
        return self.scaling_.backward(out)

    @available_if(_is(Reconstructs))
    def anomaly_map(self, X: Any) -> np.ndarray:
        """How anomalous each pixel, time step or column is: the shape of X without channels, >= 0.

        The absolute residual |x - x̂| on the network's scale, averaged over channels.
        """
        draw = cast(Reconstructs, self)._reconstruct
        return self._apply(lambda x: {"map": self._residual_map(x, draw(x))}, self._rows(X))["map"]

    @available_if(_is(Encodes))
    def encode(self, X: Any) -> np.ndarray:
        """Latent codes (n, latent_dim), float64."""
        return self._apply(lambda x: {"z": cast(Encodes, self)._encode(x)}, self._rows(X))["z"]

    @available_if(_is(Samples))
    def sample(self, n: int = 1, *, random_state: RandomState = None) -> np.ndarray:
        """Draw n new rows from the model, on the scale of X: (n, ...), float64."""
        check_is_fitted(self)
        with seeded(int(generator(random_state).randint(2**31 - 1)), self._device), torch.no_grad():
            return self.scaling_.backward(cast(Samples, self)._sample(n).double().cpu().numpy())

    def _residual_map(self, x: Tensor, y: Tensor) -> Tensor:
        residual = (x - y).abs()
        return residual if residual.ndim == 2 else residual.mean(dim=1)

    # -- plumbing
    @property
    def _device(self) -> torch.device:
        return usable_device(self.device)

    def _rows(self, X: Any) -> Rows:
        check_is_fitted(self, "offset_")
        return validate(self, X, reset=False)

    def _prepare(self, raw: np.ndarray) -> Tensor:
        """Raw rows to network input on the device."""
        return torch.from_numpy(self.scaling_(raw)).to(self._device)

    def _restore(self, weights: Mapping[str, Tensor], estimators: Mapping[str, Values]) -> None:
        """Take over stored weights, and what is stored of estimators, where the method has such."""
        if weights or estimators:
            raise ModelError(f"it has weights or estimators, which {type(self).__name__} has not.")

    def _take_members(self, members: Sequence["Detector"]) -> None:
        """Take over stored members, where the method has such."""
        if members:
            raise ModelError(f"it has {len(members)} members, but {type(self).__name__} has none.")

    def save(self, path: str | Path, *, force: bool = False) -> Path:
        """Write the model to a folder: JSON and safetensors, never pickle. Of several workers, the first writes.

        Raises
        ------
        InputError
            If the folder exists without `force`, or can't be written.
        """
        check_is_fitted(self, "offset_")
        return storage.save(self, path, force=force) if is_first() else Path(path)
