"""Explanations: scores with their components, reconstructions, and the contribution of each column."""

from collections.abc import Callable, Mapping
from typing import NamedTuple, Self

import numpy as np
from torch import Tensor

from oddgan._core.errors import InputError
from oddgan._core.memmap import rows_at_once
from oddgan.base.calibration import Calibration
from oddgan.inputs.rows import Rows, chunks
from oddgan.scaling import Scaling

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

    @classmethod
    def of(cls, found: Mapping[str, np.ndarray], calibration: Calibration, scaling: Scaling) -> Self:
        """What a pass has found for n rows: components (n,), see `Calibration.complete`, and `residuals`."""
        components = dict(found)
        drawn, heat, channels = (components.pop(name, None) for name in (_DRAWN, _MAP, _CHANNELS))
        components = calibration.complete(components, scaling.limit)
        reconstruction = None if drawn is None else scaling.backward(drawn)
        contributions = heat if heat is not None and heat.ndim == 2 and channels is None else channels
        return cls(calibration.score(components), components, reconstruction, heat, contributions)


def residuals(x: Tensor, y: Tensor | None) -> dict[str, Tensor]:
    """What a pass over x (n, ...) tells of its reconstructions y (n, ...), by names that are no component's."""
    if y is None:
        return {}
    if y.shape != x.shape:
        raise InputError(
            f"A reconstruction has shape {tuple(y.shape)}, but must have that of its rows, {tuple(x.shape)}."
        )
    each = {_CHANNELS: (x - y).abs().mean(dim=2)} if x.ndim == 3 else {}
    return {_DRAWN: y, _MAP: residual_map(x, y)} | each


def residual_map(x: Tensor, y: Tensor) -> Tensor:
    """The absolute residual of x (n, ...) and its reconstruction y, averaged over channels: x's shape without them."""
    residual = (x - y).abs()
    return residual if residual.ndim == 2 else residual.mean(dim=1)


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
