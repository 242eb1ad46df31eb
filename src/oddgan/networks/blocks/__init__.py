"""Layers, critics and weight initialisation, of which backbones are built."""

from oddgan.networks.blocks.autoregressive import Autoregressive
from oddgan.networks.blocks.critics import Critic, JointCritic, SeveralCritics
from oddgan.networks.blocks.layers import Chain, FirstChannels, Grow, Residual, Sphere, at_rest, reinitialise
from oddgan.networks.blocks.minibatch import MinibatchSimilarity, MinibatchStdDev
from oddgan.networks.blocks.progressive import Growing, PixelNorm

__all__ = [
    "Autoregressive",
    "Chain",
    "Critic",
    "FirstChannels",
    "Grow",
    "Growing",
    "JointCritic",
    "MinibatchSimilarity",
    "MinibatchStdDev",
    "PixelNorm",
    "Residual",
    "SeveralCritics",
    "Sphere",
    "at_rest",
    "reinitialise",
]
