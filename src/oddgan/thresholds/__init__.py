"""Threshold rules: from scores of normal rows to a cut. Numpy only: no torch."""

from oddgan.thresholds.labelled import Best, best_threshold
from oddgan.thresholds.rules import Conformal, Fixed, MeanSigma, Quantile, Threshold
from oddgan.thresholds.tail import GeneralisedPareto

__all__ = [
    "Best",
    "Conformal",
    "Fixed",
    "GeneralisedPareto",
    "MeanSigma",
    "Quantile",
    "Threshold",
    "best_threshold",
]
