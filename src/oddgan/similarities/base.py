"""Similarity, the interface of all similarities: (n, ...) x (n, ...) -> (n,), 0 for equal samples."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Self

from torch import Tensor

from oddgan._core.errors import InputError


@dataclass(frozen=True)
class Similarity(ABC):
    """How unlike two samples are: 0 if equal, differentiable, each pair by itself."""

    def __call__(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the dissimilarity (n,) of samples x (n, ...) and their reconstructions y.

        Raises
        ------
        InputError
            If the shapes differ: a broadcast would silently compare a sample with others.
        """
        if x.shape != y.shape or x.ndim < 2:
            raise InputError(
                f"A similarity compares two batches of one shape (n, ...), but got {tuple(x.shape)} and "
                f"{tuple(y.shape)}."
            )
        return self._compare(x, y)

    def fit(self, reference: Tensor) -> Self:
        """Return this similarity with what it leaves to the data taken from normal samples; most leave nothing.

        Parameters
        ----------
        reference : normal samples (n, ...), as the networks see them. Never the samples that are scored: a score would
            depend on what else is in its batch.
        """
        return self

    @abstractmethod
    def _compare(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the dissimilarity (n,) of batches of one shape."""
