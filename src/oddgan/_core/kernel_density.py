"""Gaussian kernel density estimation in bounded memory, with the bandwidth chosen by cross-validation."""

import math
from collections.abc import Iterator, Sequence

import numpy as np
from sklearn.model_selection import KFold

FOLDS = 10
# Blocks whose distances fit into a processor's second cache: 64 rows are scored against 4096.
GROUP, BLOCK = 64, 4096
# Squared distances below this share of the rows' squared lengths are rounding: the rows are equal.
ROUNDING = 1e-13
# How far candidates may go on beyond the first range, in powers of two.
BEYOND = 30


def log_density(x: np.ndarray, rows: np.ndarray, bandwidth: float) -> np.ndarray:
    """The log density (k,) at k points x (k, d) under a Gaussian of this width on each of n rows (n, d).

    Points that repeat the last one, as those that fill up a pass do, are computed once.
    """
    different = np.flatnonzero((x != x[-1]).any(axis=1))
    k = min(len(x), math.ceil((different[-1] + 2 if len(different) else 1) / GROUP) * GROUP)
    parts = [_log_sums(x[i : i + GROUP], rows, [bandwidth])[0] for i in range(0, k, GROUP)]
    sums = np.concatenate([*parts, np.repeat(parts[-1][-1], len(x) - k)])
    return _normalised(sums, len(rows), x.shape[1], bandwidth)


def choose_bandwidth(rows: np.ndarray, candidates: Sequence[float]) -> float:
    """The candidate with the largest log-likelihood of held-out rows (n, d), in 10-fold cross-validation."""
    return float(candidates[int(_likelihoods(rows, candidates).argmax())])


def find_bandwidth(rows: np.ndarray) -> float:
    """The bandwidth, to a factor of √2, with the largest log-likelihood of held-out rows (n, d).

    The search starts with powers of two between half the median distance to the nearest neighbour and the spread of all
    rows, both per dimension, goes on beyond while the best is the first or the last, and ends with the steps of √2 on
    either side of the best. Equal rows do not count for each other: where there are many, the likelihood would be the
    larger the smaller the bandwidth, without end.

    1 if all rows are equal.
    """
    nearest = np.sqrt([d for d in _nearest(rows) if math.isfinite(d)])
    if not len(nearest):
        return 1.0
    root = math.sqrt(rows.shape[1])
    low, high = float(np.median(nearest)) / root / 2, math.sqrt(rows.var(axis=0).sum()) / root
    step: float = max(2.0, (high / low) ** (1 / BEYOND))
    tried = {low * step**i: -math.inf for i in range(max(1, math.ceil(math.log(high / low, step))) + 1)}
    new = list(tried)
    for _ in range(BEYOND):
        tried |= dict(zip(new, _likelihoods(rows, new, distinct=True), strict=True))
        best = max(tried, key=lambda h: tried[h])
        new = [best / step] if best == min(tried) else [best * step] if best == max(tried) else []
        if not new:
            break
    while step > math.sqrt(2) * 1.001:
        step = math.sqrt(step)
        new = [best / step, best * step]
        tried |= dict(zip(new, _likelihoods(rows, new, distinct=True), strict=True))
        best = max(tried, key=lambda h: tried[h])
    return best


def _likelihoods(rows: np.ndarray, bandwidths: Sequence[float], *, distinct: bool = False) -> np.ndarray:
    """The log-likelihood of held-out rows under each bandwidth; `distinct` leaves out equal rows."""
    total, d = np.zeros(len(bandwidths)), rows.shape[1]
    for train, test in KFold(min(FOLDS, len(rows))).split(rows):
        for start in range(0, len(test), GROUP):
            sums = _log_sums(rows[test[start : start + GROUP]], rows[train], bandwidths, distinct=distinct)
            for i, (h, values) in enumerate(zip(bandwidths, sums, strict=True)):
                total[i] += _normalised(values, len(train), d, h)[np.isfinite(values) | (not distinct)].sum()
    return total


def _normalised(sums: np.ndarray, n: int, d: int, h: float) -> np.ndarray:
    """Log densities (k,) from the logarithms of sums over n kernels."""
    found: np.ndarray = sums - math.log(n) - d / 2 * math.log(2 * math.pi * h**2)
    return found


def _log_sums(
    x: np.ndarray, rows: np.ndarray, bandwidths: Sequence[float], *, distinct: bool = False
) -> list[np.ndarray]:
    """For each bandwidth log Σ_i exp(-‖x - x_i‖²/(2h²)), (k,)."""
    sums: list[np.ndarray] = []
    for squared in _squared(x, rows, distinct=distinct):
        parts = [_log_sum_exp(squared / -(2 * h**2)) for h in bandwidths]
        sums = [np.logaddexp(a, b) for a, b in zip(sums, parts, strict=True)] if sums else parts
    return sums


def _log_sum_exp(a: np.ndarray) -> np.ndarray:
    """Each row's log Σ_i exp(a_i), (k,), of a (k, b), which is used up: scipy's `logsumexp` with fewer copies."""
    largest = a.max(axis=1, keepdims=True)
    largest[~np.isfinite(largest)] = 0  # no terms at all
    hits = a == largest
    n = np.count_nonzero(hits, axis=1)
    np.copyto(a, -np.inf, where=hits)
    a -= largest
    rest = np.exp(a, out=a).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        found: np.ndarray = np.where(n > 0, np.log1p(rest / n) + np.log(n) + largest[:, 0], -np.inf)
    return found


def _nearest(rows: np.ndarray) -> Iterator[float]:
    """The squared distance from each of n rows to the nearest that is not equal; infinite if there is none."""
    for start in range(0, len(rows), GROUP):
        x = rows[start : start + GROUP]
        yield from np.min([block.min(axis=1) for block in _squared(x, rows, distinct=True)], axis=0)


def _squared(x: np.ndarray, rows: np.ndarray, *, distinct: bool) -> Iterator[np.ndarray]:
    """Squared distances from x (k, d) to rows, block by block, (k, b); infinite between equal rows if `distinct`."""
    ours = np.einsum("ij,ij->i", x, x)[:, None]
    for start in range(0, len(rows), BLOCK):
        block = rows[start : start + BLOCK]
        theirs = np.einsum("ij,ij->i", block, block)
        squared = x @ block.T
        squared *= -2
        squared += ours
        squared += theirs
        np.maximum(squared, 0, out=squared)
        if distinct:
            squared[squared <= ROUNDING * (ours + theirs)] = np.inf
        yield squared
