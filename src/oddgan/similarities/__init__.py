"""Similarities of a sample and its reconstruction: one value per sample, differentiable, higher = less alike."""

from oddgan.similarities.base import Similarity
from oddgan.similarities.kernels import RBF
from oddgan.similarities.measures import L1, L2, Cosine, Minkowski
from oddgan.similarities.pyramid import LaplacianPyramid
from oddgan.similarities.warping import DTW, SoftDTW
from oddgan.similarities.wrappers import Blurred, Relative, TrailingMask

__all__ = [
    "DTW",
    "L1",
    "L2",
    "RBF",
    "Blurred",
    "Cosine",
    "LaplacianPyramid",
    "Minkowski",
    "Relative",
    "Similarity",
    "SoftDTW",
    "TrailingMask",
]
