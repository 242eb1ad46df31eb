"""Unsupervised score ensembles: average, maximum, rank average, Fisher's p-values."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Self

import numpy as np
import torch
from torch import Tensor

from oddgan._core.confusion import Bools
from oddgan.scores.composition import weighted
from oddgan.scores.learned import Floats, Learned, learned
from oddgan.scores.standardisation import Scaled
from oddgan.scores.tails import among, empirical_p


@dataclass(frozen=True, eq=False)
class Average(Scaled):
    """The mean of the standardised components: what most of them agree on."""

    def _combine(self, columns: Sequence[Tensor]) -> Tensor:
        return weighted(columns, [1.0] * len(columns)) / len(columns)


@dataclass(frozen=True, eq=False)
class Maximum(Scaled):
    """The largest of the standardised components: one that is unusual is enough."""

    def _combine(self, columns: Sequence[Tensor]) -> Tensor:
        return reduce(torch.maximum, columns)


@dataclass(frozen=True, eq=False)
class RankAverage(Learned):
    r"""Mean over the components of the share of held-out normal rows whose value is lower; equal values count half.

    .. math:: \frac{1}{k} \sum_i \frac{\#\{r_i < s_i\} + \tfrac12 \#\{r_i = s_i\}}{n}

    in [0, 1]. The ranks are among the n held-out rows, never among the rows that are scored: no score depends on its
    company. Units and outliers play no part. All values above the largest held-out one have the same rank, so this
    does not tell how gross an anomaly is.

    Parameters
    ----------
    reference : learned: values of held-out normal rows, ascending, one row per component, (k, n); None before `fit`.
    """

    reference: np.ndarray | None = dataclasses.field(default=None, repr=False)

    def _learn(self, normals: Floats, rows: Floats, is_anomaly: Bools) -> Self:
        del rows, is_anomaly
        return dataclasses.replace(self, reference=np.sort(np.ascontiguousarray(normals.T)))

    def _score(self, columns: Sequence[Tensor]) -> Tensor:
        reference = learned(self, self.reference)
        counts = [count for c, values in zip(columns, reference, strict=True) for count in among(c, values)]
        return weighted(counts, [0.5] * len(counts)) / reference.size


@dataclass(frozen=True, eq=False)
class Fisher(Learned):
    r"""Fisher's combination of the components' p-values, :math:`-2 \sum_i \log p_i`.

    The p-values are those of `empirical_tail`, among held-out normal rows. Of independent components of normal rows
    the sum is about χ² distributed with 2k degrees of freedom; components of one detector rarely are independent, so
    take the threshold from scores, not from that. A p-value can't be below 1/(n + 1): far out, all values are equal.

    Parameters
    ----------
    two_sided : whether unusually low components are anomalous, too.
    reference : learned: values of held-out normal rows, ascending, one row per component, (k, n); None before `fit`.

    References
    ----------
    R. Fisher: Statistical Methods for Research Workers, 1932, section 21.1.
    """

    two_sided: bool = True
    reference: np.ndarray | None = dataclasses.field(default=None, repr=False)

    def _learn(self, normals: Floats, rows: Floats, is_anomaly: Bools) -> Self:
        del rows, is_anomaly
        return dataclasses.replace(self, reference=np.sort(np.ascontiguousarray(normals.T)))

    def _score(self, columns: Sequence[Tensor]) -> Tensor:
        reference = learned(self, self.reference)
        logs = [
            torch.log(empirical_p(column, values, two_sided=self.two_sided))
            for column, values in zip(columns, reference, strict=True)
        ]
        return weighted(logs, [-2.0] * len(logs))
