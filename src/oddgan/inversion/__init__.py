"""Inference: from a sample to the latent point that generates its nearest likeness."""

from oddgan.inversion.encoder import EncoderInversion
from oddgan.inversion.result import Inverted
from oddgan.inversion.search import LatentSearch

__all__ = ["EncoderInversion", "Inverted", "LatentSearch"]
