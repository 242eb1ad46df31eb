"""Base class of compositions that learn from component values, with checks of rows and labels.

Everything is computed row by row with elementwise operations, never by a matrix product, whose rounding depends on how
many rows there are: a row's score is the same in any company.
"""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from oddgan._core.confusion import Bools
from oddgan._core.errors import InputError
from oddgan._core.parts import to_spec
from oddgan.scores.composition import Composition, Values, need

Floats = NDArray[np.float64]
T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Learned(Composition):
    """A composition that learns from component values. Equal parts with equal arrays are equal.

    Parameters
    ----------
    components : names of the components that count; empty takes all that `fit` is given.
    """

    components: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        names = self.components
        if not isinstance(names, tuple) or len(set(names)) < len(names):
            raise InputError(
                f"{type(self).__name__} got components={names!r}: give a tuple of different names, e.g. "
                "('residual', 'features')."
            )

    @property
    def uses(self) -> tuple[str, ...]:
        """The names of the components that count; none before `fit` if it is to take all."""
        return self.components

    def fit(self, normals: Values, labelled: tuple[Values, np.ndarray] | None = None) -> Self:
        """Return the composition with what it learned from component values, by name.

        Parameters
        ----------
        normals : components (n,) of held-out normal rows.
        labelled : components (n,) of labelled validation rows, and labels (n,), 1 = anomaly; read only with
            `needs_labels`.

        Raises
        ------
        InputError
            If a component is missing, constant or not finite, or labels are needed and can't be used.
        """
        chosen, who = replace(self, components=self.components or tuple(sorted(normals))), type(self).__name__
        rows = table(who, normals, chosen.components, "held-out normal rows")
        if not self.needs_labels:
            return chosen._learn(rows, rows, np.zeros(len(rows), dtype=np.bool_))
        if labelled is None:
            raise InputError(f"{who} learns from labelled rows: give validation rows with labels, 1 = anomaly.")
        values = table(who, labelled[0], chosen.components, "labelled rows")
        return chosen._learn(rows, values, _labels(who, labelled[1], len(values)))

    def __call__(self, components: Mapping[str, Tensor]) -> Tensor:
        """Return the score (n,) from named components, each (n,)."""
        need(type(self).__name__, self.uses, components)
        return self._score([components[name].double() for name in self.uses])

    @abstractmethod
    def _learn(self, normals: Floats, rows: Floats, is_anomaly: Bools) -> Self:
        """Return the fitted composition from component values (n, k), checked and in the order of `components`.

        Parameters
        ----------
        normals : held-out normal rows.
        rows : the labelled rows with `needs_labels`, and otherwise the normal ones again.
        is_anomaly : the labels of `rows`; all False without `needs_labels`.
        """

    @abstractmethod
    def _score(self, columns: Sequence[Tensor]) -> Tensor:
        """Return the score (n,) of components in the order of `components`, float64."""

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Learned):
            return NotImplemented
        mine: dict[str, np.ndarray] = {}
        theirs: dict[str, np.ndarray] = {}
        return to_spec(self, mine, "") == to_spec(other, theirs, "") and all(
            np.array_equal(array, theirs[name]) for name, array in mine.items()
        )

    def __hash__(self) -> int:
        return hash((type(self), self.components))


def learned(part: object, value: T | None) -> T:
    """Return what a part has learned, or say that it has not."""
    if value is None:
        raise InputError(f"{type(part).__name__} has not been fitted: call fit with components of held-out rows first.")
    return value


def table(who: str, values: Values, names: Sequence[str], rows: str) -> Floats:
    """Return the named components (n, k) of `rows`, float64 and finite, or say what is wrong with them."""
    need(who, names, values)
    columns = [np.asarray(values[name], dtype=np.float64) for name in names]
    shapes = {column.shape for column in columns}
    if len(shapes) != 1 or len(columns[0].shape) != 1 or len(columns[0]) == 0:
        found = ", ".join(f"{name} {column.shape}" for name, column in zip(names, columns, strict=True))
        raise InputError(f"{who} takes one value of each component for every row, (n,), but got {found or 'nothing'}.")
    for name, column in zip(names, columns, strict=True):
        bad = int(np.count_nonzero(~np.isfinite(column)))
        if bad:
            raise InputError(f"{who} got {bad} of {len(column)} {rows} whose component {name} is NaN or infinite.")
    return np.stack(columns, axis=1)


def _labels(who: str, y: np.ndarray, n: int) -> Bools:
    """Return labels as booleans, or say what is wrong with them."""
    given = np.asarray(y)
    if given.shape != (n,) or given.dtype.kind not in "biuf" or not np.isin(given, (0, 1)).all():
        raise InputError(f"{who} takes {n} labels, 0 for normal rows and 1 for anomalies, but got {given!r:.80}.")
    is_anomaly: Bools = given.astype(np.bool_)
    if is_anomaly.all() or not is_anomaly.any():
        raise InputError(f"{who} learns from both classes, but all {n} labelled rows are {int(is_anomaly[0])}.")
    return is_anomaly
