"""Scaling: how raw values become network input and back; learned on training data, stored with the model."""

from oddgan.scaling.affine import Auto, Identity, MinMax, Scaling, Standard

__all__ = ["Auto", "Identity", "MinMax", "Scaling", "Standard"]
