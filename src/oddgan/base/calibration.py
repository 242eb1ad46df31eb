"""Calibration: what the scores of a fitted detector are compared with."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import torch

from oddgan._core.errors import InputError
from oddgan.base.components import Derived
from oddgan.scores import Composition
from oddgan.scores.bounds import bounded, finite
from oddgan.thresholds import Conformal, Fixed, Quantile, Threshold

Labelled = tuple[dict[str, np.ndarray], np.ndarray]
"""Components (n,) of rows by name, and their labels (n,): 0 normal, 1 anomalous."""


@dataclass(frozen=True)
class Calibration:
    """The components of the calibration rows, how components become scores, and the threshold.

    Parameters
    ----------
    components : the components of the n calibration rows as the method gives them, by name, (n,) each, finite.
    derived : the components that follow from others.
    composition : how components become the score, fitted to the calibration rows.
    held_out : whether the calibration rows were held out from training.
    scores : the scores of the calibration rows in ascending order, (n,).
    rule : from scores to the threshold.
    rate : the share of normal rows that may be flagged.
    offset : the threshold with scikit-learn's sign.
    tuned : whether the threshold was tuned on labelled rows.
    """

    components: dict[str, np.ndarray]
    derived: Derived
    composition: Composition
    held_out: bool
    scores: np.ndarray
    rule: Threshold
    rate: float
    offset: float
    tuned: bool = False

    @classmethod
    def fit(
        cls,
        components: dict[str, np.ndarray],
        derived: Derived,
        composition: Composition,
        *,
        held_out: bool,
        rule: Threshold | None,
        rate: float,
    ) -> Self:
        """Fit the composition to the components of calibration rows, (n,) each, and take the threshold from the scores.

        A `rule` of None takes the default, see `with_rule`.
        """
        blank = cls(components, derived, composition, held_out, np.empty(0), rule or Quantile(), rate, offset=0.0)
        return blank._fitted(composition, None).with_rule(rule, rate)

    @property
    def all_components(self) -> dict[str, np.ndarray]:
        """The components of the calibration rows with those that follow from them, (n,) each."""
        return self.components | self.derived(self.components, self.components)

    @property
    def threshold(self) -> float:
        """The cut on the scale of the scores: what scores above it is called anomalous."""
        return -float(self.offset)

    def complete(self, measured: Mapping[str, np.ndarray], limit: float) -> dict[str, np.ndarray]:
        """Components (n,) made finite, with those that follow from them; rows beyond the `limit` are raised.

        Parameters
        ----------
        measured : components (n,) as the method gives them, and under `REACH` the rows' largest input.
        limit : the largest input that is not far outside the training rows.
        """
        found = bounded(measured, self.components, limit)
        return found | {name: finite(values) for name, values in self.derived(found, self.components).items()}

    def score(self, components: Mapping[str, np.ndarray]) -> np.ndarray:
        """The scores (n,) of rows with these components, (n,) each."""
        return _composed(self.composition, components)

    def score_from(self, components: Mapping[str, np.ndarray]) -> np.ndarray:
        """The scores (n,) of components (n,) that somebody gives.

        Raises
        ------
        InputError
            If one that the composition uses is missing.
        """
        missing = sorted(set(self.composition.uses) - components.keys())
        if missing:
            raise InputError(
                f"The composition uses {', '.join(self.composition.uses)}, but {', '.join(missing)} is not among the "
                "components given: take them from score_components."
            )
        return self.score(components)

    def p_values(self, scores: np.ndarray) -> np.ndarray:
        """The conformal p-values (n,) of scores (n,): (1 + #{calibration scores >= score}) / (1 + #calibration)."""
        n = len(self.scores)
        return (1.0 + n - np.searchsorted(self.scores, scores, side="left")) / (1.0 + n)

    def with_rule(self, rule: Threshold | None, rate: float, *, tuned: bool = False) -> Self:
        """With another threshold rule; None takes the quantile of training scores, the conformal one of held-out ones.

        Parameters
        ----------
        rule : from scores to the threshold.
        rate : the share of normal rows that may be flagged.
        tuned : whether the rule was chosen by labelled rows.
        """
        rule = rule if rule is not None else Conformal() if self.held_out else Quantile()
        return replace(self, rule=rule, rate=rate, offset=-float(rule(self.scores, rate)), tuned=tuned)

    def with_composition(self, composition: Composition, labelled: Labelled | None = None) -> Self:
        """With another composition; the threshold is set anew by its rule, a fixed number gives way to the default.

        Parameters
        ----------
        composition : how components become the score; fitted to the calibration rows here.
        labelled : components and labels (n,) of validation rows, for compositions that learn from labels.
        """
        return self._fitted(composition, labelled)._anew()

    def with_components(self, components: dict[str, np.ndarray], *, held_out: bool) -> Self:
        """With other calibration rows; the composition is fitted to them unless it learned from labels.

        Parameters
        ----------
        components : those of the rows as the method gives them, (n,) each, finite.
        held_out : whether the rows were held out from training.
        """
        new = replace(self, components=components, held_out=held_out)
        kept = new.composition.needs_labels
        return (new._scored() if kept else new._fitted(new.composition, None))._anew()

    def _fitted(self, composition: Composition, labelled: Labelled | None) -> Self:
        # A composition that names no components gets those that the method gives, without those that follow.
        normals = self.all_components if composition.uses else self.components
        return replace(self, composition=composition.fit(normals, labelled))._scored()

    def _scored(self) -> Self:
        return replace(self, scores=np.sort(self.score(self.all_components)))

    def _anew(self) -> Self:
        return self.with_rule(None if isinstance(self.rule, Fixed) else self.rule, self.rate)


def check_labels(name: str, X: object, y: object) -> np.ndarray:
    """The labels (n,) of validation rows: 0 normal, 1 anomalous.

    Parameters
    ----------
    name : what learns from them.
    X, y : the rows and labels as given.

    Raises
    ------
    InputError
        If one is missing, or the labels are not of both kinds.
    """
    if X is None or y is None:
        raise InputError(f"{name} learns from labels: give rows X_val and labels y_val, 1 where they are anomalous.")
    labels = np.asarray(y)
    if labels.ndim != 1 or set(np.unique(labels).tolist()) != {0, 1}:
        raise InputError(f"y_val must hold 0 (normal) and 1 (anomalous), and both of them, for {name} to learn from.")
    return labels.astype(int)


def finite_components(found: Mapping[str, np.ndarray], owner: str) -> dict[str, np.ndarray]:
    """The components (n,) of calibration rows, made finite.

    Raises
    ------
    InputError
        If most values of one are not.
    """
    for name, values in found.items():
        lost = int((~np.isfinite(values)).sum())
        if 2 * lost > len(values):
            raise InputError(
                f"{owner} gives no finite {name} for {lost} of {len(values)} rows that are meant to be normal: look "
                "at the rows for huge values, or train with a lower learning rate."
            )
    return {name: finite(values) for name, values in found.items()}


def _composed(composition: Composition, components: Mapping[str, np.ndarray]) -> np.ndarray:
    with np.errstate(all="ignore"):
        return finite(composition({k: torch.from_numpy(v) for k, v in components.items()}).numpy())
