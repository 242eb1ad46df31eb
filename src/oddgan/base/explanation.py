"""Scores with what they rest on: components, reconstruction, and what each column contributes."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
from torch import Tensor

from oddgan._core.memmap import rows_at_once
from oddgan.base.capabilities import Reconstructs
from oddgan.base.components import Component, evaluated
from oddgan.inputs.rows import Rows, chunks
from oddgan.scores.bounds import REACH, reach

if TYPE_CHECKING:
    from oddgan.base.detector import Detector

_DRAWN, _MAP, _CHANNELS = "\0drawn", "\0map", "\0channels"


class Explanation(NamedTuple):
    """What a detector says about n rows.

    Parameters
    ----------
    score : higher = more anomalous, (n,).
    components : the parts of the score by name, and those that the method has besides, (n,) each.
    reconstruction : the rows as the model can draw them, on their own scale, (n, ...); None where it draws none.
    map : where the rows are anomalous, the shape of the rows without channels; of a table the contributions; otherwise
        None without a reconstruction.
    contributions : how much each column of a table contributes to the score, (n, d), or each channel of a series,
        (n, c), higher = more anomalous; None for images. See `explain`.
    """

    score: np.ndarray
    components: dict[str, np.ndarray]
    reconstruction: np.ndarray | None
    map: np.ndarray | None
    contributions: np.ndarray | None = None


class Explains:
    """A detector's `explain`."""

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
        detector = cast("Detector", self)
        rows = detector._rows(X)
        found = self._explained(rows)
        if found.contributions is not None or len(detector.shape_) > 2:
            return found
        left_out = scores_without_each(self._score_rows, rows, self._centre())
        contributions = found.score[:, None] - left_out
        return found._replace(
            contributions=contributions, map=contributions if contributions.shape == rows.shape else None
        )

    def _explained(self, rows: Rows) -> Explanation:
        """What one pass tells about checked rows; contributions are residuals, where there are some."""
        detector = cast("Detector", self)

        def explained(x: Tensor) -> dict[str, Tensor]:
            parts, drawn = self._together(x)
            found = evaluated(parts, None, detector._derived, type(self).__name__)
            found[REACH] = reach(x, detector.scaling_.limit)
            if drawn is None:
                return found
            each = {_CHANNELS: (x - drawn).abs().mean(dim=2)} if x.ndim == 3 else {}
            return found | {_DRAWN: drawn, _MAP: detector._residual_map(x, drawn)} | each

        found = detector._apply(explained, rows)
        drawn, heat, channels = (found.pop(name, None) for name in (_DRAWN, _MAP, _CHANNELS))
        found = detector._settled(found)
        reconstruction = None if drawn is None else detector.scaling_.backward(drawn)
        contributions = heat if len(detector.shape_) == 1 else channels
        return Explanation(detector._composed(found), found, reconstruction, heat, contributions)

    def _together(self, x: Tensor) -> tuple[Mapping[str, Component], Tensor | None]:
        """Components and reconstructions of network input x (n, ...); a method shares here what both need."""
        parts = cast("Detector", self)._components(x)
        return parts, self._reconstruct(x) if isinstance(self, Reconstructs) else None

    def _score_rows(self, rows: Rows) -> np.ndarray:
        """The scores (n,) of checked rows."""
        detector = cast("Detector", self)
        return detector._composed(detector._found(rows, detector.composition_.uses))

    def _centre(self) -> np.ndarray:
        """What stands for a column (d,) or a channel (c, t) that is left out, on the scale of the rows."""
        detector = cast("Detector", self)
        middle = np.full((1, *detector.shape_), detector.scaling_.middle)
        centre: np.ndarray = detector.scaling_.backward(middle)[0]
        return centre


def scores_without_each(score: Callable[[np.ndarray], np.ndarray], rows: Rows, centre: np.ndarray) -> np.ndarray:
    """The scores of n rows with each of their k columns or channels replaced in turn, (n, k).

    Parameters
    ----------
    score : rows to scores (n,).
    rows : (n, k) or (n, k, t).
    centre : what replaces them, (k,) or (k, t).
    """
    k, most, found = len(centre), rows_at_once(rows.shape), [np.empty((0, len(centre)))]
    for chunk in chunks(rows, max(1, most // k)):
        x, parts = chunk.astype(np.float64), []
        for columns in (np.arange(start, min(start + most, k)) for start in range(0, k, most)):
            each = np.tile(columns, len(x))
            varied = np.repeat(x, len(columns), axis=0)
            varied[np.arange(len(varied)), each] = centre[each]
            parts.append(score(varied).reshape(len(x), len(columns)))
        found.append(np.concatenate(parts, axis=1))
    return np.concatenate(found)
