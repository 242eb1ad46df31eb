"""Detectors made of scikit-learn estimators, behind the same contract as the networks."""

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np
import torch
from sklearn.base import BaseEstimator
from torch import Tensor

from oddgan._core.errors import InputError
from oddgan._core.hyperparameters import hyperparameters
from oddgan.base.detector import Detector
from oddgan.base.rows import Rows, chunks
from oddgan.training import Callback


@hyperparameters
class ClassicalDetector(Detector):
    """A detector that fits scikit-learn estimators to flattened, scaled rows."""

    # -- what a method supplies
    @abstractmethod
    def _estimators(self, x: np.ndarray, seed: int) -> dict[str, BaseEstimator]:
        """Fit estimators by name to x (n, d), float64; `seed` is for those that draw."""

    @abstractmethod
    def _scores(self, x: np.ndarray) -> dict[str, np.ndarray]:
        """The components (n,) of rows x (n, d), float64, higher = more anomalous."""

    # -- plumbing
    def _train(self, rows: Rows, callbacks: Sequence[Callback]) -> None:
        if not isinstance(rows, np.ndarray):
            raise InputError(
                f"{type(self).__name__} needs all rows in memory: give an array instead of a map-style dataset."
            )
        del callbacks
        flat = np.concatenate([self.scaling_(c).reshape(len(c), -1) for c in chunks(rows)]).astype(np.float64)
        self.estimators_ = self._estimators(flat, int(torch.randint(2**31 - 1, ())))

    def _components(self, x: Tensor) -> dict[str, Tensor]:
        flat = x.flatten(1).double().cpu().numpy()
        return {name: torch.from_numpy(np.asarray(score)) for name, score in self._scores(flat).items()}
