"""Latent distributions (normal, uniform, truncated normal, sphere) of points z (n, m)."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from oddgan._core.checks import positive
from oddgan._core.errors import InputError

Device = torch.device | str | None


@dataclass(frozen=True)
class Prior(ABC):
    """A distribution of latent points whose m coordinates look alike."""

    def __call__(self, n: int, dim: int, *, device: Device = None) -> Tensor:
        """Draw latent points (n, dim), as `sample` does."""
        return self.sample(n, dim, device=device)

    @abstractmethod
    def sample(self, n: int, dim: int, *, device: Device = None) -> Tensor:
        """Draw n points (n, dim) from torch's global generator, which the caller has seeded."""

    @abstractmethod
    def project(self, z: Tensor) -> Tensor:
        """Return the nearest points (n, m) of the support; points of the support stay where they are."""

    @abstractmethod
    def log_density(self, z: Tensor) -> Tensor:
        """Return the log-density (n,) at z (n, m); minus infinity outside the support."""

    @abstractmethod
    def typicality(self, z: Tensor) -> Tensor:
        """Return how typical z (n, m) is, (n,): 1 is as typical as can be, 0 is never drawn."""


@dataclass(frozen=True)
class Gaussian(Prior):
    r"""Standard normal distribution, :math:`z \sim N(0, I)`.

    Its support is the whole space: projecting changes nothing. In high dimensions its samples lie near a sphere of
    radius √m, so a point near the origin has a high density and is still untypical. Typicality is therefore the
    two-sided tail probability of ‖z‖², which follows :math:`\chi^2_m`: uniform on [0, 1] over samples.
    """

    def sample(self, n: int, dim: int, *, device: Device = None) -> Tensor:
        """Draw n points (n, dim)."""
        return torch.randn(n, dim, device=device)

    def project(self, z: Tensor) -> Tensor:
        """Return z (n, m) itself."""
        return z

    def log_density(self, z: Tensor) -> Tensor:
        """Return the log-density (n,) at z (n, m)."""
        return -(z.square() + math.log(2 * math.pi)).sum(dim=1) / 2

    def typicality(self, z: Tensor) -> Tensor:
        """Return the two-sided tail probability (n,) of ‖z‖²."""
        return _two_sided(z.square().sum(dim=1), mean=z.shape[1], variance=2.0 * z.shape[1])


@dataclass(frozen=True)
class Uniform(Prior):
    r"""Independent uniform coordinates, :math:`z_j \sim U(a, b)`.

    Projecting clamps each coordinate. Typicality is the two-sided tail probability of the squared distance from the
    centre of the box, under the gamma distribution of the same mean and variance (a close approximation from about
    ten dimensions on); 0 outside the box.

    Parameters
    ----------
    low : lower bound a of every coordinate.
    high : upper bound b of every coordinate, above `low`.
    """

    low: float = -1.0
    high: float = 1.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise InputError(
                f"Uniform got low={self.low} and high={self.high}: give finite bounds with low below high."
            )

    def sample(self, n: int, dim: int, *, device: Device = None) -> Tensor:
        """Draw n points (n, dim)."""
        return torch.empty(n, dim, device=device).uniform_(self.low, self.high)

    def project(self, z: Tensor) -> Tensor:
        """Clamp z (n, m) to the bounds."""
        return z.clamp(self.low, self.high)

    def log_density(self, z: Tensor) -> Tensor:
        """Return -m log(b - a), (n,); minus infinity outside the box."""
        inside = z.new_full((len(z),), -z.shape[1] * math.log(self.high - self.low))
        return torch.where(self._contains(z), inside, -math.inf)

    def typicality(self, z: Tensor) -> Tensor:
        """Return the two-sided tail probability (n,) of the distance from the centre; 0 outside the box."""
        half, m = (self.high - self.low) / 2, z.shape[1]
        squared = ((z - (self.low + self.high) / 2) / half).square().sum(dim=1)
        # A coordinate of U(-1, 1), squared, has the mean 1/3 and the variance 1/5 - 1/9.
        return torch.where(self._contains(z), _two_sided(squared, mean=m / 3, variance=m * 4 / 45), 0.0)

    def _contains(self, z: Tensor) -> Tensor:
        return ((z >= self.low) & (z <= self.high)).all(dim=1)


