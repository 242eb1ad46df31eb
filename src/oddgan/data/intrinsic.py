"""Intrinsic dimension of data (TwoNN, Levina-Bickel), and the size of a latent space that follows."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from oddgan._core.errors import InputError
from oddgan._core.lazy import LazyModule

neighbors = LazyModule("sklearn.neighbors")

Floats = NDArray[np.float64]
MOST, FEWEST = 2000, 50
# Distances of n rows with d values cost n² d multiplications: so many at most, some seconds on one core.
_WORK = 2e10
# From about here on, samples of some thousand rows are too thin: estimates are too low (Levina and Bickel, section 4).
HIGH = 10
_K1, _K2 = 10, 20
_KEPT = 0.9


class LatentAdvice(NamedTuple):
    """How large a latent space might be.

    Parameters
    ----------
    low, high : the range of `latent_dim` to try.
    reason : why, and how sure that is.
    """

    low: int
    high: int
    reason: str


class IntrinsicDimension(NamedTuple):
    """Two estimates of the same number, from distances to different neighbours.

    Parameters
    ----------
    two_nn : from the nearest two, which noise disturbs first.
    levina_bickel : from the nearest 10 to 20, which curvature and high dimensions disturb first.
    n : rows that were looked at, without duplicates.
    values : values of a row that are not constant.
    """

    two_nn: float
    levina_bickel: float
    n: int
    values: int

    def advice(self) -> LatentAdvice:
        """Return a range of `latent_dim`: from the estimates m to 2m + 1, at most the values of a row.

        A generator of fewer than m dimensions can't reach all of the data; 2m + 1 are enough for any manifold of m
        dimensions without it having to cross itself (Whitney, 1936). Neither says which size detects best.
        """
        least, most = sorted((self.two_nn, self.levina_bickel))
        low = min(self.values, max(1, math.ceil(least - 0.25)))
        high = min(self.values, 2 * max(1, math.ceil(most - 0.25)) + 1)
        reason = (
            f"the data has about {least:.1f} to {most:.1f} dimensions near a point (m); fewer can't draw all of it, "
            "2m + 1 are enough for any manifold of m dimensions"
        )
        if most > HIGH:
            reason += (
                f"; estimates above {HIGH} from {self.n} rows are too low, so take the upper end, or more, and try"
            )
        return LatentAdvice(low, high, reason)


def intrinsic_dimension(x: NDArray[np.generic], *, seed: int = 0, most: int = MOST) -> IntrinsicDimension:
    """Estimate the dimension of the manifold that rows lie on.

    Both estimators take the density to be even among a row's nearest neighbours. They are too low in high dimensions
    (from 2000 normal rows: 5 is found as 5, 10 as 9 to 10, 20 as 16 to 17, 50 as 29 to 33), and too high where noise is
    larger than the distance of neighbours. Rows that occur more than once count once.

    Parameters
    ----------
    x : rows (n, ...), finite; at least 50 different ones. Distances are Euclidean: columns of a table need one scale.
    seed : of the sample.
    most : at most so many rows are looked at, fewer where a row has more than 5000 values.

    Raises
    ------
    InputError
        If there are too few different rows, or values that are no finite numbers.
    """
    flat = np.asarray(x).reshape(len(x), math.prod(np.shape(x)[1:]))  # also of no row at all
    rows = np.random.default_rng(seed).permutation(len(flat))[: _affordable(most, flat.shape[1])]
    some = flat[np.sort(rows)].astype(np.float64)
    if not np.isfinite(some).all():
        raise InputError("intrinsic_dimension takes finite numbers: leave rows with missing values out.")
    some = np.unique(some[:, np.ptp(some, axis=0) > 0] if len(some) else some, axis=0)
    if len(some) < FEWEST or some.shape[1] == 0:
        raise InputError(
            f"intrinsic_dimension got {len(some)} different rows of {len(rows)}: at least {FEWEST} are needed."
        )
    centred = some - some.mean(axis=0)
    distances = neighbors.NearestNeighbors(n_neighbors=_K2 + 1).fit(centred).kneighbors()[0]
    distances = distances[distances[:, 0] > 0]
    return IntrinsicDimension(two_nn(distances), levina_bickel(distances), len(some), some.shape[1])


def _affordable(most: int, values: int) -> int:
    return max(FEWEST, min(most, int(math.sqrt(_WORK / max(1, values)))))


def two_nn(distances: Floats) -> float:
    r"""Estimate the dimension from the ratios of the distances to the nearest two neighbours.

    The ratio :math:`\mu = r_2 / r_1` follows a Pareto distribution, :math:`-\log(1 - F(\mu)) = m \log \mu`: m is the
    slope of a line through the origin, fitted to all but the largest tenth of the ratios.

    Parameters
    ----------
    distances : of n rows to their neighbours, ascending in each row, (n, k), k >= 2, above 0.

    References
    ----------
    E. Facco, M. d'Errico, A. Rodriguez, A. Laio: Estimating the intrinsic dimension of datasets by a minimal
    neighborhood information, 2017, https://doi.org/10.1038/s41598-017-11873-y.
    """
    log_ratio = np.sort(np.log(distances[:, 1] / distances[:, 0]))
    n = len(log_ratio)
    kept = log_ratio[: math.floor(_KEPT * n)]
    survival = -np.log1p(-np.arange(1, len(kept) + 1) / n)
    return float(kept @ survival / (kept @ kept))


def levina_bickel(distances: Floats, k1: int = _K1, k2: int = _K2) -> float:
    r"""Estimate the dimension by maximum likelihood from the distances :math:`T_j` to the nearest k neighbours.

    .. math:: m_k^{-1} = \frac{1}{n (k - 1)} \sum_{i=1}^n \sum_{j=1}^{k-1} \log \frac{T_k(x_i)}{T_j(x_i)}

    averaged over k from k1 to k2. Averaging the inverses over rows, instead of the rows' own estimates, is MacKay's and
    Ghahramani's correction: it is the likelihood of all rows together.

    Parameters
    ----------
    distances : of n rows to their neighbours, (n, k), k at least k2, ascending in each row, above 0.
    k1, k2 : least and largest number of neighbours, 2 <= k1 <= k2.

    References
    ----------
    E. Levina, P. Bickel: Maximum Likelihood Estimation of Intrinsic Dimension, NeurIPS 2004. D. MacKay, Z. Ghahramani:
    Comments on "Maximum Likelihood Estimation of Intrinsic Dimension", 2005,
    http://www.inference.org.uk/mackay/dimension/.
    """
    logs = np.log(distances[:, :k2])
    found = [1 / float((logs[:, k - 1 : k] - logs[:, : k - 1]).mean()) for k in range(k1, k2 + 1)]
    return float(np.mean(found))
