"""Scoring: from rows to components, scores, explanations, reconstructions, codes and samples."""

from abc import ABCMeta, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Literal, Self, cast

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from oddgan.base.calibration import Calibration
from oddgan.base.capabilities import Encodes, Reconstructs, Samples
from oddgan.base.components import Derived, ScoreParts, evaluated
from oddgan.base.explanation import Explanation, residual_map, residuals, scores_without_each
from oddgan.base.scoring import Passes, Report, Scoring, passes_of, run_rows
from oddgan.inputs.device import usable_device
from oddgan.inputs.rows import Rows
from oddgan.inputs.validation import validate
from oddgan.parameters.nested import nested_parameters, updated_parameters
from oddgan.priors import Gaussian, Shell
from oddgan.scores.bounds import REACH, reach
from oddgan.training import RandomState, generator, seeded


def _can(capability: type) -> Callable[[object], bool]:
    """A test for `available_if`: capabilities show in `hasattr`."""
    return lambda self: isinstance(self, capability)


class Scorer(BaseEstimator, metaclass=ABCMeta):
    """What a detector does with rows once it is fitted: `shape_`, `scaling_` and `calibration_` are there."""

    scoring: Scoring
    slots: int
    device: str | None

    # -- what a method supplies
    @abstractmethod
    def _score(self, x: Tensor) -> ScoreParts:
        """The components of the score of network input x (n, ...), and its reconstruction, where the method has one."""

    # -- scores
    def anomaly_score(self, X: Any, *, report: Report | None = None) -> np.ndarray:
        """Scores (n,), float64, higher = more anomalous.

        Parameters
        ----------
        X : rows like those given to `fit`.
        report : told from time to time how far it is.
        """
        return self._score_rows(self._rows(X), report)

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
        wanted = list(dict.fromkeys((*self.calibration_.composition.uses, *extra)))
        found = self._found(rows, wanted)
        return {name: found[name] for name in wanted}

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
        return self._raw(drawn)

    @available_if(_can(Reconstructs))
    def anomaly_map(self, X: Any) -> np.ndarray:
        """How anomalous each pixel, time step or column is: (n, h, w), (n, t) or (n, d), >= 0.

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
            return self._raw(cast(Samples, self)._sample(n).double().cpu().numpy())

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
        return self._apply(self._parts_of(self._score, wanted), rows, report)

    def _parts_of(
        self, score: Callable[[Tensor], ScoreParts], wanted: Collection[str] | None
    ) -> Callable[[Tensor], dict[str, Tensor]]:
        """A function of a pass x (k, ...) that gives what `_measured` returns, by a hook like `_score`."""

        def measured(x: Tensor) -> dict[str, Tensor]:
            parts = evaluated(score(x), len(x), wanted, self._derived, type(self).__name__)
            return parts | {REACH: reach(x, self.scaling_.limit)}

        return measured

    def _method_components(self, rows: Rows, wanted: Collection[str] | None) -> dict[str, np.ndarray]:
        """The wanted components (n,) as the method gives them."""
        return {name: values for name, values in self._measured(rows, wanted, None).items() if name != REACH}

    def _found(self, rows: Rows, wanted: Collection[str] | None, report: Report | None = None) -> dict[str, np.ndarray]:
        """The wanted components (n,) of rows, and all that follow from them; None wants all."""
        known: Calibration = self.calibration_
        return known.complete(self._measured(rows, wanted, report), self.scaling_.limit)

    def _score_rows(self, rows: Rows, report: Report | None = None) -> np.ndarray:
        """The scores (n,) of checked rows."""
        known: Calibration = self.calibration_
        return known.score(self._found(rows, known.composition.uses, report))

    def _explained(self, rows: Rows) -> Explanation:
        """What one pass tells about checked rows; contributions are residuals, where there are some."""

        def explained(x: Tensor) -> dict[str, Tensor]:
            parts = self._score(x)
            found = evaluated(parts, len(x), None, self._derived, type(self).__name__)
            y = parts.reconstruction() if callable(parts.reconstruction) else parts.reconstruction
            return found | {REACH: reach(x, self.scaling_.limit)} | residuals(x, y)

        return Explanation.of(self._apply(explained, rows), self.calibration_, self.scaling_)

    def _centre(self) -> np.ndarray:
        """What stands for a column (d,) or a channel (c, t) that is left out, on the scale of the rows."""
        centre: np.ndarray = self._raw(np.full((1, *self.shape_), self.scaling_.middle))[0]
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

    def _raw(self, x: np.ndarray) -> np.ndarray:
        """Network input (n, ...) to rows (n, ...) on the scale of the data."""
        rows: np.ndarray = self.scaling_.backward(x)
        return rows

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