@dataclass(frozen=True)
class TruncatedNormal(Prior):
    r"""Independent standard normal coordinates, cut off at :math:`\pm L`.

    Samples come from the inverse of the distribution function: exact, and as many draws as samples. Projecting clamps
    each coordinate. Typicality is the two-sided tail probability of ‖z‖², under the gamma distribution of the same
    mean and variance (a close approximation from about ten dimensions on); 0 outside the limits.

    Parameters
    ----------
    limit : the cut-off L, above 0, in standard deviations.
    """

    limit: float = 2.0

    def __post_init__(self) -> None:
        positive(self, limit=self.limit)

    def sample(self, n: int, dim: int, *, device: Device = None) -> Tensor:
        """Draw n points (n, dim)."""
        share = torch.empty(n, dim, device=device).uniform_(-self._mass, self._mass)
        # The clamp catches rounding: for wide limits the inverse is infinite at a share of 1.
        return self.project(math.sqrt(2) * torch.erfinv(share))

    def project(self, z: Tensor) -> Tensor:
        """Clamp z (n, m) to the limits."""
        return z.clamp(-self.limit, self.limit)

    def log_density(self, z: Tensor) -> Tensor:
        """Return the log-density (n,) at z (n, m); minus infinity outside the limits."""
        inside = -(z.square() / 2 + math.log(2 * math.pi) / 2 + math.log(self._mass)).sum(dim=1)
        return torch.where(self._contains(z), inside, -math.inf)

    def typicality(self, z: Tensor) -> Tensor:
        """Return the two-sided tail probability (n,) of ‖z‖²; 0 outside the limits."""
        # Moments of one coordinate, by parts: E z² = 1 - 2Lφ(L)/mass, E z⁴ = 3 E z² - 2L³φ(L)/mass.
        edge = 2 * math.exp(-(self.limit**2) / 2) / math.sqrt(2 * math.pi) / self._mass
        mean = 1 - self.limit * edge
        variance = 3 * mean - self.limit**3 * edge - mean**2
        m = z.shape[1]
        tail = _two_sided(z.square().sum(dim=1), mean=m * mean, variance=m * variance)
        return torch.where(self._contains(z), tail, 0.0)

    @property
    def _mass(self) -> float:
        """Probability that a standard normal coordinate lies within the limits."""
        return math.erf(self.limit / math.sqrt(2))

    def _contains(self, z: Tensor) -> Tensor:
        return (z.abs() <= self.limit).all(dim=1)


@dataclass(frozen=True)
class Sphere(Prior):
    r"""Uniform distribution on the sphere of radius √m, near which the standard normal distribution concentrates.

    Projecting rescales to the radius; the zero vector, which has no direction, goes to the pole along the first
    coordinate. The log-density is minus the logarithm of the sphere's area: the same for every point, which is taken
    to lie on the sphere. Typicality is the ratio of ‖z‖ to √m or its inverse, whichever is below 1.
    """

    def sample(self, n: int, dim: int, *, device: Device = None) -> Tensor:
        """Draw n points (n, dim)."""
        return self.project(torch.randn(n, dim, device=device))

    def project(self, z: Tensor) -> Tensor:
        """Rescale z (n, m) to the radius √m."""
        norm = torch.linalg.vector_norm(z, dim=1, keepdim=True)
        pole = torch.zeros_like(z)
        pole[:, 0] = 1.0
        direction = torch.where(norm > 0, z / torch.where(norm > 0, norm, 1.0), pole)
        return math.sqrt(z.shape[1]) * direction

    def log_density(self, z: Tensor) -> Tensor:
        """Return minus the log-area of the sphere, (n,)."""
        m = z.shape[1]
        area = math.log(2) + m / 2 * math.log(math.pi) - math.lgamma(m / 2) + (m - 1) / 2 * math.log(m)
        return z.new_full((len(z),), -area)

    def typicality(self, z: Tensor) -> Tensor:
        """Return min(‖z‖ / √m, √m / ‖z‖), (n,)."""
        ratio = torch.linalg.vector_norm(z, dim=1) / math.sqrt(z.shape[1])
        return torch.minimum(ratio, 1 / ratio)


def _two_sided(value: Tensor, *, mean: float, variance: float) -> Tensor:
    """Return the two-sided tail probability (n,) of a value under the gamma distribution of a mean and a variance.

    For a sum of m squared standard normal values, mean m and variance 2m, this is the chi-squared distribution itself.
    """
    shape = value.new_tensor(mean**2 / variance, dtype=torch.float64)
    scaled = value.double() * (mean / variance)
    lower, upper = torch.special.gammainc(shape, scaled), torch.special.gammaincc(shape, scaled)
    return (2 * torch.minimum(lower, upper)).to(value.dtype)
