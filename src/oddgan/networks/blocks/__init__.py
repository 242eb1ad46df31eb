"""Layers and critics that backbones are built of."""
