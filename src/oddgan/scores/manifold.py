"""Density near a decoder's manifold (GPND): codes, Jacobian, and distance from the manifold."""

import math
from collections.abc import Callable

import numpy as np
import torch
from scipy.stats import gennorm
from torch import Tensor
from torch.nn.functional import pad

# Shapes outside make cliffs or spikes of a few codes: 0.5 is far more peaked than Laplace, 20 nearly uniform.
SHAPES = (0.5, 20.0)
# The least change that counts, with samples and codes both of the order of 1.
FLAT = 1e-6
# Directions that share a pass; more cost memory.
CHUNK = 16
ALIGNED = 8  # float64 values in 64 bytes
TINY = 1e-12  # a distance of zero has no logarithm


def fit_generalised_normal(z: Tensor) -> Tensor:
    r"""Fit a generalised normal distribution to each coordinate by maximum likelihood.

    The density is :math:`\beta / (2 \alpha \Gamma(1/\beta)) \exp(-(|z - \mu| / \alpha)^\beta)`: normal for β = 2,
    Laplace for β = 1, uniform for large β. Shapes are kept within 0.5 and 20.

    Parameters
    ----------
    z : codes of training rows, (n, m).

    Returns
    -------
    β, μ and α of each coordinate, (3, m), float64.
    """
    return torch.tensor(np.array([_fit(column) for column in z.double().cpu().numpy().T]).T, device=z.device)


def _fit(z: np.ndarray) -> tuple[float, float, float]:
    mean, deviation = z.mean(), max(z.std(), 1e-6)
    u = (z - mean) / deviation
    found, centre, _ = gennorm.fit(u, 2.0, loc=0.0, scale=math.sqrt(2.0)) if u.any() else (2.0, 0.0, 1.0)
    shape = float(np.clip(found, *SHAPES))
    # The best scale for this shape and centre: where the likelihood's slope in it is zero.
    scale = max((shape * (np.abs(u - centre) ** shape).mean()) ** (1 / shape), 1e-6)
    return shape, mean + deviation * centre, deviation * scale


def generalised_normal_nll(z: Tensor, parameters: Tensor) -> Tensor:
    """Negative log-density of codes under independent generalised normal distributions.

    Parameters
    ----------
    z : codes, (n, m).
    parameters : β, μ and α of each coordinate, (3, m), from `fit_generalised_normal`.

    Returns
    -------
    One value per sample, (n,), float64.
    """
    shape, centre, scale = parameters
    constant = torch.log(2 * scale) + torch.lgamma(1 / shape) - torch.log(shape)
    nll: Tensor = (((z - centre).abs() / scale) ** shape + constant).sum(dim=1)
    return nll


def forward_jacobian(network: Callable[[Tensor], Tensor], z: Tensor) -> Tensor:
    """Derivatives of a decoder, one pass for each coordinate of the codes; none of them needs a graph.

    Parameters
    ----------
    network : maps codes (n, m) to samples (n, ...), each row by itself.
    z : codes, (n, m).

    Returns
    -------
    Each row's matrix of derivatives, (n, d, m), d values in a sample.
    """

    def column(direction: Tensor) -> Tensor:
        change: Tensor = torch.func.jvp(network, (z,), (direction.expand_as(z),))[1]
        return change.flatten(1)

    return _columns(column, z)


def backward_jacobian(network: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Derivatives of an encoder, one backward pass for each coordinate of the codes.

    Parameters
    ----------
    network : maps samples (n, ...) to codes (n, m), each row by itself.
    x : samples, (n, ...).

    Returns
    -------
    Each row's matrix of derivatives, transposed: (n, d, m), d values in a sample.
    """
    pulled = torch.func.vjp(network, x)  # without auxiliary output a pair: codes, and the map back from their changes
    z, pull = pulled[0], pulled[1]

    def column(direction: Tensor) -> Tensor:
        slope: Tensor = pull(direction.expand_as(z))[0]
        return slope.flatten(1)

    return _columns(column, z)


def _columns(column: Callable[[Tensor], Tensor], z: Tensor) -> Tensor:
    """Columns (n, d) for all directions of the codes, side by side: (n, d, m)."""
    directions = torch.eye(z.shape[1], dtype=z.dtype, device=z.device)
    columns: Tensor = torch.func.vmap(column, out_dims=2, chunk_size=CHUNK)(directions)
    return columns


def log_volume(jacobian: Tensor) -> Tensor:
    """Logarithm of the factor by which a linear map stretches volumes: the sum of log s over its singular values s.

    Singular values below 1e-6 count as 1e-6.

    Parameters
    ----------
    jacobian : a matrix for each sample, (n, d, m).

    Returns
    -------
    One value per sample, (n,), float64.
    """
    # Rows of zeros change no singular value. They align each matrix in memory, without which the library's rounding
    # depends on a row's place in the batch.
    aligned = pad(jacobian.double(), (0, 0, 0, -jacobian.shape[1] % ALIGNED))
    singular: Tensor = torch.linalg.svdvals(aligned)
    return singular.clamp(min=FLAT).log().sum(dim=1)


def distance(x: Tensor, y: Tensor) -> Tensor:
    """Euclidean distance of samples (n, ...) from their reconstructions (n, ...), over all values: (n,)."""
    length: Tensor = torch.linalg.vector_norm((x - y).flatten(1), dim=1)
    return length


def distance_histogram(distances: Tensor, bins: int) -> Tensor:
    """Density of the training rows' distances from the manifold, as a histogram.

    Parameters
    ----------
    distances : distances of training rows, (n,), 0 or more.
    bins : number of bins, at least 1.

    Returns
    -------
    Lower edges, upper edges, and the log-density of each bin, (3, bins), float64. A bin without rows has the density of
    one row.
    """
    r = distances.double().clamp(min=TINY)
    low, high = float(r.min()), float(r.max())
    counts, edges = np.histogram(r.cpu().numpy(), bins=bins, range=(low, max(high, low * 1.001)))
    density = np.maximum(counts, 1) / (len(r) * np.diff(edges))
    return torch.tensor(np.stack([edges[:-1], edges[1:], np.log(density)]), device=r.device)


def perpendicular_nll(distances: Tensor, histogram: Tensor, dimensions: float) -> Tensor:
    r"""Negative log-density of what is perpendicular to the manifold, given the density of its length.

    All directions being alike, a vector of length r in N dimensions has the density of r spread over a sphere's area:

    .. math:: \log p_\perp = \log p(r) + \log \Gamma(N/2) - \log 2 - \tfrac N2 \log \pi - (N - 1) \log r

    Below the first edge p(r) falls linearly to zero at r = 0; above the last it is that of one training row in a bin.

    Parameters
    ----------
    distances : lengths r, (n,), 0 or more.
    histogram : what `distance_histogram` returns, (3, bins).
    dimensions : N, above 0.

    Returns
    -------
    One value per sample, (n,), float64.
    """
    r = distances.double().clamp(min=TINY)
    lower, upper, log_density = histogram
    inside = log_density[torch.bucketize(r, upper).clamp(max=len(upper) - 1)]
    log_p = torch.where(r > upper[-1], log_density.min(), inside) + (r / lower[0]).log().clamp(max=0.0)
    constant = math.lgamma(dimensions / 2) - math.log(2.0) - dimensions / 2 * math.log(math.pi)
    nll: Tensor = (dimensions - 1) * r.log() - constant - log_p
    return nll
