"""Normal distribution restricted to a shell of typical norms."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from scipy import special
from torch import Tensor

from oddgan._core.chi import chi_moments
from oddgan._core.errors import InputError
from oddgan.priors.distributions import Device, Prior

# A point on the edge is inside, but for the rounding of its norm, in units of the type's own.
_ROUNDING = 16


@dataclass(frozen=True)
class Shell(Prior):
    r"""Standard normal distribution, restricted to the shell of norms that it draws often.

    .. math:: | \|z\| - \sqrt{m-1} | \le k \sigma_m

    Without the restriction ‖z‖ follows the χ distribution with m degrees of freedom, whose mode is √(m - 1) and whose
    standard deviation σ rises from 0.60 (m = 1) to √½ = 0.71: the shell stays as thin however large m is.
    Samples are exact: a uniform direction, and a norm from the inverse of the χ distribution function. Projecting
    rescales to the nearer edge; the zero vector, which has no direction, goes along the first coordinate. Typicality is
    the two-sided tail probability of ‖z‖ within the shell, uniform on [0, 1] over samples; 0 outside.

    Parameters
    ----------
    k : half the shell's width in standard deviations of ‖z‖, above 0; an inner edge below 0 is 0.

    References
    ----------
    F. Lüer, C. Böhm: Anomaly Detection using Generative Adversarial Networks, section 4.2.
    """

    k: float = 2.0

    def __post_init__(self) -> None:
        if not 0 < self.k < math.inf:
            raise InputError(f"Shell got k={self.k}: give a finite number of standard deviations above 0.")

    def edges(self, dim: int) -> tuple[float, float]:
        """Return the least and the greatest norm of points with `dim` coordinates."""
        mode, _, std = chi_moments(dim)
        return max(0.0, mode - self.k * std), mode + self.k * std

    def sample(self, n: int, dim: int, *, device: Device = None) -> Tensor:
        """Draw n points (n, dim)."""
        direction = torch.randn(n, dim, device=device)
        share = torch.rand(n, 1, device=device, dtype=torch.float64).cpu().numpy()
        low, high = self._shares(dim)
        norm = torch.from_numpy(np.sqrt(2 * special.gammaincinv(dim / 2, low + share * (high - low)))).to(direction)
        # Projecting catches rounding: for wide shells the inverse is infinite at a share of 1.
        return self.project(norm * direction / torch.linalg.vector_norm(direction, dim=1, keepdim=True))

    def project(self, z: Tensor) -> Tensor:
        """Rescale z (n, m) to the nearer edge; points of the shell stay where they are."""
        low, high = self.edges(z.shape[1])
        norm = torch.linalg.vector_norm(z, dim=1, keepdim=True)
        pole = torch.zeros_like(z)
        pole[:, 0] = low
        moved = torch.where(norm == 0, pole, z * (norm.clamp(low, high) / torch.where(norm == 0, 1.0, norm)))
        return torch.where((norm >= low) & (norm <= high), z, moved)

    def log_density(self, z: Tensor) -> Tensor:
        """Return the log-density (n,) at z (n, m); minus infinity outside the shell."""
        low, high = self._shares(z.shape[1])
        inside = -(z.square() + math.log(2 * math.pi)).sum(dim=1) / 2 - math.log(high - low)
        return torch.where(self._contains(z), inside, -math.inf)

    def typicality(self, z: Tensor) -> Tensor:
        """Return the two-sided tail probability (n,) of ‖z‖ within the shell; 0 outside."""
        m = z.shape[1]
        low, high = self._shares(m)
        squared = z.double().square().sum(dim=1).cpu().numpy()
        below = torch.from_numpy((special.gammainc(m / 2, squared / 2) - low) / (high - low)).to(z)
        return torch.where(self._contains(z), 2 * torch.minimum(below, 1 - below).clamp(0.0, 0.5), 0.0)

    def _shares(self, dim: int) -> tuple[float, float]:
        """Probabilities that a normal point lies within the inner, and within the outer edge."""
        low, high = (float(special.gammainc(dim / 2, edge**2 / 2)) for edge in self.edges(dim))
        return low, high

    def _contains(self, z: Tensor) -> Tensor:
        low, high = self.edges(z.shape[1])
        norm: Tensor = torch.linalg.vector_norm(z, dim=1)
        slack = 1 + _ROUNDING * torch.finfo(z.dtype).eps
        return (norm >= low / slack) & (norm <= high * slack)
