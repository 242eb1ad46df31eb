"""Suspect rows: outliers found without labels or training, a suspicion rather than a finding."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from oddgan._core.errors import InputError
from oddgan._core.lazy import LazyModule
from oddgan._core.text import texts_if

decomposition, neighbors = LazyModule("sklearn.decomposition"), LazyModule("sklearn.neighbors")
optimize, special = LazyModule("scipy.optimize"), LazyModule("scipy.special")

Floats = NDArray[np.float64]
MOST, FEWEST = 10_000, 50
EXPECTED = 0.1  # suspect is what lies so far out that fewer rows than this would be expected there
_BULK = (0.2, 0.5, 0.8)  # quantiles that the tail is extrapolated from: contamination below a fifth can't hide itself
_SHAPES = (0.5, 1e4)  # of gamma distributions: χ² with one degree of freedom, and all but a normal one
_TINY = 1e-300
_DIMENSIONS, _EXPLAINED = 50, 0.9
_NEIGHBOURS = 0.02
_LEAST_NEIGHBOURS, _MOST_NEIGHBOURS = 5, 50
_SPREAD = 1e-9


@dataclass(frozen=True)
class Suspects:
    """Rows by how far they lie out.

    Parameters
    ----------
    rows : numbers of the rows that were looked at, (k,), ascending.
    distance : how far each is from its neighbours, and `residual` how far off the main directions, (k,): exponents of
        the rows expected that far out, -log10(k p); suspect from 1 on, which is one in ten data sets of this size.
    neighbours : the distance is that to the nearest so many.
    """

    rows: NDArray[np.int64]
    distance: Floats
    residual: Floats
    neighbours: int

    @property
    def score(self) -> Floats:
        """The larger of both, (k,)."""
        return np.maximum(self.distance, self.residual)

    @property
    def flagged(self) -> NDArray[np.bool_]:
        """Which of the rows are suspect, (k,)."""
        return self.score >= -math.log10(EXPECTED)

    @property
    def most_suspect(self) -> NDArray[np.int64]:
        """Numbers (k,) of the suspect rows, the most suspect first."""
        order = np.argsort(-self.score, kind="stable")
        return self.rows[order[self.flagged[order]]]

    @property
    def typical(self) -> NDArray[np.int64]:
        """Numbers (n,) of the rows that are looked at, those in the middle first."""
        middle = np.abs(self.score - np.median(self.score))
        return self.rows[np.argsort(middle, kind="stable")]

    def reason(self, row: int) -> str:
        """Why a row is suspect, in words."""
        i = int(np.searchsorted(self.rows, row))
        least = -math.log10(EXPECTED)
        far, off = self.distance[i] >= least, self.residual[i] >= least
        return " and ".join(texts_if((far, "far from its neighbours"), (off, "off the main directions")))


def suspects(x: NDArray[np.generic], *, seed: int = 0, most: int = MOST) -> Suspects:
    r"""Look for rows that lie much farther out than the bulk of the rows lets expect.

    Two views: the distance to the k-th neighbour (k a fiftieth of the rows, 5 to 50), which sees rows in empty regions,
    and up to k such rows together; and the distance from the subspace of the principal components that explain 90 %,
    learned on the other half of the rows without its outer fifth, which sees rows that break correlations. In both the
    logarithm of the distance is compared with a shifted gamma distribution through its 20, 50 and 80 % quantiles (a
    normal one, where the upper half is no wider than the lower), so that what lies in the outer fifth can't raise its
    own bar. For normal data with m dimensions that is the distribution itself: there the logarithm of the distance to
    neighbours is :math:`\chi^2_m / 2m`, but for a shift. Clean data with heavier tails, or with rare kinds of rows, is
    suspected, too.

    Parameters
    ----------
    x : rows (n, ...), finite, at least 50. Distances are Euclidean: columns of a table need one scale.
    seed : of samples and halves.
    most : at most so many rows, drawn at random, are looked at.

    Raises
    ------
    InputError
        If there are too few rows, or values that are no finite numbers.
    """
    n = min(len(x), most)
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.permutation(len(x))[:n]).astype(np.int64)
    flat = np.asarray(x).reshape(len(x), math.prod(np.shape(x)[1:]))[rows].astype(np.float64)
    if n < FEWEST or not np.isfinite(flat).all():
        raise InputError(f"suspects takes at least {FEWEST} rows of finite numbers, but got {n} rows.")
    flat = flat - np.median(flat, axis=0)
    if flat.shape[1] > _DIMENSIONS:
        near = (
            decomposition.PCA(_DIMENSIONS, svd_solver="randomized", random_state=0).fit_transform(flat)
            if n > _DIMENSIONS
            else flat
        )
    else:
        near = flat
    k = int(np.clip(_NEIGHBOURS * n, _LEAST_NEIGHBOURS, _MOST_NEIGHBOURS))
    distance = neighbors.NearestNeighbors(n_neighbors=k).fit(near).kneighbors()[0][:, -1]
    halves = rng.permutation(n) % 2 == 0
    residual = np.empty(n)
    for half in (halves, ~halves):
        others = np.flatnonzero(~half)
        bulk = others[distance[others] <= np.quantile(distance[others], _BULK[2])]
        residual[half] = _residual(flat[bulk], flat[half])
    return Suspects(rows, _exponent(distance), _exponent(residual), k)


def _residual(known: Floats, new: Floats) -> Floats:
    """Distances of new rows from the mean and main directions of known ones."""
    pca = decomposition.PCA(min(_DIMENSIONS, *known.shape), svd_solver="randomized", random_state=0).fit(known)
    kept = int(np.searchsorted(np.cumsum(pca.explained_variance_ratio_), _EXPLAINED)) + 1
    if kept >= new.shape[1]:
        return np.zeros(len(new))  # all directions are main ones
    centred, main = new - pca.mean_, pca.components_[:kept]
    off: Floats = np.linalg.norm(centred - centred @ main.T @ main, axis=1)
    return off


def _exponent(values: Floats) -> Floats:
    """-log10 of the rows expected as far out as each value, (n,), by the gamma distribution of the bulk's logs."""
    positive = values[values > 0]
    if 2 * len(positive) < len(values):
        return np.full(len(values), -np.log10(len(values)))  # more than half are at one place: nothing to compare with
    logs = np.log(np.maximum(values, positive.min()))
    low, middle, high = np.quantile(logs, _BULK)
    skew = (high - middle) / max(middle - low, _SPREAD)
    if skew <= _skew(_SHAPES[1]):
        tail = special.log_ndtr(-(logs - middle) * special.ndtri(_BULK[2]) / max(high - middle, _SPREAD))
    else:
        shape = _SHAPES[0] if skew >= _skew(_SHAPES[0]) else optimize.brentq(lambda a: _skew(a) - skew, *_SHAPES)
        at = special.gammaincinv(shape, np.asarray(_BULK))
        scaled = at[1] + (logs - middle) * (at[2] - at[1]) / max(high - middle, _SPREAD)
        tail = np.log(np.maximum(special.gammaincc(shape, np.maximum(scaled, 0.0)), _TINY))
    expected: Floats = np.minimum(-tail / math.log(10), -math.log10(_TINY)) - math.log10(len(values))
    return expected


def _skew(shape: float) -> float:
    """How much wider the upper half of a gamma distribution's bulk is than the lower."""
    low, middle, high = special.gammaincinv(shape, np.asarray(_BULK))
    return float((high - middle) / (middle - low))
