"""Anomaly score: components, one value per sample, and how they become one score."""

from oddgan.scores.components import (
    critic_cross_entropy,
    feature_matching,
    gaussian_nll,
    kl_to_standard_normal,
    latent_error,
    latent_norm,
)
from oddgan.scores.composition import Composition, WeightedSum

__all__ = [
    "Composition",
    "WeightedSum",
    "critic_cross_entropy",
    "feature_matching",
    "gaussian_nll",
    "kl_to_standard_normal",
    "latent_error",
    "latent_norm",
]
