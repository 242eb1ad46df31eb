"""Faster forms of trained networks, for scoring and for penalties on slopes."""
