"""Copies of a generator with weights of their own for each sample, which a search moves."""

from oddgan.networks.per_sample.copies import Private, private

__all__ = ["Private", "private"]
