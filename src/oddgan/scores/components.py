"""Components of anomaly scores: functions of tensors with one value per sample, higher = more anomalous.

A residual needs no function here: any similarity, called with a sample and its reconstruction, is one.
"""

import math
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from oddgan._core.errors import InputError


def feature_matching(x: Tensor, y: Tensor, *, p: int = 1, reduction: Literal["mean", "sum"] = "mean") -> Tensor:
    r"""Distance :math:`|f(x) - f(\hat x)|^p` between a sample and its reconstruction in a critic's features.

    Parameters
    ----------
    x : features of the samples, (n, ...).
    y : features of their reconstructions, of the same shape.
    p : the power, 1 or 2.
    reduction : "mean" or "sum" over everything but the samples.

    Returns
    -------
    One value per sample, (n,).

    References
    ----------
    T. Schlegl et al.: Unsupervised Anomaly Detection with Generative Adversarial Networks to Guide Marker Discovery,
    2017, https://arxiv.org/abs/1703.05921, equation 4.
    """
    if p not in (1, 2) or reduction not in ("mean", "sum"):
        raise InputError(f'feature_matching got p={p} and reduction={reduction!r}: give 1 or 2, and "mean" or "sum".')
    difference = _difference(x, y)
    each = difference.abs() if p == 1 else difference.square()
    return each.mean(dim=1) if reduction == "mean" else each.sum(dim=1)


def critic_cross_entropy(logit: Tensor, target: float = 1.0) -> Tensor:
    r"""Sigmoid cross entropy of the critic's logits and a target: how far the critic is from that verdict.

    .. math:: -\alpha \log \sigma(D(\cdot)) - (1 - \alpha) \log(1 - \sigma(D(\cdot)))

    With α = 1, :math:`-\log \sigma(D(\cdot))`, it is how far the critic is from calling a sample real.

    Parameters
    ----------
    logit : the critic's logits, (n,).
    target : the probability α of being real that is asked for, in [0, 1].

    Returns
    -------
    One value per sample, (n,).

    References
    ----------
    F. Lüer, C. Böhm: Anomaly Detection using Generative Adversarial Networks: Reviewing Methodological Progress and
    Challenges, 2023, equation 5.
    """
    real = functional.softplus(-logit)
    return real if target == 1 else target * real + (1 - target) * functional.softplus(logit)


def latent_error(z: Tensor, z2: Tensor) -> Tensor:
    """Mean squared difference between a sample's code and that of its reconstruction.

    Parameters
    ----------
    z : codes of the samples, (n, m).
    z2 : codes of their reconstructions, (n, m).

    Returns
    -------
    One value per sample, (n,).
    """
    return _difference(z, z2).square().mean(dim=1)


def latent_norm(z: Tensor) -> Tensor:
    """Distance of a code from the origin, ‖z‖.

    Parameters
    ----------
    z : codes, (n, m).

    Returns
    -------
    One value per sample, (n,).
    """
    norm: Tensor = torch.linalg.vector_norm(z.flatten(1), dim=1)
    return norm


def kl_to_standard_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    r"""Divergence of an encoder's posterior from the prior N(0, I).

    .. math:: \tfrac12 \sum_j (\mu_j^2 + \sigma_j^2 - \log \sigma_j^2 - 1)

    Parameters
    ----------
    mean : means μ, (n, m).
    log_variance : log σ², (n, m).

    Returns
    -------
    One value per sample, (n,).

    References
    ----------
    D. Kingma, M. Welling: Auto-Encoding Variational Bayes, 2014, https://arxiv.org/abs/1312.6114, appendix B.
    """
    _check(mean, log_variance)
    each = mean.square() + torch.expm1(log_variance) - log_variance
    return each.flatten(1).sum(dim=1) / 2


def gaussian_nll(x: Tensor, mean: Tensor, log_variance: Tensor) -> Tensor:
    r"""Negative log-likelihood of samples under independent normal distributions, summed over all values.

    .. math:: \tfrac12 \sum_j \left( \frac{(x_j - \mu_j)^2}{\sigma_j^2} + \log \sigma_j^2 + \log 2\pi \right)

    Parameters
    ----------
    x : samples, (n, ...).
    mean : means μ, of the same shape.
    log_variance : log σ², of a shape that broadcasts to that of the samples.

    Returns
    -------
    One value per sample, (n,).
    """
    difference = _difference(x, mean)
    spread = log_variance.expand_as(x).flatten(1)
    return (difference.square() * torch.exp(-spread) + spread + math.log(2 * math.pi)).sum(dim=1) / 2


def _difference(x: Tensor, y: Tensor) -> Tensor:
    """Return x - y flattened to (n, d)."""
    _check(x, y)
    return (x - y).flatten(1)


def _check(x: Tensor, y: Tensor) -> None:
    """Refuse batches of different shapes: a broadcast would silently compare each sample with others."""
    if x.shape != y.shape or x.ndim < 2:
        raise InputError(
            f"A component compares two batches of one shape (n, ...), but got {tuple(x.shape)} and {tuple(y.shape)}."
        )
