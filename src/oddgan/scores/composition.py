"""Composition: combines the components into one anomaly score; weighted sum."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import ClassVar, Self

import numpy as np
from torch import Tensor

from oddgan._core.errors import InputError

Values = Mapping[str, np.ndarray]
"""Component values (n,) of the same rows, by name."""


@dataclass(frozen=True)
class Composition(ABC):
    """A rule that turns the components of a score into one score per sample, higher = more anomalous."""

    needs_labels: ClassVar[bool] = False
    """Whether `fit` needs labelled rows: scores of such a composition are semi-supervised."""

    @property
    @abstractmethod
    def uses(self) -> tuple[str, ...]:
        """The names of the components that count."""

    @property
    def learns(self) -> bool:
        """Whether `fit` learns something from component values, without which there are no scores."""
        return type(self).fit is not Composition.fit

    @abstractmethod
    def __call__(self, components: Mapping[str, Tensor]) -> Tensor:
        """Return the score (n,) from named components, each (n,)."""

    def fit(self, normals: Values, labelled: tuple[Values, np.ndarray] | None = None) -> Self:
        """Return the composition with what it learns from component values; one that learns nothing returns itself.

        Parameters
        ----------
        normals : components (n,) of held-out normal rows, by name.
        labelled : components (n,) of labelled validation rows by name, and their labels (n,), 1 = anomaly; read only
            by compositions with `needs_labels`.

        Raises
        ------
        InputError
            If a component is missing, constant or not finite, or labels are needed and can't be used.
        """
        del normals, labelled
        return self


@dataclass(frozen=True, init=False, repr=False)
class WeightedSum(Composition):
    r"""Weighted sum of components, :math:`\sum_i \lambda_i s_i`. Components without a weight do not count.

    Weights are taken as they are; `WeightedSum.normalised` divides them by their sum, so that they are shares of 1.

    Parameters
    ----------
    weights : one keyword per component: its weight, any finite number.

    Examples
    --------
    >>> WeightedSum(residual=0.9, features=0.1)
    WeightedSum(features=0.1, residual=0.9)
    >>> WeightedSum.normalised(residual=3, features=1)
    WeightedSum(features=0.25, residual=0.75)

    References
    ----------
    F. Lüer, C. Böhm: Anomaly Detection using Generative Adversarial Networks: Reviewing Methodological Progress and
    Challenges, 2023, equation 9, whose weights sum to 1.
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

    @classmethod
    def normalised(cls, /, **weights: float) -> Self:
        """Return the sum whose weights are these, divided by what they add up to, so that they sum to 1.

        Parameters
        ----------
        weights : one keyword per component: its weight, at least 0, not all 0.
        """
        given = dict(cls(**weights).weights)
        total = sum(given.values())
        if min(given.values()) < 0 or not 0 < total < math.inf:
            raise InputError(f"{cls(**weights)} can't be normalised: give weights of at least 0, not all of them 0.")
        return cls(**{name: weight / total for name, weight in given.items()})

    def __call__(self, components: Mapping[str, Tensor]) -> Tensor:
        """Return the weighted sum (n,); an InputError names a component that is missing."""
        need(repr(self), self.uses, components)
        return weighted([components[name] for name in self.uses], [weight for _, weight in self.weights])

    @property
    def uses(self) -> tuple[str, ...]:
        """The names of the components that have a weight."""
        return tuple(name for name, _ in self.weights)

    def __repr__(self) -> str:
        return f"WeightedSum({', '.join(f'{name}={weight}' for name, weight in self.weights)})"

    def arguments(self) -> dict[str, float]:
        """Return the keyword arguments that build an equal part."""
        return dict(self.weights)


def need(who: str, names: Sequence[str], components: Mapping[str, object]) -> None:
    """Refuse components that lack one of `names`, and say which there are."""
    missing = [name for name in names if name not in components]
    if missing:
        raise InputError(
            f"{who} needs the component {', '.join(missing)}, but there are: {', '.join(sorted(components))}."
        )


def weighted(columns: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    """Sum of columns (n,) times weights, in their order: elementwise, so that no row depends on its company."""
    first, *others = (weight * column for weight, column in zip(weights, columns, strict=True))
    return reduce(Tensor.add, others, first)
