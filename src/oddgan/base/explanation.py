"""Scores with what they rest on, from one pass through the networks."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
from torch import Tensor

from oddgan.base.capabilities import Reconstructs
from oddgan.base.components import Component, evaluated

if TYPE_CHECKING:
    from oddgan.base.detector import Detector

_DRAWN, _MAP = "\0drawn", "\0map"


class Explanation(NamedTuple):
    """What a detector says about n rows.

    Parameters
    ----------
    score : higher = more anomalous, (n,).
    components : the parts of the score by name, and those that the method has besides, (n,) each.
    reconstruction : the rows as the model can draw them, on their own scale, (n, ...); None where it draws none.
    map : where the rows are anomalous, the shape of the rows without channels; None without a reconstruction.
    """

    score: np.ndarray
    components: dict[str, np.ndarray]
    reconstruction: np.ndarray | None
    map: np.ndarray | None


class Explains:
    """A detector's `explain`."""

    def explain(self, X: Any) -> Explanation:
        """Score, components, reconstruction and map at once: nothing is computed twice.

        They are what `anomaly_score`, `score_components`, `reconstruct` and `anomaly_map` return for the same rows.

        Parameters
        ----------
        X : rows like those given to `fit`.
        """
        detector = cast("Detector", self)

        def explained(x: Tensor) -> dict[str, Tensor]:
            parts, drawn = self._together(x)
            found = evaluated(parts, None, detector._derived, type(self).__name__)
            return found if drawn is None else found | {_DRAWN: drawn, _MAP: detector._residual_map(x, drawn)}

        found = detector._apply(explained, detector._rows(X))
        drawn, heat = (found.pop(name, None) for name in (_DRAWN, _MAP))
        found |= detector._derived(found, detector.calibration_components_)
        reconstruction = None if drawn is None else detector.scaling_.backward(drawn)
        return Explanation(detector._composed(found), found, reconstruction, heat)

    def _together(self, x: Tensor) -> tuple[Mapping[str, Component], Tensor | None]:
        """Components and reconstructions of network input x (n, ...); a method shares here what both need."""
        parts = cast("Detector", self)._components(x)
        return parts, self._reconstruct(x) if isinstance(self, Reconstructs) else None
