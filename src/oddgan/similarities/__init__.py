"""Dissimilarities of a sample and its reconstruction, one value per sample, differentiable."""

from oddgan.similarities.measures import L1, L2, RBF, Cosine, Similarity
from oddgan.similarities.wrappers import Blurred, Relative

__all__ = ["L1", "L2", "RBF", "Blurred", "Cosine", "Relative", "Similarity"]
