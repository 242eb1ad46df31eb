"""Detectors made of scikit-learn estimators, behind the same contract as the networks."""

import math
from abc import abstractmethod
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from sklearn.base import BaseEstimator
from torch import Tensor

from oddgan._core.errors import InputError, ModelError
from oddgan._core.hyperparameters import hyperparameters
from oddgan._core.lazy import LazyModule
from oddgan._core.memmap import Mapped
from oddgan.base import Detector, Reconstructs
from oddgan.base.components import ScoreParts
from oddgan.base.fitting import Fitting
from oddgan.base.scoring import Passes, full_pass
from oddgan.inputs.rows import Rows, chunks
from oddgan.storage.estimators import Values, from_values

if TYPE_CHECKING:
    from sklearn.decomposition import PCA


decomposition = LazyModule("sklearn.decomposition")

_PROJECTION = "projection"
# A constant that differs by no more than this, in spreads, may have been rounded to single precision.
ROUNDED = 0.1
# Rows of a pass in which each row is computed by itself, and the most values of such a pass: 2 MiB as float64, which
# stay in the processor's cache.
MOST_ROWS, MOST_VALUES = 2**14, 2**18


@hyperparameters
class ClassicalDetector(Detector):
    """A detector that fits scikit-learn estimators to flattened, scaled rows.

    Parameters
    ----------
    slots : rows of one pass when scoring, >= 1; estimators cost much per call and little per row, so that passes are
        larger than those of networks. "exact" fills up to a multiple of 64. Where a method computes each row by itself,
        these are the rows of a matrix product, and a pass takes thousands.
    """

    holds: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """The estimators by name, with the classes that each may be of, see `estimators.FORMS`."""

    independent: ClassVar[bool] = False
    """Whether `_scores` and what else looks at rows give each row the same bits in any company: no pass is filled up
    then. Matrix products are `_product`'s."""

    slots: int = 512

    # -- what a method supplies
    @abstractmethod
    def _estimators(self, x: np.ndarray, seed: int) -> dict[str, BaseEstimator]:
        """Fit estimators by name to x (n, d), float64; `seed` is for those that draw."""

    @abstractmethod
    def _scores(self, x: np.ndarray) -> dict[str, np.ndarray]:
        """The components (n,) of rows x (n, d), float64, higher = more anomalous."""

    # -- plumbing
    def _learn(self, rows: Rows, fitting: Fitting) -> None:
        if not isinstance(rows, np.ndarray | Mapped):
            raise InputError(
                f"{type(self).__name__} needs all rows in memory: give an array instead of a map-style dataset."
            )
        if fitting.validation is not None:
            raise InputError(f"{type(self).__name__} is fitted at once: validation has no epochs to choose among.")
        flat = np.concatenate([self.scaling_(c).reshape(len(c), -1) for c in chunks(rows)]).astype(np.float64)
        self.estimators_ = self._fit_estimators(flat, int(torch.randint(2**31 - 1, ())))
        fitted = {name: type(one).__name__ for name, one in self.estimators_.items() if name != _PROJECTION}
        if fitted.keys() != self.holds.keys() or any(kind not in self.holds[name] for name, kind in fitted.items()):
            raise InputError(
                f"{type(self).__name__} fits {fitted}, which its `holds` must say, but is {dict(self.holds)}."
            )

    def _fit_estimators(self, x: np.ndarray, seed: int) -> Mapping[str, Any]:
        """All estimators that are stored, fitted to x (n, d)."""
        return self._estimators(x, seed)

    def _flat_scores(self, x: np.ndarray) -> dict[str, np.ndarray]:
        """The components (n,) of x (n, d)."""
        return self._scores(x)

    def _restore(self, weights: Mapping[str, Tensor], estimators: Mapping[str, Values]) -> None:
        if weights:
            raise ModelError(f"it has weights of networks, but {type(self).__name__} has no networks.")
        self.estimators_ = self._rebuilt(estimators, math.prod(self.shape_))

    def _rebuilt(self, stored: Mapping[str, Values], d: int) -> dict[str, Any]:
        """The estimators of rows of d values from what is stored of them."""
        if stored.keys() != self.holds.keys():
            raise ModelError(
                f"it must have the estimators {', '.join(self.holds)}, but has {', '.join(stored) or 'none'}: "
                "copy the whole folder."
            )
        return {name: from_values(name, stored[name], d, allowed) for name, allowed in self.holds.items()}

    @property
    def _passes(self) -> Passes:
        if not self.independent:
            return super()._passes
        values = math.prod(self.shape_)
        return Passes(max(full_pass(self.slots), min(MOST_ROWS, MOST_VALUES // values)), padded=False)

    def _project(self, pca: "PCA", x: np.ndarray) -> np.ndarray:
        """The principal components (n, k) of rows x (n, d): scikit-learn's `transform`."""
        projected = self._product(x, pca.components_.T)
        projected -= pca.mean_.reshape(1, -1) @ pca.components_.T
        return projected

    def _product(self, x: np.ndarray, w: np.ndarray) -> np.ndarray:
        """Multiply x (n, d) by w (d, k) in products of `slots` rows, so that no row's bits depend on the others."""
        return product(x, w, full_pass(self.slots))

    def _score(self, x: Tensor) -> ScoreParts:
        flat = x.flatten(1).double().cpu().numpy()
        parts = {name: torch.from_numpy(np.asarray(score)) for name, score in self._flat_scores(flat).items()}
        return ScoreParts(parts, partial(self._reconstruct, x) if isinstance(self, Reconstructs) else None)


@hyperparameters
class ProjectedDetector(ClassicalDetector):
    """A classical detector that may look at principal components instead of all values.

    Parameters
    ----------
    pca : project onto at most this many principal components of the training rows first, >= 1; data with no more
        values than that are left alone, and so are all data with None. Values that never change in training become one
        more column: the distance from what they were.
    """

    pca: int | None = None

    def _check(self) -> None:
        if self.pca is not None and self.pca < 1:
            raise InputError(f"pca is a number of components, at least 1, or None, but is {self.pca}.")

    def _fit_estimators(self, x: np.ndarray, seed: int) -> Mapping[str, Any]:
        if self.pca is None or self.pca >= x.shape[1]:
            return self._estimators(x, seed)
        projection = principal_components(x, min(self.pca, len(x)))
        return {_PROJECTION: projection, **self._estimators(self._projected(projection, x), seed)}

    def _rebuilt(self, stored: Mapping[str, Values], d: int) -> dict[str, Any]:
        if _PROJECTION not in stored:
            return super()._rebuilt(stored, d)
        projection = from_values(_PROJECTION, stored[_PROJECTION], d, ("PCA",))
        others = {name: values for name, values in stored.items() if name != _PROJECTION}
        columns = projection.n_components_ + int(self._constant_values().any())
        return {_PROJECTION: projection, **super()._rebuilt(others, columns)}

    def _flat_scores(self, x: np.ndarray) -> dict[str, np.ndarray]:
        projection = self.estimators_.get(_PROJECTION)
        return self._scores(x if projection is None else self._projected(projection, x))

    def _projected(self, projection: "PCA", x: np.ndarray) -> np.ndarray:
        """Principal components of x (n, d), and how far the values that were constant in training have moved.

        Components do not see them: their distance, 0 for all training rows, is one more column, if there are any.
        """
        components = self._project(projection, x)
        constants = self._constant_values()
        if not constants.any():
            return components
        moved = np.abs(x[:, constants] - self.scaling_.middle)
        distance = np.sqrt((np.where(moved > ROUNDED, moved, 0.0) ** 2).sum(axis=1, keepdims=True))
        return np.concatenate([components, distance], axis=1)

    def _constant_values(self) -> np.ndarray:
        """Which of the d values of a row never changed in training."""
        known = self.scaling_.constants
        return np.broadcast_to(False if known is None else known, self.shape_).reshape(-1)

    def _constant_columns(self, x: np.ndarray) -> np.ndarray:
        """Which columns of x, as `_scores` gets it, never changed in training."""
        constants = self._constant_values()
        if constants.size == x.shape[1]:
            return constants
        last: np.ndarray = np.arange(x.shape[1]) >= x.shape[1] - int(constants.any())
        return last


def product(x: np.ndarray, w: np.ndarray, size: int) -> np.ndarray:
    """Multiply x (n, d) by w (d, k) in products of `size` rows, the last one filled up: (n, k)."""
    whole, found = len(x) // size * size, np.empty((len(x), w.shape[1]))
    np.matmul(x[:whole].reshape(-1, size, x.shape[1]), w, out=found[:whole].reshape(-1, size, w.shape[1]))
    if whole < len(x):
        last = np.zeros((size, x.shape[1]))
        last[: len(x) - whole] = x[whole:]
        found[whole:] = (last @ w)[: len(x) - whole]
    return found


def principal_components(x: np.ndarray, n_components: float) -> "PCA":
    """scikit-learn's PCA of rows x (n, d), without randomness and by the cheaper of its two exact solvers.

    Parameters
    ----------
    n_components : how many, a whole number, or the share of the variance that they explain, in (0, 1).
    """
    solver = "covariance_eigh" if len(x) > x.shape[1] else "full"
    with np.errstate(invalid="ignore"):  # shares of no variance at all
        return decomposition.PCA(n_components, svd_solver=solver).fit(x)
