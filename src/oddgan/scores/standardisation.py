"""Standardisation of components (z-score, robust, min-max) by held-out normal rows."""

import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Self

import numpy as np
import torch
from torch import Tensor

from oddgan._core.confusion import Bools
from oddgan._core.errors import InputError
from oddgan.scores.composition import Composition, Values, need
from oddgan.scores.learned import Floats, Learned, learned, table

Method = Literal["zscore", "robust", "minmax"]
CONSTANT = 1e-12  # a scale below this share of the largest value is rounding


@dataclass(frozen=True)
class Standardisation:
    """Subtract a centre and divide by a scale, both taken from held-out normal rows, for each component by itself.

    ======  ==================  ====================================================================
    zscore  mean                standard deviation
    robust  median              interquartile range / 1.349, the standard deviation if it is normal
    minmax  smallest value      largest minus smallest: the held-out rows lie in [0, 1], others may not
    ======  ==================  ====================================================================

    Parameters
    ----------
    method : "zscore", "robust" or "minmax".
    clip : the interval that standardised values are cut to, e.g. (0, 1); None, the default, keeps them: whatever is
        cut to one value can't be told apart any more.
    centre : learned: what is subtracted, one number per component; None before `fit`.
    scale : learned: what is divided by, one number per component; None before `fit`.
    """

    method: Method = "zscore"
    clip: tuple[float, float] | None = None
    centre: tuple[float, ...] | None = None
    scale: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if self.method not in ("zscore", "robust", "minmax"):
            raise InputError(f"Standardisation got method={self.method!r}: give zscore, robust or minmax.")
        if self.clip is not None and not (len(self.clip) == 2 and -math.inf < self.clip[0] < self.clip[1] < math.inf):
            raise InputError(f"Standardisation got clip={self.clip}: give two finite numbers, the lower one first.")

    def fit(self, values: Floats, names: Sequence[str]) -> Self:
        """Return the standardisation with the statistics of `values`.

        Parameters
        ----------
        values : components of held-out normal rows, (n, k).
        names : the k components' names, for messages.
        """
        centre, scale = self._statistics(values)
        flat = scale <= CONSTANT * np.abs(values).max(axis=0)
        if flat.any():
            which = ", ".join(name for name, bad in zip(names, flat, strict=True) if bad)
            half = "half or more of them" if self.method == "robust" else "all of them"
            raise InputError(
                f"The component {which} can't be standardised by {len(values)} held-out normal rows: it has one value "
                f"in {half}. Leave it out of the components"
                f"{', or use another method of standardisation' if self.method == 'robust' else ''}."
            )
        return replace(self, centre=tuple(centre.tolist()), scale=tuple(scale.tolist()))

    def _statistics(self, values: Floats) -> tuple[Floats, Floats]:
        if self.method == "zscore":
            return values.mean(axis=0), values.std(axis=0)
        if self.method == "minmax":
            low: Floats = values.min(axis=0)
            return low, values.max(axis=0) - low
        quarter, half, three = np.quantile(values, [0.25, 0.5, 0.75], axis=0)
        return half, (three - quarter) / 1.349  # 2 Φ⁻¹(¾)

    def __call__(self, columns: Sequence[Tensor]) -> list[Tensor]:
        """Return the standardised components, k tensors (n,)."""
        centre, scale = learned(self, self.centre), learned(self, self.scale)
        scaled = [(column - c) / s for column, c, s in zip(columns, centre, scale, strict=True)]
        return scaled if self.clip is None else [column.clamp(*self.clip) for column in scaled]

    def rows(self, values: Floats) -> Floats:
        """Return the standardised components of rows (n, k), with the very bits that scoring gives."""
        columns: Floats = torch.stack(self(list(torch.from_numpy(values).unbind(dim=1))), dim=1).numpy()
        return columns


@dataclass(frozen=True)
class Standardised(Composition):
    """Apply a composition to standardised components, so that weights mean shares and not units.

    Parameters
    ----------
    composition : what is applied to the standardised components that it uses; one that learns nothing itself (those
        that learn standardise by themselves).
    standardisation : how, by statistics of held-out normal rows.

    Examples
    --------
    >>> from oddgan.scores import WeightedSum
    >>> fitted = Standardised(WeightedSum(residual=0.5, features=0.5)).fit(
    ...     {"residual": np.array([1.0, 3.0]), "features": np.array([100.0, 300.0])}
    ... )
    >>> fitted({"residual": torch.tensor([3.0]), "features": torch.tensor([400.0])})  # (1 + 2) / 2
    tensor([1.5000])
    """

    composition: Composition
    standardisation: Standardisation = Standardisation()

    @property
    def uses(self) -> tuple[str, ...]:
        """The names of the components that the composition uses."""
        return self.composition.uses

    def __post_init__(self) -> None:
        if self.composition.learns:
            raise InputError(
                f"Standardised got {type(self.composition).__name__}, which learns from held-out rows itself: use it "
                "alone, with its own standardisation."
            )

    def fit(self, normals: Values, labelled: tuple[Values, np.ndarray] | None = None) -> Self:
        """Return the composition with statistics of held-out normal rows, (n,) a component; `labelled` is not read."""
        del labelled
        values = table(repr(self.composition), normals, self.uses, "held-out normal rows")
        return replace(self, standardisation=self.standardisation.fit(values, self.uses))

    def __call__(self, components: Mapping[str, Tensor]) -> Tensor:
        """Return the score (n,) from named components, each (n,)."""
        need(repr(self.composition), self.uses, components)
        scaled = self.standardisation([components[name] for name in self.uses])
        return self.composition(dict(zip(self.uses, scaled, strict=True)))


@dataclass(frozen=True, eq=False)
class Scaled(Learned):
    """A composition that learns from standardised components.

    Parameters
    ----------
    standardisation : puts the components on one scale, by statistics of held-out normal rows.
    """

    standardisation: Standardisation = Standardisation()

    def _learn(self, normals: Floats, rows: Floats, is_anomaly: Bools) -> Self:
        fitted = self.standardisation.fit(normals, self.components)
        return replace(self, standardisation=fitted)._train(fitted.rows(rows), is_anomaly)

    def _score(self, columns: Sequence[Tensor]) -> Tensor:
        learned(self, self.standardisation.centre)
        return self._combine(self.standardisation(columns))

    def _train(self, rows: Floats, is_anomaly: Bools) -> Self:
        """Return the composition fitted to standardised rows (n, k) and, with `needs_labels`, their labels (n,)."""
        del rows, is_anomaly  # standardisation is all that is learned
        return self

    @abstractmethod
    def _combine(self, columns: Sequence[Tensor]) -> Tensor:
        """Return the score (n,) of standardised components in the order of `components`, float64."""
