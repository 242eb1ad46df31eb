"""Scaling of raw values to network input and back: learned on training data, stored with the model."""

from oddgan.scaling.affine import AutoScaling, Identity, MinMax, Scaling, Standard
from oddgan.scaling.contrast import AutoContrast, ContrastNormalisation

__all__ = ["AutoContrast", "AutoScaling", "ContrastNormalisation", "Identity", "MinMax", "Scaling", "Standard"]
