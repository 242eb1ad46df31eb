"""Faster forms of networks: frozen copies for scoring, input gradients for penalties, half precision for training."""

from oddgan.networks.compiled.input_gradient import Listener, Logits
from oddgan.networks.compiled.precision import HalfPrecision
from oddgan.networks.compiled.prepared import prepare

__all__ = ["HalfPrecision", "Listener", "Logits", "prepare"]
