"""Anomaly scores: components, one value per sample, and compositions that combine them into one score."""

from oddgan._core.chi import ChiMoments, chi_moments
from oddgan.scores.components import (
    critic_cross_entropy,
    feature_matching,
    gaussian_nll,
    kl_to_standard_normal,
    latent_error,
    latent_norm,
)
from oddgan.scores.composition import Composition, WeightedSum
from oddgan.scores.kernels import SVM, Mixture, OneClass
from oddgan.scores.linear import GridSearch, Logistic
from oddgan.scores.ranks import Average, Fisher, Maximum, RankAverage
from oddgan.scores.standardisation import Standardisation, Standardised
from oddgan.scores.tails import empirical_mode, empirical_tail, latent_norm_deviation

__all__ = [
    "SVM",
    "Average",
    "ChiMoments",
    "Composition",
    "Fisher",
    "GridSearch",
    "Logistic",
    "Maximum",
    "Mixture",
    "OneClass",
    "RankAverage",
    "Standardisation",
    "Standardised",
    "WeightedSum",
    "chi_moments",
    "critic_cross_entropy",
    "empirical_mode",
    "empirical_tail",
    "feature_matching",
    "gaussian_nll",
    "kl_to_standard_normal",
    "latent_error",
    "latent_norm",
    "latent_norm_deviation",
]
