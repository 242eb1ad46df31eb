"""Scaling: how raw values become network input and back; learned on training data, stored with the model."""

from oddgan.scaling.affine import AutoScaling, Identity, MinMax, Scaling, Standard

__all__ = ["AutoScaling", "Identity", "MinMax", "Scaling", "Standard"]
