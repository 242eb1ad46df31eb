"""Tail probabilities of components: of ‖z‖ under the χ distribution, or among reference values."""

import math
from typing import Literal

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy import special
from torch import Tensor

from oddgan._core.chi import chi_moments
from oddgan._core.errors import InputError

BINS = 50  # as in ecgan, the released code of Lüer et al., 2023
_TINY = 1e-280  # below this a probability is computed by its logarithm
_TERMS = 100


def latent_norm_deviation(
    norm: Tensor, dim: int, form: Literal["signed", "absolute", "tail"] = "signed", mode: float | None = None
) -> Tensor:
    r"""How far the norm of a code is from where norms of the prior N(0, I) concentrate, around the mode √(d - 1).

    ========  =====================================================================================
    signed    ‖z‖ - mode: codes far out are anomalous
    absolute  \|‖z‖ - mode\|: codes near the origin, as unlikely as codes far out, are anomalous, too
    tail      -log p with p = 2 min(P(χ_d <= ‖z‖), P(χ_d >= ‖z‖)): 0 at the median; finite for every norm
    ========  =====================================================================================

    Parameters
    ----------
    norm : norms ‖z‖ >= 0, (n,).
    dim : dimensions d of z, >= 1.
    form : "signed", "absolute" or "tail".
    mode : with "signed" and "absolute": what is subtracted instead of √(d - 1), e.g. `empirical_mode` of other norms.

    Returns
    -------
    One value per sample, (n,), float64.

    References
    ----------
    F. Lüer, M. Dolgich, T. Weber, C. Böhm: Adversarial Anomaly Detection using Gaussian Priors and Nonlinear Anomaly
    Scores, 2023, https://arxiv.org/abs/2310.18091.
    """
    if form not in ("signed", "absolute", "tail") or (form == "tail" and mode is not None):
        raise InputError(
            f"latent_norm_deviation got form={form!r} and mode={mode}: give signed, absolute or tail, and a mode only "
            "for the first two (see empirical_tail for p-values among reference norms)."
        )
    if form == "tail":
        return -(_log_two_sided(norm.double().square() / 2, dim / 2)).clamp(max=0.0)
    deviation = norm.double() - (chi_moments(dim).mode if mode is None else mode)
    return deviation if form == "signed" else deviation.abs()


def _log_two_sided(x: Tensor, a: float) -> Tensor:
    """log(2 min(P, 1 - P)) for P = P(a, x), the regularised incomplete gamma function: that of ‖z‖² / 2."""
    x = x.clamp(min=torch.finfo(x.dtype).tiny)  # ‖z‖ = 0 has the probability 0, whose logarithm is not finite
    # SciPy's: torch's own differs in the last bit between a value alone and a value among others.
    host = x.detach().cpu().numpy()
    smaller = torch.from_numpy(np.minimum(special.gammainc(a, host), special.gammaincc(a, host))).to(x.device)
    far = torch.where(x > a, _log_upper(x.clamp(min=a + 1), a), _log_lower(x.clamp(max=a), a))
    return math.log(2) + torch.where(smaller > _TINY, smaller.clamp(min=_TINY).log(), far)


def _log_upper(x: Tensor, a: float) -> Tensor:
    """Log of the upper tail by Legendre's continued fraction, evaluated from its end; for x far above a."""
    fraction = x + (2 * _TERMS + 1 - a)
    for i in range(_TERMS, 0, -1):
        fraction = x + (2 * i - 1 - a) - i * (i - a) / fraction
    return a * x.log() - x - math.lgamma(a) - fraction.log()


def _log_lower(x: Tensor, a: float) -> Tensor:
    """Log of the lower tail by its power series; for x far below a."""
    term = total = torch.ones_like(x)
    for i in range(1, _TERMS + 1):
        term = term * x / (a + i)
        total = total + term
    return a * x.log() - x - math.lgamma(a + 1) + total.log()


def empirical_mode(norms: ArrayLike) -> float:
    """Return the most frequent value: the middle of the fullest of 50 bins between the smallest and the largest.

    Parameters
    ----------
    norms : reference values (n,), finite, at least one; of bins that are equally full the lowest counts.
    """
    values = np.asarray(norms, dtype=np.float64)
    if values.ndim != 1 or len(values) == 0 or not np.isfinite(values).all():
        raise InputError(f"empirical_mode takes finite values (n,), at least one, but got the shape {values.shape}.")
    counts, edges = np.histogram(values, bins=BINS)
    fullest = int(np.argmax(counts))
    return float((edges[fullest] + edges[fullest + 1]) / 2)


def empirical_tail(values: Tensor, reference: NDArray[np.float64], *, two_sided: bool = True) -> Tensor:
    r"""How unusual values are among reference values: -log p, at most log(n + 1).

    With :math:`p_\ge = (1 + \#\{r \ge s\}) / (n + 1)` and :math:`p_\le` likewise, p is
    :math:`\min(1, 2 \min(p_\ge, p_\le))`, or :math:`p_\ge` alone if one-sided.

    Parameters
    ----------
    values : values s, (n,).
    reference : reference values r of held-out normal rows, (n,), ascending.
    two_sided : whether low values are unusual, too.

    Returns
    -------
    One value per sample, (n,), float64.
    """
    known = np.ascontiguousarray(reference, dtype=np.float64)
    return -torch.log(empirical_p(values.double(), known, two_sided=two_sided))


def empirical_p(values: Tensor, reference: NDArray[np.float64], *, two_sided: bool) -> Tensor:
    """The p-values (n,) of values among ascending reference values, as in `empirical_tail`."""
    below, up_to = among(values, reference)
    n = len(reference)
    high = (1 + n - below) / (n + 1)
    return torch.minimum(2 * torch.minimum(high, (1 + up_to) / (n + 1)), torch.ones_like(high)) if two_sided else high


def among(values: Tensor, reference: NDArray[np.float64]) -> tuple[Tensor, Tensor]:
    """How many of the ascending reference values are below, and how many not above, each value: (n,), float64."""
    known, values = torch.from_numpy(reference).to(values.device), values.contiguous()
    below = torch.searchsorted(known, values, side="left")
    return below.double(), torch.searchsorted(known, values, side="right").double()
