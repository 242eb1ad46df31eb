"""How components become one score."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from typing import ClassVar

import numpy as np
from torch import Tensor

from oddgan._core.errors import InputError

Labelled = tuple[Mapping[str, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Composition(ABC):
    """A rule that turns the components of a score into one score per sample, higher = more anomalous."""

    needs_labels: ClassVar[bool] = False

    def fit(self, normals: Mapping[str, np.ndarray], labelled: Labelled | None = None) -> "Composition":
        """Return the composition with what it takes from components of normal rows, and of labelled ones.

        Parameters
        ----------
        normals : components of the calibration rows by name, (n,) each.
        labelled : components of labelled rows and their labels, 1 = anomalous; for compositions that need them.
        """
        del normals, labelled
        return self

    @property
    @abstractmethod
    def uses(self) -> tuple[str, ...]:
        """The names of the components that count."""

    @abstractmethod
    def __call__(self, components: Mapping[str, Tensor]) -> Tensor:
        """Return the score (n,) from named components, each (n,)."""


@dataclass(frozen=True, init=False, repr=False)
class WeightedSum(Composition):
    r"""Weighted sum of components, :math:`\sum_i \lambda_i s_i`. Components without a weight do not count.

    Parameters
    ----------
    weights : one keyword per component: its weight, any finite number.

    Examples
    --------
    >>> WeightedSum(residual=0.9, features=0.1)
    WeightedSum(features=0.1, residual=0.9)
    """

    weights: tuple[tuple[str, float], ...]

    def __init__(self, /, **weights: float) -> None:
        if not weights:
            raise InputError("WeightedSum got no weights: name at least one component, e.g. WeightedSum(residual=1.0).")
        for name, weight in weights.items():
            if name == "type":
                raise InputError('WeightedSum can\'t weigh a component called "type": stored models use that word.')
            if not isinstance(weight, int | float) or not math.isfinite(weight):
                raise InputError(f"WeightedSum got {name}={weight!r}: give a finite number.")
        # In alphabetical order, so that equal weights are equal parts and add up to equal bits.
        object.__setattr__(self, "weights", tuple(sorted((k, float(v)) for k, v in weights.items())))

    def __call__(self, components: Mapping[str, Tensor]) -> Tensor:
        """Return the weighted sum (n,); an InputError names a component that is missing."""
        missing = [name for name, _ in self.weights if name not in components]
        if missing:
            raise InputError(
                f"{self!r} needs the component {', '.join(missing)}, but there are: {', '.join(sorted(components))}."
            )
        first, *others = (weight * components[name] for name, weight in self.weights)
        return reduce(Tensor.add, others, first)

    @property
    def uses(self) -> tuple[str, ...]:
        """The names of the components that have a weight."""
        return tuple(name for name, _ in self.weights)

    def __repr__(self) -> str:
        return f"WeightedSum({', '.join(f'{name}={weight}' for name, weight in self.weights)})"

    def arguments(self) -> dict[str, float]:
        """Return the keyword arguments that build an equal part."""
        return dict(self.weights)
