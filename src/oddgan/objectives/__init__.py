"""Adversarial losses per sample, on logits, and gradient penalties."""

from oddgan.objectives.losses import WGANGP, Hinge, LeastSquares, Minimax, NonSaturating, Objective, Wasserstein
from oddgan.objectives.regularisers import R1, GradientPenalty, Regulariser

__all__ = [
    "R1",
    "WGANGP",
    "GradientPenalty",
    "Hinge",
    "LeastSquares",
    "Minimax",
    "NonSaturating",
    "Objective",
    "Regulariser",
    "Wasserstein",
]
