"""The chi distribution: that of the norm ‖z‖ of a standard normal point."""

import math
from typing import NamedTuple

from scipy import special

from oddgan._core.errors import InputError


class ChiMoments(NamedTuple):
    """Where the norm of a standard normal point lies."""

    mode: float
    mean: float
    std: float


def chi_moments(dim: int) -> ChiMoments:
    r"""Mode, mean and standard deviation of ‖z‖ for z ~ N(0, I), the χ distribution with `dim` degrees of freedom.

    .. math:: \sqrt{d-1}, \quad \sqrt2\,\Gamma(\tfrac{d+1}{2})/\Gamma(\tfrac d2), \quad \sqrt{d - \text{mean}^2}

    Parameters
    ----------
    dim : dimensions d of z, >= 1.
    """
    if dim < 1:
        raise InputError(f"chi_moments got dim={dim}: give the number of latent dimensions, at least 1.")
    mean = math.sqrt(2) * float(special.poch(dim / 2, 0.5))
    return ChiMoments(math.sqrt(dim - 1), mean, math.sqrt(dim - mean**2))
