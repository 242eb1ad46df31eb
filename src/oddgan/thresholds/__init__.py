"""Anomaly score: rules from the scores of normal samples to a cut. Numpy only: no torch."""

from oddgan.thresholds.rules import Conformal, Fixed, MeanSigma, Quantile, Threshold
from oddgan.thresholds.tail import GeneralisedPareto

__all__ = ["Conformal", "Fixed", "GeneralisedPareto", "MeanSigma", "Quantile", "Threshold"]
